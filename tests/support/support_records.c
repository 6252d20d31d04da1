#include "tests/support/support_records.h"

#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct support_random
support_random_of(uint64_t seed)
{
	return (struct support_random){ seed };
}

struct support_random
support_random_new(void)
{
	const char *given = getenv("SEED");
	uint64_t    seed;

	if (given != NULL)
		seed = strtoull(given, NULL, 0);
	else
		digest_random(&seed, sizeof(seed));
	printf("to repeat: SEED=%#llx\n", (unsigned long long)seed);
	return support_random_of(seed);
}

/* splitmix64: any seed will do, zero too. */
uint64_t
support_random_next(struct support_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint64_t
support_random_below(struct support_random *random, uint64_t below)
{
	return support_random_next(random) % below;
}

/* Numbers where encodings change width, and others of every size. */
static uint64_t
make_number(struct support_random *random)
{
	static const uint64_t edges[] = { 0, 1, 31, 32, 127, 128, 255, 256, 65535, 65536,
		INT32_MAX, UINT64_C(1) << 31, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX,
		UINT64_C(1) << 63, UINT64_MAX };

	if (support_random_below(random, 2) == 0)
		return edges[support_random_below(random, sizeof(edges) / sizeof(edges[0]))];
	return support_random_next(random) >> support_random_below(random, 64);
}

static const char *
make_text(struct arena *arena, struct support_random *random)
{
	static const size_t      sizes[] = { 0, 1, 5, 31, 32, 255, 256, 300 };
	static const char *const letters[] = { "a", "Z", "9", ".", "-", " ", "\"", "|",
		"\303\251", "\342\202\254", "\360\237\230\200" };
	size_t size = sizes[support_random_below(random, sizeof(sizes) / sizeof(sizes[0]))];
	char  *text = arena_alloc(arena, size + 1), *at = text;

	while (at < text + size) {
		const char *letter = letters[support_random_below(random, 11)];

		if (strlen(letter) > (size_t)(text + size - at))
			letter = "x";
		memcpy(at, letter, strlen(letter));
		at += strlen(letter);
	}
	return text;
}

static void
fill_list(const struct field_desc *field, void *into, struct arena *arena,
    struct support_random *random, size_t longest)
{
	size_t most = longest < field->most ? longest : field->most;
	size_t count = support_random_below(random, most + 1);
	size_t each = field->element->bytes;
	char  *list = arena_array(arena, count, each);

	for (size_t i = 0; i < count; i++)
		memcpy(list + i * each,
		    support_records_make(field->element, arena, random, longest), each);
	memcpy((char *)into + field->at, &list, sizeof(list));
	memcpy((char *)into + field->count_at, &count, sizeof(count));
}

static void
fill_field(const struct field_desc *field, void *into, struct arena *arena,
    struct support_random *random, size_t longest)
{
	void *member = (char *)into + field->at;
	void *sub;

	switch (field->type) {
	case FIELD_U64: *(uint64_t *)member = make_number(random); break;
	case FIELD_I64: *(int64_t *)member = (int64_t)make_number(random); break;
	case FIELD_BOOL: *(bool *)member = support_random_below(random, 2) != 0; break;
	case FIELD_TEXT: *(const char **)member = make_text(arena, random); break;
	case FIELD_LIST: fill_list(field, into, arena, random, longest); break;
	case FIELD_SUB:
		if (support_random_below(random, 4) == 0)
			break;
		sub = support_records_make(field->element, arena, random, longest);
		memcpy(member, &sub, sizeof(sub));
		break;
	default: *(uint32_t *)member = (uint32_t)make_number(random); break;
	}
}

void *
support_records_make(const struct message_desc *desc, struct arena *arena,
    struct support_random *random, size_t longest)
{
	void *into = arena_alloc(arena, desc->bytes);

	for (size_t i = 0; i < desc->field_count; i++) {
		if (desc->fields[i].type == FIELD_TEXT)
			*(const char **)((char *)into + desc->fields[i].at) = "";
		if (support_random_below(random, 4) != 0)
			fill_field(&desc->fields[i], into, arena, random, longest);
	}
	return into;
}

static const char *
compare_lists(const struct field_desc *field, const void *left, const void *right)
{
	const char *one = field_pointer(field, left), *other = field_pointer(field, right);
	size_t      count = field_count(field, left);
	const char *differs = NULL;

	if (count != field_count(field, right))
		return field->name;
	for (size_t i = 0; i < count && differs == NULL; i++)
		differs = support_records_differ(field->element,
		    one + i * field->element->bytes, other + i * field->element->bytes);
	return differs;
}

static const char *
compare_field(const struct field_desc *field, const void *left, const void *right)
{
	const void *one = (const char *)left + field->at;
	const void *other = (const char *)right + field->at;
	bool        equal = true;

	switch (field->type) {
	case FIELD_U64:
	case FIELD_I64: equal = *(const uint64_t *)one == *(const uint64_t *)other; break;
	case FIELD_BOOL: equal = *(const bool *)one == *(const bool *)other; break;
	case FIELD_TEXT:
		equal = strcmp(*(const char *const *)one, *(const char *const *)other) == 0;
		break;
	case FIELD_LIST: return compare_lists(field, left, right);
	case FIELD_SUB:
		one = field_pointer(field, left);
		other = field_pointer(field, right);
		if (one != NULL && other != NULL)
			return support_records_differ(field->element, one, other);
		equal = one == other;
		break;
	default: equal = *(const uint32_t *)one == *(const uint32_t *)other; break;
	}
	return equal ? NULL : field->name;
}

const char *
support_records_differ(const struct message_desc *desc, const void *left, const void *right)
{
	const char *differs = NULL;

	for (size_t i = 0; i < desc->field_count && differs == NULL; i++)
		differs = compare_field(&desc->fields[i], left, right);
	return differs;
}
