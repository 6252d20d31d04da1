/* mongo: a fake front end of the API for MongoDB, on one TLS connection, as far as one comes
 * without credentials that are good.
 *
 * It answers isMaster in the form that was recorded of the service, refuses hello before login
 * unless told otherwise, and refuses every login: official drivers take it for a server.
 */
#ifndef TESTS_FAKE_MONGO_H
#define TESTS_FAKE_MONGO_H

#include "tests/fake/backend/speech.h"

#include <stdio.h>

struct mongo_manner {
	const char *name;
	const char *set_name, *region;
	const char *hosts; /* host:port, space between; NULL: where it was reached, by SNI */
	int         wire_least, wire_most;
	bool        takes_hello;
	/* Every question is refused so; in text "%s" is the client's address.  0: it is not. */
	int               refuses_code;
	const char       *refuses_name, *refuses_text;
	bool              refuses_hello_only;
	enum speech_fault fault;       /* of every answer */
	enum speech_fault hello_fault; /* of the answer to hello only */
	/* One thing that is wrong in an answer that is right otherwise. */
	enum {
		MONGO_RIGHT,
		MONGO_OTHER_REQUEST, /* answers another number */
		MONGO_NO_DOCUMENTS,  /* says that there are none */
		MONGO_CLAIMS_2_GIB,  /* of the document */
		MONGO_NEGATIVE,      /* likewise */
		MONGO_DEEP,          /* documents in documents, a hundred */
		MONGO_STRANGE_TYPE,  /* a regular expression */
		MONGO_NO_SERVER      /* ok, and nothing else */
	} wrong;
};

extern const struct mongo_manner mongo_manners[]; /* the first is good; NULL name at the end */
const struct mongo_manner       *mongo_manner_find(const char *name); /* NULL: there is none */

/* After the handshake, until the client goes or the manner ends it. */
void mongo_serve(struct ssl_st *ssl, const struct mongo_manner *manner);

#endif
