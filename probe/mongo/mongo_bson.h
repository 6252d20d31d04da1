/* mongo_bson: a walk over one BSON document, without copying it [bson].
 *
 * Checked whole before anything is read of it: every size against what is left, every end, how
 * deep it goes.  It knows the types that a greeting holds and refuses the others by name.
 */
#ifndef PROBE_MONGO_MONGO_BSON_H
#define PROBE_MONGO_MONGO_BSON_H

#include "base/err.h"
#include "base/rcur.h"

enum {
	MONGO_BSON_LEAST_BYTES = 5, /* size and end: {} */
	MONGO_BSON_DEPTH_MAX = 16,  /* documents in documents; a greeting has 2 */
	MONGO_BSON_ELEMENTS_MAX = 2048
};

enum mongo_bson_type {
	MONGO_BSON_DOUBLE = 0x01,
	MONGO_BSON_STRING = 0x02,
	MONGO_BSON_DOCUMENT = 0x03,
	MONGO_BSON_ARRAY = 0x04,
	MONGO_BSON_BINARY = 0x05,
	MONGO_BSON_OBJECT_ID = 0x07,
	MONGO_BSON_BOOL = 0x08,
	MONGO_BSON_DATETIME = 0x09,
	MONGO_BSON_NULL = 0x0a,
	MONGO_BSON_INT32 = 0x10,
	MONGO_BSON_TIMESTAMP = 0x11,
	MONGO_BSON_INT64 = 0x12,
	MONGO_BSON_DECIMAL = 0x13
};

/* Borrowed from the document. */
struct mongo_bson {
	enum mongo_bson_type type;
	const char          *name; /* ends with NUL */
	struct rcur value; /* of a document or array: its elements; of a string: its text */
};

/* Whether the bytes are one document, no more and no less; then *elements are its elements. */
bool mongo_bson_check(
    const uint8_t *bytes, size_t count, struct rcur *elements, struct err *err) MUST_CHECK;

/* Takes the next element off, of a document that was checked; false when there is none. */
bool mongo_bson_next(struct rcur *elements, struct mongo_bson *element);

/* The number in an int32, int64 or double, cut to whole; false for another type, and for a double
 * that no int64 holds. */
bool mongo_bson_number(const struct mongo_bson *element, int64_t *number);

#endif
