/* support_bench: what the benches of probes over TLS have in common: a folder with certificates, a
 * core of their own, CPU time, the bare connection that is the floor, and the loop with its probes.
 *
 * Whatever fails ends the program with 2 and a line on stderr.
 */
#ifndef TESTS_SUPPORT_BENCH_H
#define TESTS_SUPPORT_BENCH_H

#include "probe/probe.h"

struct ssl_ctx_st;
struct ssl_st;

struct support_bench_files {
	char folder[32], root[64], cert[64], key[64]; /* paths */
};

struct support_bench {
	struct addr        peer; /* of the server; the caller's to set */
	struct ssl_ctx_st *tls;  /* of bare connections: verifies against the root */
	struct loop       *loop;
	struct probes     *probes;
};

void support_bench_die(const char *what) __attribute__((__noreturn__));

/* --count NUMBER and --goal RATIO over what is there. */
void support_bench_options(int argc, char **argv, unsigned *count, double *goal);

/* A fresh folder, without any certificates yet. */
void support_bench_files_make(struct support_bench_files *files);
void support_bench_files_remove(const struct support_bench_files *files);
/* A chain as long as the service's (leaf, issuing authority, root) for its names; over what was
 * there. */
void support_bench_certs(const struct support_bench_files *files, bool rsa);

/* Trusting the root in the folder; in_flight_max as of struct probe_options. */
void support_bench_open(struct support_bench *bench, const struct support_bench_files *files,
    unsigned in_flight_max);
void support_bench_close(struct support_bench *bench);

/* TCP and TLS with the certificate verified for the host, by blocking OpenSSL and no more. */
struct ssl_st *support_bench_connect(const struct support_bench *bench, const char *host);
void           support_bench_hang_up(struct ssl_st *ssl);

/* Where there is more than one; pid 0 is ourselves. */
void   support_bench_use_cpu(int pid, unsigned cpu);
double support_bench_cpu_us(void); /* of this process so far */
/* Sorts the values. */
double support_bench_median(double *values, size_t count);

#endif
