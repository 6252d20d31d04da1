#include "agent/gaps.h"

#include "proto/decode.h"
#include "proto/encode.h"

#include <string.h>

void
gaps_init(struct gaps *gaps)
{
	*gaps = (struct gaps){ .arena = arena_new() };
}

void
gaps_fini(struct gaps *gaps)
{
	arena_free(gaps->arena);
}

static bool
join(struct gap *to, const struct gap *gap)
{
	if (to->epoch != gap->epoch || strcmp(to->reason, gap->reason) != 0)
		return false;
	if (gap->first_seq == to->last_seq + 1)
		to->last_seq = gap->last_seq;
	else if (gap->last_seq + 1 == to->first_seq)
		to->first_seq = gap->first_seq;
	else
		return false;
	to->records += gap->records;
	if (gap->at_ms > to->at_ms)
		to->at_ms = gap->at_ms;
	return true;
}

void
gaps_add(struct gaps *gaps, const struct gap *gap)
{
	for (size_t i = 0; i < gaps->count; i++) {
		if (join(&gaps->rows[i], gap))
			return;
	}
	if (gaps->count == gaps->room) {
		struct gap *grown;

		gaps->room = gaps->room * 2 + 8;
		grown = arena_array(gaps->arena, gaps->room, sizeof(*grown));
		for (size_t i = 0; i < gaps->count; i++)
			grown[i] = gaps->rows[i];
		gaps->rows = grown;
	}
	gaps->rows[gaps->count] = *gap;
	gaps->rows[gaps->count++].reason = arena_strdup(gaps->arena, gap->reason);
}

unsigned
gaps_add_from(struct gaps *gaps, const uint8_t *records, size_t bytes, unsigned record_count)
{
	struct arena *arena = arena_new();
	struct wbuf   whole;
	struct batch *batch;
	unsigned      found = 0;

	wbuf_init(&whole);
	encode_batch_of(&(struct batch){ .v = PROTO_VERSION, .agent = "", .network = "" },
	    records, bytes, record_count, &whole);
	batch = decode_message(&batch_desc, arena, whole.bytes, whole.count, NULL);
	for (size_t i = 0; batch != NULL && i < batch->records_count; i++) {
		if (batch->records[i].gap == NULL)
			continue;
		gaps_add(gaps, batch->records[i].gap);
		found++;
	}
	wbuf_fini(&whole);
	arena_free(arena);
	return found;
}
