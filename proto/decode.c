#include "proto/decode.h"

#include "base/text.h"

#include <assert.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where in the document we are, from the inside out; only looked at when something is refused. */
struct where {
	const struct where *outer; /* NULL at the top */
	const char         *name;
	size_t              index; /* of a list's element */
	bool                indexed;
};

struct decoder {
	struct arena *arena; /* borrowed */
	struct err   *err;   /* borrowed */
};

static size_t
render_where(const struct where *where, char *text, size_t room)
{
	size_t used = 0;

	if (where->outer != NULL)
		used = render_where(where->outer, text, room);
	if (used >= room)
		return used;
	if (where->indexed)
		used += (size_t)snprintf(text + used, room - used, "[%zu]", where->index);
	else
		used += (size_t)snprintf(text + used, room - used, "%s%s",
		    where->outer != NULL ? "." : "", where->name);
	return used;
}

static bool refuse(struct decoder *decoder, enum err_kind kind, const struct where *where,
    const char *format, ...) PRINTF_LIKE(4, 5);

static bool
refuse(struct decoder *decoder, enum err_kind kind, const struct where *where,
    const char *format, ...)
{
	char    place[200], why[200];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	render_where(where, place, sizeof(place));
	return err_set(decoder->err, kind, "%s: %s", place, why);
}

static const char *
name_type(const msgpack_object *value)
{
	switch (value->type) {
	case MSGPACK_OBJECT_NIL: return "nil";
	case MSGPACK_OBJECT_BOOLEAN: return "a boolean";
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER: return "a whole number";
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64: return "a float";
	case MSGPACK_OBJECT_STR: return "a text";
	case MSGPACK_OBJECT_ARRAY: return "a list";
	case MSGPACK_OBJECT_MAP: return "a map";
	case MSGPACK_OBJECT_BIN: return "bytes";
	case MSGPACK_OBJECT_EXT: return "an extension";
	}
	return "an unknown type";
}

static bool
refuse_type(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    const char *wanted)
{
	return refuse(decoder, ERR_PARSE, where, "%s, %s wanted", name_type(value), wanted);
}

/* A signed format may carry a positive number and the other way round; msgpack-c sorts them by
 * sign, whatever the format was. */
static bool
read_unsigned(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    uint64_t most, uint64_t *number)
{
	if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return refuse(decoder, ERR_PARSE, where, "%lld, 0 to %llu wanted",
		    (long long)value->via.i64, (unsigned long long)most);
	if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return refuse_type(decoder, where, value, "a whole number");
	if (value->via.u64 > most)
		return refuse(decoder, ERR_PARSE, where, "%llu, 0 to %llu wanted",
		    (unsigned long long)value->via.u64, (unsigned long long)most);
	*number = value->via.u64;
	return true;
}

static bool
read_u32(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    uint32_t *number)
{
	uint64_t wide = 0;

	if (!read_unsigned(decoder, where, value, UINT32_MAX, &wide))
		return false;
	*number = (uint32_t)wide;
	return true;
}

static bool
read_i64(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    int64_t *number)
{
	uint64_t wide = 0;

	if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
		*number = value->via.i64;
		return true;
	}
	if (!read_unsigned(decoder, where, value, INT64_MAX, &wide))
		return false;
	*number = (int64_t)wide;
	return true;
}

static bool
read_bool(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    bool *answer)
{
	if (value->type != MSGPACK_OBJECT_BOOLEAN)
		return refuse_type(decoder, where, value, "a boolean");
	*answer = value->via.boolean;
	return true;
}

static bool
read_text(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    const char **text)
{
	if (value->type != MSGPACK_OBJECT_STR)
		return refuse_type(decoder, where, value, "a text");
	*text = text_sane(
	    decoder->arena, value->via.str.ptr, value->via.str.size, DECODE_TEXT_MAX);
	return true;
}

/* A member that points at some message is no `void *` to the compiler's alias analysis. */
static void
put_pointer(void *member, void *pointer)
{
	memcpy(member, &pointer, sizeof(pointer));
}

static bool read_message(struct decoder *decoder, const struct where *where,
    const msgpack_object *value, const struct message_desc *desc, void *into);

static bool
read_sub(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    const struct message_desc *desc, void *member)
{
	void *into = arena_alloc(decoder->arena, desc->bytes);

	put_pointer(member, into);
	return read_message(decoder, where, value, desc, into);
}

