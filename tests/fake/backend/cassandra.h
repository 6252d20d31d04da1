/* cassandra: a fake front end of the API for Cassandra, on one TLS connection, as far as one comes
 * without credentials that are good.
 *
 * It speaks version 3 and 4 of the protocol, as the service does, refuses STARTUP with
 * COMPRESSION as the service does, and refuses every login: official drivers take it for a
 * server.
 */
#ifndef TESTS_FAKE_CASSANDRA_H
#define TESTS_FAKE_CASSANDRA_H

#include "tests/fake/backend/speech.h"

#include <stdint.h>

struct cassandra_manner {
	const char *name;
	const char *versions, *compression; /* space between */
	const char *authenticator;          /* NULL: lets in without */
	/* The request of this opcode is refused so, and 0 is none. */
	uint8_t           refuses_opcode;
	uint32_t          refuses_code;
	const char       *refuses_text;
	enum speech_fault fault;         /* of every answer */
	enum speech_fault startup_fault; /* of the answer to STARTUP only */
	/* One thing that is wrong in an answer that is right otherwise. */
	uint8_t answer_version; /* 0: 4 */
	uint8_t answer_opcode;  /* 0: the right one */
	uint8_t flags;
	int     stream_off;
	int64_t claims_bytes; /* 0: as many as there are */
	bool    asks;         /* the answer has the form of a request */
	bool    huge_lists;   /* lists that say they are longer than the body */
};

extern const struct cassandra_manner cassandra_manners[]; /* first: good; NULL name: end */
const struct cassandra_manner       *cassandra_manner_find(const char *name); /* or NULL */

/* After the handshake, until the client goes or the manner ends it. */
void cassandra_serve(struct ssl_st *ssl, const struct cassandra_manner *manner);

#endif
