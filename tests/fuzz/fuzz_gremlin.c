/* fuzz_gremlin: all that a peer may say to a gremlin probe, from the answer to the upgrade on.
 *
 * The key is the sample one of [rfc6455 1.3], so that a seed can hold a good 101. */
#include "probe/conn.h"
#include "probe/gremlin/gremlin_dialog.h"
#include "probe/gremlin/gremlin_record.h"
#include "proto/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static enum next
lead(struct gremlin_dialog *dialog, struct rcur *in, struct wbuf *said)
{
	enum next next;

	gremlin_ops.say(dialog, said);
	do {
		size_t left = rcur_left(in);

		next = gremlin_ops.hear(dialog, in);
		if (!rcur_ok(in) || (next == NEXT_SAY && rcur_left(in) == left))
			abort();
		if (next == NEXT_SAY || next == NEXT_LEAVE)
			gremlin_ops.say(dialog, said);
	} while (next == NEXT_SAY);
	return next;
}

static void
check_greeting(const struct greeting *greeting, enum next next, const struct err *broken)
{
	if ((next == NEXT_BROKEN) != (broken->kind != ERR_NONE))
		abort();
	if (greeting->wants_login && greeting->outcome != OUTCOME_OK)
		abort();
	if (greeting->outcome == OUTCOME_OK && next != NEXT_LEAVE)
		abort();
	if (greeting->path != PATH_NOT_TOLD && greeting->outcome != OUTCOME_REFUSED_BY_PEER)
		abort();
	if (greeting->error_text != NULL && strlen(greeting->error_text) > 255)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const uint8_t  nonce[] = "the sample nonce", id[GREMLIN_ID_BYTES];
	struct arena         *arena = arena_new();
	struct gremlin_dialog dialog = { .arena = arena, .reply.arena = arena };
	struct conn_seen      seen = { .tcp = OUTCOME_OK, .tls = OUTCOME_OK, .detail = "" };
	struct endpoint       endpoint = { 0 };
	struct rcur           in = rcur_of(bytes, count);
	struct wbuf           said;
	enum next             next;

	wbuf_init(&said);
	if (!gremlin_spec_make(
	        &dialog.spec, "contoso.gremlin.cosmos.azure.com", nonce, id, NULL))
		abort();
	next = lead(&dialog, &in, &said);
	seen.dialog = next == NEXT_BROKEN ? OUTCOME_BROKE_PROTOCOL
	    : next == NEXT_HEAR           ? OUTCOME_CLOSED
	                                  : OUTCOME_OK;
	gremlin_record(&endpoint, &seen, &dialog, arena);
	check_greeting(endpoint.greeting, next, &dialog.broken);
	wbuf_fini(&said);
	arena_free(arena);
	return 0;
}