static bool
read_list(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    const struct field_desc *field, void *into)
{
	const struct message_desc *desc = field->element;
	struct where               here = { .outer = where, .indexed = true };
	size_t                     count;
	char                      *element;

	if (value->type != MSGPACK_OBJECT_ARRAY)
		return refuse_type(decoder, where, value, "a list");
	count = value->via.array.size;
	if (count > field->most)
		return refuse(
		    decoder, ERR_LIMIT, where, "%zu elements, %zu at most", count, field->most);
	element = arena_array(decoder->arena, count, desc->bytes);
	put_pointer((char *)into + field->at, element);
	*(size_t *)((char *)into + field->count_at) = count;
	for (; here.index < count; here.index++, element += desc->bytes) {
		if (!read_message(
		        decoder, &here, &value->via.array.ptr[here.index], desc, element))
			return false;
	}
	return true;
}

static bool
read_value(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    const struct field_desc *field, void *into)
{
	void *member = (char *)into + field->at;

	switch (field->type) {
	case FIELD_U32:
	case FIELD_OUTCOME:
	case FIELD_API:
	case FIELD_ROLE:
	case FIELD_MODE:
	case FIELD_TRANSPORT:
	case FIELD_PATH:
	case FIELD_SOURCE:
	case FIELD_ORIGIN:
	case FIELD_CREDENTIAL: return read_u32(decoder, where, value, member);
	case FIELD_U64: return read_unsigned(decoder, where, value, UINT64_MAX, member);
	case FIELD_I64: return read_i64(decoder, where, value, member);
	case FIELD_BOOL: return read_bool(decoder, where, value, member);
	case FIELD_TEXT: return read_text(decoder, where, value, member);
	case FIELD_LIST: return read_list(decoder, where, value, field, into);
	case FIELD_SUB: return read_sub(decoder, where, value, field->element, member);
	}
	return false;
}

/* The field with this key; NULL for one that only a newer peer knows.  Peers write keys in order,
 * so the search begins at `hint`. */
static const struct field_desc *
find_field(const struct message_desc *desc, const msgpack_object *key, size_t hint)
{
	if (key->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return NULL;
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[(hint + i) % desc->field_count];

		if (field->id == key->via.u64)
			return field;
	}
	return NULL;
}

static void
fill_texts(const struct message_desc *desc, void *into)
{
	for (size_t i = 0; i < desc->field_count; i++) {
		if (desc->fields[i].type == FIELD_TEXT)
			*(const char **)((char *)into + desc->fields[i].at) = "";
	}
}

static bool
read_message(struct decoder *decoder, const struct where *where, const msgpack_object *value,
    const struct message_desc *desc, void *into)
{
	uint64_t seen = 0;
	size_t   at, hint = 0;

	assert(desc->field_count <= 64);
	fill_texts(desc, into);
	if (value->type != MSGPACK_OBJECT_MAP)
		return refuse_type(decoder, where, value, "a map");
	for (uint32_t i = 0; i < value->via.map.size; i++) {
		const msgpack_object_kv *pair = &value->via.map.ptr[i];
		const struct field_desc *field = find_field(desc, &pair->key, hint);
		struct where             here = { .outer = where };

		if (field == NULL)
			continue;
		here.name = field->name;
		at = (size_t)(field - desc->fields);
		hint = at + 1;
		if (seen & UINT64_C(1) << at)
			return refuse(
			    decoder, ERR_PARSE, &here, "key %u stands twice", field->id);
		seen |= UINT64_C(1) << at;
		if (!read_value(decoder, &here, &pair->val, field, into))
			return false;
	}
	return true;
}

void *
decode_message(const struct message_desc *desc, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err)
{
	struct decoder   decoder = { .arena = arena, .err = err };
	struct where     top = { .name = desc->name };
	msgpack_unpacked tree;
	size_t           at = 0;
	void            *into = NULL;

	if (!decode_check(bytes, count, err)) {
		err_in(err, "%s", desc->name);
		return NULL;
	}
	msgpack_unpacked_init(&tree);
	if (msgpack_unpack_next(&tree, (const char *)bytes, count, &at) !=
	        MSGPACK_UNPACK_SUCCESS ||
	    at != count) {
		err_set(err, ERR_PARSE, "%s: not msgpack", desc->name);
	} else {
		into = arena_alloc(arena, desc->bytes);
		if (!read_message(&decoder, &top, &tree.data, desc, into))
			into = NULL;
	}
	msgpack_unpacked_destroy(&tree);
	return into;
}
