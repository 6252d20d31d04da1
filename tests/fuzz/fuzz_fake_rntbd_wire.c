/* fuzz_fake_rntbd_wire: frames of a client's, as the fake back end reads them: what it takes has to
 * be whole, and an answer to it has to be a frame again. */
#include "tests/fake/backend/fake_rntbd_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
check_frame(const struct fake_frame *frame, size_t count)
{
	struct wbuf out;

	if (frame->length != count || strlen(frame->path) >= sizeof(frame->path) ||
	    strlen(frame->agent) >= sizeof(frame->agent))
		abort();
	wbuf_init(&out);
	fake_frame_put_answer(&out, frame, 410, 1002, NULL);
	if (fake_frame_length(out.bytes) != out.count)
		abort();
	wbuf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct fake_frame frame;
	struct err        err = { ERR_NONE, "" };

	if (fake_frame_parse(&frame, bytes, count, &err))
		check_frame(&frame, count);
	else if (err.text[0] == '\0')
		abort(); /* a refusal says why */
	return 0;
}
