/* login: which reader a request is from, by what its Authorization header shows.
 *
 * A token (Bearer, [rfc6750 2.1]) is looked up; a password (Basic, [rfc7617]) is compared beside the
 * loop, and remembered for a few minutes by a keyed hash of it and of where it came from, so that a
 * page that refreshes itself costs one comparison.  How often somebody may be wrong is bounded by
 * collector/strikes.h; an address that has been wrong too often is not told that it is right now, and
 * so learns nothing.  A token has too many bits to be guessed: a good one is always taken.
 *
 * What is logged is who and from where; a name that we do not know may be a password in the wrong
 * place, and is not written down.
 */
#ifndef COLLECTOR_LOGIN_H
#define COLLECTOR_LOGIN_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/wbuf.h"
#include "collector/readers.h"

struct login;

enum login_outcome {
	LOGIN_WELL,
	LOGIN_NOBODY, /* nothing was shown that we take */
	LOGIN_WRONG,  /* what was shown is not good */
	LOGIN_LATER,  /* wrong too often: nothing was tried */
	LOGIN_BUSY,   /* too many passwords wait to be compared, or the program ends */
	LOGIN_OUTCOMES
};

struct login_answer {
	enum login_outcome outcome;
	unsigned           wait_s; /* LATER, BUSY: when to come again */
};

/* All borrowed; they outlive the login. */
struct login *login_new(
    struct loop *loop, const struct clock *clock, struct readers *readers, struct err *err);
/* Whoever waits is told BUSY first.  NULL is fine. */
void login_free(struct login *login);

/* header: the value of Authorization, or NULL; nothing is borrowed.  on_over() is called once, from
 * here or later from the loop. */
void login_ask(struct login *login, const struct addr *from, const char *header,
    void (*on_over)(void *arg, const struct login_answer *answer), void *arg);

void login_write_metrics(const struct login *login, struct wbuf *out);

#endif
