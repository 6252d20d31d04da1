#include "agent/status.h"

#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

enum { INDENT = 2, TEXT_MAX = 1024 };

/* What the kernel or a peer said may be no UTF-8, which JSON must be. */
static json_t *
text_value(struct arena *arena, const char *text)
{
	if (text == NULL)
		text = "";
	return json_string(text_sane(arena, text, strlen(text), TEXT_MAX));
}

static json_t *
refusals_value(struct arena *arena, const struct vitals *vitals)
{
	json_t *list = json_array();

	for (size_t i = 0; i < vitals->refusals_count; i++)
		json_array_append_new(list,
		    json_pack("{s:o, s:o}", "host", text_value(arena, vitals->refusals[i].host),
		        "reason", text_value(arena, vitals->refusals[i].reason)));
	return list;
}

static json_t *
lost_value(const struct spool_stats *spool)
{
	json_t *lost = json_object();

	for (int i = 0; i < SPOOL_LOSSES; i++)
		json_object_set_new(lost, spool_loss_name((enum spool_loss)i),
		    json_integer((json_int_t)spool->lost[i]));
	return lost;
}

static json_t *
spool_value(const struct status_facts *facts)
{
	const struct spool_stats *spool = &facts->spool;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "bytes",
	    (json_int_t)spool->bytes, "limit_bytes", (json_int_t)facts->spool_limit_bytes,
	    "records", (json_int_t)spool->records, "batches", (json_int_t)spool->files,
	    "oldest_ms", (json_int_t)facts->oldest_ms, "dropped", (json_int_t)spool->dropped,
	    "set_aside", (json_int_t)spool->set_aside, "conflicts",
	    (json_int_t)spool->conflicts, "degraded", spool->degraded, "lost",
	    lost_value(spool));
}

static json_t *
collector_value(struct arena *arena, const struct status_facts *facts)
{
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:b, s:I}", "url",
	    text_value(arena, facts->collector), "upload", text_value(arena, facts->upload),
	    "sent", (json_int_t)facts->sent, "stored", (json_int_t)facts->stored, "refused",
	    (json_int_t)facts->refused, "failures", (json_int_t)facts->failures, "acked_ms",
	    (json_int_t)facts->acked_ms, "ended_ms", (json_int_t)facts->ended_ms, "answer",
	    (json_int_t)facts->answer, "trouble", text_value(arena, facts->trouble),
	    "clock_known", facts->vitals.clock_known, "clock_ahead_ms",
	    (json_int_t)facts->vitals.clock_ahead_ms);
}

static json_t *
prober_value(struct arena *arena, const struct status_facts *facts)
{
	const struct vitals *vitals = &facts->vitals;

	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "alive",
	    facts->prober_alive, "vitals_ms", (json_int_t)vitals->at_ms, "record_ms",
	    (json_int_t)facts->record_ms, "loop_lag_us", (json_int_t)vitals->loop_lag_us,
	    "measured", (json_int_t)vitals->measured, "refused_connects",
	    (json_int_t)vitals->refused_connects, "resolvers",
	    text_value(arena, vitals->resolvers), "confined",
	    text_value(arena, vitals->confined));
}

static json_t *
assignment_value(struct arena *arena, const struct vitals *vitals)
{
	return json_pack("{s:o, s:I, s:I, s:o, s:I}", "version",
	    text_value(arena, vitals->assignment), "targets", (json_int_t)vitals->targets,
	    "refused", (json_int_t)vitals->refused_items, "refusals",
	    refusals_value(arena, vitals), "older_offered", (json_int_t)vitals->older_offered);
}

void
status_json_write(const struct status_facts *facts, struct wbuf *out)
{
	struct arena *arena = arena_new();
	json_t *root = json_pack("{s:i, s:o, s:o, s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:o, "
	                         "s:I}",
	    "version", STATUS_VERSION, "program", text_value(arena, facts->version), "agent",
	    text_value(arena, facts->agent), "network", text_value(arena, facts->network),
	    "pid", (json_int_t)facts->pid, "at_ms", (json_int_t)facts->at_ms, "started_ms",
	    (json_int_t)facts->started_ms, "spool", spool_value(facts), "collector",
	    collector_value(arena, facts), "prober", prober_value(arena, facts), "assignment",
	    assignment_value(arena, &facts->vitals), "certificate_ends_ms",
	    (json_int_t)facts->cert_ends_ms);

	json_write(out, root, INDENT);
	wbuf_puts(out, "\n");
	json_decref(root);
	arena_free(arena);
}

