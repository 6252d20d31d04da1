#include "analyze/merge.h"

#include "analyze/report.h"

#include <string.h>

static bool
has_finding(const struct verdict *verdict, const struct finding *finding)
{
	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *known = &verdict->findings[i];

		if (known->code == finding->code &&
		    strcmp(known->region, finding->region) == 0 &&
		    strcmp(known->host, finding->host) == 0)
			return true;
	}
	return false;
}

static bool
has_unknown(const struct verdict *verdict, const char *text)
{
	for (size_t i = 0; i < verdict->unknown_count; i++) {
		if (strcmp(verdict->unknowns[i], text) == 0)
			return true;
	}
	return false;
}

/* Findings of one API never hide each other: its own report gathered them. */
static void
add_findings(struct verdict *merged, const struct verdict *more)
{
	struct verdict before = *merged;

	for (size_t i = 0; i < more->finding_count; i++) {
		if (!has_finding(&before, &more->findings[i]))
			merged->findings[merged->finding_count++] = more->findings[i];
	}
}

static void
add_verdict(struct verdict *merged, const struct verdict *more)
{
	add_findings(merged, more);
	for (size_t i = 0; i < more->place_count; i++)
		merged->places[merged->place_count++] = more->places[i];
	for (size_t i = 0; i < more->unknown_count; i++) {
		if (!has_unknown(merged, more->unknowns[i]))
			merged->unknowns[merged->unknown_count++] = more->unknowns[i];
	}
	merged->dns_only = merged->dns_only && more->dns_only;
	if (more->state > merged->state)
		merged->state = more->state;
}

struct verdict *
merge_verdicts(struct arena *arena, struct verdict *const *verdicts, size_t count)
{
	struct verdict *merged;
	size_t          findings = 0, places = 0, unknowns = 0;

	if (count == 1)
		return verdicts[0];
	for (size_t i = 0; i < count; i++) {
		findings += verdicts[i]->finding_count;
		places += verdicts[i]->place_count;
		unknowns += verdicts[i]->unknown_count;
	}
	merged = arena_alloc(arena, sizeof(*merged));
	merged->findings = arena_array(arena, findings + 1, sizeof(struct finding));
	merged->places = arena_array(arena, places + 1, sizeof(struct place));
	merged->unknowns = arena_array(arena, unknowns + 1, sizeof(char *));
	merged->dns_only = true;
	for (size_t i = 0; i < count; i++)
		add_verdict(merged, verdicts[i]);
	report_sort(merged->findings, merged->finding_count);
	return merged;
}
