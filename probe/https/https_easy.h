/* https_easy: a request inside libcurl: its handle, what libcurl calls back, what it saw.
 *
 * The inside of https_request.c, and nobody else's; it neither starts nor ends a request.
 */
#ifndef PROBE_HTTPS_HTTPS_EASY_H
#define PROBE_HTTPS_HTTPS_EASY_H

#include "base/wbuf.h"
#include "probe/https/https_request.h"
#include "probe/https/https_spec.h"

struct curl_slist;
struct https_multi;

/* As CURL_ERROR_SIZE, which is part of libcurl's ABI. */
enum { HTTPS_EASY_TEXT = 256 };

struct https_requests {
	struct probes        *probes;        /* borrowed; outlives us */
	struct https_multi   *multi;         /* owned */
	struct https_request *idle, *active; /* owned; lists */
	struct https_line    *lines;         /* list */
	unsigned              idle_count;
	char                 *proxy; /* owned; host:port, NULL: none */
};

struct https_line {
	struct https_requests *requests; /* borrowed; outlives us */
	struct https_line     *next;     /* in requests->lines */
	void                  *pool;     /* owned CURLSH; holds no connection but ours */
	int                    fd;       /* libcurl's; -1: none */
};

/* One request, or between two of them an easy handle that waits for the next. */
struct https_request {
	struct https_requests *requests; /* borrowed; outlives us */
	struct https_request  *next;     /* in requests->idle or ->active */
	void                  *easy;     /* owned CURL */
	char                   text[HTTPS_EASY_TEXT];

	struct https_request_ask ask;
	struct curl_slist       *connect_to, *headers; /* owned */
	struct https_seen        seen;
	struct https_answer      answer; /* its texts are in the probe's arena */
	struct wbuf              body;
	struct err               why;                /* for seen.why */
	int                      fd;                 /* libcurl's; -1: none yet */
	int64_t                  started_us, due_us; /* monotonic */
	int64_t                  connected_us;       /* since the start; 0: not yet */
	struct loop_watch        refusal;            /* ends one that never came to ask */
	bool                     asking;             /* libcurl has the handle */
};

/* A handle, and in it what never changes. */
void https_easy_open(struct https_request *request);
void https_easy_close(struct https_request *request);

/* What to ask, and over which connection. */
void https_easy_ask(struct https_request *request, const struct https_spec *spec);
/* Forgets it: the line may go, and headers are wiped, since one may be a credential. */
void https_easy_forget(struct https_request *request);

/* What libcurl knows of a transfer that ended. */
void https_easy_look(struct https_request *request);

/* The pool of a line. */
void *https_easy_pool_open(void);
void  https_easy_pool_close(void *pool); /* closes its connection */

#endif
