#include "analyze/failover.h"

#include <stdlib.h>
#include <string.h>

enum { MODES = 3 };

static const enum mode modes[MODES] = { MODE_GATEWAY, MODE_DIRECT, MODE_GATEWAY_V2 };

/* What one agent shows of one region in one mode. */
struct glimpse {
	enum readiness readiness;
	const char    *reason;
};

static const char *
name_network(const struct failover_view *view)
{
	return view->network[0] != '\0' ? view->network : view->agent;
}

/* The views of one network stand in line. */
struct network {
	const char                        *name;
	const struct failover_view *const *views;
	size_t                             count;
};

static int
compare_views(const void *left, const void *right)
{
	const struct failover_view *const *a = left, *const *b = right;
	int                                order = strcmp(name_network(*a), name_network(*b));

	return order != 0 ? order : strcmp((*a)->agent, (*b)->agent);
}

/* By name. */
static struct network *
list_networks(struct arena *arena, const struct failover_ask *ask, size_t *count)
{
	const struct failover_view **views = arena_array(
	    arena, ask->view_count + 1, sizeof(*views));
	struct network *networks = arena_array(arena, ask->view_count + 1, sizeof(*networks));

	*count = 0;
	for (size_t i = 0; i < ask->view_count; i++)
		views[i] = &ask->views[i];
	if (ask->view_count > 0)
		qsort(views, ask->view_count, sizeof(*views), compare_views);
	for (size_t i = 0; i < ask->view_count; i++) {
		const char *name = name_network(views[i]);

		if (*count == 0 || strcmp(networks[*count - 1].name, name) != 0)
			networks[(*count)++] = (struct network){ name, &views[i], 0 };
		networks[*count - 1].count++;
	}
	return networks;
}

static size_t
seek_place(const struct verdict *verdict, const char *region, enum api api, enum mode mode)
{
	size_t at = 0;

	while (at < verdict->place_count &&
	    (verdict->places[at].target->api != api ||
	        verdict->places[at].target->mode != mode ||
	        strcmp(verdict->places[at].target->region, region) != 0))
		at++;
	return at;
}

/* An API or a mode that no agent measures has no rows; when none does, the gateway of the account's
 * own API has. */
static void
find_measured(const struct failover_ask *ask, bool measured[API_COUNT][MODES])
{
	bool any = false;

	memset(measured, 0, API_COUNT * sizeof(measured[0]));
	for (size_t i = 0; i < ask->view_count; i++) {
		const struct verdict *verdict = ask->views[i].verdict;

		for (size_t j = 0; j < verdict->place_count; j++) {
			const struct target *target = verdict->places[j].target;

			for (size_t k = 0; k < MODES; k++) {
				if (target->api < API_COUNT && target->mode == modes[k] &&
				    verdict->places[j].seen != NULL)
					any = measured[target->api][k] = true;
			}
		}
	}
	if (!any)
		measured[ask->account->api][0] = true;
}

static const char *
name_fault(const struct place *place)
{
	return place->worst != FINDING_COUNT ? finding_table[place->worst].words : place->words;
}

/* An SDK begins at the global name unless it is told where else. */
static struct glimpse
weigh_global(
    struct arena *arena, const struct failover_view *view, enum api api, struct glimpse good)
{
	size_t at = seek_place(view->verdict, "", api, MODE_GATEWAY);

	if (at == view->verdict->place_count || view->states[at] != STATE_CRITICAL)
		return good;
	return (struct glimpse){ READINESS_UNKNOWN,
		arena_printf(arena,
		    "reached, but not the global name, where SDKs begin that have no preferred "
		    "regions: %s",
		    name_fault(&view->verdict->places[at])) };
}

static struct glimpse
look_at(struct arena *arena, const struct failover_view *view, const struct location *location,
    enum api api, enum mode mode)
{
	size_t              at = seek_place(view->verdict, location->label, api, mode);
	const struct place *place = &view->verdict->places[at];

	if (at == view->verdict->place_count || place->seen == NULL)
		return (struct glimpse){ READINESS_UNKNOWN, "not measured in this mode" };
	switch (view->states[at]) {
	case STATE_CRITICAL: return (struct glimpse){ READINESS_NOT, name_fault(place) };
	case STATE_UNKNOWN:
		return (struct glimpse){ READINESS_UNKNOWN,
			place->state == STATE_UNKNOWN ? name_fault(place) : "no news" };
	case STATE_WARNING:
		return weigh_global(
		    arena, view, api, (struct glimpse){ READINESS_OK, name_fault(place) });
	case STATE_OK: break;
	}
	return weigh_global(arena, view, api, (struct glimpse){ READINESS_OK, "" });
}

/* What the agents of a network show of one region: the worst of them. */
static void
fill_row(struct arena *arena, struct failover_row *row, const struct network *network)
{
	const struct location *location = row->location;

	row->network = network->name;
	row->agents = network->count;
	row->reason = "";
	for (size_t i = 0; i < network->count; i++) {
		struct glimpse glimpse = look_at(
		    arena, network->views[i], location, row->api, row->mode);

		if (i == 0 || glimpse.readiness > row->readiness) {
			row->readiness = glimpse.readiness;
			row->reason = glimpse.reason;
		}
	}
	if (location->pending && row->readiness != READINESS_OK) {
		row->readiness = READINESS_UNKNOWN;
		row->reason = "the region is being added or removed";
	}
}

