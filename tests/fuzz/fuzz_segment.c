/* Any bytes as a file of the spool: what is found sound is within the file, and is found again in
 * the sound part alone. */
#include "agent/segment.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct segment_head head;
	struct segment_scan scan, again;
	struct wbuf         payload;
	struct err          err = { .text = "" };

	if (!segment_head_parse(&head, bytes, count, &err)) {
		assert(err.text[0] != '\0');
		memset(&head, 0, sizeof(head));
		if (count < SEGMENT_HEAD_BYTES)
			return 0;
	}
	wbuf_init(&payload);
	scan = segment_scan(&head, bytes, count, &payload);
	assert(scan.bytes >= SEGMENT_HEAD_BYTES && scan.bytes <= count);
	assert(payload.count ==
	    scan.bytes - SEGMENT_HEAD_BYTES - scan.records * (size_t)SEGMENT_FRAME_BYTES);
	again = segment_scan(&head, bytes, scan.bytes, NULL);
	assert(again.records == scan.records && again.bytes == scan.bytes);
	wbuf_fini(&payload);
	return 0;
}
