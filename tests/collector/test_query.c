#include "tests/collector/board_fixture.h"

#include "base/json.h"
#include "collector/bulletin.h"
#include "collector/page.h"
#include "collector/params.h"
#include "collector/query.h"

#include <jansson.h>

static struct fixture fixture;

static struct query
ask_at(int64_t now_ms)
{
	return (struct query){
		.board = fixture.board, .documents = fixture.documents, .now_ms = now_ms
	};
}

static json_t *
at_path(json_t *value, const char *path)
{
	char *copy = mem_strdup(path), *rest = copy, *part;

	while ((part = strsep(&rest, "/")) != NULL) {
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(part))
		                             : json_object_get(value, part);
	}
	free(copy);
	return value;
}

static void
assert_text(json_t *value, const char *path, const char *wanted)
{
	json_t *found = at_path(value, path);

	if (!json_is_string(found) || strcmp(json_string_value(found), wanted) != 0)
		fail_msg("%s is %s, want %s", path, json_string_value(found), wanted);
}

static void
test_state(void **state)
{
	struct query query = ask_at(T0_MS + 60000);
	json_t      *grid = query_state(&query, NULL);

	assert_text(grid, "state", "critical");
	assert_text(grid, "agents/0/agent", "vm-a");
	assert_text(grid, "agents/0/state", "heard");
	assert_text(grid, "accounts/0/account", "contoso");
	assert_text(grid, "accounts/0/places/0/name", "Global");
	assert_text(grid, "accounts/0/places/0/cells/0/state", "ok");
	assert_text(grid, "accounts/0/places/1/name", "East US");
	assert_text(grid, "accounts/0/places/1/cells/0/state", "critical");
	assert_text(grid, "accounts/0/places/1/cells/0/code", "PLP-101-REGION-NAME-MISSING");
	assert_int_equal(json_integer_value(at_path(grid, "cells/critical")), 1);
	json_decref(grid);
	grid = query_state(&query, "nobody");
	assert_int_equal(json_array_size(json_object_get(grid, "accounts")), 0);
	assert_text(grid, "state", "unknown");
	json_decref(grid);
}

static void
test_state_of_silence(void **state)
{
	struct query query = ask_at(T0_MS + 60000 + SILENT_MS + 1);
	json_t      *grid = query_state(&query, NULL);

	assert_text(grid, "state", "unknown");
	assert_text(grid, "agents/0/state", "silent");
	assert_text(grid, "accounts/0/places/1/cells/0/state", "unknown");
	assert_text(grid, "accounts/0/places/1/cells/0/last_state", "critical");
	json_decref(grid);
}

static void
test_findings(void **state)
{
	struct query query = ask_at(T0_MS + 60000);
	json_t      *list = query_findings(&query, false, 0, 10);

	assert_int_equal(json_integer_value(at_path(list, "total")), 1);
	assert_text(list, "findings/0/owner", "dns");
	assert_text(list, "findings/0/agent", "vm-a");
	assert_true(json_string_length(at_path(list, "findings/0/fix")) > 10);
	json_decref(list);
	list = query_findings(&query, false, 1, 10);
	assert_int_equal(json_array_size(at_path(list, "findings")), 0);
	assert_int_equal(json_integer_value(at_path(list, "total")), 1);
	json_decref(list);
}

static void
test_cell(void **state)
{
	struct query      query = ask_at(T0_MS + 60000);
	struct query_cell cell = { "vm-a", "contoso", "eastus", NULL, NULL, NULL };
	json_t           *value = query_cell(&query, &cell);

	assert_text(value, "cell/state", "critical");
	assert_text(value, "findings/0/code", "PLP-101-REGION-NAME-MISSING");
	assert_text(value, "measurement/dns/0/outcome", "nxdomain");
	assert_text(
	    value, "measurement/dns/0/hops/0/owner", "contoso-eastus.documents.azure.com");
	json_decref(value);
	cell.host = "elsewhere";
	assert_null(query_cell(&query, &cell));
	cell = (struct query_cell){ "vm-x", "contoso", "eastus", NULL, NULL, NULL };
	assert_null(query_cell(&query, &cell));
	cell = (struct query_cell){ "vm-a", "fabrikam", "eastus", NULL, NULL, NULL };
	assert_null(query_cell(&query, &cell));
}

