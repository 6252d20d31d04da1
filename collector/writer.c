#include "collector/writer.h"

#include "base/beside.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRE_CHUNK = 2000 };

enum kind { APPEND, PUT, KEEP, EXPIRE };

struct job {
	struct job *next;
	enum kind   kind;
	/* APPEND */
	const struct store_batch *batch; /* borrowed until on_over() */
	void (*on_over)(void *arg, enum writer_outcome outcome);
	void               *arg;
	enum writer_outcome outcome;
	/* PUT, KEEP */
	struct arena                *arena; /* owned */
	const struct store_finding  *findings;
	const struct store_document *documents;
	size_t                       count;
	/* EXPIRE */
	int64_t before_ms;
	/* what went wrong with a PUT, a KEEP, an EXPIRE, or the group this APPEND was the first of */
	struct err trouble;
};

struct list {
	struct job  *first;
	struct job **last;
};

struct writer {
	struct beside beside; /* rings when there is something in `done` */
	struct store *store;  /* borrowed; the thread's */
	void (*on_trouble)(void *arg, const struct err *err);
	void *arg;
	/* Shared, under the lock. */
	pthread_mutex_t      lock;
	pthread_cond_t       work;
	struct list          queue, done;
	bool                 ending;
	int64_t              began_us; /* the piece of work under way; 0: none */
	struct writer_counts counts;
};

