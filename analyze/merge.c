#include "analyze/merge.h"

#include "analyze/report.h"

#include <string.h>

/* One thing to a reader, and one key to whoever keeps findings.  Of the account as a whole it is
 * one thing when the same act mends it. */
static bool
is_same(const struct finding *left, const struct finding *right)
{
	if (left->code != right->code || strcmp(left->region, right->region) != 0)
		return false;
	return strcmp(left->host, right->host) == 0 ||
	    (finding_table[left->code].stage == STAGE_ACCOUNT &&
	        strcmp(left->fix, right->fix) == 0);
}

static struct finding *
find_same(const struct verdict *verdict, size_t count, const struct finding *finding)
{
	for (size_t i = 0; i < count; i++) {
		if (is_same(&verdict->findings[i], finding))
			return &verdict->findings[i];
	}
	return NULL;
}

static void
join(struct arena *arena, struct finding *known, const struct finding *more)
{
	const char **hosts = arena_array(
	    arena, known->host_count + more->host_count + 1, sizeof(char *));
	size_t count = 0;

	for (size_t i = 0; i < known->host_count; i++)
		hosts[count++] = known->hosts[i];
	for (size_t i = 0; i < more->host_count; i++)
		hosts[count++] = more->hosts[i];
	known->hosts = hosts;
	known->host_count = count;
	known->apis |= more->apis;
	if (more->severity > known->severity)
		known->severity = more->severity;
	if (more->seen_ms > known->seen_ms)
		known->seen_ms = more->seen_ms;
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

/* Findings of one API are never joined: its own report gathered them. */
static void
add_findings(struct arena *arena, struct verdict *merged, const struct verdict *more)
{
	size_t before = merged->finding_count;

	for (size_t i = 0; i < more->finding_count; i++) {
		struct finding *known = find_same(merged, before, &more->findings[i]);

		if (known != NULL)
			join(arena, known, &more->findings[i]);
		else
			merged->findings[merged->finding_count++] = more->findings[i];
	}
}

static void
add_verdict(struct arena *arena, struct verdict *merged, const struct verdict *more)
{
	add_findings(arena, merged, more);
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
		add_verdict(arena, merged, verdicts[i]);
	report_sort(merged->findings, merged->finding_count);
	return merged;
}