/* A row for each mode of a region, and a cell of its own.  The last test: it adds to the board. */
static void
test_modes(void **state)
{
	const struct said direct = { "vm-a", "contoso", "eastus", false, T0_MS + 60000 };
	struct query      query = ask_at(T0_MS + 60000);
	struct query_cell cell = { "vm-a", "contoso", "eastus", NULL, NULL, "direct" };
	struct wbuf       out;
	json_t           *grid, *list, *value;

	fixture_say_in(&fixture, &direct, MODE_DIRECT);
	grid = query_state(&query, NULL);
	assert_text(grid, "accounts/0/places/1/name", "East US");
	assert_text(grid, "accounts/0/places/1/mode", "gateway");
	assert_text(grid, "accounts/0/places/2/name", "East US (direct)");
	assert_text(grid, "accounts/0/places/2/mode", "direct");
	/* The name is missing for every mode. */
	assert_text(grid, "accounts/0/places/2/cells/0/code", "PLP-101-REGION-NAME-MISSING");
	list = query_findings(&query, false, 0, 10);
	assert_int_equal(json_integer_value(json_object_get(list, "total")), 1);
	wbuf_init(&out);
	bulletin_table(grid, list, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "East US (direct)"));
	wbuf_fini(&out);
	json_decref(list);
	json_decref(grid);
	value = query_cell(&query, &cell);
	assert_text(value, "name", "East US (direct)");
	assert_text(value, "measurement/replicas/0/context", "ok");
	assert_text(value, "findings/0/code", "PLP-101-REGION-NAME-MISSING");
	json_decref(value);
	cell.mode = "gateway-v2";
	assert_null(query_cell(&query, &cell));
	cell.mode = NULL;
	value = query_cell(&query, &cell);
	assert_text(value, "mode", "gateway");
	json_decref(value);
}

/* A row for each API of a region, and a cell of its own, in the API's own zone.  The very last. */
static void
test_apis(void **state)
{
	const struct said cql = { "vm-a", "contoso", "eastus", false, T0_MS + 60000 };
	struct query      query = ask_at(T0_MS + 60000);
	struct query_cell cell = {
		.agent = "vm-a", .account = "contoso", .region = "eastus", .api = "cassandra"
	};
	struct wbuf out;
	json_t     *grid, *list, *value;

	fixture_say_of(&fixture, &cql, API_CASSANDRA, MODE_GATEWAY);
	grid = query_state(&query, NULL);
	list = query_findings(&query, false, 0, 10);
	wbuf_init(&out);
	bulletin_table(grid, list, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "East US (Cassandra)"));
	assert_non_null(strstr(wbuf_text(&out), "Global (Cassandra)"));
	wbuf_fini(&out);
	json_decref(list);
	json_decref(grid);
	value = query_cell(&query, &cell);
	assert_text(value, "name", "East US (Cassandra)");
	assert_text(value, "api", "cassandra");
	assert_text(value, "zone", "privatelink.cassandra.cosmos.azure.com");
	assert_text(value, "cell/words", "front end asks for login");
	assert_int_equal(json_array_size(at_path(value, "findings")), 0);
	json_decref(value);
	cell.api = "gremlin";
	assert_null(query_cell(&query, &cell));
}

static void
test_lists(void **state)
{
	struct query query = ask_at(T0_MS + 60000);
	json_t      *agents = query_agents(&query), *accounts = query_accounts(&query);

	assert_text(agents, "agents/0/network", "vnet-a");
	assert_true(json_is_null(at_path(agents, "agents/0/vitals")));
	assert_text(accounts, "accounts/0/regions/0/region", "eastus");
	assert_true(json_is_true(at_path(accounts, "accounts/0/document")));
	json_decref(agents);
	json_decref(accounts);
}

static void
test_report(void **state)
{
	struct query query = ask_at(T0_MS + 60000);
	json_t      *grid = query_state(&query, NULL);
	json_t      *list = query_findings(&query, false, 0, 10);
	struct wbuf  out;

	wbuf_init(&out);
	bulletin_table(grid, list, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "name does not exist"));
	assert_non_null(strstr(wbuf_text(&out), "critical: 1 finding\n"));
	assert_null(strchr(wbuf_text(&out), '\033'));
	wbuf_clear(&out);
	json_object_set_new(
	    at_path(list, "findings/0"), "evidence", json_string("=HYPERLINK(\"x\")"));
	bulletin_csv(list, &out);
	assert_non_null(strstr(wbuf_text(&out), ",\"'=HYPERLINK(\"\"x\"\")\","));
	wbuf_fini(&out);
	json_decref(grid);
	json_decref(list);
}

