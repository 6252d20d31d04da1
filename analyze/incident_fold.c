#include "analyze/incident_work.h"

#include <stdlib.h>
#include <string.h>

/* Records that might be told together come to stand together. */
static int
compare_drafts(const void *left, const void *right)
{
	const struct incident *a = &((const struct incident_draft *)left)->incident;
	const struct incident *b = &((const struct incident_draft *)right)->incident;
	int                    order;

	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	if ((order = strcmp(a->place, b->place)) != 0 ||
	    (order = strcmp(a->accounts[0], b->accounts[0])) != 0)
		return order;
	if (a->agent_count != b->agent_count)
		return a->agent_count > b->agent_count ? -1 : 1;
	return strcmp(a->region, b->region);
}

/* The next member that is of another agent than this one. */
static size_t
skip_agent(const struct incident_work *work, const struct incident *incident, size_t at)
{
	size_t agent = work->ask->sightings[incident->members[at]].agent;

	while (at < incident->member_count &&
	    work->ask->sightings[incident->members[at]].agent == agent)
		at++;
	return at;
}

static bool
have_same_agents(
    const struct incident_work *work, const struct incident *a, const struct incident *b)
{
	size_t i = 0, j = 0;

	while (i < a->member_count && j < b->member_count) {
		if (work->ask->sightings[a->members[i]].agent !=
		    work->ask->sightings[b->members[j]].agent)
			return false;
		i = skip_agent(work, a, i);
		j = skip_agent(work, b, j);
	}
	return i == a->member_count && j == b->member_count;
}

static bool
is_foldable(
    const struct incident_work *work, const struct incident *a, const struct incident *b)
{
	return a->code == b->code && incident_about(a->code) == ABOUT_RECORD &&
	    !incident_is_of_zone(a->code, "") && !incident_is_of_zone(a->code, a->region) &&
	    !incident_is_of_zone(b->code, b->region) && a->scope == b->scope &&
	    strcmp(a->place, b->place) == 0 && strcmp(a->accounts[0], b->accounts[0]) == 0 &&
	    have_same_agents(work, a, b);
}

/* Members stay in order of their agents. */
static void
fold(struct incident_work *work, struct incident *into, const struct incident *from)
{
	size_t *members = arena_array(
	    work->arena, into->member_count + from->member_count, sizeof(*members));
	size_t i = 0, j = 0, to = 0, end;

	while (i < into->member_count) {
		for (end = skip_agent(work, into, i); i < end; i++)
			members[to++] = into->members[i];
		for (end = skip_agent(work, from, j); j < end; j++)
			members[to++] = from->members[j];
	}
	into->members = members;
	into->member_count = to;
	into->region = "*";
	if (from->severity > into->severity) {
		into->severity = from->severity;
		into->fix = from->fix;
	}
	into->confirmed = into->confirmed || from->confirmed;
	if (from->opened_ms < into->opened_ms)
		into->opened_ms = from->opened_ms;
	if (from->last_seen_ms > into->last_seen_ms)
		into->last_seen_ms = from->last_seen_ms;
}

void
incident_fold_regions(struct incident_work *work)
{
	size_t to = 0;

	if (work->draft_count > 0)
		qsort(work->drafts, work->draft_count, sizeof(*work->drafts), compare_drafts);
	for (size_t i = 0; i < work->draft_count; i++) {
		if (to > 0 &&
		    is_foldable(
		        work, &work->drafts[to - 1].incident, &work->drafts[i].incident))
			fold(work, &work->drafts[to - 1].incident, &work->drafts[i].incident);
		else
			work->drafts[to++] = work->drafts[i];
	}
	work->draft_count = to;
}
