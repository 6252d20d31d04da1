/* gremlin: a fake front end of the Gremlin API on one TLS connection, as far as one comes without
 * credentials that are good.
 *
 * It upgrades whoever asks, wants a login before the first request is run, and refuses every
 * login: the official driver takes it for a server.
 */
#ifndef TESTS_FAKE_GREMLIN_H
#define TESTS_FAKE_GREMLIN_H

#include <stdbool.h>
#include <stdint.h>

struct ssl_st;

struct gremlin_manner {
	const char *name;
	/* In place of the upgrade: a whole answer, and the end. */
	const char *answer;
	bool        wrong_accept;
	/* The first message, in place of the wish for a login; 0: that wish. */
	unsigned    status;
	const char *message;
	/* In place of any message: a Close. */
	unsigned    close_code;
	const char *close_reason;
	enum {
		GREMLIN_BINARY,
		GREMLIN_TEXT,
		GREMLIN_PIECES, /* three frames, a ping before the last */
		GREMLIN_MASKED,
		GREMLIN_HUGE, /* claims 2 to the power of 62 bytes */
		GREMLIN_GARBAGE,
		GREMLIN_DRIP, /* a byte a record, which is slow but right */
		GREMLIN_SILENT
	} shape;
};

extern const struct gremlin_manner
                             gremlin_manners[]; /* the first is good; NULL name at the end */
const struct gremlin_manner *gremlin_manner_find(const char *name); /* NULL: none */

/* After the handshake, until the client goes or the manner ends it. */
void gremlin_serve(struct ssl_st *ssl, const struct gremlin_manner *manner);

#endif
