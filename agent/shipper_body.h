/* shipper_body: the inside of the shipper, for the files that are it and for nobody else.
 *
 * agent/shipper.h is the door.  shipper.c is its life and its ways in and out, shipper_assign.c what
 * is measured, shipper_status.c what it says of itself.
 */
#ifndef AGENT_SHIPPER_BODY_H
#define AGENT_SHIPPER_BODY_H

#include "agent/assign.h"
#include "agent/channel.h"
#include "agent/courier.h"
#include "agent/pull.h"
#include "agent/renewal.h"
#include "agent/sign_service.h"
#include "agent/spool.h"
#include "agent/status.h"
#include "agent/upload.h"

#include <sys/types.h>

/* The life of the shipper, in order. */
enum phase { PHASE_WORK, PHASE_STOP_PROBER, PHASE_LAST_UPLOAD, PHASE_OVER };

struct shipper {
	const char        *conf_path;
	struct arena      *conf_arena; /* owned */
	struct agent_conf *conf;

	struct loop         *loop;
	struct channel      *channel;
	struct sign_service *signatures; /* owned */
	struct spool        *spool;
	struct courier      *courier; /* NULL without a collector, as the next two */
	struct upload       *upload;
	struct pull         *pull;
	struct renewal      *renewal; /* owned; NULL without a collector */
	struct loop_watch    spool_timer, stop_timer, renew_timer;
	char                *etag; /* owned; of the assignment in force */
	struct assign_older  older;
	struct wbuf          assignment; /* encoded */

	struct status *status;       /* owned; NULL: nobody can ask */
	struct arena  *vitals_arena; /* owned; of the last vitals */
	struct vitals *vitals;       /* NULL: none yet */
	int64_t        started_ms, record_ms, acked_ms, cert_ends_ms;
	uint64_t       acked; /* batches that were stored when we last looked */

	enum phase phase;
	pid_t      prober;
	bool       prober_over;
	int        code;
};

/* In shipper_assign.c. */

/* To the prober, if there is one. */
void shipper_assign_give(struct shipper *shipper);
/* From `accounts` of a configuration that is about to be in force; without any nothing changes. */
bool shipper_assign_local(
    struct shipper *shipper, const struct agent_conf *conf, struct err *err) MUST_CHECK;
/* The ETag of what is in force; "": made of its version. */
void shipper_assign_tag(struct shipper *shipper, const char *etag);
/* The collector has another one, which may be older: see agent/assign.h. */
void shipper_assign_on_pulled(void *arg, const struct courier_answer *answer);

/* In shipper_status.c: the socket of `plprobe status`. */
void shipper_status_open(struct shipper *shipper);

#endif
