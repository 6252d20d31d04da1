#include "proto/encode.h"

#include <msgpack.h>
#include <string.h>

/* Records that are encoded already and stand in for a batch's list. */
struct packed {
	const uint8_t *bytes; /* borrowed */
	size_t         count, record_count;
};

static int
on_bytes(void *out, const char *bytes, size_t count)
{
	wbuf_put(out, bytes, count);
	return 0;
}

static bool
is_records(const struct field_desc *field)
{
	return field->type == FIELD_LIST && field->element == &record_desc;
}

/* Whether the field is not at its default, and so is written. */
static bool
is_there(const struct field_desc *field, const void *from, const struct packed *packed)
{
	if (packed != NULL && is_records(field))
		return packed->record_count != 0;
	return !field_is_default(field, from);
}

static void pack_message(msgpack_packer *packer, const struct message_desc *desc,
    const void *from, const struct packed *packed);

static void
pack_text(msgpack_packer *packer, const char *text)
{
	size_t count = strlen(text);

	msgpack_pack_str(packer, count);
	msgpack_pack_str_body(packer, text, count);
}

static void
pack_list(msgpack_packer *packer, const struct field_desc *field, const void *from,
    const struct packed *packed)
{
	size_t      count = field_count(field, from);
	const char *element = field_pointer(field, from);

	if (packed != NULL && is_records(field)) {
		msgpack_pack_array(packer, packed->record_count);
		wbuf_put(packer->data, packed->bytes, packed->count);
		return;
	}
	msgpack_pack_array(packer, count);
	for (size_t i = 0; i < count; i++, element += field->element->bytes)
		pack_message(packer, field->element, element, NULL);
}

static void
pack_value(msgpack_packer *packer, const struct field_desc *field, const void *from,
    const struct packed *packed)
{
	const void *member = (const char *)from + field->at;

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
	case FIELD_CREDENTIAL: msgpack_pack_uint32(packer, *(const uint32_t *)member); break;
	case FIELD_U64: msgpack_pack_uint64(packer, *(const uint64_t *)member); break;
	case FIELD_I64: msgpack_pack_int64(packer, *(const int64_t *)member); break;
	case FIELD_BOOL: msgpack_pack_true(packer); break; /* false is left out */
	case FIELD_TEXT: pack_text(packer, *(const char *const *)member); break;
	case FIELD_LIST: pack_list(packer, field, from, packed); break;
	case FIELD_SUB:
		pack_message(packer, field->element, field_pointer(field, from), NULL);
		break;
	}
}

static void
pack_message(msgpack_packer *packer, const struct message_desc *desc, const void *from,
    const struct packed *packed)
{
	size_t count = 0;

	for (size_t i = 0; i < desc->field_count; i++)
		count += is_there(&desc->fields[i], from, packed);
	msgpack_pack_map(packer, count);
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];

		if (!is_there(field, from, packed))
			continue;
		msgpack_pack_uint32(packer, field->id);
		pack_value(packer, field, from, packed);
	}
}

void
encode_message(const struct message_desc *desc, const void *from, struct wbuf *out)
{
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, on_bytes);
	pack_message(&packer, desc, from, NULL);
}

void
encode_batch_of(const struct batch *batch, const uint8_t *records, size_t bytes,
    size_t record_count, struct wbuf *out)
{
	struct packed  packed = { records, bytes, record_count };
	msgpack_packer packer;

	msgpack_packer_init(&packer, out, on_bytes);
	pack_message(&packer, &batch_desc, batch, &packed);
}
