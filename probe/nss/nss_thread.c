#include "probe/nss/nss_thread.h"

#include "base/arena.h"
#include "base/clock.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Address space, of which the C library touches some 20 KiB: modules of nsswitch.conf that ask a
 * directory server want more. */
enum { STACK_BYTES = 256 << 10, IDLE_S = 20 };

struct nss_lookup {
	struct nss_mailbox *mailbox; /* where it goes; NULL: taken from there, or given up */
	struct nss_lookup  *next;    /* in the line, or in the mailbox */
	void               *owner;   /* borrowed */
	enum nss_stage      stage;
	char                host[NSS_NAME_BYTES];
	struct nss_answer   answer;
};

struct queue {
	struct nss_lookup *first, **end; /* end: NULL while it was never used */
	size_t             count;
};

struct nss_mailbox {
	int          fd; /* owned; an eventfd */
	struct queue over;
};

/* All that several threads touch; so there is one lock, and what it guards is never held for long. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t  asked;
	struct queue    line;
	unsigned        threads; /* that will look into the line again */
	unsigned        idle;    /* those of them that wait for work */
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER };

static void
append(struct queue *queue, struct nss_lookup *lookup)
{
	if (queue->first == NULL)
		queue->end = &queue->first;
	lookup->next = NULL;
	*queue->end = lookup;
	queue->end = &lookup->next;
	queue->count++;
}

static struct nss_lookup *
take_first(struct queue *queue)
{
	struct nss_lookup *lookup = queue->first;

	if (lookup == NULL)
		return NULL;
	queue->first = lookup->next;
	queue->count--;
	return lookup;
}

static void
take_out(struct queue *queue, const struct nss_lookup *lookup)
{
	struct nss_lookup **at = &queue->first;

	while (*at != lookup)
		at = &(*at)->next;
	*at = lookup->next;
	if (queue->end == &lookup->next)
		queue->end = at;
	queue->count--;
}

static void
copy_answer(struct nss_answer *answer, const struct addrinfo *list)
{
	if (list != NULL && list->ai_canonname != NULL)
		strncat(answer->canonical, list->ai_canonname, sizeof(answer->canonical) - 1);
	for (; list != NULL && answer->address_count < NSS_ADDRESSES_MAX; list = list->ai_next)
		answer->addresses[answer->address_count++] = addr_from_sockaddr(list->ai_addr);
}

/* Without AI_ADDRCONFIG: what a name has does not depend on what this machine has. */
static void
look_up(const char *host, struct nss_answer *answer)
{
	static const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME
	};
	struct addrinfo *list = NULL;
	int64_t          started_us = clock_mono_us(clock_system());

	errno = 0;
	answer->code = getaddrinfo(host, NULL, &hints, &list);
	answer->cause = errno;
	answer->took_us = clock_mono_us(clock_system()) - started_us;
	if (answer->code != 0)
		return;
	copy_answer(answer, list);
	freeaddrinfo(list);
}

