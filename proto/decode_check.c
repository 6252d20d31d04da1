#include "proto/decode.h"

#include "base/rcur.h"

enum shape { SHAPE_PLAIN, SHAPE_ARRAY, SHAPE_MAP, SHAPE_NONE };

/* What the first byte of an object says: how wide the length behind it is, and what it counts. */
struct head {
	enum shape shape;
	uint8_t    length_bytes; /* 0: the length is `fixed` */
	uint8_t    fixed;        /* bytes or elements; with a length, bytes on top of it */
};

/* 0xc0 to 0xdf [msgpack formats]. */
static const struct head heads[32] = {
	[0x00] = { SHAPE_PLAIN, 0, 0 },  /* nil */
	[0x01] = { SHAPE_NONE, 0, 0 },   /* never used */
	[0x02] = { SHAPE_PLAIN, 0, 0 },  /* false */
	[0x03] = { SHAPE_PLAIN, 0, 0 },  /* true */
	[0x04] = { SHAPE_PLAIN, 1, 0 },  /* bin 8 */
	[0x05] = { SHAPE_PLAIN, 2, 0 },  /* bin 16 */
	[0x06] = { SHAPE_PLAIN, 4, 0 },  /* bin 32 */
	[0x07] = { SHAPE_PLAIN, 1, 1 },  /* ext 8: a type byte on top */
	[0x08] = { SHAPE_PLAIN, 2, 1 },  /* ext 16 */
	[0x09] = { SHAPE_PLAIN, 4, 1 },  /* ext 32 */
	[0x0a] = { SHAPE_PLAIN, 0, 4 },  /* float 32 */
	[0x0b] = { SHAPE_PLAIN, 0, 8 },  /* float 64 */
	[0x0c] = { SHAPE_PLAIN, 0, 1 },  /* uint 8 */
	[0x0d] = { SHAPE_PLAIN, 0, 2 },  /* uint 16 */
	[0x0e] = { SHAPE_PLAIN, 0, 4 },  /* uint 32 */
	[0x0f] = { SHAPE_PLAIN, 0, 8 },  /* uint 64 */
	[0x10] = { SHAPE_PLAIN, 0, 1 },  /* int 8 */
	[0x11] = { SHAPE_PLAIN, 0, 2 },  /* int 16 */
	[0x12] = { SHAPE_PLAIN, 0, 4 },  /* int 32 */
	[0x13] = { SHAPE_PLAIN, 0, 8 },  /* int 64 */
	[0x14] = { SHAPE_PLAIN, 0, 2 },  /* fixext 1 */
	[0x15] = { SHAPE_PLAIN, 0, 3 },  /* fixext 2 */
	[0x16] = { SHAPE_PLAIN, 0, 5 },  /* fixext 4 */
	[0x17] = { SHAPE_PLAIN, 0, 9 },  /* fixext 8 */
	[0x18] = { SHAPE_PLAIN, 0, 17 }, /* fixext 16 */
	[0x19] = { SHAPE_PLAIN, 1, 0 },  /* str 8 */
	[0x1a] = { SHAPE_PLAIN, 2, 0 },  /* str 16 */
	[0x1b] = { SHAPE_PLAIN, 4, 0 },  /* str 32 */
	[0x1c] = { SHAPE_ARRAY, 2, 0 },  /* array 16 */
	[0x1d] = { SHAPE_ARRAY, 4, 0 },  /* array 32 */
	[0x1e] = { SHAPE_MAP, 2, 0 },    /* map 16 */
	[0x1f] = { SHAPE_MAP, 4, 0 },    /* map 32 */
};

static struct head
find_head(uint8_t first)
{
	if (first < 0x80 || first >= 0xe0)
		return (struct head){ SHAPE_PLAIN, 0, 0 };
	if (first < 0x90)
		return (struct head){ SHAPE_MAP, 0, first & 0x0f };
	if (first < 0xa0)
		return (struct head){ SHAPE_ARRAY, 0, first & 0x0f };
	if (first < 0xc0)
		return (struct head){ SHAPE_PLAIN, 0, first & 0x1f };
	return heads[first - 0xc0];
}

static uint64_t
read_length(struct rcur *in, const struct head *head)
{
	switch (head->length_bytes) {
	case 1: return (uint64_t)rcur_u8(in) + head->fixed;
	case 2: return (uint64_t)rcur_u16be(in) + head->fixed;
	case 4: return (uint64_t)rcur_u32be(in) + head->fixed;
	default: return head->fixed;
	}
}

/* The lists and maps around the current object: how many elements each still owes, and how many
 * all of them together.  Every element takes a byte at least, so what is owed together can never
 * be more than what is left; that is what stops a bomb of nested short heads. */
struct walk {
	struct rcur in;
	uint64_t    owed[DECODE_DEPTH_MAX + 1];
	uint64_t    owed_together;
	unsigned    depth;
	size_t      items, count;
};

static bool
refuse(const struct walk *walk, enum err_kind kind, const char *why, struct err *err)
{
	return err_set(
	    err, kind, "msgpack: byte %zu: %s", walk->count - rcur_left(&walk->in), why);
}

static bool
enter_container(struct walk *walk, uint64_t elements, struct err *err)
{
	if (walk->owed_together + elements > rcur_left(&walk->in))
		return refuse(walk, ERR_PARSE, "more elements announced than bytes left", err);
	if (elements == 0)
		return true;
	if (walk->depth == DECODE_DEPTH_MAX)
		return refuse(walk, ERR_LIMIT, "nested too deeply", err);
	walk->owed[++walk->depth] = elements;
	walk->owed_together += elements;
	return true;
}

static bool
take_object(struct walk *walk, struct err *err)
{
	struct head head = find_head(rcur_u8(&walk->in));
	uint64_t    length = read_length(&walk->in, &head);

	if (!rcur_ok(&walk->in))
		return refuse(walk, ERR_PARSE, "cut short", err);
	if (head.shape == SHAPE_NONE)
		return refuse(walk, ERR_PARSE, "0xc1 begins no object", err);
	if (++walk->items > DECODE_ITEMS_MAX)
		return refuse(walk, ERR_LIMIT, "too many elements", err);
	if (head.shape == SHAPE_ARRAY)
		return enter_container(walk, length, err);
	if (head.shape == SHAPE_MAP)
		return enter_container(walk, 2 * length, err);
	if (length > rcur_left(&walk->in))
		return refuse(walk, ERR_PARSE, "cut short", err);
	rcur_skip(&walk->in, length);
	return true;
}

bool
decode_check(const uint8_t *bytes, size_t count, struct err *err)
{
	struct walk walk = { .in = rcur_of(bytes, count), .owed = { 1 }, .count = count };

	walk.owed_together = 1;
	if (count > DECODE_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "msgpack: %zu bytes, %d at most", count,
		    (int)DECODE_BYTES_MAX);
	while (walk.owed_together > 0) {
		walk.owed[walk.depth]--;
		walk.owed_together--;
		if (!take_object(&walk, err))
			return false;
		while (walk.depth > 0 && walk.owed[walk.depth] == 0)
			walk.depth--;
	}
	if (rcur_left(&walk.in) != 0)
		return refuse(&walk, ERR_PARSE, "bytes behind the end", err);
	return true;
}
