#include "analyze/failover.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

enum { VIEWS = 3, PLACES = 7 };

/* What an agent sees: one letter a place, in the order of `kinds`: '+' ok, 'w' warning, '!'
 * critical, '?' unknown, 'o' was ok and is too old, '-' not measured, ' ' no such place. */
static const struct {
	const char *region;
	enum mode   mode;
	enum api    api;
} kinds[PLACES] = {
	{ "", MODE_GATEWAY, API_SQL },
	{ "eastus", MODE_GATEWAY, API_SQL },
	{ "westeurope", MODE_GATEWAY, API_SQL },
	{ "eastus", MODE_DIRECT, API_SQL },
	{ "westeurope", MODE_DIRECT, API_SQL },
	{ "westeurope", MODE_GATEWAY_V2, API_SQL },
	{ "westeurope", MODE_GATEWAY, API_CASSANDRA },
};

static const struct failover_case {
	const char *name;
	bool        multi_write, automatic, pending, single;
	struct {
		const char *network, *sees;
	} views[VIEWS];
	enum state  state;
	const char *rows; /* network region mode readiness: reason */
	const char *sentence;
} failover_cases[] = {
	{ "all well", false, true, false, false,
	    { { "vnet-a/x", "+++" }, { "vnet-b/x", "+++" } }, STATE_OK,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-b/x eastus gateway ok writes\n"
	    "vnet-a/x westeurope gateway ok\n"
	    "vnet-b/x westeurope gateway ok\n",
	    "writes go to East US and would move to West Europe: every network reaches it "
	    "(2)" },
	{ "one network would lose it", false, false, false, false,
	    { { "vnet-a/x", "+++" }, { "vnet-b/x", "++!" } }, STATE_CRITICAL,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-b/x eastus gateway ok writes\n"
	    "vnet-a/x westeurope gateway ok\n"
	    "vnet-b/x westeurope gateway not: name does not exist\n",
	    "writes go to East US and would move to West Europe, by hand only: 1 of 2 networks "
	    "would lose the database" },
	{ "the worst agent of a network speaks for it", false, true, false, false,
	    { { "vnet-a/x", "+++" }, { "vnet-a/x", "++!" } }, STATE_CRITICAL,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-a/x westeurope gateway not: name does not exist\n",
	    "writes go to East US and would move to West Europe: 1 of 1 networks would lose "
	    "the "
	    "database" },
	{ "in one of the modes", false, true, false, false,
	    { { "vnet-a/x", "++++!" }, { "vnet-b/x", "++++o" } }, STATE_CRITICAL,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-a/x eastus direct ok writes\n"
	    "vnet-b/x eastus gateway ok writes\n"
	    "vnet-b/x eastus direct ok writes\n"
	    "vnet-a/x westeurope gateway ok\n"
	    "vnet-a/x westeurope direct not: name does not exist\n"
	    "vnet-b/x westeurope gateway ok\n"
	    "vnet-b/x westeurope direct unknown: no news\n",
	    "writes go to East US and would move to West Europe: 1 of 2 networks would lose "
	    "the "
	    "database in an API or mode; of 1 it is not known" },
	{ "multi-write: no region to move to, but to go to", true, true, false, false,
	    { { "vnet-a/x", "++!" } }, STATE_CRITICAL,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-a/x westeurope gateway not writes: name does not exist\n",
	    "all 2 regions take writes; without East US clients go to others of their "
	    "preferred "
	    "regions, of which West Europe is next by priority: 1 of 1 networks would lose the "
	    "database" },
	{ "what was not seen is not known", false, true, false, false, { { "", "++-" } },
	    STATE_UNKNOWN,
	    "vm eastus gateway ok writes\n"
	    "vm westeurope gateway unknown: not measured in this mode\n",
	    "writes go to East US and would move to West Europe: of 1 of 1 networks it is not "
	    "known whether they would reach it" },
	{ "the global name is where SDKs begin", false, true, false, false,
	    { { "vnet-a/x", "!w+" } }, STATE_UNKNOWN,
	    "vnet-a/x eastus gateway unknown writes: reached, but not the global name, where "
	    "SDKs "
	    "begin that have no preferred regions: name does not exist\n"
	    "vnet-a/x westeurope gateway unknown: reached, but not the global name, where SDKs "
	    "begin that have no preferred regions: name does not exist\n",
	    "writes go to East US and would move to West Europe: of 1 of 1 networks it is not "
	    "known whether they would reach it" },
	{ "a warning is reached, and says so", false, true, false, false,
	    { { "vnet-a/x", "++w" } }, STATE_OK,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-a/x westeurope gateway ok: name does not exist\n",
	    "writes go to East US and would move to West Europe: every network reaches it "
	    "(1)" },
	{ "a region that is being added is none to move to", false, true, true, false,
	    { { "vnet-a/x", "++!" } }, STATE_OK,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-a/x westeurope gateway unknown: the region is being added or removed\n",
	    "East US is the only region: there is none to which writes could move" },
	{ "each API for itself", false, true, false, false, { { "vnet-a/x", "++++++!" } },
	    STATE_CRITICAL,
	    "vnet-a/x eastus gateway ok writes\n"
	    "vnet-a/x eastus direct ok writes\n"
	    "vnet-a/x eastus gateway-v2 unknown writes: not measured in this mode\n"
	    "vnet-a/x eastus cassandra gateway unknown writes: not measured in this mode\n"
	    "vnet-a/x westeurope gateway ok\n"
	    "vnet-a/x westeurope direct ok\n"
	    "vnet-a/x westeurope gateway-v2 ok\n"
	    "vnet-a/x westeurope cassandra gateway not: name does not exist\n",
	    "writes go to East US and would move to West Europe: 1 of 1 networks would lose "
	    "the "
	    "database in an API or mode" },
	{ "one region", false, true, false, true, { { "vnet-a/x", "++" } }, STATE_OK,
	    "vnet-a/x eastus gateway ok writes\n",
	    "East US is the only region: there is none to which writes could move" },
	{ "nobody looks", false, true, false, false, { { NULL, NULL } }, STATE_UNKNOWN, "",
	    "writes go to East US and would move to West Europe: no agent looks at the "
	    "account" },
};

