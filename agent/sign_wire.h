/* sign_wire: the two messages about signatures between prober and shipper, as bytes.
 *
 * CHANNEL_SIGN asks, CHANNEL_SIGNED answers.  Pure.  Each side takes the other for a stranger: texts
 * are bounded, without NUL and controls, and nothing may be left over.
 */
#ifndef AGENT_SIGN_WIRE_H
#define AGENT_SIGN_WIRE_H

#include "base/arena.h"
#include "base/wbuf.h"
#include "probe/signer.h"

/* Bytes of texts, without a NUL.  A link is dbs/NAME/colls/NAME of names of 255 characters, each
 * up to 4 bytes; a header has a token of Entra ID of 16 KiB, URL-encoded. */
enum {
	SIGN_ACCOUNT_MAX = 64,
	SIGN_HOST_MAX = 255,
	SIGN_VERB_MAX = 8,
	SIGN_TYPE_MAX = 16,
	SIGN_LINK_MAX = 2100,
	SIGN_DATE_MAX = 40,
	SIGN_HEADER_MAX = 50000,
	SIGN_WHY_MAX = 500
};

/* False when a text is too long or has a control in it, and nothing is written. */
bool sign_ask_encode(uint32_t id, const struct signer_ask *ask, struct wbuf *out) MUST_CHECK;
/* Texts are copied into the arena. */
bool sign_ask_decode(uint32_t *id, struct signer_ask *ask, struct arena *arena,
    const uint8_t *bytes, size_t count, struct err *err) MUST_CHECK;

/* The answer: a header, or why there is none. */
struct sign_answer {
	uint32_t    id;
	const char *header; /* NULL: there is none */
	const char *why;    /* "" with a header */
};

/* A header that is too long or has a control in it becomes a refusal. */
void sign_answer_encode(const struct sign_answer *answer, struct wbuf *out);
bool sign_answer_decode(struct sign_answer *answer, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err) MUST_CHECK;

#endif
