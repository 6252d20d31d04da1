/* imds: tokens of a managed identity, from the instance metadata service of an Azure VM
 * [azure-msi].
 *
 * One GET over plain HTTP to a link-local address, never through a proxy and never elsewhere by a
 * redirect.  A token is kept until shortly before it expires, and so is a failure for a while, so
 * that many who ask cost one request.  What the token is for is fixed: the data plane of Cosmos
 * DB.  What libcurl, the reader of JSON and the kernel keep of an answer in buffers of their own
 * cannot be wiped from here.
 */
#ifndef AGENT_IMDS_H
#define AGENT_IMDS_H

#include "base/clock.h"
#include "base/loop.h"

#define IMDS_URL "http://169.254.169.254"

struct imds;
struct imds_ask;

struct imds_options {
	struct loop        *loop;      /* borrowed */
	const struct clock *clock;     /* borrowed */
	const char         *url;       /* "http://host:port"; copied; "": IMDS_URL */
	const char         *client_id; /* copied; "": the identity that the VM has by itself */
	int64_t             limit_ms;  /* for one token with all repeats; 0: five seconds */
};

struct imds *imds_new(const struct imds_options *options, struct err *err) MUST_CHECK;
/* Wipes the token; who waits gets no answer.  NULL is fine. */
void imds_free(struct imds *imds);

/* Answers once, from the loop and never from inside imds_start(): with the token, valid during the
 * call, or with NULL and why there is none, which never has a part of one. */
struct imds_ask *imds_start(struct imds *imds,
    void (*on_token)(void *arg, const char *token, const char *why), void *arg);
void             imds_cancel(struct imds_ask *ask); /* no answer after; NULL is fine */

#endif
