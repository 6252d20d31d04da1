#include "base/beside.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void
on_watch(void *arg, unsigned what)
{
	struct beside *beside = arg;
	uint64_t       count;

	while (read(beside->bell, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	loop_watch_set(&beside->watch, beside->bell, LOOP_READ, -1);
	beside->on_bell(beside->arg);
}

void
beside_init(struct beside *beside, struct loop *loop, enum loop_rank rank,
    void (*on_bell)(void *arg), void *arg)
{
	*beside = (struct beside){ .bell = -1, .on_bell = on_bell, .arg = arg };
	loop_watch_init(&beside->watch, loop, on_watch, beside);
	loop_watch_rank(&beside->watch, rank);
}

bool
beside_start(struct beside *beside, const char *name, void *(*run)(void *arg), struct err *err)
{
	sigset_t all, before;
	int      cause;

	beside->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (beside->bell < 0)
		return err_errno(err, "eventfd");
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	cause = pthread_create(&beside->thread, NULL, run, beside->arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (cause != 0)
		return err_set(err, ERR_SYSTEM, "%s thread: %s", name, strerror(cause));
	beside->started = true;
	loop_watch_set(&beside->watch, beside->bell, LOOP_READ, -1);
	return true;
}

void
beside_ring(struct beside *beside)
{
	uint64_t one = 1;

	while (write(beside->bell, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
beside_fini(struct beside *beside)
{
	if (beside->started)
		pthread_join(beside->thread, NULL);
	loop_watch_fini(&beside->watch);
	if (beside->bell >= 0)
		close(beside->bell);
}
