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
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROUNDS = 71, COUNT_PRESET = 10 };

static const char host[] = "contoso-westeurope.documents.azure.com";

static char folder[] = "/tmp/bench_https.XXXXXX";
static char root_path[64], cert_path[64], key_path[64];

struct bench {
	struct addr     peer;
	SSL_CTX        *tls;
	struct loop    *loop;
	struct probes  *probes;
	struct arena   *arena; /* of the probe that runs */
	struct endpoint endpoint;
	unsigned        left; /* probes still to start */
};

static void __attribute__((__noreturn__)) die(const char *what)
{
	fprintf(stderr, "bench_https: %s\n", what);
	exit(2);
}

static void
make_certs(bool rsa)
{
	static const char *const  names[] = { "*.documents.azure.com", NULL };
	struct support_certs_plan plan = { .subject = "root", .authority = true, .rsa = rsa };
	struct support_certs     *root = support_certs_new(&plan), *middle, *leaf;

	plan.subject = "issuing";
	plan.issuer = root;
	middle = support_certs_new(&plan);
	plan = (struct support_certs_plan){
		.subject = "leaf", .names = names, .rsa = rsa, .issuer = middle
	};
	leaf = support_certs_new(&plan);
	support_certs_write(root, root_path, NULL);
	support_certs_write(leaf, cert_path, key_path);
	support_certs_free(leaf);
	support_certs_free(middle);
	support_certs_free(root);
}

static void
name_files(void)
{
	if (mkdtemp(folder) == NULL)
		die("no folder for certificates");
	snprintf(root_path, sizeof(root_path), "%s/root.pem", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
}

static void
remove_files(void)
{
	unlink(root_path);
	unlink(cert_path);
	unlink(key_path);
	rmdir(folder);
}

/* The server has the other core, where there is one. */
static void
use_cpu(int pid, unsigned cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		sched_setaffinity(pid, sizeof(cpus), &cpus);
}

static double
cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int
connect_to(const struct addr *peer)
{
	struct sockaddr_storage storage;
	unsigned                length = addr_to_sockaddr(peer, &storage);
	int                     fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int                     yes = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&storage, length) != 0)
		die(strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

static void
run_bare(struct bench *bench)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: bare\r\n"
	                              "Accept: */*\r\n\r\n";
	char              bytes[16384];
	size_t            count = 0;
	int               got, length;
	SSL              *ssl = SSL_new(bench->tls);
	int               fd = connect_to(&bench->peer);

	SSL_set_tlsext_host_name(ssl, host);
	X509_VERIFY_PARAM_set_hostflags(
	    SSL_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set1_host(ssl, host);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		die("bare handshake failed");
	length = snprintf(bytes, sizeof(bytes), request, host);
	if (SSL_write(ssl, bytes, length) != length)
		die("bare request failed");
	do {
		got = SSL_read(ssl, bytes + count, (int)(sizeof(bytes) - 1 - count));
		if (got <= 0)
			die("bare answer failed");
		count += (size_t)got;
		bytes[count] = '\0';
	} while (strstr(bytes, "\r\n0\r\n\r\n") == NULL);
	if (strncmp(bytes, "HTTP/1.1 401", 12) != 0)
		die("bare answer is not the 401");
	SSL_shutdown(ssl);
	SSL_free(ssl);
	close(fd);
}

static void start_probe(struct bench *bench);

static void
on_over(void *arg)
{
	struct bench *bench = arg;

	if (bench->endpoint.http != OUTCOME_OK)
		die(bench->endpoint.http_detail);
	arena_free(bench->arena);
	if (bench->left == 0)
		loop_stop(bench->loop);
	else
		start_probe(bench);
}

static void
start_probe(struct bench *bench)
{
	struct probe_ask ask = {
		.kind = "https",
		.host = host,
		.peer = bench->peer,
		.limit_ms = 5000,
		.arena = arena_new(),
		.endpoint = &bench->endpoint,
		.on_over = on_over,
		.arg = bench,
	};

	bench->left--;
	bench->arena = ask.arena;
	bench->endpoint = (struct endpoint){ 0 };
	probe_start(bench->probes, &ask);
}

static double
measure_bare(struct bench *bench, unsigned count)
{
	double before_us = cpu_us();

	for (unsigned i = 0; i < count; i++)
		run_bare(bench);
	return (cpu_us() - before_us) / count;
}

static double
measure_ours(struct bench *bench, unsigned count)
{
	double before_us = cpu_us();

	bench->left = count;
	start_probe(bench);
	loop_run(bench->loop);
	return (cpu_us() - before_us) / count;
}

static int
compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static double
median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

static void
open_bench(struct bench *bench, struct support_child *server)
{
	struct probe_options options = { .clock = clock_system(), .ca_file = root_path };
	struct err           err;

	bench->peer = support_child_addr(server, 0);
	bench->tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(bench->tls, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(bench->tls, root_path) != 1)
		die("no roots");
	bench->loop = loop_new(&err);
	if (bench->loop == NULL)
		die(err.text);
	options.loop = bench->loop;
	bench->probes = probes_new(&options, &err);
	if (bench->probes == NULL)
		die(err.text);
}

static double
bench_key(bool rsa, unsigned count)
{
	const char *const args[] = { "--listen", "127.0.0.1:0", "--cert", cert_path, "--key",
		key_path, NULL };
	double            bare_us[ROUNDS], ours_us[ROUNDS], ratios[ROUNDS], ratio;
	struct support_child *server;
	struct bench          bench = { 0 };

	make_certs(rsa);
	server = support_child_start("fake_backend", args, 1);
	use_cpu(support_child_pid(server), 1);
	open_bench(&bench, server);
	measure_bare(&bench, 20);
	measure_ours(&bench, 20);
	for (unsigned i = 0; i < ROUNDS; i++) {
		bare_us[i] = measure_bare(&bench, count);
		ours_us[i] = measure_ours(&bench, count);
		ratios[i] = ours_us[i] / bare_us[i];
	}
	ratio = median(ratios);
	printf("https_cpu key=%s bare_us=%.0f probe_us=%.0f ratio=%.3f\n",
	    rsa ? "rsa2048" : "p256", median(bare_us), median(ours_us), ratio);
	probes_free(bench.probes);
	loop_free(bench.loop);
	SSL_CTX_free(bench.tls);
	support_child_stop(server);
	return ratio;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "goal", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned count = COUNT_PRESET;
	double   goal = 1.35, p256, rsa;
	int      option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c': count = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'g': goal = strtod(optarg, NULL); break;
		default: return 2;
		}
	}
	if (count == 0 || goal <= 0)
		die("--count and --goal are numbers above 0");
	name_files();
	use_cpu(0, 0);
	p256 = bench_key(false, count);
	rsa = bench_key(true, count);
	remove_files();
	return p256 > goal || rsa > goal ? 1 : 0;
}
