/* bench_rntbd: what a probe of Direct mode costs beside a bare handshake, and what 5,000 of them
 * do to memory.
 *
 *   bench_rntbd [--count N] [--goal RATIO]
 *
 * Cost: TCP connect and TLS with the certificate verified for its name against shared roots, by
 * blocking OpenSSL with one SSL_CTX and no more; against probe_start() and the loop, with the
 * context asked for and granted as well, four at a time as for the replicas of one partition.  The
 * chain is as long as the service's.  Measured is the CPU time of this process, in turns, so that
 * the machine's moods meet both.  Told beside it: probes one after the other, which share no round
 * of the loop, and the handshake with the same exchange over bare OpenSSL.
 *
 * Crowd: 5,000 addresses, 500 probes in flight, and a server that lets each handshake stand for a
 * while before it answers, so that they really are.
 *
 * The server is this program in a process of its own.  Ends with 1 when a median ratio is over the
 * goal, a replica was lost, or the peak of memory is over 64 MiB.
 */
#include "probe/probe.h"
#include "tests/support/support_bench.h"
#include "tests/support/support_child.h"
#include "tests/support/support_rntbd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Replicas of a partition: what a measurement asks at once, at least. */
enum { LANES = 4 };
enum { ROUNDS = 71, COUNT_PRESET = 12, REQUEST_MAX = 256 };
enum { CROWD = 5000, IN_FLIGHT = 500, CROWD_HOLD_MS = 200, RSS_MAX_KB = 64 * 1024 };
enum { SERVER_THREADS = IN_FLIGHT + 12, BACKLOG = 4096, STACK_BYTES = 256 * 1024 };

static const char host[] = "cdb-ms-prod-westus1-be169.documents.azure.com";

static struct support_bench_files files;

/* The server. */

struct server {
	SSL_CTX *tls;
	int      listener;
	unsigned hold_ms; /* from the request to its answer */
};

/* On every address of the loopback, and on no other interface. */
static int
listen_on_loopback(struct addr *at)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	socklen_t          count = sizeof(any);
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0 ||
	    bind(fd, (struct sockaddr *)&any, count) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, (struct sockaddr *)&any, &count) != 0)
		support_bench_die(strerror(errno));
	*at = addr_from_bytes("\x7f\0\0\1", 4, ntohs(any.sin_port));
	return fd;
}

static void
serve_one(const struct server *server, int fd)
{
	uint8_t request[REQUEST_MAX], reply[SUPPORT_RNTBD_MAX];
	size_t  count = support_rntbd_bytes(SUPPORT_RNTBD_R1, reply);
	SSL    *ssl = SSL_new(server->tls);

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 24) {
		usleep(server->hold_ms * 1000);
		memcpy(reply + SUPPORT_RNTBD_ID_AT, request + SUPPORT_RNTBD_ID_AT,
		    SUPPORT_RNTBD_ID_BYTES);
		SSL_write(ssl, reply, (int)count);
		SSL_read(ssl, request, sizeof(request));
	}
	SSL_free(ssl);
	close(fd);
}

static void *
serve(void *arg)
{
	const struct server *server = arg;
	int                  fd, yes = 1;

	while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		serve_one(server, fd);
	}
	return NULL;
}

static int
serve_main(char **args)
{
	struct server  server = { .tls = SSL_CTX_new(TLS_server_method()) };
	struct addr    at;
	char           text[ADDR_TEXT];
	pthread_attr_t small;
	pthread_t      thread;

	signal(SIGPIPE, SIG_IGN);
	if (SSL_CTX_use_certificate_chain_file(server.tls, args[0]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(server.tls, args[1], SSL_FILETYPE_PEM) != 1)
		support_bench_die("no certificate to serve with");
	server.hold_ms = (unsigned)strtoul(args[2], NULL, 10);
	server.listener = listen_on_loopback(&at);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK_BYTES);
	for (unsigned i = 1; i < SERVER_THREADS; i++) {
		if (pthread_create(&thread, &small, serve, &server) != 0)
			support_bench_die("no thread");
	}
	printf("listening %s\n", addr_render_port(&at, text, sizeof(text)));
	fflush(stdout);
	serve(&server);
	return 0;
}

