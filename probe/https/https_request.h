/* https_request: one HTTPS GET to one address, through libcurl.
 *
 * The engine of the kinds that speak HTTPS.  The name decides what is verified and what stands in
 * Host, the address alone decides where the connection goes; nothing is followed or remembered, and
 * no proxy of the environment is used.  What the answer means is not its matter.
 */
#ifndef PROBE_HTTPS_HTTPS_REQUEST_H
#define PROBE_HTTPS_HTTPS_REQUEST_H

#include "probe/https/https_record.h"
#include "probe/probe.h"

struct https_line;
struct https_request;
struct https_requests;

/* What the requests of a kind share: made in its init(), freed in its fini(). */
struct https_requests *https_requests_new(struct probes *probes, struct err *err) MUST_CHECK;
/* NULL is fine; no request and no line is left. */
void https_requests_free(struct https_requests *requests);

/* A connection that requests one after the other may use: to the same host and peer, and never at
 * the same time.  It is nobody else's, and is closed with the line.  Where the peer has closed it
 * meanwhile, libcurl makes another one and sends the request again. */
struct https_line *https_line_new(struct https_requests *requests);
void               https_line_free(struct https_line *line); /* NULL is fine */

/* All pointers are borrowed until on_over() or https_request_cancel(), but for `target` and
 * `headers`, which are copied. */
struct https_request_ask {
	struct probe *probe;  /* for whom: its policy, source, clock and arena */
	const char   *host;   /* SNI, verified, Host */
	struct addr   peer;   /* where to connect, with port */
	const char   *target; /* sent as it stands: "/", "//addresses/?..." [rfc9112 3.2.1] */
	const char *const *headers;             /* "name: value", NULL at the end; NULL: none */
	struct https_line *line;                /* NULL: a fresh connection, closed after */
	size_t             body_max, body_kept; /* bytes taken at most; of them handed out */
	int64_t            limit_ms;            /* from now to the last byte, > 0 */
	/* Once, from the loop and never from inside https_request_start(): the request is gone,
	 * and what it leaves is lent for the call.  answer.status is 0 when no head came. */
	void (*on_over)(
	    void *arg, const struct https_seen *seen, const struct https_answer *answer);
	void *arg;
};

/* What cannot be asked (host, target) ends the same way, with HTTPS_STOP_SPEC. */
struct https_request *https_request_start(
    struct https_requests *requests, const struct https_request_ask *ask);
/* No callback after. */
void https_request_cancel(struct https_request *request);

#endif
