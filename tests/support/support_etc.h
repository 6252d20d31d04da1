/* support_etc: a process with name resolution of its own.
 *
 * The calling process, which the test has forked for that, leaves the machine's network and mounts
 * for its own: a loopback interface and nothing else, and other files in the place of /etc/hosts,
 * /etc/resolv.conf and /etc/nsswitch.conf.
 */
#ifndef TESTS_SUPPORT_ETC_H
#define TESTS_SUPPORT_ETC_H

#include <stdbool.h>

struct support_etc {
	const char *hosts, *resolv; /* contents */
	const char *nsswitch;       /* NULL: "hosts: files dns" */
};

/* folder: where the files are put.  False when this user may not, and then a test is skipped. */
bool support_etc_enter(const struct support_etc *etc, const char *folder);
/* The content of resolv.conf anew, under the same name. */
void support_etc_resolv(const char *folder, const char *resolv);

#endif