/* Called with the lock. */
static void
deliver(struct nss_lookup *lookup)
{
	const uint64_t one = 1;

	if (lookup->mailbox == NULL) {
		free(lookup);
		return;
	}
	lookup->stage = NSS_OVER;
	append(&lookup->mailbox->over, lookup);
	/* It fails only when nobody has read for 2^64 - 1 times. */
	if (write(lookup->mailbox->fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		abort();
}

/* Called with the lock; false when nobody has asked for long. */
static bool
wait_for_work(void)
{
	struct timespec until;
	bool            asked = true;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += IDLE_S;
	shared.idle++;
	while (shared.line.first == NULL && asked)
		asked = pthread_cond_timedwait(&shared.asked, &shared.lock, &until) !=
		    ETIMEDOUT;
	shared.idle--;
	return shared.line.first != NULL;
}

static void *
work(void *nothing)
{
	struct nss_lookup *lookup;

	pthread_mutex_lock(&shared.lock);
	while (wait_for_work()) {
		lookup = take_first(&shared.line);
		lookup->stage = NSS_RUNNING;
		pthread_mutex_unlock(&shared.lock);
		look_up(lookup->host, &lookup->answer);
		pthread_mutex_lock(&shared.lock);
		deliver(lookup);
	}
	shared.threads--;
	pthread_mutex_unlock(&shared.lock);
	return NULL;
}

/* Signals are the loop's matter, so they are all blocked in the thread.  Called with the lock. */
static bool
start_thread(struct err *err)
{
	pthread_attr_t attributes;
	pthread_t      thread;
	sigset_t       all, before;
	int            cause;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	cause = pthread_create(&thread, &attributes, work, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (cause != 0)
		return err_set(
		    err, ERR_SYSTEM, "no thread for getaddrinfo(): %s", strerror(cause));
	shared.threads++;
	return true;
}

struct nss_mailbox *
nss_mailbox_open(struct err *err)
{
	struct nss_mailbox *mailbox = mem_alloc(sizeof(*mailbox));

	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (mailbox->fd == -1) {
		err_errno(err, "eventfd");
		free(mailbox);
		return NULL;
	}
	return mailbox;
}

void
nss_mailbox_close(struct nss_mailbox *mailbox)
{
	if (mailbox == NULL)
		return;
	close(mailbox->fd);
	free(mailbox);
}

int
nss_mailbox_fd(const struct nss_mailbox *mailbox)
{
	return mailbox->fd;
}

static bool
enqueue(struct nss_lookup *lookup, struct err *err)
{
	if (shared.line.count >= NSS_WAITING_MAX)
		return err_set(err, ERR_LIMIT,
		    "%d names wait for the system's resolver already", NSS_WAITING_MAX);
	/* One that cannot be had is only missed when there is no other. */
	if (shared.line.count >= shared.idle && shared.threads < NSS_THREADS_MAX &&
	    !start_thread(err) && shared.threads == 0)
		return false;
	append(&shared.line, lookup);
	pthread_cond_signal(&shared.asked);
	return true;
}

struct nss_lookup *
nss_lookup_start(struct nss_mailbox *mailbox, const char *host, void *owner, struct err *err)
{
	struct nss_lookup *lookup;
	size_t             bytes = strlen(host);
	bool               queued;

	if (bytes == 0 || bytes >= sizeof(lookup->host)) {
		err_set(err, ERR_PARSE, "'%.80s' is not a domain name", host);
		return NULL;
	}
	lookup = mem_alloc(sizeof(*lookup));
	lookup->mailbox = mailbox;
	lookup->owner = owner;
	memcpy(lookup->host, host, bytes);
	pthread_mutex_lock(&shared.lock);
	queued = enqueue(lookup, err);
	pthread_mutex_unlock(&shared.lock);
	if (queued)
		return lookup;
	free(lookup);
	return NULL;
}

void *
nss_mailbox_take(struct nss_mailbox *mailbox)
{
	struct nss_lookup *lookup;
	uint64_t           told;

	pthread_mutex_lock(&shared.lock);
	lookup = take_first(&mailbox->over);
	if (lookup != NULL)
		lookup->mailbox = NULL;
	else if (read(mailbox->fd, &told, sizeof(told)) < 0)
		told = 0; /* nothing was there to read either */
	pthread_mutex_unlock(&shared.lock);
	return lookup != NULL ? lookup->owner : NULL;
}

enum nss_stage
nss_lookup_stage(const struct nss_lookup *lookup)
{
	enum nss_stage stage;

	pthread_mutex_lock(&shared.lock);
	stage = lookup->stage;
	pthread_mutex_unlock(&shared.lock);
	return stage;
}

const struct nss_answer *
nss_lookup_answer(const struct nss_lookup *lookup)
{
	return &lookup->answer;
}

void
nss_lookup_free(struct nss_lookup *lookup)
{
	bool running;

	if (lookup == NULL)
		return;
	pthread_mutex_lock(&shared.lock);
	running = lookup->stage == NSS_RUNNING;
	if (lookup->stage == NSS_WAITING)
		take_out(&shared.line, lookup);
	else if (lookup->stage == NSS_OVER && lookup->mailbox != NULL)
		take_out(&lookup->mailbox->over, lookup);
	lookup->mailbox = NULL;
	pthread_mutex_unlock(&shared.lock);
	if (!running)
		free(lookup);
}