static void
fill_view(
    struct arena *arena, struct failover_view *view, const char *network, const char *sees)
{
	struct verdict     *verdict = arena_alloc(arena, sizeof(*verdict));
	enum state         *states = arena_array(arena, PLACES, sizeof(*states));
	struct measurement *seen = arena_alloc(arena, sizeof(*seen));

	verdict->places = arena_array(arena, PLACES, sizeof(struct place));
	for (size_t i = 0; sees[i] != '\0'; i++) {
		struct target *target = arena_alloc(arena, sizeof(*target));
		struct place  *place = &verdict->places[verdict->place_count++];

		target->region = kinds[i].region;
		target->api = kinds[i].api;
		target->mode = kinds[i].mode;
		*place = (struct place){ .target = target,
			.seen = sees[i] == '-' ? NULL : seen,
			.state = sees[i] == '!' ? STATE_CRITICAL
			    : sees[i] == 'w'    ? STATE_WARNING
			    : sees[i] == '?'    ? STATE_UNKNOWN
			                        : STATE_OK,
			.worst = sees[i] == '!' || sees[i] == 'w' ? FINDING_REGION_NAME_MISSING
			                                          : FINDING_COUNT,
			.words = "gateway reached" };
		states[i] = sees[i] == 'o' || sees[i] == '-' ? STATE_UNKNOWN : place->state;
	}
	*view = (struct failover_view){ "vm", network, verdict, states };
}

static const char *
tell(struct arena *arena, const struct failover *failover)
{
	const char *text = "";

	for (size_t i = 0; i < failover->row_count; i++) {
		const struct failover_row *row = &failover->rows[i];

		text = arena_printf(arena, "%s%s %s %s%s %s%s%s%s\n", text, row->network,
		    row->location->label, row->api == API_SQL ? "" : "cassandra ",
		    mode_name(row->mode), readiness_name(row->readiness),
		    row->writes ? " writes" : "", row->reason[0] != '\0' ? ": " : "",
		    row->reason);
	}
	return text;
}

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(failover_cases) / sizeof(failover_cases[0]); i++) {
		const struct failover_case *c = &failover_cases[i];
		struct arena               *arena = arena_new();
		struct location             locations[] = {
			            { .label = "eastus", .name = "East US", .failover_priority = 0 },
			            { .label = "westeurope",
			                .name = "West Europe",
			                .failover_priority = 1,
			                .pending = c->pending },
		};
		struct account         account = { .multi_write = c->multi_write,
			        .automatic_failover = c->automatic,
			        .locations = locations,
			        .location_count = c->single ? 1 : 2 };
		struct failover_view   views[VIEWS];
		struct failover_ask    ask = { &account, views, 0 };
		const struct failover *failover;

		while (ask.view_count < VIEWS && c->views[ask.view_count].network != NULL) {
			fill_view(arena, &views[ask.view_count],
			    c->views[ask.view_count].network, c->views[ask.view_count].sees);
			ask.view_count++;
		}
		failover = failover_find(arena, &ask);
		if (strcmp(tell(arena, failover), c->rows) != 0)
			fail_msg("%s: got\n%s", c->name, tell(arena, failover));
		if (strcmp(failover->sentence, c->sentence) != 0)
			fail_msg("%s: got %s", c->name, failover->sentence);
		if (failover->state != c->state)
			fail_msg("%s: %s", c->name, state_name(failover->state));
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
