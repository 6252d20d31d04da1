#include "probe/mongo/mongo_bson.h"

#include <assert.h>
#include <string.h>

/* Behind the elements of a document; behind the text of a string. */
static const size_t end_bytes = 1;

struct walk {
	struct err *err;
	unsigned    elements_left;
};

static bool check_document(struct walk *walk, struct rcur *in, unsigned depth);

static bool
refuse_cut(struct walk *walk, const char *name)
{
	return err_set(walk->err, ERR_PARSE, "element '%.64s' is cut short", name);
}

/* The NUL must be there, and stands in the count. */
static bool
check_string(struct walk *walk, struct rcur *in, const char *name)
{
	uint32_t       count = rcur_u32le(in);
	const uint8_t *text = rcur_bytes(in, count);

	if (text == NULL || count < end_bytes)
		return err_set(walk->err, ERR_PARSE,
		    "element '%.64s' is a string of %lu bytes, which are not there", name,
		    (unsigned long)count);
	if (text[count - end_bytes] != '\0')
		return err_set(
		    walk->err, ERR_PARSE, "string '%.64s' does not end with NUL", name);
	return true;
}

static bool
check_binary(struct walk *walk, struct rcur *in, const char *name)
{
	uint32_t count = rcur_u32le(in);

	rcur_u8(in); /* subtype */
	rcur_skip(in, count);
	return rcur_ok(in) || refuse_cut(walk, name);
}

static bool
check_bool(struct walk *walk, struct rcur *in, const char *name)
{
	uint8_t value = rcur_u8(in);

	if (!rcur_ok(in))
		return refuse_cut(walk, name);
	if (value > 1)
		return err_set(walk->err, ERR_PARSE, "bool '%.64s' is %u", name, value);
	return true;
}

/* Bytes of a value that has always as many; -1 for the others. */
static int
fixed_bytes(uint8_t type)
{
	switch (type) {
	case MONGO_BSON_NULL: return 0;
	case MONGO_BSON_INT32: return 4;
	case MONGO_BSON_DOUBLE:
	case MONGO_BSON_DATETIME:
	case MONGO_BSON_TIMESTAMP:
	case MONGO_BSON_INT64: return 8;
	case MONGO_BSON_OBJECT_ID: return 12;
	case MONGO_BSON_DECIMAL: return 16;
	default: return -1;
	}
}

static bool
check_value(struct walk *walk, struct rcur *in, uint8_t type, const char *name, unsigned depth)
{
	int fixed = fixed_bytes(type);

	if (fixed >= 0) {
		rcur_skip(in, (size_t)fixed);
		return rcur_ok(in) || refuse_cut(walk, name);
	}
	switch (type) {
	case MONGO_BSON_STRING: return check_string(walk, in, name);
	case MONGO_BSON_BINARY: return check_binary(walk, in, name);
	case MONGO_BSON_BOOL: return check_bool(walk, in, name);
	case MONGO_BSON_DOCUMENT:
	case MONGO_BSON_ARRAY: return check_document(walk, in, depth + 1);
	default:
		return err_set(walk->err, ERR_PARSE,
		    "element '%.64s' is of type 0x%02x, which no greeting has", name, type);
	}
}

/* NULL: it does not end. */
static const char *
take_name(struct rcur *in)
{
	size_t         left = rcur_left(in);
	const uint8_t *end = left > 0 ? memchr(in->at, '\0', left) : NULL;

	return end != NULL ? (const char *)rcur_bytes(in, (size_t)(end - in->at) + 1) : NULL;
}

static bool
check_element(struct walk *walk, struct rcur *in, unsigned depth)
{
	uint8_t     type = rcur_u8(in);
	const char *name = take_name(in);

	if (name == NULL)
		return err_set(walk->err, ERR_PARSE, "the name of an element does not end");
	if (walk->elements_left-- == 0)
		return err_set(
		    walk->err, ERR_LIMIT, "more than %d elements", MONGO_BSON_ELEMENTS_MAX);
	return check_value(walk, in, type, name, depth);
}

