#include "collector/hasher.h"

#include "base/arena.h"
#include "base/beside.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct job {
	struct job     *next;
	struct password password;
	bool            known, right;
	char            text[PASSWORD_MOST + 1];
	void (*on_over)(void *arg, bool right);
	void *arg;
};

struct list {
	struct job  *first;
	struct job **last;
};

struct hasher {
	struct beside beside;  /* rings when there is something in `done` */
	unsigned      waiting; /* the loop's: asked and not told */
	/* Shared, under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t  work;
	struct list     queue, done;
	bool            ending;
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

/* The next one; NULL at the end of the thread. */
static struct job *
wait_job(struct hasher *hasher)
{
	struct job *job = NULL;

	pthread_mutex_lock(&hasher->lock);
	while (hasher->queue.first == NULL && !hasher->ending)
		pthread_cond_wait(&hasher->work, &hasher->lock);
	if (!hasher->ending) {
		job = hasher->queue.first;
		hasher->queue.first = job->next;
		if (job->next == NULL)
			clear_list(&hasher->queue);
	}
	pthread_mutex_unlock(&hasher->lock);
	return job;
}

static void *
run_thread(void *arg)
{
	struct hasher *hasher = arg;
	struct job    *job;

	while ((job = wait_job(hasher)) != NULL) {
		bool equal = password_is(&job->password, job->text);

		job->right = equal && job->known;
		pthread_mutex_lock(&hasher->lock);
		add_job(&hasher->done, job);
		pthread_mutex_unlock(&hasher->lock);
		beside_ring(&hasher->beside);
	}
	return NULL;
}

static void
tell(struct hasher *hasher, struct job *job)
{
	void (*on_over)(void *arg, bool right) = job->on_over;
	void *job_arg = job->arg;
	bool  right = job->right;

	digest_wipe(job, sizeof(*job));
	free(job);
	hasher->waiting--;
	on_over(job_arg, right);
}

static struct job *
take_all(struct hasher *hasher, struct list *list)
{
	struct job *first;

	pthread_mutex_lock(&hasher->lock);
	first = list->first;
	clear_list(list);
	pthread_mutex_unlock(&hasher->lock);
	return first;
}

static void
tell_all(struct hasher *hasher, struct list *list)
{
	struct job *job = take_all(hasher, list), *next;

	for (; job != NULL; job = next) {
		next = job->next;
		tell(hasher, job);
	}
}

static void
on_bell(void *arg)
{
	struct hasher *hasher = arg;

	tell_all(hasher, &hasher->done);
}

struct hasher *
hasher_new(struct loop *loop, struct err *err)
{
	struct hasher *hasher = mem_alloc(sizeof(*hasher));

	clear_list(&hasher->queue);
	clear_list(&hasher->done);
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->work, NULL);
	beside_init(&hasher->beside, loop, LOOP_USUAL, on_bell, hasher);
	if (beside_start(&hasher->beside, "hasher", run_thread, err))
		return hasher;
	hasher_free(hasher);
	return NULL;
}

void
hasher_free(struct hasher *hasher)
{
	if (hasher == NULL)
		return;
	pthread_mutex_lock(&hasher->lock);
	hasher->ending = true;
	pthread_cond_signal(&hasher->work);
	pthread_mutex_unlock(&hasher->lock);
	beside_fini(&hasher->beside);
	tell_all(hasher, &hasher->done);
	tell_all(hasher, &hasher->queue);
	pthread_cond_destroy(&hasher->work);
	pthread_mutex_destroy(&hasher->lock);
	free(hasher);
}

bool
hasher_ask(struct hasher *hasher, const struct password *password, bool known, const char *text,
    void (*on_over)(void *arg, bool right), void *arg)
{
	struct job *job;

	if (hasher->waiting >= HASHER_QUEUE_MAX || strlen(text) > PASSWORD_MOST)
		return false;
	job = mem_alloc(sizeof(*job));
	*job = (struct job){
		.password = *password, .known = known, .on_over = on_over, .arg = arg
	};
	strcpy(job->text, text);
	hasher->waiting++;
	pthread_mutex_lock(&hasher->lock);
	add_job(&hasher->queue, job);
	pthread_cond_signal(&hasher->work);
	pthread_mutex_unlock(&hasher->lock);
	return true;
}
