#include "tests/support/support_bench.h"

#include "tests/support/support_certs.h"

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

void
support_bench_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(2);
}

void
support_bench_options(int argc, char **argv, unsigned *count, double *goal)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'c' },
		{ "goal", required_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c': *count = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'g': *goal = strtod(optarg, NULL); break;
		default: exit(2);
		}
	}
	if (*count == 0 || *goal <= 0)
		support_bench_die("--count and --goal are numbers above 0");
}

void
support_bench_files_make(struct support_bench_files *files)
{
	strcpy(files->folder, "/tmp/support_bench.XXXXXX");
	if (mkdtemp(files->folder) == NULL)
		support_bench_die("no folder for certificates");
	snprintf(files->root, sizeof(files->root), "%s/root.pem", files->folder);
	snprintf(files->cert, sizeof(files->cert), "%s/cert.pem", files->folder);
	snprintf(files->key, sizeof(files->key), "%s/key.pem", files->folder);
}

void
support_bench_files_remove(const struct support_bench_files *files)
{
	unlink(files->root);
	unlink(files->cert);
	unlink(files->key);
	rmdir(files->folder);
}

void
support_bench_certs(const struct support_bench_files *files, bool rsa)
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
	support_certs_write(root, files->root, NULL);
	support_certs_write(leaf, files->cert, files->key);
	support_certs_free(leaf);
	support_certs_free(middle);
	support_certs_free(root);
}

void
support_bench_open(struct support_bench *bench, const struct support_bench_files *files,
    unsigned in_flight_max)
{
	struct probe_options options = {
		.clock = clock_system(), .ca_file = files->root, .in_flight_max = in_flight_max
	};
	struct err err;

	bench->tls = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(bench->tls, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(bench->tls, files->root) != 1)
		support_bench_die("no roots");
	bench->loop = options.loop = loop_new(&err);
	if (bench->loop == NULL)
		support_bench_die(err.text);
	bench->probes = probes_new(&options, &err);
	if (bench->probes == NULL)
		support_bench_die(err.text);
}

void
support_bench_close(struct support_bench *bench)
{
	probes_free(bench->probes);
	loop_free(bench->loop);
	SSL_CTX_free(bench->tls);
}

static int
connect_to(const struct addr *peer)
{
	struct sockaddr_storage storage;
	unsigned                length = addr_to_sockaddr(peer, &storage);
	int                     fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int                     yes = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&storage, length) != 0)
		support_bench_die(strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

SSL *
support_bench_connect(const struct support_bench *bench, const char *host)
{
	SSL *ssl = SSL_new(bench->tls);

	SSL_set_tlsext_host_name(ssl, host);
	X509_VERIFY_PARAM_set_hostflags(
	    SSL_get0_param(ssl), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	SSL_set1_host(ssl, host);
	SSL_set_fd(ssl, connect_to(&bench->peer));
	if (SSL_connect(ssl) != 1)
		support_bench_die("bare handshake failed");
	return ssl;
}

void
support_bench_hang_up(SSL *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

void
support_bench_use_cpu(int pid, unsigned cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		sched_setaffinity(pid, sizeof(cpus), &cpus);
}

double
support_bench_cpu_us(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static int
compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

double
support_bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}
