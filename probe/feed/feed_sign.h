/* feed_sign: the `authorization` header of the data plane [cosmos-signing].  Pure.
 *
 * For whoever holds the secret, and for nobody else: the kind "feed" never calls it, it asks a
 * struct signer.  Whoever has the secret wipes it with digest_wipe(); copies that are made on the
 * way are wiped here.
 */
#ifndef PROBE_FEED_FEED_SIGN_H
#define PROBE_FEED_FEED_SIGN_H

#include "base/arena.h"
#include "probe/signer.h"

enum { FEED_KEY_LEAST = 16, FEED_KEY_MOST = 128 };

/* An account key, decoded; 64 bytes in practice. */
struct feed_key {
	uint8_t bytes[FEED_KEY_MOST];
	size_t  count;
};

/* Base64 [rfc4648 4] with white space around it or not.  A refusal says what was wanted and never
 * quotes the key; *key is wiped then. */
bool feed_key_parse(struct feed_key *key, const char *text, struct err *err) MUST_CHECK;

/* The header's value, URL-encoded, in the arena.  It is good for this one request, date
 * included. */
const char *feed_sign_key(
    struct arena *arena, const struct feed_key *key, const struct signer_ask *ask);
/* The same for an access token of Entra ID: the value holds the token itself, and lives as long as
 * the arena does. */
const char *feed_sign_token(struct arena *arena, const char *token);

#endif