static struct support_child *
start_server(unsigned hold_ms)
{
	char              hold[16];
	const char *const args[] = { "serve", files.cert, files.key, hold, NULL };

	snprintf(hold, sizeof(hold), "%u", hold_ms);
	return support_child_start("bench_rntbd", args, 1);
}

/* Cost: this process has one core, the server the other, where there is one. */

struct bench;

/* One probe at a time. */
struct lane {
	struct bench   *bench;
	struct arena   *arena; /* of the probe that runs */
	struct endpoint endpoint;
	struct replica  replica;
};

struct bench {
	struct support_bench base;
	struct lane          lanes[LANES];
	unsigned             left, running; /* probes still to start, and still to end */
};

static void
run_bare(struct bench *bench, bool exchange)
{
	uint8_t bytes[SUPPORT_RNTBD_MAX];
	size_t  count = support_rntbd_bytes(SUPPORT_RNTBD_A, bytes);
	SSL    *ssl = support_bench_connect(&bench->base, host);

	if (exchange &&
	    (SSL_write(ssl, bytes, (int)count) <= 0 ||
	        SSL_read(ssl, bytes, sizeof(bytes)) != 80))
		support_bench_die("bare exchange failed");
	support_bench_hang_up(ssl);
}

static void start_probe(struct lane *lane);

static void
on_over(void *arg)
{
	struct lane  *lane = arg;
	struct bench *bench = lane->bench;

	if (lane->replica.context != OUTCOME_OK)
		support_bench_die(lane->replica.detail);
	arena_free(lane->arena);
	bench->running--;
	if (bench->left != 0)
		start_probe(lane);
	else if (bench->running == 0)
		loop_stop(bench->base.loop);
}

static void
start_probe(struct lane *lane)
{
	struct bench    *bench = lane->bench;
	struct probe_ask ask = {
		.kind = "rntbd",
		.host = host,
		.peer = bench->base.peer,
		.limit_ms = 5000,
		.arena = arena_new(),
		.endpoint = &lane->endpoint,
		.replica = &lane->replica,
		.on_over = on_over,
		.arg = lane,
	};

	bench->left--;
	bench->running++;
	lane->arena = ask.arena;
	lane->endpoint = (struct endpoint){ 0 };
	lane->replica = (struct replica){ 0 };
	probe_start(bench->base.probes, &ask);
}

static double
measure_bare(struct bench *bench, unsigned count, bool exchange)
{
	double before_us = support_bench_cpu_us();

	for (unsigned i = 0; i < count; i++)
		run_bare(bench, exchange);
	return (support_bench_cpu_us() - before_us) / count;
}

static double
measure_ours(struct bench *bench, unsigned count, unsigned lanes)
{
	double before_us = support_bench_cpu_us();

	bench->left = count;
	for (unsigned i = 0; i < lanes && bench->left > 0; i++)
		start_probe(&bench->lanes[i]);
	loop_run(bench->base.loop);
	return (support_bench_cpu_us() - before_us) / count;
}

static void
open_bench(struct bench *bench, struct support_child *server)
{
	bench->base.peer = support_child_addr(server, 0);
	for (size_t i = 0; i < LANES; i++)
		bench->lanes[i].bench = bench;
	support_bench_open(&bench->base, &files, 0);
}

static double
bench_key(bool rsa, unsigned count)
{
	double bare_us[ROUNDS], asked_us[ROUNDS], alone_us[ROUNDS], ours_us[ROUNDS];
	double ratios[ROUNDS], alone_ratios[ROUNDS], ratio;
	struct support_child *server;
	struct bench          bench = { 0 };

	support_bench_certs(&files, rsa);
	server = start_server(0);
	support_bench_use_cpu(support_child_pid(server), 1);
	open_bench(&bench, server);
	measure_bare(&bench, 20, true);
	measure_ours(&bench, 20, LANES);
	for (unsigned i = 0; i < ROUNDS; i++) {
		bare_us[i] = measure_bare(&bench, count, false);
		ours_us[i] = measure_ours(&bench, count, LANES);
		alone_us[i] = measure_ours(&bench, count, 1);
		asked_us[i] = measure_bare(&bench, count, true);
		ratios[i] = ours_us[i] / bare_us[i];
		alone_ratios[i] = alone_us[i] / bare_us[i];
	}
	ratio = support_bench_median(ratios, ROUNDS);
	printf("rntbd_cpu key=%s bare_us=%.0f probe_us=%.0f ratio=%.3f alone_us=%.0f "
	       "alone_ratio=%.3f bare_asked_us=%.0f\n",
	    rsa ? "rsa2048" : "p256", support_bench_median(bare_us, ROUNDS),
	    support_bench_median(ours_us, ROUNDS), ratio,
	    support_bench_median(alone_us, ROUNDS), support_bench_median(alone_ratios, ROUNDS),
	    support_bench_median(asked_us, ROUNDS));
	support_bench_close(&bench.base);
	support_child_stop(server);
	return ratio;
}

