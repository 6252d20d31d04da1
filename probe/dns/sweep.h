/* sweep: many names, A only, asked of some resolvers, at a pace and in constant memory.
 *
 * Names come one by one from next() and go as soon as every resolver has said its word on them:
 * a window of them is under way, never a list of all.  Each question goes out from a UDP port that
 * the kernel draws for it alone, with a random id and random letter case.  An answer must come
 * from where the question went, and is accepted by the rules of dns_question.h; a truncated one
 * leads to TCP.  There is one repeat at most for each name and resolver.  It does not judge, and
 * does not cache.
 *
 * Pace: each resolver gets at most queries_per_s, and at most one second's worth at once.  A
 * resolver that lets SWEEP_SILENT_MAX questions in a row go unanswered is left alone: what would
 * have been asked of it ends as NOT_RUN, until SWEEP_REST_MS later one question tries again.
 */
#ifndef PROBE_DNS_SWEEP_H
#define PROBE_DNS_SWEEP_H

#include "base/clock.h"
#include "base/loop.h"
#include "probe/dns/dns_record.h"

enum {
	SWEEP_RESOLVERS_MAX = 16,
	SWEEP_WINDOW_MAX = 4096,
	SWEEP_WINDOW_PRESET = 64,
	SWEEP_SILENT_MAX = 8,
	SWEEP_REST_MS = 30000
};

struct sweep;

struct sweep_name {
	const char *host; /* copied when next() has returned */
	void       *arg;  /* comes back with each answer */
};

/* What one resolver says of one name. */
struct sweep_result {
	const char *host; /* in lower case, without the last dot */
	void       *arg;
	size_t      resolver; /* index in the options */
	/* Valid in on_answer() only, with all that it points at.  how NOT_RUN: not asked. */
	struct dns_heard heard;
};

struct sweep_options {
	struct loop        *loop;      /* borrowed; outlives the sweep */
	const struct clock *clock;     /* borrowed */
	const struct addr  *resolvers; /* with ports; copied */
	size_t              resolver_count;
	struct addr         source; /* local address to bind; family 0: the kernel's choice */
	unsigned            window; /* names under way at once; 0: SWEEP_WINDOW_PRESET */
	unsigned            queries_per_s; /* to each resolver; 0: without limit */
	int64_t             limit_ms;      /* for one name; > 0 */
	/* next() has nothing now, but sweep_wake() will say when it has: no end. */
	bool standing;
	/* Asked with the very address that goes to connect(); NULL allows all. */
	bool (*allows)(void *arg, const struct addr *peer);
	void *allows_arg;
	bool (*next)(void *arg, struct sweep_name *name); /* false: no more */
	/* Once for each name and resolver, from the loop. */
	void (*on_answer)(void *arg, const struct sweep_result *result);
	void (*on_over)(void *arg); /* the sweep is gone; not when standing */
	void *arg;                  /* of the last three */
};

/* Returns at once; NULL with err when it cannot begin. */
struct sweep *sweep_start(const struct sweep_options *options, struct err *err) MUST_CHECK;
void          sweep_wake(struct sweep *sweep);
/* No callback after; NULL is fine.  Not from inside a callback. */
void sweep_cancel(struct sweep *sweep);

/* Datagrams sent, and sockets there are, for tests and benches. */
struct sweep_stats {
	uint64_t sent, names;
	unsigned under_way, under_way_most, sockets_most;
};
struct sweep_stats sweep_stats(const struct sweep *sweep);

#endif
