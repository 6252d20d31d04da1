#include "collector/intake.h"

#include "base/base64.h"
#include "base/clock.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <stdlib.h>
#include <string.h>

/* How far a clock may be off before we say so (Azure's hosts keep within milliseconds). */
static const int64_t clock_slack_ms = 5 * MS_PER_MIN;

char *
intake_key(struct arena *arena, const struct target *target)
{
	return arena_printf(arena, "%s/%s/%s/%s:%u", target->account, api_name(target->api),
	    mode_name(target->mode), target->host, target->port);
}

/* The sha-256 member of the dictionary; others are not looked at [rfc9530 2]. */
static bool
check_digest(const char *field, const uint8_t digest[DIGEST_BYTES], struct err *err)
{
	static const char name[] = "sha-256=:";
	const char       *at = field != NULL ? strstr(field, name) : NULL;
	const char       *end;
	uint8_t           said[DIGEST_BYTES];

	if (at == NULL)
		return err_set(err, ERR_PARSE, "no Content-Digest: sha-256=:...: of the body");
	at += sizeof(name) - 1;
	end = strchr(at, ':');
	if (end == NULL || !base64_decode(at, (size_t)(end - at), said, DIGEST_BYTES))
		return err_set(err, ERR_PARSE, "Content-Digest: want 32 bytes of base64");
	if (!digest_equal(said, digest, DIGEST_BYTES))
		return err_set(err, ERR_PARSE, "Content-Digest is not that of the body");
	return true;
}

static bool
check_record(const struct record *record, size_t at, struct err *err)
{
	unsigned members = (record->measurement != NULL) + (record->vitals != NULL) +
	    (record->gap != NULL);

	/* None at all is what a kind of record of a newer agent looks like: nothing to do. */
	if (members > 1)
		return err_set(err, ERR_PARSE, "record %zu is of %u kinds", at, members);
	if (record->measurement == NULL)
		return true;
	if (record->measurement->target == NULL)
		return err_set(err, ERR_PARSE, "record %zu: a measurement without target", at);
	if (record->measurement->target->account[0] == '\0' ||
	    record->measurement->target->host[0] == '\0')
		return err_set(
		    err, ERR_PARSE, "record %zu: a target without account or host", at);
	return true;
}

/* When the batch was begun, by our clock: the agent knows how old it is even where its own clock
 * is wrong.  Without that, by the agent's. */
static int64_t
find_begun_ms(const struct batch *batch, const struct intake_ask *ask)
{
	size_t digits = ask->age != NULL ? strspn(ask->age, "0123456789") : 0;

	if (digits == 0 || digits > 10 || ask->age[digits] != '\0')
		return batch->created_ms;
	return ask->now_ms - strtoll(ask->age, NULL, 10) * MS_PER_S;
}

static bool
is_far(int64_t left_ms, int64_t right_ms)
{
	return left_ms > right_ms ? left_ms > right_ms + clock_slack_ms
	                          : right_ms > left_ms + clock_slack_ms;
}

static enum intake_answer
check_batch(const struct batch *batch, const struct intake_ask *ask, struct err *err)
{
	if (batch->v != PROTO_VERSION) {
		err_set(err, ERR_PARSE, "batch of version %u, we speak %d", batch->v,
		    PROTO_VERSION);
		return INTAKE_OTHER_VERSION;
	}
	if (strcmp(batch->agent, ask->agent) != 0) {
		err_set(err, ERR_PEER, "the batch is another agent's");
		return INTAKE_OTHER_AGENT;
	}
	if (batch->seq == 0) {
		err_set(err, ERR_PARSE, "seq: batches count from 1");
		return INTAKE_SENSELESS;
	}
	if (find_begun_ms(batch, ask) < ask->now_ms - ask->horizon_ms) {
		err_set(err, ERR_LIMIT,
		    "older than %lld days: repeats could not be told from news",
		    (long long)(ask->horizon_ms / MS_PER_DAY));
		return INTAKE_TOO_OLD;
	}
	for (size_t i = 0; i < batch->records_count; i++) {
		if (!check_record(&batch->records[i], i, err))
			return INTAKE_SENSELESS;
	}
	return INTAKE_OK;
}

/* Encoded anew: the store and the page need each measurement by itself. */
static const uint8_t *
copy_encoded(
    struct arena *arena, const struct message_desc *desc, const void *from, size_t *count)
{
	struct wbuf bytes;
	uint8_t    *copy;

