/* store: what the collector keeps, behind one vtable.
 *
 * Batches as received are the source of truth; the newest measurement of each target, agents,
 * gaps and findings derive from them.  A batch is known by (agent, epoch, seq) and its digest:
 * storing it again changes nothing.  The memory backend is the specification of the others.  Not
 * thread safe: one thread at a time owns a store, and the only one that writes is writer.c's.
 */
#ifndef COLLECTOR_STORE_STORE_H
#define COLLECTOR_STORE_STORE_H

#include "base/digest.h"
#include "base/err.h"
#include "proto/record.h"

#include <stddef.h>

struct store;

/* A measurement that is the newest of its target, unless the store has a newer one. */
struct store_row {
	const char               *key;   /* names the target within its agent */
	int64_t                   at_ms; /* orders the measurements of one target */
	const struct measurement *seen;
	const uint8_t            *bytes; /* the same, encoded */
	size_t                    count;
};

/* All pointers are borrowed for the call. */
struct store_batch {
	const char              *agent, *network;
	uint64_t                 epoch;
	uint32_t                 seq;
	uint8_t                  digest[DIGEST_BYTES]; /* of the body */
	int64_t                  received_ms, created_ms;
	const uint8_t           *body; /* as received */
	size_t                   body_bytes;
	const struct store_row  *rows;
	size_t                   row_count;
	const struct vitals     *vitals; /* the newest of the batch; NULL when it has none */
	const uint8_t           *vitals_bytes;
	size_t                   vitals_count;
	const struct gap *const *gaps;
	size_t                   gap_count;
};

enum store_answer {
	STORE_STORED,
	STORE_DUPLICATE, /* same identity, same digest; or its records came under another number,
	                    as a gap with the reason GAP_MOVED says */
	STORE_CONFLICT   /* same identity, other digest: nothing was changed */
};

/* What is wrong with one place of an account as one agent sees it, from opening to closing.
 * Known by agent, account, region, code, host and opened_ms. */
struct store_finding {
	const char *agent, *account, *region, *code, *host;
	const char *network, *severity, *owner;
	const char *sentence, *evidence, *fix;
	int64_t     opened_ms, last_seen_ms;
	int64_t     closed_ms; /* 0 while it is open */
	/* How sure it is: what analyze/hysteresis made of the looks. */
	const char *state; /* "opened", "confirmed", "flapping", "closed" */
	const char *looks; /* the newest ones, the oldest of them first: '!' bad, '.' good */
	const char *mode;  /* in which it is looked at; "" any */
	int64_t     confirmed_ms; /* 0: it never was, since it was opened */
	int64_t     looked_ms;    /* start of the newest look */
};

/* Names a batch; agent "": none. */
struct store_mark {
	const char *agent;
	uint64_t    epoch;
	uint32_t    seq;
};

/* One version of one document of the accounts' folder. */
struct store_document {
	const char    *id;      /* its path within the folder */
	const char    *kind;    /* "account", "zone", ... */
	const char    *account; /* the only one that it tells of; "" */
	const char    *change;  /* what is different from the version before, one line */
	uint8_t        digest[DIGEST_BYTES]; /* of the bytes; all zero: the document is gone */
	int64_t        seen_ms;              /* when it was first seen so */
	const uint8_t *bytes;                /* as read */
	size_t         count;
	/* The last batch that was judged before this was in force.  Agent NULL when it is kept: the
	 * newest that the store has; when it is read: an older version has not written it down. */
	struct store_mark after;
};

struct store_agent {
	const char    *agent, *network;
	int64_t        first_seen_ms, last_seen_ms;
	uint64_t       batches, lost_records; /* lost: as declared by gaps */
	const uint8_t *vitals_bytes;          /* encoded; NULL when none came */
	size_t         vitals_count;
};

/* Where a load goes; members may be NULL.  What is pointed at lives for the call. */
struct store_reader {
	void (*on_agent)(void *arg, const struct store_agent *agent);
	void (*on_row)(void *arg, const char *agent, int64_t at_ms, int64_t received_ms,
	    const uint8_t *bytes, size_t count);
	void (*on_finding)(void *arg, const struct store_finding *finding);
	/* In the order of arrival; rows, vitals and gaps are not filled in. */
	void (*on_batch)(void *arg, const struct store_batch *batch);
	/* Every version that is kept, in the order of their storing. */
	void (*on_document)(void *arg, const struct store_document *document);
	/* The batch that arrived last, when there is one. */
	void (*on_newest)(void *arg, const struct store_mark *newest);
	void *arg;
};

struct store_ops {
	const char *scheme; /* "sqlite", "memory" */
	/* place: the URL behind its scheme. */
	struct store *(*open)(const char *place, bool read_only, struct err *err);
	void (*close)(struct store *store);
	bool (*append)(struct store *store, const struct store_batch *const *batches,
	    size_t count, enum store_answer *answers, struct err *err);
	bool (*put)(struct store *store, const struct store_finding *findings, size_t count,
	    struct err *err);
	bool (*keep)(struct store *store, const struct store_document *documents, size_t count,
	    struct err *err);
	bool (*expire)(struct store *store, int64_t before_ms, size_t most, size_t *removed,
	    struct err *err);
	bool (*load)(struct store *store, const struct store_reader *to, struct err *err);
	bool (*check)(struct store *store, struct err *err);
};

/* The first member of every backend's own struct. */
struct store {
	const struct store_ops *ops;
};

extern const struct store_ops *const store_backends[]; /* NULL at the end */

/* "sqlite:/var/lib/plprobe-collector/store.db", "memory:". */
struct store *store_open(const char *url, bool read_only, struct err *err);
void          store_close(struct store *store); /* NULL is fine */

/* All batches in one durable transaction, or none.  answers: one a batch, in order; two batches
 * of one call may be the same. */
bool store_append(struct store *store, const struct store_batch *const *batches, size_t count,
    enum store_answer *answers, struct err *err) MUST_CHECK;
/* Adds findings, or replaces what is known of them. */
bool store_put(struct store *store, const struct store_finding *findings, size_t count,
    struct err *err) MUST_CHECK;
/* Adds each document as the newest version of its id, unless the newest has the same digest; all or
 * none. */
bool store_keep(struct store *store, const struct store_document *documents, size_t count,
    struct err *err) MUST_CHECK;
/* Forgets what is older than before_ms: batches, gaps, rows and agents by arrival, findings by
 * closing, documents by having a newer version that is that old, or by being gone for that long; open
 * findings stay.  At most `most` of each kind a call; says how many. */
bool store_expire(struct store *store, int64_t before_ms, size_t most, size_t *removed,
    struct err *err) MUST_CHECK;
bool store_load(struct store *store, const struct store_reader *to, struct err *err) MUST_CHECK;
/* Whether what is stored is whole: structure, and every body against its digest. */
bool store_check(struct store *store, struct err *err) MUST_CHECK;

#endif
