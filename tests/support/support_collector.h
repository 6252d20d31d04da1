/* support_collector: a collector that says what it is told to, and remembers what it was sent.
 *
 * Only HTTP, for support_tls; what it was sent is not looked at.
 */
#ifndef TESTS_SUPPORT_COLLECTOR_H
#define TESTS_SUPPORT_COLLECTOR_H

#include "base/wbuf.h"

#include <pthread.h>

enum { SUPPORT_REQUESTS_MAX = 256 };

struct support_collector {
	/* Whole HTTP answers, NULL at the end; the last one again and again. */
	const char *const *answers;
	pthread_mutex_t    lock;
	unsigned           count;                       /* requests; under the lock */
	char              *heads[SUPPORT_REQUESTS_MAX]; /* owned; do not change once counted */
	struct wbuf        bodies[SUPPORT_REQUESTS_MAX];
};

struct ssl_st;

void     support_collector_init(struct support_collector *collector);
void     support_collector_fini(struct support_collector *collector);
unsigned support_collector_count(struct support_collector *collector);
/* support_tls.talk; arg is the collector. */
void support_collector_talk(struct ssl_st *ssl, void *arg);

#endif
