/* support_http: an HTTPS server on the loopback that answers by a script, well or badly.
 *
 * For support_peer_start(support_http_serve, &http): connections are kept until the client closes
 * or the script says otherwise.  What was asked for is read after support_peer_stop().
 */
#ifndef TESTS_SUPPORT_HTTP_H
#define TESTS_SUPPORT_HTTP_H

#include "base/wbuf.h"

struct support_certs;

/* What happens to an answer on its way. */
enum support_http_fault {
	SUPPORT_HTTP_WHOLE,
	SUPPORT_HTTP_CLOSE_AFTER,  /* the connection, without a word, after a whole answer */
	SUPPORT_HTTP_CLOSE_BEFORE, /* instead of an answer */
	SUPPORT_HTTP_CUT_HEAD,     /* closed within the head */
	SUPPORT_HTTP_CUT_BODY,     /* closed within the body */
	SUPPORT_HTTP_RESET,        /* RST instead of an answer */
	SUPPORT_HTTP_SILENT,       /* nothing, until the client gives up */
	SUPPORT_HTTP_SLOW,         /* a byte every 100 ms */
	SUPPORT_HTTP_ENDLESS_HEAD,
	SUPPORT_HTTP_ENDLESS_BODY, /* chunks, without end */
	SUPPORT_HTTP_FAULTS
};

struct support_http_reply {
	const char *target; /* the request target begins so; NULL: any */
	unsigned    status; /* 0: 200 */
	const char *head;   /* lines beyond Content-Length, each with its end; NULL */
	const char *body;   /* "%AUTHORIZATION%" becomes what the client sent; NULL: "" */
	enum support_http_fault fault;
	unsigned                times; /* used so often, then the next that fits; 0: always */
};

struct support_http {
	const struct support_certs *certs;
	const struct support_http_reply
	    *replies; /* the first that fits; target NULL and no status
	                                           * and no body and no fault: the end */
	/* For a proxy that is tried: what it says to CONNECT before all else; NULL: no proxy. */
	const char *connect_answer;

	/* What came, filled by the serving thread. */
	struct wbuf log; /* each head as it came, one after the other */
	unsigned    requests, connections;
	unsigned    used[32]; /* by reply */
};

void support_http_init(struct support_http *http, const struct support_certs *certs,
    const struct support_http_reply *replies);
void support_http_fini(struct support_http *http);
void support_http_serve(int fd, void *support_http);

#endif