/* The crowd. */

struct crowd {
	struct bench    bench;
	struct arena   *arena;
	struct endpoint endpoints[CROWD];
	struct replica  replicas[CROWD];
	unsigned        overs;
};

static void
on_one_over(void *arg)
{
	struct crowd *crowd = arg;

	if (++crowd->overs == CROWD)
		loop_stop(crowd->bench.base.loop);
}

static struct addr
name_peer(unsigned index, uint16_t port)
{
	uint8_t bytes[4] = { 127, 1, (uint8_t)(index / 250), (uint8_t)(1 + index % 250) };

	return addr_from_bytes(bytes, 4, port);
}

static unsigned
count_lost(const struct crowd *crowd)
{
	unsigned    lost = 0;
	const char *why = "";

	for (unsigned i = 0; i < CROWD; i++) {
		if (crowd->replicas[i].context == OUTCOME_OK)
			continue;
		lost++;
		why = crowd->endpoints[i].detail != NULL ? crowd->endpoints[i].detail
		                                         : crowd->replicas[i].detail;
	}
	if (lost != 0)
		fprintf(stderr, "bench_rntbd: %u lost, one of them: %s\n", lost, why);
	return lost;
}

static bool
bench_crowd(void)
{
	struct crowd         *crowd = mem_alloc(sizeof(*crowd));
	struct support_child *server;
	struct rusage         usage;
	uint16_t              port;
	int64_t               start_us;
	double                took_s;
	unsigned              lost;

	support_bench_certs(&files, true);
	server = start_server(CROWD_HOLD_MS);
	port = support_child_addr(server, 0).port;
	support_bench_open(&crowd->bench.base, &files, IN_FLIGHT);
	crowd->arena = arena_new();
	start_us = clock_mono_us(clock_system());
	for (unsigned i = 0; i < CROWD; i++)
		probe_start(crowd->bench.base.probes,
		    &(struct probe_ask){
		        .kind = "rntbd",
		        .host = host,
		        .peer = name_peer(i, port),
		        .limit_ms = 30000,
		        .arena = crowd->arena,
		        .endpoint = &crowd->endpoints[i],
		        .replica = &crowd->replicas[i],
		        .on_over = on_one_over,
		        .arg = crowd,
		    });
	loop_run(crowd->bench.base.loop);
	took_s = (double)(clock_mono_us(clock_system()) - start_us) / 1e6;
	getrusage(RUSAGE_SELF, &usage);
	lost = count_lost(crowd);
	printf(
	    "rntbd_crowd replicas=%d in_flight=%d lost=%u took_s=%.1f per_s=%.0f rss_kb=%ld\n",
	    CROWD, IN_FLIGHT, lost, took_s, CROWD / took_s, usage.ru_maxrss);
	support_bench_close(&crowd->bench.base);
	arena_free(crowd->arena);
	free(crowd);
	support_child_stop(server);
	return lost == 0 && usage.ru_maxrss <= RSS_MAX_KB;
}

int
main(int argc, char **argv)
{
	unsigned count = COUNT_PRESET;
	double   goal = 1.10, p256, rsa;
	bool     good;

	if (argc == 5 && strcmp(argv[1], "serve") == 0)
		return serve_main(argv + 2);
	support_bench_options(argc, argv, &count, &goal);
	support_bench_files_make(&files);
	good = bench_crowd();
	support_bench_use_cpu(0, 0);
	p256 = bench_key(false, count);
	rsa = bench_key(true, count);
	support_bench_files_remove(&files);
	return good && p256 <= goal && rsa <= goal ? 0 : 1;
}
