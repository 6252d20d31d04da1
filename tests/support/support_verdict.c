#include "tests/support/support_verdict.h"

#include <string.h>

static const struct finding *
find_finding(const struct verdict *verdict, const char *code, const char *region)
{
	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *finding = &verdict->findings[i];

		if (strcmp(finding_table[finding->code].code, code) == 0 &&
		    strcmp(finding->region, region) == 0)
			return finding;
	}
	return NULL;
}

static const char *
list_findings(struct arena *arena, const struct verdict *verdict)
{
	const char *text = arena_printf(arena, "%zu findings", verdict->finding_count);

	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *finding = &verdict->findings[i];

		text = arena_printf(arena, "%s\n  %s '%s' %s %s\n    %s", text,
		    finding_table[finding->code].code, finding->region, api_name(finding->api),
		    state_name(finding->severity), finding->evidence);
	}
	return text;
}

/* Filled in, and nothing left of the template. */
static const char *
check_words(struct arena *arena, const struct finding *finding)
{
	const char *owner = owner_name(finding_table[finding->code].owner);

	if (*finding->sentence == '\0' || strchr(finding->sentence, '{') != NULL)
		return arena_printf(arena, "sentence: %s", finding->sentence);
	if (*finding->evidence == '\0')
		return arena_printf(arena, "no evidence: %s", finding->sentence);
	if (*finding->fix == '\0' && strcmp(owner, "nobody") != 0)
		return arena_printf(arena, "no fix: %s", finding->sentence);
	if (strstr(finding->fix, "public-network-access ENABLED") != NULL ||
	    strstr(finding->fix, "0.0.0.0") != NULL)
		return arena_printf(arena, "the fix opens public access: %s", finding->fix);
	return NULL;
}

static bool
tells_region(const struct support_witness *witness, const struct finding *finding, size_t host,
    const char *region)
{
	for (size_t i = 0; i < witness->seen_count; i++) {
		const struct target *target = witness->seen[i]->target;

		if (strcmp(target->region, region) == 0 &&
		    strcmp(target->host, finding->hosts[host]) == 0)
			return true;
	}
	return false;
}

static const char *
check_folds(struct arena *arena, const struct support_witness *witness,
    const struct support_expected *expected, const struct finding *finding)
{
	if (expected->folds == NULL)
		return NULL;
	if (finding->host_count != expected->fold_count)
		return arena_printf(arena, "%s tells of %zu names, want %zu", expected->code,
		    finding->host_count, expected->fold_count);
	for (size_t i = 0; i < expected->fold_count; i++) {
		bool any = false;

		for (size_t j = 0; j < finding->host_count; j++)
			any = any || tells_region(witness, finding, j, expected->folds[i]);
		if (!any)
			return arena_printf(arena, "%s does not tell of '%s'", expected->code,
			    expected->folds[i]);
	}
	return NULL;
}

static const char *
check_finding(struct arena *arena, const struct support_witness *witness,
    const struct support_expected *expected, const struct finding *finding)
{
	if (finding == NULL)
		return arena_printf(arena, "no %s '%s'", expected->code, expected->region);
	if (*expected->severity != '\0' &&
	    strcmp(state_name(finding->severity), expected->severity) != 0)
		return arena_printf(arena, "%s is %s, want %s", expected->code,
		    state_name(finding->severity), expected->severity);
	if (strstr(finding->evidence, expected->evidence) == NULL)
		return arena_printf(
		    arena, "'%s' is not in: %s", expected->evidence, finding->evidence);
	if (strstr(finding->fix, expected->fix) == NULL)
		return arena_printf(arena, "'%s' is not in: %s", expected->fix, finding->fix);
	return check_folds(arena, witness, expected, finding);
}

static const char *
name_place(struct arena *arena, const struct target *target)
{
	return arena_printf(arena, "place '%s' %s %s", target->region, api_name(target->api),
	    mode_name(target->mode));
}

/* A place may only be worse by what is told. */
static const char *
check_told(struct arena *arena, const struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];
		bool                told = place->worst == FINDING_COUNT;

		for (size_t j = 0; j < verdict->finding_count; j++)
			told = told || verdict->findings[j].code == place->worst;
		if (!told)
			return arena_printf(arena, "%s: by %s, which is not told",
			    name_place(arena, place->target), finding_table[place->worst].code);
	}
	return NULL;
}

const char *
support_verdict_unsound(struct arena *arena, const struct verdict *verdict)
{
	const char *words = check_told(arena, verdict);

	for (size_t i = 0; i < verdict->finding_count && words == NULL; i++)
		words = check_words(arena, &verdict->findings[i]);
	return words;
}

static bool
is_place(const struct place *place, const struct support_pinned *expected)
{
	return strcmp(place->target->region, expected->region) == 0 &&
	    place->target->api == expected->api && place->target->mode == expected->mode;
}

static const char *
check_place(
    struct arena *arena, const struct verdict *verdict, const struct support_pinned *expected)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];
		const char         *code = place->worst < FINDING_COUNT
		            ? finding_table[place->worst].code
		            : "";

		if (!is_place(place, expected))
			continue;
		if (strcmp(state_name(place->state), expected->state) == 0 &&
		    strcmp(code, expected->code) == 0)
			return NULL;
		return arena_printf(arena, "%s is %s by '%s', want %s by '%s'",
		    name_place(arena, place->target), state_name(place->state), code,
		    expected->state, expected->code);
	}
	return arena_printf(arena, "no place '%s'", expected->region);
}

static const char *
check_all(
    struct arena *arena, const struct support_witness *witness, const struct verdict *verdict)
{
	const char *words = support_verdict_unsound(arena, verdict);

	if (verdict->finding_count != witness->expected_count)
		return arena_printf(arena, "%zu findings wanted", witness->expected_count);
	for (size_t i = 0; i < witness->expected_count && words == NULL; i++) {
		const struct support_expected *expected = &witness->expected[i];

		words = check_finding(arena, witness, expected,
		    find_finding(verdict, expected->code, expected->region));
	}
	for (size_t i = 0; i < witness->place_count && words == NULL; i++)
		words = check_place(arena, verdict, &witness->places[i]);
	if (words == NULL && *witness->state != '\0' &&
	    strcmp(witness->state, state_name(verdict->state)) != 0)
		words = arena_printf(
		    arena, "state %s, want %s", state_name(verdict->state), witness->state);
	return words;
}

const char *
support_verdict_differs(
    struct arena *arena, const struct support_witness *witness, const struct verdict *verdict)
{
	const char *words = check_all(arena, witness, verdict);

	return words == NULL
	    ? NULL
	    : arena_printf(arena, "%s\n%s", words, list_findings(arena, verdict));
}
