/* https_multi: libcurl's multi interface on our loop: its sockets and its one timer.
 *
 * One for all requests, as long as the process measures.  Knows transfers only as easy handles;
 * what they ask and what came of it is https_run.c's matter.
 */
#ifndef PROBE_HTTPS_HTTPS_MULTI_H
#define PROBE_HTTPS_HTTPS_MULTI_H

#include "base/loop.h"

struct https_multi;

/* on_done() is called from the loop, outside of libcurl, for each transfer that ended; it must
 * call https_multi_remove(), and may add and remove others. */
struct https_multi *https_multi_new(struct loop *loop,
    void (*on_done)(void *arg, void *easy, int code), void *arg, struct err *err) MUST_CHECK;
void https_multi_free(struct https_multi *multi); /* NULL is fine; no transfer is left */

/* At most so many connections to one server; a request beyond waits for one, and its time goes on. */
void https_multi_share(struct https_multi *multi, long connections);

/* What every request of ours has: HTTPS 1.1 alone, no redirect, no proxy, no signal. */
void https_multi_prepare(void *easy);

void https_multi_add(struct https_multi *multi, void *easy);
void https_multi_remove(struct https_multi *multi, void *easy);

#endif
