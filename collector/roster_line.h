/* roster_line: one line of the roster's journal, as text and as numbers.
 *
 * Pure.  Words are separated by one space; "-" stands for a word that is empty.  What the lines
 * amount to together is roster.c's matter.
 */
#ifndef COLLECTOR_ROSTER_LINE_H
#define COLLECTOR_ROSTER_LINE_H

#include "base/digest.h"
#include "base/err.h"
#include "base/wbuf.h"

enum roster_kind {
	ROSTER_TOKEN,        /* id agent network digest at ends uses replace */
	ROSTER_CARD,         /* id agent network digest at ends from */
	ROSTER_USED,         /* id at: the certificate has been shown */
	ROSTER_REVOKE_AGENT, /* agent at: and every certificate and token that it has so far */
	ROSTER_REVOKE_CARD,  /* id at */
	ROSTER_REVOKE_TOKEN, /* id at */
	ROSTER_KINDS
};

struct roster_line {
	enum roster_kind kind;
	const char      *id;      /* of a token, or the serial number of a certificate */
	const char      *agent;   /* of a token "": any */
	const char      *network; /* "": none */
	const char      *from;    /* of a certificate: the token's id, or "renewal" */
	uint8_t          digest[DIGEST_BYTES]; /* of the token's secret, or of the public key */
	int64_t          at_ms, ends_ms;
	int64_t          uses;    /* of a token */
	bool             replace; /* the token may take the place of a live agent */
};

/* text is cut into words, and the line borrows them. */
bool roster_line_parse(struct roster_line *line, char *text, struct err *err) MUST_CHECK;
/* With its end of line. */
void roster_line_write(struct wbuf *out, const struct roster_line *line);

#endif
