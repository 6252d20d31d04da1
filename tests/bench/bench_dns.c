/* What one name costs in CPU: A and AAAA through the dns probe, against NSD on loopback.  Beside
 * it the floor: the same two datagrams over two fresh sockets, sent and received with no check,
 * no timer and no loop.  Only the CPU of this process counts, not NSD's.
 */
#include "probe/probe.h"
#include "probe/dns/dns_wire.h"
#include "tests/support/support_dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NAMES = 20000, WARM_UP = 500, IN_FLIGHT = 16, ROUNDS = 3, STAGE_MS = 1500 };

static const char host[] = "contoso-westeurope.documents.azure.com";

static const struct support_dns_zone zones[] = {
	{ "documents.azure.com",
	    "$TTL 300\n@ IN SOA a. b. 1 3600 600 86400 60\n@ IN NS a.\n"
	    "contoso-westeurope IN CNAME contoso-westeurope.privatelink\n"
	    "contoso-westeurope.privatelink IN A 10.0.0.5\n" },
};

struct bench {
	struct loop   *loop;
	struct probes *probes;
	struct addr    server;
	unsigned       started, over, wanted, failed;
};

/* One of the probes that are under way at any time. */
struct slot {
	struct bench *bench;
	struct arena *arena;
	struct dns    dns;
};

static int64_t
read_cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * US_PER_S + use.ru_utime.tv_usec +
	    use.ru_stime.tv_usec;
}

static void on_over(void *arg);

static void
start_next(struct slot *slot)
{
	struct probe_ask ask = { .kind = "dns",
		.host = host,
		.peer = slot->bench->server,
		.limit_ms = 2000,
		.arena = slot->arena = arena_new(),
		.dns = &slot->dns,
		.on_over = on_over,
		.arg = slot };

	slot->bench->started++;
	probe_start(slot->bench->probes, &ask);
}

static void
on_over(void *arg)
{
	struct slot  *slot = arg;
	struct bench *bench = slot->bench;

	bench->failed += slot->dns.outcome != OUTCOME_OK || slot->dns.hops_count != 1;
	bench->over++;
	arena_free(slot->arena);
	if (bench->started < bench->wanted)
		start_next(slot);
}

static void
run_probes(struct bench *bench, unsigned names)
{
	static struct slot slots[IN_FLIGHT];
	int64_t            until_us = clock_mono_us(clock_system()) + STAGE_MS * US_PER_MS;

	bench->started = bench->over = 0;
	bench->wanted = names;
	for (unsigned i = 0; i < IN_FLIGHT; i++) {
		slots[i].bench = bench;
		start_next(&slots[i]);
	}
	while (bench->over < bench->started) {
		loop_run_once(bench->loop, true);
		if (clock_mono_us(clock_system()) > until_us)
			bench->wanted = bench->started;
	}
}

static int
send_bare(const struct addr *server, const struct dns_query *query)
{
	struct sockaddr_storage name;
	unsigned                bytes = addr_to_sockaddr(server, &name);
	int                     fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1 || connect(fd, (struct sockaddr *)&name, bytes) != 0 ||
	    sendto(fd, query->bytes, query->count, 0, NULL, 0) < 0) {
		perror("floor");
		exit(1);
	}
	return fd;
}

static unsigned
run_floor(const struct addr *server, unsigned names)
{
	struct dns_query a, aaaa;
	struct err       err;
	uint8_t          answer[DNS_UDP_BYTES];
	int64_t          until_us = clock_mono_us(clock_system()) + STAGE_MS * US_PER_MS;
	unsigned         done = 0;

	if (!dns_query_build(&a, host, DNS_TYPE_A, &err) ||
	    !dns_query_build(&aaaa, host, DNS_TYPE_AAAA, &err))
		exit(1);
	while (done < names && clock_mono_us(clock_system()) < until_us) {
		int first = send_bare(server, &a), second = send_bare(server, &aaaa);

		if (recv(first, answer, sizeof(answer), 0) <= 0 ||
		    recv(second, answer, sizeof(answer), 0) <= 0)
			exit(1);
		close(first);
		close(second);
		done++;
	}
	return done;
}

static double
least(double left, double right)
{
	return left < right ? left : right;
}

int
main(void)
{
	struct err           err;
	struct support_dns  *nsd = support_dns_nsd(zones, 1);
	struct bench         bench = { .loop = loop_new(&err),
		        .server = { 4, { 127, 0, 0, 1 }, support_dns_port(nsd), 0 } };
	struct probe_options options = {
		.loop = bench.loop, .clock = clock_system(), .in_flight_max = IN_FLIGHT
	};
	double probe_us = 1e9, floor_us = 1e9;

	bench.probes = probes_new(&options, &err);
	run_probes(&bench, WARM_UP);
	run_floor(&bench.server, WARM_UP);
	/* Turn by turn, and the least of each: neighbours on the machine add, they never take. */
	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t  from_us = read_cpu_us();
		unsigned names;

		run_probes(&bench, NAMES / ROUNDS);
		probe_us = least(probe_us, (double)(read_cpu_us() - from_us) / bench.over);
		from_us = read_cpu_us();
		names = run_floor(&bench.server, NAMES / ROUNDS);
		floor_us = least(floor_us, (double)(read_cpu_us() - from_us) / names);
	}
	printf("dns probe: %.1f us CPU a name (A and AAAA), bare sockets %.1f, ratio %.2f, "
	       "%u failed\n",
	    probe_us, floor_us, probe_us / floor_us, bench.failed);
	probes_free(bench.probes);
	loop_free(bench.loop);
	support_dns_free(nsd);
	return bench.failed == 0 ? 0 : 1;
}
