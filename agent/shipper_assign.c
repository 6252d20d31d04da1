/* What is measured: from the local configuration, from the collector, or from before. */
#include "agent/shipper_body.h"
#include "base/clock.h"
#include "base/log.h"

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

void
shipper_assign_on_pulled(void *arg, const struct courier_answer *answer)
{
	struct shipper     *shipper = arg;
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
		pull_keep(shipper->pull, shipper->etag);
		assign_save(shipper->conf, answer->body, answer->count);
		shipper_assign_give(shipper);
	}
	arena_free(arena);
}
