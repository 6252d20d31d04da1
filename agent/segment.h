/* segment: the bytes of one file of the spool: a header, and records with their checksums.
 *
 * Pure: no files.  Whoever reads a segment gets its longest sound beginning and is told whether
 * that is all.  Epoch and number stand inside every checksum, so that a recycled block of an
 * older file does not pass for a record.  The layout is fixed for ever: an older or newer agent
 * must be able to send what it finds.
 */
#ifndef AGENT_SEGMENT_H
#define AGENT_SEGMENT_H

#include "base/wbuf.h"

enum {
	SEGMENT_HEAD_BYTES = 64,
	SEGMENT_FRAME_BYTES = 8, /* before each record */
	SEGMENT_RECORD_MAX = 256 << 10,
	SEGMENT_RECORDS_MAX = 4096
};

enum { SEGMENT_SALVAGED = 1 }; /* the beginning of a file that was damaged later */

struct segment_head {
	uint64_t epoch;
	uint32_t seq;
	uint32_t flags;
	uint16_t schema; /* version of what the records hold */
	int64_t  created_ms;
	uint64_t boot_ns;
	uint64_t agent_hash; /* who wrote it */
};

void segment_head_write(const struct segment_head *head, struct wbuf *out);
/* Frame and bytes of a record. */
void segment_record_write(
    const struct segment_head *head, const void *bytes, size_t count, struct wbuf *out);

bool segment_head_parse(
    struct segment_head *head, const void *bytes, size_t count, struct err *err) MUST_CHECK;

struct segment_scan {
	unsigned records;
	size_t   bytes; /* of the sound beginning, header included */
};
/* Appends the sound records, one behind the other without frames, to payload (NULL: only
 * counts). */
struct segment_scan segment_scan(
    const struct segment_head *head, const uint8_t *bytes, size_t count, struct wbuf *payload);

#endif
