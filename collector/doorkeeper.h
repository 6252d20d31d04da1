/* doorkeeper: which requests get to the page, the API and the metrics at all.
 *
 * Asked first with each of them, and the only one who lets in: who speaks past the proxy, who asks
 * for a name that is not ours (a page of somebody else's, whose name was made to mean our address),
 * who is another site's script, and, where the listener is not bound to loopback, who has not logged
 * in, gets no further.  Every answer of the listener, whoever makes it, carries the headers that keep
 * a browser from doing what the page never does.  What there is to see is page.h's matter, and
 * nothing of it can be changed from here.
 */
#ifndef COLLECTOR_DOORKEEPER_H
#define COLLECTOR_DOORKEEPER_H

#include "base/conf.h"
#include "base/net.h"
#include "collector/listen.h"
#include "collector/login.h"

enum { DOORKEEPER_PROXIES_MAX = 32 };

struct doorkeeper;

struct doorkeeper_options {
	const struct clock      *clock; /* borrowed */
	struct addr              at;    /* where it listens */
	struct conf_texts        names; /* further names by which it may be asked; borrowed */
	struct login            *login; /* borrowed; NULL: nobody has to log in */
	const struct listen_tls *tls;   /* borrowed; NULL: plain HTTP */
	/* From where alone requests may come, when a proxy ends TLS; none: from anywhere. */
	struct net proxies[DOORKEEPER_PROXIES_MAX];
	size_t     proxy_count;
	void (*on_pass)(void *arg, struct request *request);
	void *arg;
};

struct doorkeeper *doorkeeper_new(const struct doorkeeper_options *options);
/* No request may wait for its login.  NULL is fine. */
void doorkeeper_free(struct doorkeeper *doorkeeper);

/* For listen_options.on_request; arg is the doorkeeper. */
void doorkeeper_on_request(void *arg, struct request *request);

void doorkeeper_write_metrics(const struct doorkeeper *doorkeeper, struct wbuf *out);

/* What may stand in the setting page_names. */
bool doorkeeper_is_name(const char *text);

#endif
