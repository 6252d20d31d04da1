/* writer: the one thread that owns the store, and the queue in front of it.
 *
 * The loop hands over work and never waits; the thread commits what is waiting as one group and
 * posts the answers back, which are told on the loop's thread.  The queue is bounded: when it is
 * full the caller says "later" to its peer.
 */
#ifndef COLLECTOR_WRITER_H
#define COLLECTOR_WRITER_H

#include "base/arena.h"
#include "base/loop.h"
#include "collector/store/store.h"

struct writer;

enum { WRITER_JOBS_MAX = 512, WRITER_BYTES_MAX = 32 << 20, WRITER_GROUP_MAX = 64 };

enum writer_outcome { WRITER_STORED, WRITER_DUPLICATE, WRITER_CONFLICT, WRITER_FAILED };

struct writer_counts {
	uint64_t commits, failures; /* groups */
	uint64_t stored, duplicates, conflicts;
	uint64_t expired;
	uint64_t commit_us; /* spent in all groups */
	size_t   queued_jobs, queued_bytes;
};

/* store: borrowed; nobody else touches it until writer_free().  on_trouble is told, on the loop,
 * what went wrong with work that has nobody waiting for it, and of failed groups. */
struct writer *writer_new(struct loop *loop, struct store      *store,
    void (*on_trouble)(void *arg, const struct err *err), void *arg, struct err *err);
/* Does all that is queued, tells the answers, and ends.  NULL is fine. */
void writer_free(struct writer *writer);

/* Queues the batch, which with all it points at lives until on_over() has returned; false, and no
 * on_over(), when the queue is full. */
bool writer_append(struct writer *writer, const struct store_batch *batch,
    void (*on_over)(void *arg, enum writer_outcome outcome), void  *arg) MUST_CHECK;
/* Queues findings, which live in the arena; the arena is the writer's from here on. */
void writer_put(struct writer *writer, struct arena *arena,
    const struct store_finding *findings, size_t count);
/* The same for versions of documents. */
void writer_keep(struct writer *writer, struct arena *arena,
    const struct store_document *documents, size_t count);
void writer_expire(struct writer *writer, int64_t before_ms);

/* Whether writer_append() would refuse now, and how long a peer had better wait, s. */
bool                 writer_is_full(struct writer *writer);
unsigned             writer_wait_s(struct writer *writer);
struct writer_counts writer_counts(struct writer *writer);
/* For how long the thread has been at one piece of work, us; 0: it waits for some. */
int64_t writer_busy_us(struct writer *writer);

#endif
