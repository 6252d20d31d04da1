/* signer: whoever can sign a request to the data plane.
 *
 * A probe that reads hostile bytes holds no secret: it asks, and gets the value of one
 * `authorization` header, good for one request and a quarter of an hour.  Who answers (this very
 * process in `check`, the shipper in the agent) is not the probe's matter.
 */
#ifndef PROBE_SIGNER_H
#define PROBE_SIGNER_H

#include "proto/record.h"

/* One request to sign [cosmos-signing]; texts are borrowed until the answer. */
struct signer_ask {
	const char *account; /* name of the account: whose secret */
	const char *host;    /* host that is asked */
	const char *verb;    /* "GET" */
	const char *type;    /* resource type, "docs"; "" for the account */
	const char *link;    /* resource link; "" for the account and for feeds at the root */
	const char *date;    /* what x-ms-date will say, RFC 1123 */
};

struct signer {
	enum credential kind; /* KEY or ENTRA */
	/* Answers once, from the loop and never from inside start(): with the header's value,
	 * URL-encoded, valid during the call; or with NULL and why there is none, in words. */
	void *(*start)(void *arg, const struct signer_ask                              *ask,
	    void (*on_signed)(void *on_arg, const char *header, const char *why), void *on_arg);
	void (*cancel)(void *run); /* no answer after */
	void *arg;
};

#endif
