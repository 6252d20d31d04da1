#include "proto/record.h"

#include <string.h>

#define NONE    ""
#define US      "us"
#define MS      "ms"
#define S       "s"
#define UNIX_MS "Unix ms"
#define BYTES   "bytes"

/* The descriptions of the fields, one array a message. */
#define MESSAGE(name, what) static const struct field_desc name##_fields[] = {
#define FIELD(message, number, member, kind, units, what) \
	{ .id = number,                                   \
		.name = #member,                          \
		.type = FIELD_##kind,                     \
		.at = offsetof(struct message, member),   \
		.unit = units,                            \
		.meaning = what },
#define LIST(message, number, member, kind, limit, what)              \
	{ .id = number,                                               \
		.name = #member,                                      \
		.type = FIELD_LIST,                                   \
		.at = offsetof(struct message, member),               \
		.count_at = offsetof(struct message, member##_count), \
		.element = &kind##_desc,                              \
		.most = limit,                                        \
		.unit = "",                                           \
		.meaning = what },
#define SUB(message, number, member, kind, what)        \
	{ .id = number,                                 \
		.name = #member,                        \
		.type = FIELD_SUB,                      \
		.at = offsetof(struct message, member), \
		.element = &kind##_desc,                \
		.unit = "",                             \
		.meaning = what },
#define END(name) \
	}         \
	;
#include "proto/fields.def"
#undef MESSAGE
#undef FIELD
#undef LIST
#undef SUB
#undef END

#define MESSAGE(message, what)                                                               \
	const struct message_desc message##_desc = { #message, what, sizeof(struct message), \
		message##_fields, sizeof(message##_fields) / sizeof(message##_fields[0]) };
#define FIELD(message, id, name, type, unit, what)
#define LIST(message, id, name, element, most, what)
#define SUB(message, id, name, element, what)
#define END(name)
#include "proto/fields.def"
#undef MESSAGE

#define MESSAGE(message, what) &message##_desc,
const struct message_desc *const message_descs[] = {
#include "proto/fields.def"
	NULL
};
#undef MESSAGE
#undef FIELD
#undef LIST
#undef SUB
#undef END

const void *
field_pointer(const struct field_desc *field, const void *from)
{
	const void *pointer;

	/* A member that points at some message is no `void *` to the compiler's alias analysis. */
	memcpy(&pointer, (const char *)from + field->at, sizeof(pointer));
	return pointer;
}

size_t
field_count(const struct field_desc *field, const void *from)
{
	size_t count;

	memcpy(&count, (const char *)from + field->count_at, sizeof(count));
	return count;
}

bool
field_is_default(const struct field_desc *field, const void *from)
{
	const void *member = (const char *)from + field->at;
	const char *text;

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
	case FIELD_CREDENTIAL: return *(const uint32_t *)member == 0;
	case FIELD_U64: return *(const uint64_t *)member == 0;
	case FIELD_I64: return *(const int64_t *)member == 0;
	case FIELD_BOOL: return !*(const bool *)member;
	case FIELD_TEXT:
		text = *(const char *const *)member;
		return text == NULL || text[0] == '\0';
	case FIELD_LIST: return field_count(field, from) == 0;
	case FIELD_SUB: return field_pointer(field, from) == NULL;
	}
	return true;
}

static const char *const api_words[] = { "sql", "mongodb", "cassandra", "gremlin", "table" };
static const char *const role_words[] = { "configured", "sweep" };
static const char *const mode_words[] = { "gateway", "direct", "gateway-v2" };
static const char *const transport_words[] = { "none", "udp", "tcp" };
static const char *const source_words[] = { "resolv.conf", "azure", "configured", "system",
	"outside" };
static const char *const origin_words[] = { "none", "feed", "pasted", "sample" };
static const char *const credential_words[] = { "none", "key", "entra" };
static const char *const path_words[] = { "not-told", "public-internet", "service-endpoint",
	"private-endpoint" };

static const struct {
	const char *const *words;
	uint32_t           count;
} word_lists[] = {
	[FIELD_API] = { api_words, API_COUNT },
	[FIELD_ROLE] = { role_words, ROLE_COUNT },
	[FIELD_MODE] = { mode_words, MODE_COUNT },
	[FIELD_TRANSPORT] = { transport_words, TRANSPORT_COUNT },
	[FIELD_PATH] = { path_words, PATH_COUNT },
	[FIELD_SOURCE] = { source_words, SOURCE_COUNT },
	[FIELD_ORIGIN] = { origin_words, ORIGIN_COUNT },
	[FIELD_CREDENTIAL] = { credential_words, CREDENTIAL_COUNT },
	[FIELD_SUB] = { NULL, 0 },
};

const char *
field_word(enum field_type type, uint32_t value)
{
	if (type == FIELD_OUTCOME)
		return outcome_name(value);
	if (word_lists[type].words == NULL)
		return NULL;
	return value < word_lists[type].count ? word_lists[type].words[value] : "unknown";
}

bool
field_word_parse(enum field_type type, const char *word, uint32_t *value)
{
	uint32_t count = type == FIELD_OUTCOME ? OUTCOME_COUNT : word_lists[type].count;

	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(field_word(type, i), word) == 0) {
			*value = i;
			return true;
		}
	}
	return false;
}

const char *
api_name(uint32_t api)
{
	return field_word(FIELD_API, api);
}

const char *
mode_name(uint32_t mode)
{
	return field_word(FIELD_MODE, mode);
}
