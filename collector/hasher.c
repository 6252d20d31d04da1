#include "collector/hasher.h"

#include "base/arena.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

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
	struct loop_watch watch;
	int               bell; /* eventfd: there is something in `done` */
	pthread_t         thread;
	bool              started;
	unsigned          waiting; /* the loop's: asked and not told */
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
	uint64_t       one = 1;

	while ((job = wait_job(hasher)) != NULL) {
		bool equal = password_is(&job->password, job->text);

		job->right = equal && job->known;
		pthread_mutex_lock(&hasher->lock);
		add_job(&hasher->done, job);
		pthread_mutex_unlock(&hasher->lock);
		while (write(hasher->bell, &one, sizeof(one)) < 0 && errno == EINTR)
			;
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
on_bell(void *arg, unsigned what)
{
	struct hasher *hasher = arg;
	uint64_t       count;

	while (read(hasher->bell, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	loop_watch_set(&hasher->watch, hasher->bell, LOOP_READ, -1);
	tell_all(hasher, &hasher->done);
}

/* Signals are the loop's. */
static bool
start_thread(struct hasher *hasher, struct err *err)
{
	sigset_t all, before;
	int      cause;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	cause = pthread_create(&hasher->thread, NULL, run_thread, hasher);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	hasher->started = cause == 0;
	return hasher->started ||
	    err_set(err, ERR_SYSTEM, "hasher thread: %s", strerror(cause));
}

struct hasher *
hasher_new(struct loop *loop, struct err *err)
{
	struct hasher *hasher = mem_alloc(sizeof(*hasher));

	*hasher = (struct hasher){ .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
	clear_list(&hasher->queue);
	clear_list(&hasher->done);
	pthread_mutex_init(&hasher->lock, NULL);
	pthread_cond_init(&hasher->work, NULL);
	loop_watch_init(&hasher->watch, loop, on_bell, hasher);
	if (hasher->bell < 0) {
		err_errno(err, "eventfd");
	} else if (start_thread(hasher, err)) {
		loop_watch_set(&hasher->watch, hasher->bell, LOOP_READ, -1);
		return hasher;
	}
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
	if (hasher->started)
		pthread_join(hasher->thread, NULL);
	tell_all(hasher, &hasher->done);
	tell_all(hasher, &hasher->queue);
	loop_watch_fini(&hasher->watch);
	if (hasher->bell >= 0)
		close(hasher->bell);
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
