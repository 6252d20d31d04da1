/* loop: the one event loop of a thread: descriptors, timers, signals.
 *
 * The door to libevent.  Timers are precise (never early); everything that waits does it here.
 * Not thread safe: a loop belongs to the thread that runs it.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include "base/err.h"

#include <stdint.h>

struct event;
struct event_base;
struct loop;

struct loop *loop_new(struct err *err);
void         loop_free(struct loop *loop); /* NULL is fine; all watches are gone before */
void         loop_run(struct loop *loop);  /* until loop_stop() */
void         loop_run_once(struct loop *loop, bool wait); /* one round of events */
void         loop_stop(struct loop *loop);                /* from inside a callback */

/* After fork() in the child, before anything else is done with the loop. */
bool loop_reinit(struct loop *loop, struct err *err) MUST_CHECK;

/* For the other doors of libevent (collector/listen.c); borrowed. */
struct event_base *loop_base(struct loop *loop);

/* How late the loop has been at worst since the last call, us.  Fed by timers of its own. */
int64_t loop_lag_us(struct loop *loop);
/* How long the loop stood still in all since its start, us: gaps of less than 100 ms, which are
 * only much to do, do not count. */
int64_t loop_lost_us(const struct loop *loop);

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_TIMEOUT = 4 };

/* Whose turn it is where much is ready: what makes room before all else, after some tens of callbacks
 * at most; and what brings new work when there is nothing else to do. */
enum loop_rank { LOOP_FIRST, LOOP_USUAL, LOOP_LAST, LOOP_RANKS };

/* A wait for a descriptor, a time, or whichever comes first.  One wait at a time; the owner
 * embeds it, and may fini it from inside its own on_event(). */
struct loop_watch {
	struct loop  *loop;                         /* borrowed; outlives the watch */
	struct event *event;                        /* owned */
	void (*on_event)(void *arg, unsigned what); /* what: LOOP_* bits */
	void          *arg;
	enum loop_rank rank;
};

void loop_watch_init(struct loop_watch *watch, struct loop *loop,
    void (*on_event)(void *arg, unsigned what), void       *arg);
/* Waits once: for want (LOOP_READ, LOOP_WRITE) on fd, at most limit_us (negative: no limit).
 * fd -1 is a timer only.  Replaces what was waited for before. */
void loop_watch_set(struct loop_watch *watch, int fd, unsigned want, int64_t limit_us);
/* Waits for want on fd again and again, until something else is set. */
void loop_watch_keep(struct loop_watch *watch, int fd, unsigned want);
/* From its next wait on. */
void loop_watch_rank(struct loop_watch *watch, enum loop_rank rank);
void loop_watch_stop(struct loop_watch *watch); /* no callback after; may be set again */
void loop_watch_fini(struct loop_watch *watch); /* stop, and free */

/* Calls back on the loop when the signal arrives, every time.  Lives as long as the loop. */
bool loop_signal(struct loop *loop, int signal_number, void (*on_signal)(void *arg), void *arg,
    struct err *err) MUST_CHECK;

#endif
