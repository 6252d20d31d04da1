#include "base/rcur.h"

struct rcur
rcur_of(const void *bytes, size_t count)
{
	const uint8_t *start = bytes;

	return (struct rcur){ .at = start, .end = start != NULL ? start + count : start };
}

bool
rcur_ok(const struct rcur *in)
{
	return !in->failed;
}

size_t
rcur_left(const struct rcur *in)
{
	return (size_t)(in->end - in->at);
}

const uint8_t *
rcur_bytes(struct rcur *in, size_t count)
{
	const uint8_t *start = in->at;

	if (in->failed || rcur_left(in) < count) {
		in->failed = true;
		return NULL;
	}
	in->at += count;
	return start;
}

void
rcur_skip(struct rcur *in, size_t count)
{
	(void)rcur_bytes(in, count);
}

static uint64_t
take_be(struct rcur *in, size_t count)
{
	const uint8_t *bytes = rcur_bytes(in, count);
	uint64_t       value = 0;

	for (size_t i = 0; bytes != NULL && i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static uint64_t
take_le(struct rcur *in, size_t count)
{
	const uint8_t *bytes = rcur_bytes(in, count);
	uint64_t       value = 0;

	for (size_t i = count; bytes != NULL && i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

uint8_t
rcur_u8(struct rcur *in)
{
	return (uint8_t)take_be(in, 1);
}

uint16_t
rcur_u16be(struct rcur *in)
{
	return (uint16_t)take_be(in, 2);
}

uint32_t
rcur_u32be(struct rcur *in)
{
	return (uint32_t)take_be(in, 4);
}

uint64_t
rcur_u64be(struct rcur *in)
{
	return take_be(in, 8);
}

uint16_t
rcur_u16le(struct rcur *in)
{
	return (uint16_t)take_le(in, 2);
}

uint32_t
rcur_u32le(struct rcur *in)
{
	return (uint32_t)take_le(in, 4);
}

uint64_t
rcur_u64le(struct rcur *in)
{
	return take_le(in, 8);
}
