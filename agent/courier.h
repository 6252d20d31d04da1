/* courier: HTTPS to the collector and back, over libcurl on the loop.
 *
 * Carries bytes one way and a small answer the other: at most COURIER_BODY_MAX of a POST's answer,
 * DECODE_BYTES_MAX of an assignment, and 16 KiB of head.  No redirects, no proxy, no other scheme, one authority.
 * What an answer means is the caller's matter.
 */
#ifndef AGENT_COURIER_H
#define AGENT_COURIER_H

#include "agent/backoff.h"
#include "base/loop.h"

#include <stddef.h>

enum { COURIER_BODY_MAX = 8192, COURIER_ETAG_MAX = 128 };

struct courier;
struct errand;

struct courier_options {
	struct loop *loop;    /* borrowed */
	const char  *url;     /* "https://host:port"; copied, as are the others */
	const char  *ca_file; /* "" : the system's roots */
	const char  *token;   /* NULL: none is shown */
	const char
	    *identity; /* PEM of a key and its certificate, shown to the server; NULL: none */
	int64_t limit_ms; /* for one request, from start to end */
};

struct courier_answer {
	unsigned       status;  /* HTTP status; 0: there was none */
	const char    *trouble; /* why there was none, in words */
	const uint8_t *body;    /* borrowed until on_answer() returns */
	size_t         count;
	int64_t        retry_after_s; /* -1: not said */
	bool           nameless;      /* the collector's name could not be resolved */
	const char    *etag;          /* "" when not said */
};

/* What all answers so far have told, of POSTs and others. */
struct courier_news {
	unsigned status;         /* of the last request; 0: there was none, or no answer */
	int64_t  ended_ms;       /* wall clock of its end; 0: none yet */
	char     trouble[256];   /* why there was no answer; "" */
	bool     clock_known;    /* an answer had a Date header [rfc9110 6.6.1] */
	int64_t  clock_ahead_ms; /* our clock less that one */
};

struct courier *courier_new(const struct courier_options *options, struct err *err) MUST_CHECK;
void            courier_free(struct courier *courier); /* its errands are free; NULL is fine */
struct courier_news courier_news(const struct courier *courier);

/* How long to wait after an answer that asks for another try. */
int64_t courier_wait_ms(const struct courier_answer *answer, struct backoff *backoff);

/* An errand carries one request at a time, again and again; its connection is kept. */
struct errand *errand_new(struct courier *courier,
    void (*on_answer)(void *arg, const struct courier_answer *answer), void *arg);
void           errand_free(struct errand *errand); /* cancels; NULL is fine */
bool           errand_is_out(const struct errand *errand);
void           errand_cancel(struct errand *errand); /* no callback after */

/* The bytes are borrowed until on_answer(), which is called from the loop.  With their SHA-256
 * as Content-Digest [rfc9530], and with one more header line, "" for none. */
void errand_post(struct errand *errand, const char *path, const char *type, const char *header,
    const uint8_t *bytes, size_t count);
/* etag: what we have, "" for nothing. */
void errand_get(struct errand *errand, const char *path, const char *etag, size_t body_max);

#endif
