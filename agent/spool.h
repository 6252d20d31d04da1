/* spool: results on disk from the moment they are made until the collector has them.
 *
 * A folder of immutable segments: one is open and grows, the others are sealed, and a sealed one
 * is a batch.  The folder is the index: there is no ledger and no cursor that could disagree with
 * it; delivered is deleted.  When the disk is full, broken or gone it goes on in memory, within
 * 1 MiB, and says so.  Whatever is dropped is declared by a gap record.  It logs, and never fails
 * after it was opened.
 *
 * The promise: what was appended more than flush_ms ago, while stats say that nothing is degraded,
 * is delivered exactly once in effect, whatever is killed or loses power; and when it is dropped
 * for want of room, or found damaged, that is declared.
 */
#ifndef AGENT_SPOOL_H
#define AGENT_SPOOL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/wbuf.h"

struct spool;

struct spool_options {
	const char         *dir;   /* made when it is not there; copied */
	const char         *agent; /* who writes; copied */
	const struct clock *clock; /* borrowed */
	int64_t             limit_bytes, age_ms;
	int64_t             flush_ms; /* unsynced results live this long; 0: each is synced */
	int64_t             seal_age_ms; /* a segment is open this long */
	size_t              seal_bytes;  /* or until it holds this; 0: 64 KiB */
	unsigned            files_max;   /* 0: 4096 */
};

/* A file that the disk did not take whole.  Its records went on in memory under another number,
 * and it stays until they are delivered: a crash before that leaves what it has. */
struct spool_leftover {
	uint64_t epoch;
	uint32_t seq; /* 0: there is none */
	unsigned records;
};

/* A sealed segment. */
struct spool_batch {
	uint64_t epoch;
	uint32_t seq;
	unsigned records;
	int64_t  created_ms; /* wall clock; what an earlier agent left goes by it */
	uint64_t order;      /* grows with what this spool seals, whatever the wall clock does;
	                        0: an earlier agent's */
	uint64_t boot_ns;    /* CLOCK_BOOTTIME at its begin; of this spool's own only */
	size_t   bytes;      /* of the file */
	bool     salvaged;   /* what is left of a damaged one */
	uint8_t *memory;     /* its records, when it could not be written; owned by the spool */
	struct spool_leftover leftover;
};

/* Why records were dropped; spool_loss_name() is the reason of the gap that declares it. */
enum spool_loss {
	SPOOL_LOST_BYTES,
	SPOOL_LOST_FILES,
	SPOOL_LOST_AGE,
	SPOOL_LOST_DISK,
	SPOOL_LOST_REJECTED,
	SPOOL_LOST_DAMAGED,
	SPOOL_LOSSES
};

const char *spool_loss_name(enum spool_loss loss);

struct spool_stats {
	uint64_t bytes;              /* on disk and in memory */
	uint64_t records;            /* in sealed segments and the open one */
	uint64_t dropped;            /* records dropped since the start */
	uint64_t lost[SPOOL_LOSSES]; /* the same by reason */
	unsigned files, set_aside, conflicts;
	bool degraded; /* the disk does not take what is written, or did not: there are results
	                      in memory alone */
};

/* Takes the lock, recovers what was open, and begins a new epoch.  A disk that is full, read-only
 * or failing is no reason to fail: it is tried again with each new segment. */
struct spool *spool_open(const struct spool_options *options, struct err *err) MUST_CHECK;
/* NULL is fine.  Does not seal. */
void spool_close(struct spool *spool);

/* One encoded `record`, written to the file before it returns. */
void spool_append(struct spool *spool, const void *bytes, size_t count);
/* Syncs and seals what is due. */
void spool_tick(struct spool *spool);
/* Until spool_tick() has something to do; -1: nothing is open. */
int64_t spool_wait_ms(const struct spool *spool);
/* Seals what is open, if there is anything. */
void spool_seal(struct spool *spool);

/* Sealed ones, in the order in which they were sealed; NULL when there is none.  Valid until the next call that changes the
 * spool. */
const struct spool_batch *spool_oldest(const struct spool *spool);
const struct spool_batch *spool_newest(const struct spool *spool);
const struct spool_batch *spool_find(const struct spool *spool, uint64_t epoch, uint32_t seq);
size_t                    spool_count(const struct spool *spool);

/* Since the batch was begun, by a clock that nobody sets; -1: an earlier agent's, not known. */
int64_t spool_age_s(const struct spool *spool, const struct spool_batch *batch);

enum spool_load {
	SPOOL_LOADED,
	SPOOL_LOST, /* nothing sound was left: it is set aside, and declared */
	SPOOL_LATER /* cannot be read now, for want of descriptors or memory; it stays */
};
/* The records of a batch, one behind the other; *batch says what it is now, since damage found
 * here makes it smaller, and may give it another id. */
enum spool_load spool_load(
    struct spool *spool, struct spool_batch *batch, struct wbuf *records) MUST_CHECK;

/* What became of a batch.  An id that is no longer there is fine. */
void spool_delivered(struct spool *spool, uint64_t epoch, uint32_t seq);
/* It can never be taken: set aside, and declared. */
void spool_rejected(struct spool *spool, uint64_t epoch, uint32_t seq);
/* Too old for the collector: deleted, and declared. */
void spool_expired(struct spool *spool, uint64_t epoch, uint32_t seq);
/* The collector has another content under this id: gets a new id. */
void spool_conflicted(struct spool *spool, uint64_t epoch, uint32_t seq);

struct spool_stats spool_stats(const struct spool *spool);

#endif