/* Takes one document off; its elements must fill it exactly. */
static bool
check_document(struct walk *walk, struct rcur *in, unsigned depth)
{
	size_t      left = rcur_left(in);
	uint32_t    count = rcur_u32le(in);
	struct rcur elements;

	if (depth > MONGO_BSON_DEPTH_MAX)
		return err_set(walk->err, ERR_LIMIT, "documents nested more than %d deep",
		    MONGO_BSON_DEPTH_MAX);
	if (!rcur_ok(in) || count < MONGO_BSON_LEAST_BYTES || count > left)
		return err_set(walk->err, ERR_PARSE,
		    "a document claims %lu bytes where %zu are left", (unsigned long)count,
		    left);
	elements = rcur_of(in->at, count - MONGO_BSON_LEAST_BYTES);
	rcur_skip(in, count - MONGO_BSON_LEAST_BYTES);
	if (rcur_u8(in) != 0)
		return err_set(walk->err, ERR_PARSE, "a document does not end with NUL");
	while (rcur_left(&elements) > 0) {
		if (!check_element(walk, &elements, depth))
			return false;
	}
	return true;
}

bool
mongo_bson_check(const uint8_t *bytes, size_t count, struct rcur *elements, struct err *err)
{
	struct walk walk = { .err = err, .elements_left = MONGO_BSON_ELEMENTS_MAX };
	struct rcur in = rcur_of(bytes, count);

	if (!check_document(&walk, &in, 1))
		return false;
	if (rcur_left(&in) != 0)
		return err_set(err, ERR_PARSE, "%zu bytes behind the document", rcur_left(&in));
	*elements = rcur_of(bytes + sizeof(uint32_t), count - MONGO_BSON_LEAST_BYTES);
	return true;
}

static size_t
measure_value(const struct mongo_bson *element, struct rcur at)
{
	int fixed = fixed_bytes((uint8_t)element->type);

	switch (element->type) {
	case MONGO_BSON_STRING: return sizeof(uint32_t) + rcur_u32le(&at);
	case MONGO_BSON_BINARY: return sizeof(uint32_t) + 1 + rcur_u32le(&at);
	case MONGO_BSON_DOCUMENT:
	case MONGO_BSON_ARRAY: return rcur_u32le(&at);
	case MONGO_BSON_BOOL: return 1;
	default: return (size_t)fixed;
	}
}

bool
mongo_bson_next(struct rcur *elements, struct mongo_bson *element)
{
	const uint8_t *value;
	size_t         count;

	if (rcur_left(elements) == 0)
		return false;
	element->type = rcur_u8(elements);
	element->name = take_name(elements);
	count = measure_value(element, *elements);
	value = rcur_bytes(elements, count);
	assert(element->name != NULL && value != NULL);
	element->value = rcur_of(value, count);
	switch (element->type) {
	case MONGO_BSON_DOCUMENT:
	case MONGO_BSON_ARRAY:
	case MONGO_BSON_STRING:
		rcur_skip(&element->value, sizeof(uint32_t));
		element->value.end -= end_bytes;
		break;
	default: break;
	}
	return true;
}

static bool
read_double(struct rcur value, int64_t *number)
{
	uint64_t bits = rcur_u64le(&value);
	double   real;

	memcpy(&real, &bits, sizeof(real));
	/* 2^63 has no place in an int64, and a NaN compares with nothing. */
	if (!(real >= -0x1p63 && real < 0x1p63))
		return false;
	*number = (int64_t)real;
	return true;
}

bool
mongo_bson_number(const struct mongo_bson *element, int64_t *number)
{
	struct rcur value = element->value;

	switch (element->type) {
	case MONGO_BSON_INT32: *number = (int32_t)rcur_u32le(&value); return true;
	case MONGO_BSON_INT64: *number = (int64_t)rcur_u64le(&value); return true;
	case MONGO_BSON_DOUBLE: return read_double(value, number);
	default: return false;
	}
}
