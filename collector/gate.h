/* gate: from whom a request is: by its certificate, or by its token.
 *
 * Asked with every request, so that what is revoked ends at the next one.  What is told to the peer
 * helps who has a certificate of ours or a token; to a stranger it is the same whatever it tried.
 */
#ifndef COLLECTOR_GATE_H
#define COLLECTOR_GATE_H

#include "base/clock.h"
#include "collector/auth.h"
#include "collector/listen.h"
#include "collector/roster.h"

struct gate;

/* What agents may show. */
enum gate_mode { GATE_BOTH, GATE_CERTIFICATE, GATE_TOKEN, GATE_MODES };

bool gate_mode_parse(enum gate_mode *mode, const char *text, struct err *err) MUST_CHECK;

struct gate_options {
	const struct clock *clock; /* all borrowed */
	struct auth        *auth;
	struct roster      *roster;
	enum gate_mode      mode;
	int64_t grace_ms; /* so long after its end a certificate may still be renewed */
};

/* Who may pass; borrowed from the gate and the request until either changes. */
struct gate_pass {
	const char *agent;
	const char *network; /* "": the agent's own word counts */
	const char *serial;  /* of its certificate; "": it has shown a token */
	bool        ours;    /* the certificate is of our own authority */
	unsigned    status;  /* of a refusal: 401 or 403 */
	char        why[200];
};

struct gate *gate_new(const struct gate_options *options);
void         gate_free(struct gate *gate); /* NULL is fine */
/* Other rules from the next request on. */
void gate_change(struct gate *gate, enum gate_mode mode, int64_t grace_ms);

/* False: refused, with status and why, which may be told to the peer.  renewing: to get the next
 * certificate, where one that has ended is taken for a while. */
bool gate_check(struct gate *gate, const struct request *request, bool renewing,
    struct gate_pass *pass) MUST_CHECK;

#endif
