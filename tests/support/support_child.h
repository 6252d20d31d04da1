/* support_child: a fake server of this build, run as a process of its own.
 *
 * The program stands beside the test's own; it prints a line "listening [PROTOCOL] IP:PORT" for
 * each of its addresses when it is ready.  It dies with the test.  Nothing here returns an error:
 * a helper that cannot help ends the program with a line on stderr.
 */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include "base/addr.h"

struct support_child;

/* args: without the program's name, NULL at the end.  Returns when `listeners` lines have come. */
struct support_child *support_child_start(
    const char *program, const char *const *args, size_t listeners);
void support_child_stop(struct support_child *child); /* NULL is fine */

/* Where it listens, in the order of its lines. */
struct addr support_child_addr(const struct support_child *child, size_t index);
int         support_child_pid(const struct support_child *child);

#endif