/* Names that nobody measures must not look as if an agent had only not come to them yet. */
static void
test_report_without_measurements(void **state)
{
	struct query query = ask_at(T0_MS + 60000);
	json_t      *grid = query_state(&query, NULL);
	json_t      *list = query_findings(&query, false, 0, 10);
	json_t      *agents = at_path(grid, "agents");
	struct wbuf  out;

	wbuf_init(&out);
	assert_int_equal(json_integer_value(at_path(grid, "agents/0/refused_items")), 0);
	bulletin_table(grid, list, 200, false, &out);
	assert_null(strstr(wbuf_text(&out), "refuses"));
	wbuf_clear(&out);
	json_object_set_new(json_array_get(agents, 0), "refused_items", json_integer(6));
	json_object_set_new(json_array_get(agents, 0), "refused_first",
	    json_string("contoso.documents.azure.example: not a name of 'suffixes'"));
	bulletin_table(grid, list, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "agent vm-a refuses 6 of the names"));
	assert_non_null(
	    strstr(wbuf_text(&out), "settings: contoso.documents.azure.example: not"));
	assert_null(strstr(wbuf_text(&out), "no agent has reported"));
	wbuf_clear(&out);
	json_array_clear(agents);
	bulletin_table(grid, list, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "no agent has reported yet"));
	wbuf_fini(&out);
	json_decref(grid);
	json_decref(list);
}

/* A region that is still being added is no fault, but a bare `ok` would say too much. */
static void
test_report_pending(void **state)
{
	struct query query = ask_at(T0_MS + 60000);
	json_t      *grid = query_state(&query, NULL);
	json_t      *list = query_findings(&query, false, 0, 10);
	json_t      *cell = at_path(grid, "accounts/0/places/0/cells/0");
	struct wbuf  out;

	assert_text(cell, "state", "ok");
	wbuf_init(&out);
	bulletin_table(grid, list, 200, false, &out);
	assert_null(strstr(wbuf_text(&out), "ok:"));
	wbuf_clear(&out);
	json_object_set_new(cell, "short", json_string("being added or removed"));
	bulletin_table(grid, list, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "ok: being added or removed"));
	wbuf_fini(&out);
	json_decref(grid);
	json_decref(list);
}

static void
test_params(void **state)
{
	struct arena *arena = arena_new();

	assert_string_equal(params_text(arena, "a=1&b=x%2Fy+z", "b"), "x/y z");
	assert_string_equal(params_text(arena, "a=&b=2", "a"), "");
	assert_null(params_text(arena, "ab=1", "a"));
	assert_null(params_text(arena, "a=1&a=2", "a"));
	assert_null(params_text(arena, "a=%0", "a"));
	assert_null(params_text(arena, "a=%zz", "a"));
	assert_null(params_text(arena, "a=%00", "a"));
	assert_null(params_text(arena, "a=%0a", "a"));
	assert_null(params_text(arena, "a=%ff", "a"));
	assert_null(params_text(arena, "a", "a"));
	assert_int_equal(params_number("n=7&m=x", "n", 1, 10), 7);
	assert_int_equal(params_number("n=70", "n", 1, 10), 1);
	assert_int_equal(params_number("n=7x", "n", 1, 10), 1);
	assert_int_equal(params_number("n=-1", "n", 1, 10), 1);
	assert_int_equal(params_number("n=99999999999999999999999", "n", 1, UINT64_MAX), 1);
	arena_free(arena);
}

static int
set_up(void **state)
{
	const struct said well = { "vm-a", "contoso", "", false, T0_MS + 60000 };
	const struct said missing = { "vm-a", "contoso", "eastus", true, T0_MS + 60000 };

	fixture_init(&fixture);
	fixture_say(&fixture, &well);
	fixture_say(&fixture, &missing);
	return 0;
}

static int
tear_down(void **state)
{
	fixture_fini(&fixture);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_state_of_silence),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_cell),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_report_without_measurements),
		cmocka_unit_test(test_report_pending),
		cmocka_unit_test(test_params),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_apis),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
