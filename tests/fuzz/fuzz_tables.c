/* fuzz_tables: all that a peer may say to a table probe, and what is recorded of it. */
#include "base/text.h"
#include "probe/conn.h"
#include "probe/tables/tables_dialog.h"
#include "probe/tables/tables_record.h"
#include "proto/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
check_greeting(const struct greeting *greeting, enum next next)
{
	if (greeting->outcome == OUTCOME_OK &&
	    (next == NEXT_BROKEN ||
	        text_starts_nocase(greeting->server, "Windows-Azure-Table")))
		abort();
	if (greeting->wants_login && greeting->outcome != OUTCOME_OK)
		abort();
	if (greeting->path != PATH_NOT_TOLD &&
	    (greeting->outcome != OUTCOME_REFUSED_BY_PEER || greeting->status != 403))
		abort();
	if (greeting->error_text != NULL && strlen(greeting->error_text) > 255)
		abort();
	if (greeting->outcome == OUTCOME_HTTP_OTHER && greeting->detail[0] == '\0')
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena        *arena = arena_new();
	struct tables_dialog dialog = { .reply.arena = arena };
	struct conn_seen     seen = { .tcp = OUTCOME_OK, .tls = OUTCOME_OK, .detail = "" };
	struct endpoint      endpoint = { 0 };
	struct rcur          in = rcur_of(bytes, count);
	enum next            next = tables_ops.hear(&dialog, &in);

	if (!rcur_ok(&in) || (next == NEXT_BROKEN) != (dialog.broken.kind != ERR_NONE))
		abort();
	seen.dialog = next == NEXT_BROKEN ? OUTCOME_BROKE_PROTOCOL
	    : next == NEXT_HEAR           ? OUTCOME_CLOSED
	                                  : OUTCOME_OK;
	tables_record(&endpoint, &seen, &dialog, arena);
	check_greeting(endpoint.greeting, next);
	arena_free(arena);
	return 0;
}
