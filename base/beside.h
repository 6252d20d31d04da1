/* beside: a thread beside the loop, and the bell by which it makes itself heard there.
 *
 * What the two share, and under which lock, is the owner's matter; signals are the loop's.
 */
#ifndef BASE_BESIDE_H
#define BASE_BESIDE_H

#include "base/err.h"
#include "base/loop.h"

#include <pthread.h>

/* The owner embeds it. */
struct beside {
	struct loop_watch watch;
	int               bell; /* an eventfd */
	pthread_t         thread;
	bool              started;
	void (*on_bell)(void *arg);
	void *arg;
};

/* on_bell(arg) is called from the loop, some time after one or more rings; rank: whose turn it is
 * then. */
void beside_init(struct beside *beside, struct loop *loop, enum loop_rank rank,
    void (*on_bell)(void *arg), void *arg);
/* Runs run(arg) in the thread; name says in err which it is. */
bool beside_start(struct beside *beside, const char *name, void *(*run)(void *arg),
    struct err *err) MUST_CHECK;
/* From the thread. */
void beside_ring(struct beside *beside);
/* Waits for the thread, which its owner has told to end, if it was started; on_bell() is called no
 * more.  What the thread has left is there to be taken. */
void beside_fini(struct beside *beside);

#endif