static void
clear_list(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void
add_job(struct list *list, struct job *job)
{
	job->next = NULL;
	*list->last = job;
	list->last = &job->next;
}

/* Takes it out of the queue, whose end may have been it. */
static void
move_job(struct writer *writer, struct job **at, struct list *to)
{
	struct job *job = *at;

	*at = job->next;
	if (writer->queue.last == &job->next)
		writer->queue.last = at;
	add_job(to, job);
	if (job->kind == APPEND) {
		writer->counts.queued_jobs--;
		writer->counts.queued_bytes -= job->batch->body_bytes;
	}
}

/* Moves the next piece of work out of the queue: the first job, and with appends or findings as
 * many of their kind as make a group.  They may overtake what stands between: findings are judged
 * again from what was appended, and nothing else is said twice. */
static struct list
take_group(struct writer *writer)
{
	struct list  group;
	struct job **at = &writer->queue.first;
	enum kind    kind = (*at)->kind;
	size_t       count = 1;

	clear_list(&group);
	move_job(writer, at, &group);
	while ((kind == APPEND || kind == PUT) && *at != NULL && count < WRITER_GROUP_MAX) {
		if ((*at)->kind != kind) {
			at = &(*at)->next;
			continue;
		}
		move_job(writer, at, &group);
		count++;
	}
	return group;
}

static const enum writer_outcome outcome_of[] = {
	[STORE_STORED] = WRITER_STORED,
	[STORE_DUPLICATE] = WRITER_DUPLICATE,
	[STORE_CONFLICT] = WRITER_CONFLICT,
};

static bool
append_jobs(struct writer *writer, struct job *first, size_t most, struct err *err)
{
	const struct store_batch *batches[WRITER_GROUP_MAX];
	enum store_answer         answers[WRITER_GROUP_MAX];
	size_t                    count = 0;

	for (struct job *job = first; job != NULL && count < most; job = job->next)
		batches[count++] = job->batch;
	if (!store_append(writer->store, batches, count, answers, err))
		return false;
	for (size_t i = 0; i < count; i++, first = first->next)
		first->outcome = outcome_of[answers[i]];
	return true;
}

/* One batch that the store will not take must not fail those beside it: they are tried alone. */
static void
append_group(struct writer *writer, struct job *first)
{
	if (append_jobs(writer, first, WRITER_GROUP_MAX, &first->trouble))
		return;
	for (struct job *job = first; job != NULL; job = job->next) {
		if (!append_jobs(writer, job, 1, &job->trouble))
			job->outcome = WRITER_FAILED;
	}
}

static void
begin_piece(struct writer *writer)
{
	pthread_mutex_lock(&writer->lock);
	writer->began_us = clock_mono_us(clock_system());
	pthread_mutex_unlock(&writer->lock);
}

static void
expire_all(struct writer *writer, struct job *job)
{
	size_t removed, all = 0;

	do {
		begin_piece(writer);
		if (!store_expire(
		        writer->store, job->before_ms, EXPIRE_CHUNK, &removed, &job->trouble))
			break;
		all += removed;
	} while (removed >= EXPIRE_CHUNK);
	job->count = all;
}

/* In their order: of one finding the last word counts. */
static void
put_group(struct writer *writer, struct job *first)
{
	struct store_finding *all;
	size_t                count = 0, at = 0;

	for (const struct job *job = first; job != NULL; job = job->next)
		count += job->count;
	all = mem_array(count, sizeof(*all));
	for (const struct job *job = first; job != NULL; job = job->next) {
		for (size_t i = 0; i < job->count; i++)
			all[at++] = job->findings[i];
	}
	if (!store_put(writer->store, all, count, &first->trouble))
		err_in(&first->trouble, "findings are not kept");
	free(all);
}

static void
do_group(struct writer *writer, struct job *first)
{
	switch (first->kind) {
	case APPEND: append_group(writer, first); break;
	case PUT: put_group(writer, first); break;
	case KEEP:
		if (!store_keep(writer->store, first->documents, first->count, &first->trouble))
			err_in(&first->trouble, "versions of documents are not kept");
		break;
	case EXPIRE: expire_all(writer, first); break;
	}
}

static void
count_group(struct writer_counts *counts, const struct job *first, int64_t took_us)
{
	counts->commits += first->trouble.kind == ERR_NONE;
	counts->failures += first->trouble.kind != ERR_NONE;
	counts->commit_us += (uint64_t)took_us;
	for (const struct job *job = first; job != NULL && job->kind == APPEND;
	     job = job->next) {
		counts->stored += job->outcome == WRITER_STORED;
		counts->duplicates += job->outcome == WRITER_DUPLICATE;
		counts->conflicts += job->outcome == WRITER_CONFLICT;
	}
	if (first->kind == EXPIRE)
		counts->expired += first->count;
}

static void *
run_thread(void *arg)
{
	struct writer *writer = arg;

	pthread_mutex_lock(&writer->lock);
	for (;;) {
		struct list group;
		int64_t     began_us;

		while (writer->queue.first == NULL && !writer->ending)
			pthread_cond_wait(&writer->work, &writer->lock);
		if (writer->queue.first == NULL)
			break;
		group = take_group(writer);
		writer->began_us = began_us = clock_mono_us(clock_system());
		pthread_mutex_unlock(&writer->lock);
		do_group(writer, group.first);
		pthread_mutex_lock(&writer->lock);
		writer->began_us = 0;
		count_group(
		    &writer->counts, group.first, clock_mono_us(clock_system()) - began_us);
		*writer->done.last = group.first;
		writer->done.last = group.last;
		beside_ring(&writer->beside);
	}
	pthread_mutex_unlock(&writer->lock);
	return NULL;
}

/* On the loop's thread. */
static void
tell(struct writer *writer, struct job *job)
{
	if (job->trouble.kind != ERR_NONE)
		writer->on_trouble(writer->arg, &job->trouble);
	if (job->kind == APPEND)
		job->on_over(job->arg, job->outcome);
	arena_free(job->arena);
	free(job);
}

static void
tell_done(void *arg)
{
	struct writer *writer = arg;
	struct job    *job, *next;

	pthread_mutex_lock(&writer->lock);
	job = writer->done.first;
	clear_list(&writer->done);
	pthread_mutex_unlock(&writer->lock);
	for (; job != NULL; job = next) {
		next = job->next;
		tell(writer, job);
	}
}

struct writer *
writer_new(struct loop *loop, struct store                     *store,
    void (*on_trouble)(void *arg, const struct err *err), void *arg, struct err *err)
{
	struct writer *writer = mem_alloc(sizeof(*writer));

	writer->store = store;
	writer->on_trouble = on_trouble;
	writer->arg = arg;
	clear_list(&writer->queue);
	clear_list(&writer->done);
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->work, NULL);
	/* Behind ten thousand requests answers would wait until all of them were read, and most of
	 * those would find the queue full. */
	beside_init(&writer->beside, loop, LOOP_FIRST, tell_done, writer);
	if (!beside_start(&writer->beside, "writer", run_thread, err)) {
		writer_free(writer);
		return NULL;
	}
	return writer;
}

