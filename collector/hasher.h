/* hasher: passwords are compared beside the loop, one after the other, and few wait.
 *
 * A thread of its own, since one comparison takes as long as a thousand requests.  What it is given
 * it copies, and wipes when it has answered.
 */
#ifndef COLLECTOR_HASHER_H
#define COLLECTOR_HASHER_H

#include "base/loop.h"
#include "collector/password.h"

enum { HASHER_QUEUE_MAX = 16 };

struct hasher;

struct hasher *hasher_new(struct loop *loop, struct err *err);
/* Whoever waits is told false first.  NULL is fine. */
void hasher_free(struct hasher *hasher);

/* on_over() is called from the loop, never before this returns.  known false: the comparison is
 * made all the same, and the answer is false.  False: too many wait. */
bool hasher_ask(struct hasher *hasher, const struct password *password, bool known,
    const char *text, void (*on_over)(void *arg, bool right), void *arg) MUST_CHECK;

#endif
