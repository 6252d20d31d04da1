#include "agent/record_fit.h"

#include "base/text.h"
#include "proto/encode.h"

#include <string.h>

/* Bytes of a text, less and less. */
static const size_t limits[] = { 255, 128, 48 };

enum { LIMITS = sizeof(limits) / sizeof(limits[0]) };

static bool
encode(struct measurement *seen, size_t bytes_max, struct wbuf *out)
{
	size_t before = out->count;

	encode_message(&record_desc, &(struct record){ .measurement = seen }, out);
	return out->count - before <= bytes_max;
}

/* By its host a replica or a region is known. */
static bool
is_name(const struct field_desc *field)
{
	size_t length = strlen(field->name);

	return length >= 4 && strcmp(field->name + length - 4, "host") == 0;
}

static void
cut_text(const struct field_desc *field, void *message, size_t limit, struct arena *arena)
{
	const char **text = (const char **)(void *)((char *)message + field->at);

	if (*text != NULL && !is_name(field) && strlen(*text) > limit)
		*text = text_sane(arena, *text, strlen(*text), limit);
}

/* Each text of the message, and of those within. */
static void
cut_texts(const struct message_desc *desc, void *message, size_t limit, struct arena *arena)
{
	for (size_t i = 0; i < desc->field_count; i++) {
		const struct field_desc *field = &desc->fields[i];
		char                    *element;
		size_t                   count;

		if (field->type == FIELD_TEXT)
			cut_text(field, message, limit, arena);
		if (field->element == NULL)
			continue;
		/* All of it is in the arena of the measurement. */
		element = (char *)field_pointer(field, message);
		count = field->type == FIELD_LIST ? field_count(field, message) : 1;
		for (size_t j = 0; j < count && element != NULL; j++)
			cut_texts(
			    field->element, element + j * field->element->bytes, limit, arena);
	}
}

static void
cut_replicas(struct measurement *seen, size_t limit, struct arena *arena)
{
	for (size_t i = 0; i < seen->replicas_count; i++)
		cut_texts(&replica_desc, (void *)&seen->replicas[i], limit, arena);
}

bool
record_fit(struct measurement *seen, size_t bytes_max, struct arena *arena, struct wbuf *out)
{
	size_t before = out->count;
	bool   fits = encode(seen, bytes_max, out);

	for (size_t i = 0; i < 2 * LIMITS && !fits; i++) {
		if (i < LIMITS)
			cut_replicas(seen, limits[i], arena);
		else
			cut_texts(&measurement_desc, seen, limits[i - LIMITS], arena);
		out->count = before;
		fits = encode(seen, bytes_max, out);
	}
	return fits;
}
