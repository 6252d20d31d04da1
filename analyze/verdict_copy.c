#include "analyze/verdict.h"

#include <string.h>

static const char *
copy_text(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

static const char **
copy_texts(struct arena *arena, const char *const *from, size_t count)
{
	const char **to = arena_array(arena, count + 1, sizeof(*to));

	for (size_t i = 0; i < count; i++)
		to[i] = copy_text(arena, from[i]);
	return to;
}

static void
copy_finding(struct arena *arena, struct finding *to, const struct finding *from)
{
	*to = *from;
	to->account = copy_text(arena, from->account);
	to->region = copy_text(arena, from->region);
	to->host = copy_text(arena, from->host);
	to->hosts = copy_texts(arena, from->hosts, from->host_count);
	to->sentence = copy_text(arena, from->sentence);
	to->evidence = copy_text(arena, from->evidence);
	to->fix = copy_text(arena, from->fix);
}

static const struct target *
copy_target(struct arena *arena, const struct target *from)
{
	struct target *to = arena_alloc(arena, sizeof(*to));

	*to = *from;
	for (size_t i = 0; i < target_desc.field_count; i++) {
		const struct field_desc *field = &target_desc.fields[i];
		const char             **text = (const char **)((char *)to + field->at);

		if (field->type == FIELD_TEXT)
			*text = copy_text(arena, *text);
	}
	return to;
}

static void
copy_place(struct arena *arena, struct place *to, const struct place *from)
{
	*to = *from;
	to->words = copy_text(arena, from->words);
	to->addresses = arena_array(arena, from->address_count + 1, sizeof(*to->addresses));
	for (size_t i = 0; i < from->address_count; i++) {
		to->addresses[i] = from->addresses[i];
		to->addresses[i].address = copy_text(arena, from->addresses[i].address);
		to->addresses[i].words = copy_text(arena, from->addresses[i].words);
	}
	/* What was measured has its target with it, and outlives us. */
	if (from->seen == NULL || from->target != from->seen->target)
		to->target = copy_target(arena, from->target);
}

struct verdict *
verdict_copy(struct arena *arena, const struct verdict *verdict)
{
	struct verdict *copy = arena_alloc(arena, sizeof(*copy));

	*copy = *verdict;
	copy->findings = arena_array(
	    arena, verdict->finding_count + 1, sizeof(*copy->findings));
	copy->places = arena_array(arena, verdict->place_count + 1, sizeof(*copy->places));
	copy->unknowns = copy_texts(arena, verdict->unknowns, verdict->unknown_count);
	for (size_t i = 0; i < verdict->finding_count; i++)
		copy_finding(arena, &copy->findings[i], &verdict->findings[i]);
	for (size_t i = 0; i < verdict->place_count; i++)
		copy_place(arena, &copy->places[i], &verdict->places[i]);
	return copy;
}
