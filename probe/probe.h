/* probe: the one door to measuring: start, cancel, and the registry of kinds.
 *
 * A probe asks one thing of one peer (a name of one resolver; a handshake with one address) under
 * a deadline, writes what it saw into a struct of proto/fields.def, and ends with one callback.
 * It judges nothing, logs nothing, retries only what its protocol says, and knows neither
 * accounts nor regions.  Which probes make a measurement is measure.h's matter.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"
#include "proto/record.h"

struct feed_ask;
struct feed_found;
struct probe;
struct probes;
struct tls_roots;

/* What all probes of a process share. */
struct probe_options {
	struct loop        *loop;          /* borrowed; outlives the probes */
	const struct clock *clock;         /* borrowed */
	unsigned            in_flight_max; /* running at once; the others wait in line; 0: 64 */
	struct addr         source; /* local address to bind; family 0: the kernel's choice */
	const char *ca_file; /* PEM bundle that replaces the system's roots; NULL: those */
	/* "http://host:port": https and feed go through it (CONNECT), by the host's name, which it
	 * resolves itself; the policy is asked about its own address.  NULL: none.  That of the
	 * environment is never used. */
	const char *proxy;
	/* Asked with the very address that goes to connect(); NULL allows all.  A refusal is the
	 * outcome POLICY. */
	bool (*allows)(void *arg, const struct addr *peer);
	void *allows_arg;
	/* Told of every answer of a resolver, the system's own too, before the probe's on_over(): the
	 * name that was asked for, and what was seen.  NULL: nobody is told. */
	void (*answered)(void *arg, const char *host, const struct dns *seen);
	void *answered_arg;
	/* The kinds there are, NULL at the end; NULL: probe_kinds. */
	const struct probe_kind *const *kinds;
};

struct probes *probes_new(const struct probe_options *options, struct err *err);
/* Cancels what runs.  NULL is fine. */
void probes_free(struct probes *probes);

/* What to ask.  All pointers are borrowed until on_over() or probe_cancel() has returned. */
struct probe_ask {
	const char   *kind; /* a name of the registry: "dns", "tls", "rntbd" */
	const char   *host; /* dns, nss: name to resolve; else SNI, verified, Host */
	struct addr   peer; /* dns: the resolver; nss: none; else what is tested; with port */
	int64_t       limit_ms; /* from the start of running to the end, > 0 */
	struct arena *arena;    /* results are allocated here */
	/* Where to write: dns and nss probes fill *dns but for its source, the others their own fields of *endpoint; each kind
	 * leaves alone what is another's, so that tls and https may share an endpoint. */
	struct dns      *dns;
	struct endpoint *endpoint;
	struct replica  *replica; /* rntbd: the context; the connection goes to *endpoint */
	struct thin     *thin;    /* thin: the request; likewise */
	struct feed     *feed;    /* feed: all of it */
	const struct feed_ask *feed_ask;   /* feed: what to ask for */
	struct feed_found     *feed_found; /* feed: the replicas, where they were asked for */
	bool                   tcp_too; /* dns: ask over TCP as well, whatever comes over UDP */
	bool                   keep_raw; /* dns: keep the beginning of the answer as it came */
	void (*on_over)(void *arg); /* last thing that happens to the probe; it is gone after */
	void *arg;
};

/* Queues the probe and returns at once; on_over() is called from the loop, never from inside
 * probe_start(), and exactly once unless cancelled.  An unknown kind breaks the contract. */
struct probe *probe_start(struct probes *probes, const struct probe_ask *ask);
/* No callback after.  NULL is fine. */
void probe_cancel(struct probe *probe);

/* The rest is for the kinds.
 *
 * A kind of probe.  `start` begins to run; it calls probe_over() exactly once, later, from the
 * loop.  `cancel` frees a run that is not over. */
struct probe_kind {
	const char *name;
	bool own_line; /* keeps its own order: starts at once, fills no place in flight */
	/* What the kind shares between its runs; may be NULL.  Made at probes_new(). */
	bool (*init)(struct probes *probes, void **shared, struct err *err);
	void (*fini)(void *shared);
	void *(*start)(struct probe *probe, void *shared);
	void (*cancel)(void *run);
};

/* The registry, NULL at the end.  A kind that is not there does not exist. */
extern const struct probe_kind *const probe_kinds[];
const struct probe_kind              *probe_kind_find(const char *name);

const struct probe_ask     *probe_ask(const struct probe *probe);
struct probes              *probe_probes(const struct probe *probe);
const struct probe_options *probe_options(const struct probe *probe);
const struct probe_options *probes_options(const struct probes *probes);
/* Whom the process trusts: one store for all kinds; lent. */
struct tls_roots *probes_roots(const struct probes *probes);
bool              probe_allows(const struct probe *probe, const struct addr *peer);
/* The run is over and freed; calls on_over().  Nothing of the probe may be touched after. */
void probe_over(struct probe *probe);

#endif
