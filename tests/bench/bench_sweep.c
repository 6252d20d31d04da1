/* The sweep beside dnsperf: answered questions for a second of CPU, and memory.
 *
 * Both ask NSD on loopback for the same names, turn by turn, each in a process of its own whose
 * user and system time wait4() tells, start-up included.  dnsperf sends all from one port and
 * does not read the answers; the sweep draws a port for each question, reads the whole answer,
 * and here checks the alias, the address and the TTLs of each.  The floors are what the kernel
 * takes with nothing read, checked or timed: for kept sockets that get another port for each
 * question, as the sweep does it, and for new ones: socket, connect, send, recv, close.
 */
#include "base/file.h"
#include "base/wbuf.h"
#include "probe/dns/sweep.h"
#include "tests/support/support_dns.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ZONE_NAMES = 13000, MANY = 10 * ZONE_NAMES, WINDOW = 100, ROUNDS = 15 };

#define FIRST_HOST "contoso00000.documents.azure.com"

static const double goal_us = 25;
static char         input_path[] = "/tmp/plprobe-sweep-XXXXXX";

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
make_names(struct wbuf *zone, struct wbuf *input)
{
	wbuf_puts(zone, "$TTL 300\n@ IN SOA a. b. 1 3600 600 86400 60\n@ IN NS a.\n");
	for (unsigned i = 0; i < ZONE_NAMES; i++) {
		wbuf_printf(zone,
		    "contoso%05u IN CNAME contoso%05u.privatelink\n"
		    "contoso%05u.privatelink IN A 10.1.%u.%u\n",
		    i, i, i, i >> 8, i & 255);
		wbuf_printf(input, "contoso%05u.documents.azure.com A\n", i);
	}
}

/* One run of the sweep, in its own process. */
struct run {
	unsigned wanted, given, good;
	char     host[sizeof(FIRST_HOST)];
	long     rss_start_kb, rss_end_kb;
};

