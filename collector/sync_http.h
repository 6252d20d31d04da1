/* sync_http: one question to a web service of Azure, asked until there is an answer or the time is
 * up.
 *
 * Blocks, and is for a process that has nothing else to do.  HTTPS with a verified certificate, no
 * redirect followed, every answer capped.  What passes by itself (throttling, an overloaded service, a
 * lost connection) is tried again: after the time that the service names [rfc9110 10.2.3], else after
 * a random part of a time that doubles.
 */
#ifndef COLLECTOR_SYNC_HTTP_H
#define COLLECTOR_SYNC_HTTP_H

#include "base/clock.h"
#include "base/wbuf.h"

struct sync_http;

enum { SYNC_BODY_MAX = 4 << 20, SYNC_HEAD_MAX = 64 << 10, SYNC_ETAG_ROOM = 256 };

struct sync_http_options {
	const char *ca_file;    /* copied; "": the system's roots */
	int64_t     limit_ms;   /* for all questions together, from now on */
	int64_t     request_ms; /* for one try; 0: 30 seconds */
};

struct sync_http_ask {
	const char *url;
	const char *bearer; /* secret; NULL: none */
	const char *form;   /* secret; POST of application/x-www-form-urlencoded; NULL: GET */
	const char
	    *etag; /* the answer is wanted if it has another one; NULL or "": in any case */
	/* The instance metadata service: its header, plain HTTP allowed, no proxy ever, and 404 and
	 * 410 pass by themselves [azure-msi]. */
	bool metadata;
};

struct sync_http_answer {
	unsigned    status; /* of the last try; 304: as the etag */
	struct wbuf body;
	char        etag[SYNC_ETAG_ROOM]; /* "" when there is none */
};

struct sync_http *sync_http_new(const struct sync_http_options *options);
void              sync_http_free(struct sync_http *http); /* NULL is fine */

/* True: an answer came, whatever its status; the body is replaced.  False with err: none came. */
bool sync_http_ask(struct sync_http *http, const struct sync_http_ask *ask,
    struct sync_http_answer *answer, struct err *err) MUST_CHECK;

/* Whether the time for all questions is up. */
bool sync_http_is_over(const struct sync_http *http);

/* Whether both URLs are HTTPS and name one host and port. */
bool sync_http_same_origin(const char *left, const char *right);
/* As it stands in a form or query, to be freed with free(). */
char *sync_http_escape(const char *text);

#endif
