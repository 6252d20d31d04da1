/* bench_https: what one fresh HTTPS probe costs beside a bare handshake and request.
 *
 *   bench_https [--count N] [--goal RATIO]
 *
 * Both do the same against the same server (fake_backend, another process): TCP connect, TLS with
 * the certificate verified for its name against shared roots, GET /, the whole answer.  The chain
 * is as long as the service's: leaf, issuing authority, root.  Bare is blocking OpenSSL with one
 * SSL_CTX; ours goes through probe_start() and the loop, one after the other.  Measured is
 * the CPU time of this process, in turns, so that the machine's moods meet both.  Ends with 1
 * when the median ratio is over the goal.
 */
#include "probe/probe.h"
#include "tests/support/support_bench.h"
#include "tests/support/support_child.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 71, COUNT_PRESET = 10 };

static const char host[] = "contoso-westeurope.documents.azure.com";

static struct support_bench_files files;

struct bench {
	struct support_bench base;
	struct arena        *arena; /* of the probe that runs */
	struct endpoint      endpoint;
	unsigned             left; /* probes still to start */
};

static void
run_bare(struct bench *bench)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: bare\r\n"
	                              "Accept: */*\r\n\r\n";
	char              bytes[16384];
	size_t            count = 0;
	int               got, length;
	SSL              *ssl = support_bench_connect(&bench->base, host);

	length = snprintf(bytes, sizeof(bytes), request, host);
	if (SSL_write(ssl, bytes, length) != length)
		support_bench_die("bare request failed");
	do {
		got = SSL_read(ssl, bytes + count, (int)(sizeof(bytes) - 1 - count));
		if (got <= 0)
			support_bench_die("bare answer failed");
		count += (size_t)got;
		bytes[count] = '\0';
	} while (strstr(bytes, "\r\n0\r\n\r\n") == NULL);
	if (strncmp(bytes, "HTTP/1.1 401", 12) != 0)
		support_bench_die("bare answer is not the 401");
	SSL_shutdown(ssl);
	support_bench_hang_up(ssl);
}

static void start_probe(struct bench *bench);

static void
on_over(void *arg)
{
	struct bench *bench = arg;

	if (bench->endpoint.http != OUTCOME_OK)
		support_bench_die(bench->endpoint.http_detail);
	arena_free(bench->arena);
	if (bench->left == 0)
		loop_stop(bench->base.loop);
	else
		start_probe(bench);
}

static void
start_probe(struct bench *bench)
{
	struct probe_ask ask = {
		.kind = "https",
		.host = host,
		.peer = bench->base.peer,
		.limit_ms = 5000,
		.arena = arena_new(),
		.endpoint = &bench->endpoint,
		.on_over = on_over,
		.arg = bench,
	};

	bench->left--;
	bench->arena = ask.arena;
	bench->endpoint = (struct endpoint){ 0 };
	probe_start(bench->base.probes, &ask);
}

static double
measure_bare(struct bench *bench, unsigned count)
{
	double before_us = support_bench_cpu_us();

	for (unsigned i = 0; i < count; i++)
		run_bare(bench);
	return (support_bench_cpu_us() - before_us) / count;
}

static double
measure_ours(struct bench *bench, unsigned count)
{
	double before_us = support_bench_cpu_us();

	bench->left = count;
	start_probe(bench);
	loop_run(bench->base.loop);
	return (support_bench_cpu_us() - before_us) / count;
}

static void
open_bench(struct bench *bench, struct support_child *server)
{
	bench->base.peer = support_child_addr(server, 0);
	support_bench_open(&bench->base, &files, 0);
}

static double
bench_key(bool rsa, unsigned count)
{
	const char *const args[] = { "--listen", "127.0.0.1:0", "--cert", files.cert, "--key",
		files.key, NULL };
	double            bare_us[ROUNDS], ours_us[ROUNDS], ratios[ROUNDS], ratio;
	struct support_child *server;
	struct bench          bench = { 0 };

	support_bench_certs(&files, rsa);
	server = support_child_start("fake_backend", args, 1);
	support_bench_use_cpu(support_child_pid(server), 1);
	open_bench(&bench, server);
	measure_bare(&bench, 20);
	measure_ours(&bench, 20);
	for (unsigned i = 0; i < ROUNDS; i++) {
		bare_us[i] = measure_bare(&bench, count);
		ours_us[i] = measure_ours(&bench, count);
		ratios[i] = ours_us[i] / bare_us[i];
	}
	ratio = support_bench_median(ratios, ROUNDS);
	printf("https_cpu key=%s bare_us=%.0f probe_us=%.0f ratio=%.3f\n",
	    rsa ? "rsa2048" : "p256", support_bench_median(bare_us, ROUNDS),
	    support_bench_median(ours_us, ROUNDS), ratio);
	support_bench_close(&bench.base);
	support_child_stop(server);
	return ratio;
}

int
main(int argc, char **argv)
{
	unsigned count = COUNT_PRESET;
	double   goal = 1.35, p256, rsa;

	support_bench_options(argc, argv, &count, &goal);
	support_bench_files_make(&files);
	support_bench_use_cpu(0, 0);
	p256 = bench_key(false, count);
	rsa = bench_key(true, count);
	support_bench_files_remove(&files);
	return p256 > goal || rsa > goal ? 1 : 0;
}