/* Reading: a member that is not there, or of another type, is nothing. */

static const char *
text_of(struct arena *arena, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return arena_strdup(arena, text);
}

static int64_t
number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool
is_true(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static void
read_spool(struct status_facts *facts, const json_t *from)
{
	facts->spool = (struct spool_stats){ .bytes = (uint64_t)number_of(from, "bytes"),
		.records = (uint64_t)number_of(from, "records"),
		.dropped = (uint64_t)number_of(from, "dropped"),
		.files = (unsigned)number_of(from, "batches"),
		.set_aside = (unsigned)number_of(from, "set_aside"),
		.conflicts = (unsigned)number_of(from, "conflicts"),
		.degraded = is_true(from, "degraded") };
	for (int i = 0; i < SPOOL_LOSSES; i++)
		facts->spool.lost[i] = (uint64_t)number_of(
		    json_object_get(from, "lost"), spool_loss_name((enum spool_loss)i));
	facts->spool_limit_bytes = number_of(from, "limit_bytes");
	facts->oldest_ms = number_of(from, "oldest_ms");
}

static void
read_collector(struct status_facts *facts, struct arena *arena, const json_t *from)
{
	facts->collector = text_of(arena, from, "url");
	facts->upload = text_of(arena, from, "upload");
	facts->sent = (uint64_t)number_of(from, "sent");
	facts->stored = (uint64_t)number_of(from, "stored");
	facts->refused = (uint64_t)number_of(from, "refused");
	facts->failures = number_of(from, "failures");
	facts->acked_ms = number_of(from, "acked_ms");
	facts->ended_ms = number_of(from, "ended_ms");
	facts->answer = number_of(from, "answer");
	facts->trouble = text_of(arena, from, "trouble");
	facts->vitals.clock_known = is_true(from, "clock_known");
	facts->vitals.clock_ahead_ms = number_of(from, "clock_ahead_ms");
}

static void
read_prober(struct status_facts *facts, struct arena *arena, const json_t *from)
{
	facts->prober_alive = is_true(from, "alive");
	facts->record_ms = number_of(from, "record_ms");
	facts->vitals.at_ms = number_of(from, "vitals_ms");
	facts->vitals.loop_lag_us = (uint32_t)number_of(from, "loop_lag_us");
	facts->vitals.measured = (uint64_t)number_of(from, "measured");
	facts->vitals.refused_connects = (uint64_t)number_of(from, "refused_connects");
	facts->vitals.resolvers = text_of(arena, from, "resolvers");
	facts->vitals.confined = text_of(arena, from, "confined");
}

static void
read_assignment(struct vitals *vitals, struct arena *arena, const json_t *from)
{
	const json_t *refusals = json_object_get(from, "refusals");
	size_t        count = json_array_size(refusals);

	vitals->assignment = text_of(arena, from, "version");
	vitals->targets = (uint32_t)number_of(from, "targets");
	vitals->refused_items = (uint32_t)number_of(from, "refused");
	vitals->older_offered = (uint32_t)number_of(from, "older_offered");
	vitals->refusals = arena_array(arena, count + 1, sizeof(*vitals->refusals));
	vitals->refusals_count = count;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(refusals, i);

		vitals->refusals[i].host = text_of(arena, item, "host");
		vitals->refusals[i].reason = text_of(arena, item, "reason");
	}
}

bool
status_json_read(struct status_facts *facts, struct arena *arena, const char *bytes,
    size_t count, struct err *err)
{
	json_t *root = json_read(bytes, count, "status", err);
	int64_t version;

	*facts = (struct status_facts){ 0 };
	if (root == NULL)
		return false;
	version = number_of(root, "version");
	facts->version = text_of(arena, root, "program");
	facts->agent = text_of(arena, root, "agent");
	facts->network = text_of(arena, root, "network");
	facts->pid = number_of(root, "pid");
	facts->at_ms = number_of(root, "at_ms");
	facts->started_ms = number_of(root, "started_ms");
	facts->cert_ends_ms = number_of(root, "certificate_ends_ms");
	read_spool(facts, json_object_get(root, "spool"));
	read_collector(facts, arena, json_object_get(root, "collector"));
	read_prober(facts, arena, json_object_get(root, "prober"));
	read_assignment(&facts->vitals, arena, json_object_get(root, "assignment"));
	json_decref(root);
	return version == STATUS_VERSION ||
	    err_set(err, ERR_PARSE, "status of version %lld, %d wanted", (long long)version,
	        STATUS_VERSION);
}
