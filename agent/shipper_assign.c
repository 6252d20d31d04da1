/* What is measured: from the local configuration, from the collector, or from before. */
#include "agent/enroll.h"
#include "agent/shipper_body.h"
#include "base/clock.h"
#include "base/log.h"
#include "proto/decode.h"

#include <stdlib.h>

#define AREA "shipper"

void
shipper_assign_give(struct shipper *shipper)
{
	if (shipper->assignment.count > 0 && !shipper->prober_over &&
	    !channel_send(shipper->channel, CHANNEL_ASSIGNMENT, shipper->assignment.bytes,
	        shipper->assignment.count))
		log_error(AREA, "the prober does not take the assignment");
}

bool
shipper_assign_local(struct shipper *shipper, const struct agent_conf *conf, struct err *err)
{
	struct wbuf made;

	if (conf->accounts.count == 0)
		return true;
	wbuf_init(&made);
	if (!assign_local(conf, &made, err)) {
		wbuf_fini(&made);
		return false;
	}
	wbuf_fini(&shipper->assignment);
	shipper->assignment = made;
	free(shipper->etag); /* what the collector gave is in force no more */
	shipper->etag = NULL;
	return true;
}

void
shipper_assign_tag(struct shipper *shipper, const char *etag)
{
	struct arena       *arena = arena_new();
	struct assign_facts facts;

	/* It was looked at before it was taken: what could not be read has no version. */
	(void)!assign_facts(
	    &facts, arena, shipper->assignment.bytes, shipper->assignment.count, NULL);
	free(shipper->etag);
	if (etag[0] != '\0')
		shipper->etag = mem_strdup(etag);
	else
		shipper->etag = mem_printf("\"%s\"", facts.version);
	arena_free(arena);
}

/* What is in force is none, or made by the local configuration, or the collector's: the first two
 * have no edition. */
static bool
takes_offered(struct shipper *shipper, struct arena *arena, const struct assign_facts *offered)
{
	struct assign_facts in_force;
	bool                first = shipper->older.since_us == 0, takes;

	(void)!assign_facts(
	    &in_force, arena, shipper->assignment.bytes, shipper->assignment.count, NULL);
	takes = assign_takes(
	    &shipper->older, offered, &in_force, clock_boot_ns(clock_system()) / 1000);
	if (assign_is_older(offered, &in_force) && (first || takes))
		log_warn(AREA,
		    "the collector offers assignment %s, which is older than the one in "
		    "force; was it restored from a backup? %s",
		    offered->version,
		    takes ? "It has done so for a day, and is believed"
		          : "The newer one stays for a day, or until anything changes there");
	return takes;
}

static void
take_pulled(struct shipper *shipper, const struct courier_answer *answer)
{
	struct arena       *arena = arena_new();
	struct assign_facts offered;
	struct err          err;

	if (!assign_facts(&offered, arena, answer->body, answer->count, &err)) {
		log_error(
		    AREA, "assignment of the collector: %s; the one before stays", err.text);
	} else if (takes_offered(shipper, arena, &offered)) {
		wbuf_clear(&shipper->assignment);
		wbuf_put(&shipper->assignment, answer->body, answer->count);
		shipper_assign_tag(shipper, answer->etag);
		assign_save(shipper->conf, answer->body, answer->count);
		shipper_assign_give(shipper);
	}
	arena_free(arena);
}

static void
log_refused_pull(const struct courier_answer *answer)
{
	struct arena *arena = arena_new();

	log_warn(AREA, "assignment not pulled: collector answers %u: %s", answer->status,
	    enroll_reason(arena, answer->body, answer->count));
	arena_free(arena);
}

void
shipper_assign_on_pulled(void *arg, const struct courier_answer *answer)
{
	struct shipper *shipper = arg;
	int64_t         wait_ms = shipper->conf->assignment_ms;
	int64_t         later_ms = 0;

	if (answer->status == 200)
		take_pulled(shipper, answer);
	if (answer->status == 200 || answer->status == 304) {
		backoff_reset(&shipper->pull_backoff);
	} else {
		later_ms = courier_wait_ms(answer, &shipper->pull_backoff);
		if (answer->status == 0)
			log_warn(AREA, "assignment not pulled: %s", answer->trouble);
		else
			log_refused_pull(answer);
		/* Without any, there is nothing to do but to ask again. */
		if (later_ms > wait_ms || shipper->assignment.count == 0)
			wait_ms = later_ms;
	}
	loop_watch_set(&shipper->pull_timer, -1, 0, wait_ms * US_PER_MS);
}

void
shipper_assign_on_timer(void *arg, unsigned what)
{
	struct shipper *shipper = arg;

	if (shipper->pull != NULL && !errand_is_out(shipper->pull))
		errand_get(shipper->pull, "/v1/assignment",
		    shipper->etag != NULL ? shipper->etag : "", DECODE_BYTES_MAX);
}
