/* admit: a certificate for who brings a token for enrolment, or the one before.
 *
 * POST /v1/enroll and POST /v1/renew.  Each refusal says why, to the agent and in the log, and
 * never a secret.  A new kind of proof (a managed identity, say) is one more row in admit.c.
 */
#ifndef COLLECTOR_ADMIT_H
#define COLLECTOR_ADMIT_H

#include "base/clock.h"
#include "base/wbuf.h"
#include "collector/ca.h"
#include "collector/gate.h"
#include "collector/listen.h"
#include "collector/roster.h"

struct admit;

struct admit_options {
	const struct clock *clock; /* all borrowed */
	const struct ca    *ca;
	struct gate        *gate;
	struct roster      *roster;
	bool                closed;  /* no certificates are given here */
	int64_t             life_ms; /* of a certificate */
};

struct admit *admit_new(const struct admit_options *options);
void          admit_free(struct admit *admit); /* NULL is fine */
/* Other rules from the next request on; certificates that are out keep their life. */
void admit_change(struct admit *admit, bool closed, int64_t life_ms);

void admit_on_enroll(struct admit *admit, struct request *request);
void admit_on_renew(struct admit *admit, struct request *request);

/* Counters as Prometheus text. */
void admit_write_metrics(const struct admit *admit, struct wbuf *out);

#endif