	wbuf_init(&bytes);
	encode_message(desc, from, &bytes);
	copy = arena_alloc(arena, bytes.count + 1);
	memcpy(copy, bytes.bytes, bytes.count);
	*count = bytes.count;
	wbuf_fini(&bytes);
	return copy;
}

/* A clock that is ahead must not pin its measurements as the newest for ever. */
static int64_t
order_ms(const struct intake *intake, int64_t started_ms)
{
	return started_ms < intake->batch.received_ms ? started_ms : intake->batch.received_ms;
}

/* Rows by their key: open addressing, so that a batch of thousands costs no more than its length. */
struct key_table {
	size_t *slots; /* number of a row and 1; 0: free */
	size_t  mask;
};

static struct key_table
make_table(struct arena *arena, size_t records)
{
	size_t room = 16;

	while (room < records * 2)
		room *= 2;
	return (struct key_table){ arena_array(arena, room, sizeof(size_t)), room - 1 };
}

/* The slot of the key, taken or free. */
static size_t *
find_slot(const struct key_table *table, const struct store_row *rows, const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t   at;

	for (const char *c = key; *c != '\0'; c++)
		hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
	at = (size_t)(hash ^ hash >> 32) & table->mask;
	while (table->slots[at] != 0 && strcmp(rows[table->slots[at] - 1].key, key) != 0)
		at = (at + 1) & table->mask;
	return &table->slots[at];
}

static void
add_row(struct intake *intake, struct arena *arena, struct store_row *rows,
    const struct key_table *table, const struct measurement *seen)
{
	struct store_row row = { .key = intake_key(arena, seen->target),
		.at_ms = order_ms(intake, seen->started_ms),
		.seen = seen };
	size_t          *slot = find_slot(table, rows, row.key);

	if (seen->started_ms > intake->batch.received_ms + clock_slack_ms)
		intake->clock_suspect = true;
	if (*slot == 0)
		*slot = ++intake->batch.row_count;
	else if (rows[*slot - 1].at_ms > row.at_ms)
		return;
	row.bytes = copy_encoded(arena, &measurement_desc, seen, &row.count);
	rows[*slot - 1] = row;
}

static void
fill(struct intake *intake, struct arena *arena, const struct batch *batch)
{
	struct store_row  *rows = arena_array(arena, batch->records_count + 1, sizeof(*rows));
	const struct gap **gaps = arena_array(arena, batch->records_count + 1, sizeof(*gaps));
	struct key_table   table = make_table(arena, batch->records_count);

	for (size_t i = 0; i < batch->records_count; i++) {
		const struct record *record = &batch->records[i];

		if (record->measurement != NULL)
			add_row(intake, arena, rows, &table, record->measurement);
		if (record->vitals != NULL)
			intake->batch.vitals = record->vitals;
		if (record->gap != NULL)
			gaps[intake->batch.gap_count++] = record->gap;
	}
	intake->records = batch->records_count;
	intake->batch.rows = rows;
	intake->batch.gaps = gaps;
	if (intake->batch.vitals != NULL)
		intake->batch.vitals_bytes = copy_encoded(
		    arena, &vitals_desc, intake->batch.vitals, &intake->batch.vitals_count);
}

enum intake_answer
intake_read(
    struct intake *intake, struct arena *arena, const struct intake_ask *ask, struct err *err)
{
	const struct batch *batch;
	enum intake_answer  answer;

	*intake = (struct intake){ 0 };
	digest_sha256(ask->body, ask->count, intake->batch.digest);
	if (!check_digest(ask->digest, intake->batch.digest, err))
		return INTAKE_MALFORMED;
	batch = decode_message(&batch_desc, arena, ask->body, ask->count, err);
	if (batch == NULL)
		return INTAKE_MALFORMED;
	answer = check_batch(batch, ask, err);
	if (answer != INTAKE_OK)
		return answer;
	intake->batch.agent = batch->agent;
	intake->batch.network = ask->network[0] != '\0' ? ask->network : batch->network;
	intake->batch.epoch = batch->epoch;
	intake->batch.seq = batch->seq;
	intake->batch.created_ms = batch->created_ms;
	intake->batch.received_ms = ask->now_ms;
	intake->batch.body = ask->body;
	intake->batch.body_bytes = ask->count;
	intake->clock_suspect = batch->created_ms > ask->now_ms + clock_slack_ms ||
	    is_far(batch->created_ms, find_begun_ms(batch, ask));
	fill(intake, arena, batch);
	return INTAKE_OK;
}