static long
read_rss_kb(void)
{
	long  size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%ld %ld", &size, &resident) != 2)
		die("/proc/self/statm");
	fclose(file);
	return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static bool
next(void *arg, struct sweep_name *name)
{
	struct run *run = arg;
	unsigned    i = run->given % ZONE_NAMES;

	if (run->given == run->wanted)
		return false;
	if (run->given++ == ZONE_NAMES / 10)
		run->rss_start_kb = read_rss_kb();
	for (unsigned digit = 12, rest = i; digit-- > 7; rest /= 10)
		run->host[digit] = (char)('0' + rest % 10);
	*name = (struct sweep_name){ run->host, (void *)(uintptr_t)i };
	return true;
}

/* Alias, address and TTLs are those of the zone. */
static bool
is_right(const struct dns_answer *answer, const char *host, unsigned i)
{
	const struct dns_alias   *alias = answer->aliases;
	const struct dns_address *address = answer->addresses;
	struct addr               addr = { 4, { 10, 1, (uint8_t)(i >> 8), (uint8_t)i }, 0, 0 };

	return answer->alias_count == 1 && answer->address_count == 1 &&
	    strcmp(alias->owner, host) == 0 && alias->ttl_s == 300 &&
	    strncmp(alias->target, host, 12) == 0 &&
	    strcmp(alias->target + 12, ".privatelink.documents.azure.com") == 0 &&
	    strcmp(address->owner, alias->target) == 0 && address->ttl_s == 300 &&
	    addr_equal(&address->addr, &addr);
}

static void
on_answer(void *arg, const struct sweep_result *result)
{
	struct run *run = arg;

	run->good += result->heard.how == OUTCOME_OK &&
	    is_right(result->heard.answer, result->host, (unsigned)(uintptr_t)result->arg);
}

static void
on_over(void *arg)
{
	((struct run *)arg)->rss_end_kb = read_rss_kb();
}

static int
sweep_main(const char *port, const char *names)
{
	struct run           run = { .wanted = (unsigned)atoi(names), .host = FIRST_HOST };
	struct err           err;
	struct addr          server = { 4, { 127, 0, 0, 1 }, (uint16_t)atoi(port), 0 };
	struct loop         *loop = loop_new(&err);
	struct sweep_options options = { .loop = loop,
		.clock = clock_system(),
		.resolvers = &server,
		.resolver_count = 1,
		.window = WINDOW,
		.limit_ms = 2000,
		.next = next,
		.on_answer = on_answer,
		.on_over = on_over,
		.arg = &run };

	if (sweep_start(&options, &err) == NULL)
		die(err.text);
	while (run.rss_end_kb == 0)
		loop_run_once(loop, true);
	loop_free(loop);
	printf("%u %ld %ld\n", run.good, run.rss_start_kb, run.rss_end_kb);
	return 0;
}

/* A window of questions with nothing else: the kernel's part.  A new socket each time, or kept
 * ones that get another port. */
static int
floor_main(const char *port, const char *names, bool kept)
{
	static const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
	static int                   sockets[WINDOW];
	struct addr                  server = { 4, { 127, 0, 0, 1 }, (uint16_t)atoi(port), 0 };
	struct sockaddr_storage      name;
	unsigned                     name_bytes = addr_to_sockaddr(&server, &name);
	struct dns_query             query;
	struct err                   err;
	uint8_t                      answer[DNS_UDP_BYTES];
	unsigned                     done = 0, wanted = (unsigned)atoi(names);

	if (!dns_query_build(&query, FIRST_HOST, DNS_TYPE_A, &err))
		die(err.text);
	while (done < wanted) {
		unsigned batch = wanted - done < WINDOW ? wanted - done : WINDOW;

		for (unsigned i = 0; i < batch; i++) {
			if (!kept || done == 0)
				sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
			if (!kept &&
			    connect(sockets[i], (struct sockaddr *)&name, name_bytes) != 0)
				die("floor");
			if (sendto(sockets[i], query.bytes, query.count, 0,
			        kept ? (struct sockaddr *)&name : NULL,
			        kept ? name_bytes : 0) < 0)
				die("floor");
		}
		for (unsigned i = 0; i < batch; i++) {
			if (recv(sockets[i], answer, sizeof(answer), 0) <= 0)
				die("floor");
			if (kept)
				connect(sockets[i], &nowhere, sizeof(nowhere));
			else
				close(sockets[i]);
		}
		done += batch;
	}
	printf("%u 0 0\n", done);
	return 0;
}

struct cost {
	double   cpu_us;
	unsigned answered;
	long     rss_start_kb, rss_end_kb;
};

/* Runs a program to its end; what it says comes back in text. */
static double
run_program(char *const *argv, char *text, size_t room)
{
	struct rusage use;
	int           ends[2], status;
	size_t        count = 0;
	ssize_t       got;
	pid_t         pid = -1;

	if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) == -1)
		die(argv[0]);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	while ((got = read(ends[0], text + count, room - 1 - count)) > 0)
		count += (size_t)got;
	text[count] = '\0';
	close(ends[0]);
	if (wait4(pid, &status, 0, &use) != pid || status != 0)
		die(argv[0]);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * US_PER_S +
	    (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static struct cost
run_self(const char *what, uint16_t port, unsigned names)
{
	static char self[] = "/proc/self/exe";
	char        word[16], port_text[8], names_text[16], text[256];
	struct cost cost = { 0 };

	snprintf(word, sizeof(word), "%s", what);
	snprintf(port_text, sizeof(port_text), "%u", port);
	snprintf(names_text, sizeof(names_text), "%u", names);
	cost.cpu_us = run_program(
	    (char *[]){ self, word, port_text, names_text, NULL }, text, sizeof(text));
	if (sscanf(text, "%u %ld %ld", &cost.answered, &cost.rss_start_kb, &cost.rss_end_kb) !=
	    3)
		die(what);
	return cost;
}

/* The whole input, or its first line only. */
static struct cost
run_dnsperf(uint16_t port, bool all)
{
	static char one[] = "-n1", window[] = "-q100", path[64], port_text[16];
	char        text[8192];
	const char *found;
	struct cost cost = { 0 };

	snprintf(path, sizeof(path), "-d%s%s", input_path, all ? "" : ".one");
	snprintf(port_text, sizeof(port_text), "-p%u", port);
	cost.cpu_us = run_program((char *[]){ (char *)"dnsperf", (char *)"-s127.0.0.1",
	                              port_text, path, one, window, NULL },
	    text, sizeof(text));
	found = strstr(text, "Queries completed:");
	if (found == NULL || sscanf(found, "Queries completed: %u", &cost.answered) != 1)
		die("dnsperf's output");
	return cost;
}

static void
keep_least(struct cost *best, struct cost now)
{
	if (best->answered == 0 || now.cpu_us < best->cpu_us)
		*best = now;
}

static double
us_each(struct cost cost)
{
	return cost.cpu_us / cost.answered;
}

static void
print_row(const char *name, struct cost cost, struct cost start)
{
	printf("%-34s %6u answered, %5.2f us CPU each, %7.0f a CPU second; without its "
	       "start %5.2f us\n",
	    name, cost.answered, us_each(cost), 1e6 / us_each(cost),
	    (cost.cpu_us - start.cpu_us) / cost.answered);
}

static bool
measure_speed(uint16_t port)
{
	struct cost sweep = { 0 }, perf = { 0 }, bare = { 0 }, kept = { 0 };
	struct cost sweep_start_up = { 0 }, perf_start_up = { 0 };
	double      ratio;

	/* Turn by turn, and the least of each: neighbours on the machine add, they never take. */
	for (unsigned i = 0; i < ROUNDS; i++) {
		keep_least(&perf_start_up, run_dnsperf(port, false));
		keep_least(&sweep_start_up, run_self("sweep", port, 1));
		keep_least(&perf, run_dnsperf(port, true));
		keep_least(&sweep, run_self("sweep", port, ZONE_NAMES));
		keep_least(&bare, run_self("floor", port, ZONE_NAMES));
		keep_least(&kept, run_self("kept", port, ZONE_NAMES));
	}
	print_row("sweep (a port each, all read)", sweep, sweep_start_up);
	print_row("dnsperf (one port, nothing read)", perf, perf_start_up);
	print_row("floor: kept sockets, a port each", kept, sweep_start_up);
	print_row("floor: new sockets", bare, sweep_start_up);
	ratio = us_each(perf) / us_each(sweep);
	printf("answered a CPU second: sweep / dnsperf = %.2f (goal 1), %.2f without start-up; "
	       "%.1f us a name (goal %.0f)\n",
	    ratio,
	    (perf.cpu_us - perf_start_up.cpu_us) / (sweep.cpu_us - sweep_start_up.cpu_us),
	    us_each(sweep), goal_us);
	return sweep.answered == ZONE_NAMES && us_each(sweep) <= goal_us && ratio >= 1;
}

static bool
measure_memory(uint16_t port)
{
	struct cost few = run_self("sweep", port, ZONE_NAMES);
	struct cost many = run_self("sweep", port, MANY);

	printf("memory while it goes on: %ld kB more after %u names, %ld kB more after %u\n",
	    few.rss_end_kb - few.rss_start_kb, ZONE_NAMES, many.rss_end_kb - many.rss_start_kb,
	    MANY);
	return many.answered == MANY &&
	    many.rss_end_kb - many.rss_start_kb <= few.rss_end_kb - few.rss_start_kb + 256;
}

static void
write_input(const struct wbuf *input)
{
	static const char first[] = FIRST_HOST " A\n";
	char              path[64];
	int               fd = mkstemp(input_path);

	snprintf(path, sizeof(path), "%s.one", input_path);
	if (fd == -1 || write(fd, input->bytes, input->count) != (ssize_t)input->count ||
	    close(fd) != 0 || !file_replace(path, first, strlen(first), 0600, NULL))
		die(input_path);
}

int
main(int argc, char **argv)
{
	struct wbuf             zone, input;
	struct support_dns_zone served = { .name = "documents.azure.com" };
	struct support_dns     *nsd;
	char                    path[64];
	bool                    good;

	if (argc == 4 && strcmp(argv[1], "sweep") == 0)
		return sweep_main(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "floor") == 0)
		return floor_main(argv[2], argv[3], false);
	if (argc == 4 && strcmp(argv[1], "kept") == 0)
		return floor_main(argv[2], argv[3], true);
	wbuf_init(&zone);
	wbuf_init(&input);
	make_names(&zone, &input);
	write_input(&input);
	served.text = wbuf_text(&zone);
	nsd = support_dns_nsd(&served, 1);
	good = measure_speed(support_dns_port(nsd));
	good &= measure_memory(support_dns_port(nsd));
	support_dns_free(nsd);
	snprintf(path, sizeof(path), "%s.one", input_path);
	unlink(path);
	unlink(input_path);
	wbuf_fini(&zone);
	wbuf_fini(&input);
	return good ? 0 : 1;
}