void
writer_free(struct writer *writer)
{
	if (writer == NULL)
		return;
	pthread_mutex_lock(&writer->lock);
	writer->ending = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
	beside_fini(&writer->beside);
	tell_done(writer);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}

static void
queue_job(struct writer *writer, struct job *job)
{
	pthread_mutex_lock(&writer->lock);
	add_job(&writer->queue, job);
	if (job->kind == APPEND) {
		writer->counts.queued_jobs++;
		writer->counts.queued_bytes += job->batch->body_bytes;
	}
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->lock);
}

bool
writer_is_full(struct writer *writer)
{
	struct writer_counts now = writer_counts(writer);

	return now.queued_jobs >= WRITER_JOBS_MAX || now.queued_bytes >= WRITER_BYTES_MAX;
}

bool
writer_append(struct writer *writer, const struct store_batch     *batch,
    void (*on_over)(void *arg, enum writer_outcome outcome), void *arg)
{
	struct job *job;

	if (writer_is_full(writer))
		return false;
	job = mem_alloc(sizeof(*job));
	job->kind = APPEND;
	job->batch = batch;
	job->on_over = on_over;
	job->arg = arg;
	queue_job(writer, job);
	return true;
}

void
writer_put(struct writer *writer, struct arena *arena, const struct store_finding *findings,
    size_t count)
{
	struct job *job = mem_alloc(sizeof(*job));

	job->kind = PUT;
	job->arena = arena;
	job->findings = findings;
	job->count = count;
	queue_job(writer, job);
}

void
writer_keep(struct writer *writer, struct arena *arena, const struct store_document *documents,
    size_t count)
{
	struct job *job = mem_alloc(sizeof(*job));

	job->kind = KEEP;
	job->arena = arena;
	job->documents = documents;
	job->count = count;
	queue_job(writer, job);
}

void
writer_expire(struct writer *writer, int64_t before_ms)
{
	struct job *job = mem_alloc(sizeof(*job));

	job->kind = EXPIRE;
	job->before_ms = before_ms;
	queue_job(writer, job);
}

/* What is queued at the rate of all groups so far; 1 s to 60 s. */
unsigned
writer_wait_s(struct writer *writer)
{
	struct writer_counts now = writer_counts(writer);
	uint64_t             done = now.stored + now.duplicates + now.conflicts;
	uint64_t             each_us = done > 0 ? now.commit_us / done : 1000;
	uint64_t             wait_s = now.queued_jobs * each_us / 1000000 + 1;

	return wait_s > 60 ? 60 : (unsigned)wait_s;
}

struct writer_counts
writer_counts(struct writer *writer)
{
	struct writer_counts counts;

	pthread_mutex_lock(&writer->lock);
	counts = writer->counts;
	pthread_mutex_unlock(&writer->lock);
	return counts;
}

int64_t
writer_busy_us(struct writer *writer)
{
	int64_t began_us;

	pthread_mutex_lock(&writer->lock);
	began_us = writer->began_us;
	pthread_mutex_unlock(&writer->lock);
	return began_us != 0 ? clock_mono_us(clock_system()) - began_us : 0;
}
