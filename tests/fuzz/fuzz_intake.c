/* A POST as a hostile agent with a valid token may send it.  A refusal carries a reason; what is
 * taken is whole, and encodes to what decodes again. */
#include "collector/intake.h"

#include "base/base64.h"
#include "proto/decode.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
check_taken(const struct intake *intake, struct arena *arena)
{
	const struct store_batch *batch = &intake->batch;

	if (batch->seq == 0 || batch->row_count > intake->records)
		abort();
	for (size_t i = 0; i < batch->row_count; i++) {
		const struct store_row *row = &batch->rows[i];

		if (row->at_ms > batch->received_ms ||
		    decode_message(&measurement_desc, arena, row->bytes, row->count, NULL) ==
		        NULL)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena     *arena = arena_new();
	struct intake     intake;
	struct err        err = { 0 };
	uint8_t           digest[DIGEST_BYTES];
	char              text[BASE64_ROOM(DIGEST_BYTES)], field[80];
	struct intake_ask ask = { .body = bytes,
		.count = count,
		.agent = "a",
		.network = "",
		.digest = field,
		.now_ms = 1000,
		.horizon_ms = 2000 };

	digest_sha256(bytes, count, digest);
	snprintf(
	    field, sizeof(field), "sha-256=:%s:", base64_encode(digest, DIGEST_BYTES, text));
	if (intake_read(&intake, arena, &ask, &err) == INTAKE_OK)
		check_taken(&intake, arena);
	else if (err.kind == ERR_NONE || err.text[0] == '\0')
		abort();
	arena_free(arena);
	return 0;
}