static void
add_rows(struct arena *arena, struct failover *failover, const struct account *account,
    const struct location *location, const struct network *network,
    bool measured[API_COUNT][MODES])
{
	for (unsigned api = 0; api < API_COUNT; api++) {
		for (size_t i = 0; i < MODES; i++) {
			struct failover_row *row;

			if (!measured[api][i])
				continue;
			row = &failover->rows[failover->row_count++];
			row->location = location;
			row->writes = account->multi_write || location->failover_priority == 0;
			row->api = (enum api)api;
			row->mode = modes[i];
			fill_row(arena, row, network);
		}
	}
}

/* The region to which the write region moves by itself, or by hand without further words. */
static const struct location *
find_next(const struct account *account)
{
	const struct location *next = NULL;

	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];

		if (location->failover_priority > 0 && !location->pending &&
		    (next == NULL || location->failover_priority < next->failover_priority))
			next = location;
	}
	return next;
}

static const struct location *
find_writing(const struct account *account)
{
	for (size_t i = 0; i < account->location_count; i++) {
		if (account->locations[i].failover_priority == 0)
			return &account->locations[i];
	}
	return NULL;
}

/* Networks by what they show of one region, over the modes. */
struct count {
	size_t all, lost; /* lost: in no mode anything but `not` */
	size_t partly;    /* `not` in a mode, and not in all */
	size_t unknown;   /* `not` in none, and unknown in one */
};

static struct count
count_networks(const struct failover *failover, const struct location *location)
{
	struct count count = { 0 };
	size_t       end;

	for (size_t i = 0; i < failover->row_count; i = end) {
		enum readiness worst = READINESS_OK, best = READINESS_NOT;

		for (end = i; end < failover->row_count &&
		     failover->rows[end].location == failover->rows[i].location &&
		     strcmp(failover->rows[end].network, failover->rows[i].network) == 0;
		     end++) {
			enum readiness readiness = failover->rows[end].readiness;

			worst = readiness > worst ? readiness : worst;
			best = readiness < best ? readiness : best;
		}
		if (failover->rows[i].location != location)
			continue;
		count.all++;
		count.lost += best == READINESS_NOT;
		count.partly += best != READINESS_NOT && worst == READINESS_NOT;
		count.unknown += worst == READINESS_UNKNOWN;
	}
	return count;
}

static const char *
say_networks(struct arena *arena, struct failover *failover, const struct location *location)
{
	struct count count = count_networks(failover, location);
	const char  *rest = count.unknown > 0
	     ? arena_printf(arena, "; of %zu it is not known", count.unknown)
	     : "";

	failover->state = STATE_CRITICAL;
	if (count.lost > 0)
		return arena_printf(arena, "%zu of %zu networks would lose the database%s",
		    count.lost, count.all, rest);
	if (count.partly > 0)
		return arena_printf(arena,
		    "%zu of %zu networks would lose the database in an API or mode%s",
		    count.partly, count.all, rest);
	failover->state = STATE_UNKNOWN;
	if (count.all == 0)
		return "no agent looks at the account";
	if (count.unknown > 0)
		return arena_printf(arena,
		    "of %zu of %zu networks it is not known whether they would reach it",
		    count.unknown, count.all);
	failover->state = STATE_OK;
	return arena_printf(arena, "every network reaches it (%zu)", count.all);
}

static const char *
say(struct arena *arena, const struct account *account, struct failover *failover)
{
	const struct location *writing = find_writing(account), *next = find_next(account);

	failover->state = STATE_UNKNOWN;
	if (writing == NULL)
		return "the document tells no failover priorities";
	if (next == NULL) {
		failover->state = STATE_OK;
		return arena_printf(arena,
		    "%s is the only region: there is none to which writes could move",
		    writing->name);
	}
	if (account->multi_write)
		return arena_printf(arena,
		    "all %zu regions take writes; without %s clients go to others of their "
		    "preferred regions, of which %s is next by priority: %s",
		    account->location_count, writing->name, next->name,
		    say_networks(arena, failover, next));
	return arena_printf(arena, "writes go to %s and would move to %s%s: %s", writing->name,
	    next->name, account->automatic_failover ? "" : ", by hand only",
	    say_networks(arena, failover, next));
}

struct failover *
failover_find(struct arena *arena, const struct failover_ask *ask)
{
	struct failover      *failover = arena_alloc(arena, sizeof(*failover));
	const struct account *account = ask->account;
	bool                  measured[API_COUNT][MODES];
	size_t                count, ways = 0;
	const struct network *networks = list_networks(arena, ask, &count);

	find_measured(ask, measured);
	for (size_t i = 0; i < API_COUNT; i++) {
		for (size_t j = 0; j < MODES; j++)
			ways += measured[i][j];
	}
	failover->rows = arena_array(
	    arena, account->location_count * count * ways + 1, sizeof(*failover->rows));
	for (size_t i = 0; i < account->location_count; i++) {
		for (size_t j = 0; j < count; j++)
			add_rows(arena, failover, account, &account->locations[i], &networks[j],
			    measured);
	}
	failover->sentence = say(arena, account, failover);
	return failover;
}

const char *
readiness_name(enum readiness readiness)
{
	switch (readiness) {
	case READINESS_OK: return "ok";
	case READINESS_UNKNOWN: return "unknown";
	case READINESS_NOT: return "not";
	}
	return "";
}
