#include "analyze/merge.h"

#include "analyze/facet.h"
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

/* What is a resolver's, or this machine's, and no zone's: every API of the account meets it alike. */
static const enum finding_code shared[] = {
	FINDING_DNS_SERVFAIL,
	FINDING_DNS_REFUSED,
	FINDING_DNS_TIMEOUT,
	FINDING_DNS_UNREACHABLE,
	FINDING_DNS_BROKEN,
	FINDING_UDP_TCP_DIFFER,
	FINDING_AZURE_TCP_BLOCKED,
	FINDING_TRUNCATED_NO_TCP,
	FINDING_AGENT_LATE,
	FINDING_NOT_MEASURED,
	FINDING_RESOLVERS_CHANGED,
};

/* What a sentence says of its names [findings.def]. */
static const char *
find_claim(const struct finding *finding)
{
	const char *claim = strstr(finding->sentence, ": ");

	return claim != NULL ? claim : "";
}

/* The same failure of all names, of one API and of another: one server is to blame. */
static bool
is_shared(const struct finding *left, const struct finding *right)
{
	if (left->code != right->code || left->severity != right->severity ||
	    strcmp(left->region, "*") != 0 || strcmp(right->region, "*") != 0 ||
	    strcmp(find_claim(left), find_claim(right)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		if (left->code == shared[i])
			return true;
	}
	return false;
}

static struct finding *
find_shared(const struct verdict *verdict, size_t count, const struct finding *finding)
{
	for (size_t i = 0; i < count; i++) {
		if (is_shared(&verdict->findings[i], finding))
			return &verdict->findings[i];
	}
	return NULL;
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

/* Lines that are not there yet, such as a zone to forward for each API. */
static const char *
add_lines(struct arena *arena, const char *text, const char *more)
{
	while (*more != '\0') {
		size_t      count = strcspn(more, "\n");
		const char *line = arena_strndup(arena, more, count);

		if (strstr(text, line) == NULL)
			text = arena_printf(arena, "%s\n%s", text, line);
		more += count + (more[count] == '\n' ? 1 : 0);
	}
	return text;
}

/* "NoSQL and MongoDB". */
static const char *
list_apis(struct arena *arena, unsigned apis)
{
	const char *text = "";

	for (unsigned api = 0; api < API_COUNT; api++) {
		unsigned left = apis >> api;

		if ((left & 1u) != 0)
			text = arena_printf(arena, "%s%s%s", text,
			    *text == '\0'   ? ""
			        : left == 1 ? " and "
			                    : ", ",
			    facet_title((enum api)api));
	}
	return text;
}

static void
fold(struct arena *arena, struct finding *known, const struct finding *more)
{
	const char *claim = find_claim(known);

	known->evidence = arena_printf(arena, "%s\nand alike: %zu names of %s", known->evidence,
	    more->host_count, list_apis(arena, more->apis));
	known->fix = add_lines(arena, known->fix, more->fix);
	join(arena, known, more);
	known->sentence = arena_printf(arena, "%zu names of %s, of %s%s", known->host_count,
	    known->account, list_apis(arena, known->apis), claim);
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

		if (known != NULL) {
			join(arena, known, &more->findings[i]);
			continue;
		}
		known = find_shared(merged, before, &more->findings[i]);
		if (known != NULL)
			fold(arena, known, &more->findings[i]);
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
