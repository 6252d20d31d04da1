/* enroll: the agent's key and its certificate: made, asked for, read.
 *
 * Pure but for randomness: files are agent/identity.h's matter, the way to the collector is
 * agent/courier.h's.  A key is P-256, never leaves the machine, and never the shipper.
 */
#ifndef AGENT_ENROLL_H
#define AGENT_ENROLL_H

#include "base/arena.h"
#include "base/base64.h"
#include "base/digest.h"
#include "base/wbuf.h"

#include <stdint.h>

/* A new key as PEM [rfc5958], in the arena, which is to be wiped. */
char *enroll_key_new(struct arena *arena);

/* The body of a request for a certificate (message `enrolment`). */
struct enroll_ask {
	const char *key;                     /* PEM */
	const char *token, *agent, *network; /* "": not said */
};
bool enroll_ask_write(
    const struct enroll_ask *ask, struct wbuf *out, struct err *err) MUST_CHECK;

/* What a certificate says.  "" where it does not name an agent. */
struct enroll_facts {
	const char *agent; /* in the arena */
	int64_t     starts_ms, ends_ms;
};

/* Of PEM text with a key and its certificate, which must belong together. */
bool enroll_facts_read(struct enroll_facts *facts, struct arena *arena, const char *pem,
    struct err *err) MUST_CHECK;

/* What the collector gave: key and certificate as one PEM text in the arena, and when to renew.
 * The certificate must be of this key. */
struct enroll_given {
	const char *pem, *agent, *network;
	int64_t     ends_ms;
};
bool enroll_answer_read(struct enroll_given *given, struct arena *arena, const char *key,
    const uint8_t *body, size_t count, struct err *err) MUST_CHECK;

/* By what a token names the authority of a collector: base64url of the SHA-256 of the
 * SubjectPublicKeyInfo [rfc7469 2.4] of a certificate in PEM.  root: it names itself as its issuer.
 * False when it cannot be read. */
enum { ENROLL_PIN_ROOM = BASE64_ROOM(DIGEST_BYTES) };
bool enroll_pin(char *pin, bool *root, const char *pem) MUST_CHECK;

/* The reason in the answer of a collector that refuses; "" where there is none.  Safe to print. */
const char *enroll_reason(struct arena *arena, const uint8_t *body, size_t count);

#endif
