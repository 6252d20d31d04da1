#include "agent/segment.h"

#include "base/crc32c.h"
#include "base/rcur.h"

#include <assert.h>
#include <string.h>

static const char magic[8] = { 'p', 'l', 'p', 's', 'p', 'o', 'o', 'l' };

enum { FRAMING_VERSION = 1, HEAD_SUM_AT = SEGMENT_HEAD_BYTES - 4 };

void
segment_head_write(const struct segment_head *head, struct wbuf *out)
{
	size_t from = out->count;

	wbuf_put(out, magic, sizeof(magic));
	wbuf_u16le(out, FRAMING_VERSION);
	wbuf_u16le(out, head->schema);
	wbuf_u32le(out, head->flags);
	wbuf_u64le(out, head->epoch);
	wbuf_u32le(out, head->seq);
	wbuf_u32le(out, 0);
	wbuf_u64le(out, (uint64_t)head->created_ms);
	wbuf_u64le(out, head->boot_ns);
	wbuf_u64le(out, head->agent_hash);
	wbuf_u32le(out, 0);
	wbuf_u32le(out, crc32c(0, out->bytes + from, HEAD_SUM_AT));
}

bool
segment_head_parse(struct segment_head *head, const void *bytes, size_t count, struct err *err)
{
	struct rcur in = rcur_of(bytes, count);
	uint16_t    framing;

	if (count < SEGMENT_HEAD_BYTES)
		return err_set(err, ERR_PARSE, "header cut short: %zu bytes", count);
	if (memcmp(rcur_bytes(&in, sizeof(magic)), magic, sizeof(magic)) != 0)
		return err_set(err, ERR_PARSE, "not a segment of a spool");
	framing = rcur_u16le(&in);
	head->schema = rcur_u16le(&in);
	head->flags = rcur_u32le(&in);
	head->epoch = rcur_u64le(&in);
	head->seq = rcur_u32le(&in);
	rcur_skip(&in, 4);
	head->created_ms = (int64_t)rcur_u64le(&in);
	head->boot_ns = rcur_u64le(&in);
	head->agent_hash = rcur_u64le(&in);
	rcur_skip(&in, 4);
	if (rcur_u32le(&in) != crc32c(0, bytes, HEAD_SUM_AT))
		return err_set(err, ERR_PARSE, "checksum of the header does not fit");
	if (framing != FRAMING_VERSION)
		return err_set(
		    err, ERR_PARSE, "framing version %u, %d wanted", framing, FRAMING_VERSION);
	return true;
}

static uint32_t
sum_record(const struct segment_head *head, const void *bytes, uint32_t count)
{
	uint8_t  id[16];
	uint32_t sum;

	for (unsigned i = 0; i < 8; i++)
		id[i] = (uint8_t)(head->epoch >> (8 * i));
	for (unsigned i = 0; i < 4; i++) {
		id[8 + i] = (uint8_t)(head->seq >> (8 * i));
		id[12 + i] = (uint8_t)(count >> (8 * i));
	}
	sum = crc32c(0, id, sizeof(id));
	return crc32c(sum, bytes, count);
}

void
segment_record_write(
    const struct segment_head *head, const void *bytes, size_t count, struct wbuf *out)
{
	assert(count > 0 && count <= SEGMENT_RECORD_MAX);
	wbuf_u32le(out, (uint32_t)count);
	wbuf_u32le(out, sum_record(head, bytes, (uint32_t)count));
	wbuf_put(out, bytes, count);
}

struct segment_scan
segment_scan(
    const struct segment_head *head, const uint8_t *bytes, size_t count, struct wbuf *payload)
{
	struct segment_scan scan = { .bytes = SEGMENT_HEAD_BYTES };
	struct rcur         in = rcur_of(bytes, count);

	rcur_skip(&in, SEGMENT_HEAD_BYTES);
	while (scan.records < SEGMENT_RECORDS_MAX) {
		uint32_t       length = rcur_u32le(&in);
		uint32_t       sum = rcur_u32le(&in);
		const uint8_t *record;

		if (!rcur_ok(&in) || length == 0 || length > SEGMENT_RECORD_MAX)
			break;
		record = rcur_bytes(&in, length);
		if (record == NULL || sum_record(head, record, length) != sum)
			break;
		if (payload != NULL)
			wbuf_put(payload, record, length);
		scan.records++;
		scan.bytes = (size_t)(in.at - bytes);
	}
	return scan;
}
