/* Any bytes: taken or refused with a reason.  What is taken, written again, is read as the same. */
#include "proto/decode.h"
#include "proto/encode.h"
#include "proto/render.h"
#include "tests/support/support_records.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
try_message(const struct message_desc *desc, const uint8_t *bytes, size_t count)
{
	struct arena *arena = arena_new();
	struct err    err = { .text = "" };
	void         *got = decode_message(desc, arena, bytes, count, &err);
	struct wbuf   out;

	wbuf_init(&out);
	if (got == NULL && err.text[0] == '\0')
		abort();
	if (got != NULL) {
		void *again;

		encode_message(desc, got, &out);
		again = decode_message(desc, arena, out.bytes, out.count, &err);
		if (again == NULL || support_records_differ(desc, got, again) != NULL)
			abort();
		wbuf_clear(&out);
		render_json_text(desc, got, false, 0, &out);
		render_text(desc, got, &out);
	}
	wbuf_fini(&out);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	try_message(&batch_desc, bytes, count);
	try_message(&assignment_desc, bytes, count);
	return 0;
}
