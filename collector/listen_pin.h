/* listen_pin: the key by which an agent that enrols knows this collector, for the token to say.
 *
 * Of the certificates that are shown in a handshake the last one in the file: the authority where
 * its certificate stands behind the collector's own, else what comes nearest to it.
 */
#ifndef COLLECTOR_LISTEN_PIN_H
#define COLLECTOR_LISTEN_PIN_H

#include "base/base64.h"
#include "base/digest.h"
#include "base/err.h"

enum { LISTEN_PIN_ROOM = BASE64_ROOM(DIGEST_BYTES) };

/* base64url of the SHA-256 of its SubjectPublicKeyInfo [rfc7469 2.4], without padding.  root: it is
 * signed by itself, so that it stays when the collector's own certificate is exchanged. */
bool listen_pin_read(
    char *pin, bool *root, const char *certificate_path, struct err *err) MUST_CHECK;

#endif
