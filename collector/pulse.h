/* pulse: tells the service manager that the collector is alive: that its loop turns, and that its
 * writer gets on with its work.
 *
 * For WatchdogSec= of the unit.  A disk that is slow is no reason for a restart, and one that has not
 * answered for minutes is.
 */
#ifndef COLLECTOR_PULSE_H
#define COLLECTOR_PULSE_H

#include "base/loop.h"

struct pulse;
struct writer;

/* Beats at once, and then every every_us, as long as the writer has been at no piece of work for
 * longer than stuck_us.  loop and writer are borrowed. */
struct pulse *pulse_new(
    struct loop *loop, struct writer *writer, int64_t every_us, int64_t stuck_us);
void pulse_free(struct pulse *pulse); /* NULL is fine */

#endif
