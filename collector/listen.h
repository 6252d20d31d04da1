/* listen: an HTTP server on one address, hardened; with TLS for the world, without on loopback.
 *
 * The door to evhttp.  It bounds what a peer can take before it has said anything (listen_conn), and
 * refuses what is not plainly one request (listen_head).  What a request means is the handler's
 * matter; it may answer at once or keep the request and answer later, from the loop's thread.
 */
#ifndef COLLECTOR_LISTEN_H
#define COLLECTOR_LISTEN_H

#include "base/addr.h"
#include "base/loop.h"
#include "collector/listen_conn.h"

struct listen;
struct request;

struct listen_options {
	struct loop       *loop;    /* borrowed; outlives the server */
	struct addr        at;      /* port 0: a free one */
	struct listen_tls *tls;     /* borrowed; NULL: plain HTTP, only on a loopback address */
	bool               proxied; /* ... or elsewhere, where a proxy in front ends TLS */
	const char *local; /* path of a socket of this machine instead of at; NULL: none */
	size_t      body_bytes_max;
	struct listen_crowd_limits limits;  /* with TLS */
	int64_t                    idle_ms; /* without a byte either way */
	void (*on_request)(void *arg, struct request *request);
	void *arg;
};

struct listen_counts {
	struct listen_crowd_counts crowd; /* with TLS */
	uint64_t                   requests;
	uint64_t                   garbled; /* of them: heads that say nothing plainly */
	uint64_t                   stalls;  /* times that a connection could not be accepted */
	unsigned                   waiting; /* requests without an answer yet */
};

struct listen *listen_new(const struct listen_options *options, struct err *err);
/* No request may wait for an answer.  NULL is fine. */
void                 listen_free(struct listen *server);
struct addr          listen_addr(const struct listen *server); /* with the port it has */
struct listen_counts listen_counts(const struct listen *server);
/* Accepts no more, and closes each connection behind its next answer. */
void listen_drain(struct listen *server);

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

enum request_method request_method(const struct request *request);
/* The path as it stood in the request line, undecoded; what stands behind its '?', or "". */
const char *request_path(const struct request *request);
const char *request_query(const struct request *request);
const char *request_header(const struct request *request, const char *name);  /* or NULL */
unsigned    request_headers(const struct request *request, const char *name); /* how often */
const void *request_body(const struct request *request, size_t *count);
const char *request_peer(const struct request *request);        /* "10.0.0.4:51234" */
const struct addr *request_from(const struct request *request); /* none where local */
/* The certificate that it has shown; NULL where none was asked for. */
const struct listen_peer *request_shown(const struct request *request);
/* Its peer is known to us: when room is short, its connection stays. */
void request_prove(struct request *request);

/* A header of the answer. */
void request_set(struct request *request, const char *name, const char *value);
/* Sends the answer; the request is gone after.  bytes may be NULL when count is 0. */
void request_answer(struct request *request, unsigned status, const char *content_type,
    const void *bytes, size_t count);

#endif
