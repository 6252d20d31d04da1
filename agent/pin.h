/* pin: the collector's authority, found by the digest of its key that stands in a token.
 *
 * A machine that is to enrol has no file of the authority yet.  The token, which came to it by
 * another way, says which key it is: the certificate of that key is taken out of the chain that the
 * collector shows, and then vouches for the chain as a file would have.  Nothing is sent here but
 * the beginning of a handshake; to find a certificate is no proof of anything, since anybody may
 * show it: whoever asks for more has to verify by it.
 */
#ifndef AGENT_PIN_H
#define AGENT_PIN_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct pin_found {
	const char *pem;  /* in the arena */
	bool        root; /* signed by itself: nobody exchanges it without a word to all */
};

/* pin: base64url of the SHA-256 of a SubjectPublicKeyInfo [rfc7469 2.4].  limit_ms: for all of it. */
bool pin_find(struct pin_found *found, struct arena *arena, const char *url, const char *pin,
    int64_t limit_ms, struct err *err) MUST_CHECK;

/* Whether the system's roots vouch for the collector too. */
bool pin_is_public(const char *url, int64_t limit_ms);

#endif
