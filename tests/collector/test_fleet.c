#include "tests/collector/board_fixture.h"

#include "base/json.h"
#include "collector/bulletin.h"
#include "collector/fleet.h"
#include "collector/metrics_fleet.h"

#include <jansson.h>

static struct query
ask_at(const struct fixture *fixture, int64_t now_ms)
{
	return (struct query){ .board = fixture->board,
		.documents = fixture->documents,
		.now_ms = now_ms,
		.propagation = fixture->propagation };
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
assert_number(json_t *value, const char *path, int64_t wanted)
{
	json_t *found = at_path(value, path);

	if (!json_is_integer(found) || json_integer_value(found) != wanted)
		fail_msg("%s is %lld, want %lld", path, json_integer_value(found),
		    (long long)wanted);
}

/* Each agent sees the global name well, and East US as told. */
static void
say_both(struct fixture *fixture, const char *network, const char *agent, bool missing,
    int64_t at_ms)
{
	fixture->network = network;
	fixture_say(fixture, &(struct said){ agent, "contoso", "", false, at_ms });
	fixture_say(fixture, &(struct said){ agent, "contoso", "eastus", missing, at_ms });
}

static void
test_incidents(void **state)
{
	struct fixture fixture;
	struct query   query;
	json_t        *answer;

	fixture_init(&fixture);
	say_both(&fixture, "vnet-a/x", "vm-a", false, T0_MS);
	say_both(&fixture, "vnet-b/x", "vm-b", true, T0_MS);
	say_both(&fixture, "vnet-b/y", "vm-c", true, T0_MS + 1000);
	query = ask_at(&fixture, T0_MS + 2000);
	answer = fleet_incidents(&query);
	assert_int_equal(json_array_size(json_object_get(answer, "incidents")), 1);
	assert_text(answer, "incidents/0/code", "PLP-101-REGION-NAME-MISSING");
	assert_text(answer, "incidents/0/scope", "vnet");
	assert_text(answer, "incidents/0/place", "vnet-b");
	assert_text(answer, "incidents/0/owner", "dns");
	assert_text(answer, "incidents/0/sentence",
	    "contoso East US: name does not exist in all of vnet-b: 2 agents");
	assert_number(answer, "incidents/0/agents", 2);
	assert_number(answer, "incidents/0/opened_ms", T0_MS);
	assert_text(answer, "incidents/0/members/1/agent", "vm-c");
	assert_true(json_is_true(at_path(answer, "incidents/0/confirmed")));
	json_decref(answer);
	/* What is old is no incident of now. */
	query = ask_at(&fixture, T0_MS + SILENT_MS + 2000);
	answer = fleet_incidents(&query);
	assert_int_equal(json_array_size(json_object_get(answer, "incidents")), 0);
	json_decref(answer);
	fixture_fini(&fixture);
}

/* An agent that has not come to look at a new region yet is no witness that it is well there. */
static void
test_new_region_is_witnessed(void **state)
{
	struct fixture fixture;
	struct query   query;
	json_t        *answer;

	fixture_init(&fixture);
	fixture_document(&fixture, true);
	assert_true(documents_scan(fixture.documents, fixture_on_trouble, NULL));
	board_judge_all(fixture.board);
	documents_release(fixture.documents);
	say_both(&fixture, "vnet-a/x", "vm-a", false, T0_MS);
	say_both(&fixture, "vnet-a/x", "vm-b", false, T0_MS);
	say_both(&fixture, "vnet-a/x", "vm-c", false, T0_MS);
	fixture_say(&fixture, &(struct said){ "vm-a", "contoso", "westeurope", true, T0_MS });
	fixture_say(&fixture, &(struct said){ "vm-b", "contoso", "westeurope", true, T0_MS });
	query = ask_at(&fixture, T0_MS + 1000);
	answer = fleet_incidents(&query);
	assert_int_equal(json_array_size(json_object_get(answer, "incidents")), 1);
	assert_text(answer, "incidents/0/scope", "vnet");
	assert_text(answer, "incidents/0/owner", "dns");
	assert_text(answer, "incidents/0/sentence",
	    "contoso West Europe: name does not exist in all of vnet-a: 2 agents; no other "
	    "VNet "
	    "has an agent to compare with");
	json_decref(answer);
	/* Now it does, and it is not the VNet. */
	fixture_say(&fixture, &(struct said){ "vm-c", "contoso", "westeurope", false, T0_MS });
	answer = fleet_incidents(&query);
	assert_text(answer, "incidents/0/scope", "vm");
	assert_text(answer, "incidents/0/owner", "client");
	json_decref(answer);
	fixture_fini(&fixture);
}

static void
load_document(struct fixture *fixture, bool west, int64_t now_ms)
{
	fixture_document(fixture, west);
	assert_true(documents_scan(fixture->documents, fixture_on_trouble, NULL));
	propagation_learn(fixture->propagation, fixture->documents, now_ms);
	board_judge_all(fixture->board);
	documents_release(fixture->documents);
}

static void
test_propagation(void **state)
{
	struct fixture fixture;
	struct query   query;
	json_t        *answer;
	struct said    west = { "vm-a", "contoso", "westeurope", true, T0_MS + 30000 };

	fixture_init(&fixture);
	say_both(&fixture, "vnet-a/x", "vm-a", false, T0_MS);
	say_both(&fixture, "vnet-b/x", "vm-b", false, T0_MS);
	query = ask_at(&fixture, T0_MS + 100000);
	answer = fleet_propagation(&query); /* what was there at the start was not added */
	assert_int_equal(json_array_size(json_object_get(answer, "regions")), 0);
	json_decref(answer);
	load_document(&fixture, true, T0_MS + 20000);
	fixture_say(&fixture, &west);
	west.agent = "vm-b";
	fixture_say(&fixture, &west);
	west.agent = "vm-a";
	west.missing = false;
	west.at_ms = T0_MS + 60000;
	fixture_say(&fixture, &west);
	answer = fleet_propagation(&query);
	assert_text(answer, "regions/0/region", "westeurope");
	assert_number(answer, "regions/0/added_ms", T0_MS + 20000);
	assert_number(answer, "regions/0/right", 1);
	assert_number(answer, "regions/0/missing", 1);
	/* What needs somebody stands first. */
	assert_text(answer, "regions/0/agents/0/agent", "vm-b");
	assert_text(answer, "regions/0/agents/0/state", "wrong");
	assert_number(answer, "regions/0/agents/0/wrong_ms", T0_MS + 30000);
	assert_number(answer, "regions/0/agents/0/until_ms", T0_MS + 90000); /* TTL 60 s */
	assert_true(json_is_true(at_path(answer, "regions/0/agents/0/negative")));
	assert_text(answer, "regions/0/agents/0/why", "name does not exist");
	assert_text(answer, "regions/0/agents/1/state", "right");
	assert_number(answer, "regions/0/agents/1/right_ms", T0_MS + 60000);
	assert_number(answer, "regions/0/agents/1/after_ms", 40000);
	json_decref(answer);
	west.missing = true; /* later trouble is a finding's matter */
	west.at_ms = T0_MS + 90000;
	fixture_say(&fixture, &west);
	answer = fleet_propagation(&query);
	assert_number(answer, "regions/0/agents/1/right_ms", T0_MS + 60000);
	json_decref(answer);
	load_document(&fixture, false, T0_MS + 100000); /* removed again */
	answer = fleet_propagation(&query);
	assert_int_equal(json_array_size(json_object_get(answer, "regions")), 0);
	json_decref(answer);
	load_document(&fixture, true, T0_MS + 120000); /* and added once more */
	answer = fleet_propagation(&query);
	assert_number(answer, "regions/0/added_ms", T0_MS + 120000);
	json_decref(answer);
	propagation_expire(fixture.propagation, T0_MS + 120001);
	answer = fleet_propagation(&query);
	assert_int_equal(json_array_size(json_object_get(answer, "regions")), 0);
	json_decref(answer);
	fixture_fini(&fixture);
}

static void
keep_version(struct fixture *fixture, const char *regions, int64_t seen_ms)
{
	char *text = mem_printf("{\"name\":\"contoso\",\"documentEndpoint\":\"https://"
	                        "contoso.documents.azure.com:443/"
	                        "\",\"locations\":[%s]}",
	    regions);
	struct store_document document = { .id = "contoso.json",
		.kind = "account",
		.account = "contoso",
		.change = "",
		.seen_ms = seen_ms,
		.bytes = (const uint8_t *)text,
		.count = strlen(text) };
	struct err            err = { 0 };

	digest_sha256(text, document.count, document.digest);
	if (!store_keep(fixture->store, &document, 1, &err))
		fail_msg("%s", err.text);
	free(text);
}

#define LOCATION(name, label)                                            \
	"{\"locationName\":\"" name                                      \
	"\",\"provisioningState\":\"Succeeded\",\"documentEndpoint\":\"" \
	"https://contoso-" label ".documents.azure.com:443/\"}"

/* A start of the collector knows from the versions when a region came, and not since when an agent
 * sees it right. */
static void
test_propagation_kept(void **state)
{
	struct fixture fixture;
	struct query   query;
	struct err     err = { 0 };
	json_t        *answer;
	struct said    west = { "vm-a", "contoso", "westeurope", false, T0_MS + 60000 };

	fixture_init(&fixture);
	keep_version(&fixture, LOCATION("East US", "eastus"), T0_MS);
	keep_version(&fixture,
	    LOCATION("East US", "eastus") "," LOCATION("West Europe", "westeurope"),
	    T0_MS + 20000);
	fixture_document(&fixture, true);
	assert_true(documents_scan(fixture.documents, fixture_on_trouble, NULL));
	board_judge_all(fixture.board);
	documents_release(fixture.documents);
	fixture_say(&fixture, &west);
	propagation_free(fixture.propagation);
	fixture.propagation = propagation_new();
	assert_true(propagation_load(fixture.propagation, fixture.store, &err));
	propagation_learn(fixture.propagation, fixture.documents, T0_MS + 100000);
	board_free(fixture.board);
	fixture.board = fixture_board(&fixture);
	assert_true(board_load(fixture.board, fixture.store, &err));
	propagation_loaded(fixture.propagation);
	west.agent = "vm-b";
	west.at_ms = T0_MS + 120000;
	fixture_say(&fixture, &west);
	query = ask_at(&fixture, T0_MS + 120000);
	answer = fleet_propagation(&query);
	assert_int_equal(json_array_size(json_object_get(answer, "regions")), 1);
	assert_text(answer, "regions/0/region", "westeurope");
	assert_number(answer, "regions/0/added_ms", T0_MS + 20000);
	assert_number(answer, "regions/0/right", 2);
	assert_text(answer, "regions/0/agents/0/state", "right");
	assert_true(json_is_null(at_path(answer, "regions/0/agents/0/right_ms")));
	assert_number(answer, "regions/0/agents/1/after_ms", 100000);
	json_decref(answer);
	fixture_fini(&fixture);
}

static void
test_failover(void **state)
{
	struct fixture fixture;
	struct query   query;
	struct wbuf    out;
	json_t        *answer;

	fixture_init(&fixture);
	load_document(&fixture, true, T0_MS);
	say_both(&fixture, "vnet-a/x", "vm-a", false, T0_MS);
	fixture_say(&fixture, &(struct said){ "vm-a", "contoso", "westeurope", false, T0_MS });
	say_both(&fixture, "vnet-b/x", "vm-b", false, T0_MS);
	fixture_say(&fixture, &(struct said){ "vm-b", "contoso", "westeurope", true, T0_MS });
	query = ask_at(&fixture, T0_MS + 1000);
	answer = fleet_failover(&query, NULL);
	assert_text(answer, "accounts/0/state", "critical");
	assert_text(answer, "accounts/0/sentence",
	    "writes go to East US and would move to West Europe, by hand only: 1 of 2 networks "
	    "would lose the database");
	assert_text(answer, "accounts/0/rows/0/region", "eastus");
	assert_true(json_is_true(at_path(answer, "accounts/0/rows/0/writes")));
	assert_text(answer, "accounts/0/rows/3/network", "vnet-b/x");
	assert_text(answer, "accounts/0/rows/3/readiness", "not");
	assert_text(answer, "accounts/0/rows/3/reason", "name does not exist");
	wbuf_init(&out);
	bulletin_failover_table(answer, 200, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "1 of 2 networks would lose the database"));
	assert_non_null(strstr(wbuf_text(&out), "not: name does not exist"));
	wbuf_clear(&out);
	bulletin_failover_csv(answer, &out);
	assert_non_null(strstr(wbuf_text(&out),
	    "\"contoso\",\"westeurope\",\"1\",\"no\",\"vnet-b/"
	    "x\",\"sql\",\"gateway\",\"not\",\"name "
	    "does "
	    "not exist\"\r\n"));
	wbuf_fini(&out);
	json_decref(answer);
	answer = fleet_failover(&query, "nobody");
	assert_int_equal(json_array_size(json_object_get(answer, "accounts")), 0);
	json_decref(answer);
	/* What is too old is not known. */
	query = ask_at(&fixture, T0_MS + SILENT_MS + 1000);
	answer = fleet_failover(&query, "contoso");
	assert_text(answer, "accounts/0/state", "unknown");
	assert_text(answer, "accounts/0/rows/0/reason", "no news");
	json_decref(answer);
	fixture_fini(&fixture);
}

/* The report tells an incident of several agents, and regions on their way. */
static void
test_told(void **state)
{
	struct fixture fixture;
	struct query   query;
	struct wbuf    out;
	json_t        *incidents, *regions;

	fixture_init(&fixture);
	say_both(&fixture, "vnet-a/x", "vm-a", false, T0_MS);
	say_both(&fixture, "vnet-b/x", "vm-b", true, T0_MS);
	say_both(&fixture, "vnet-b/y", "vm-c", true, T0_MS);
	say_both(&fixture, "vnet-c/x", "vm-d", false, T0_MS + 59000);
	load_document(&fixture, true, T0_MS);
	fixture.network = "vnet-a/x";
	fixture_say(
	    &fixture, &(struct said){ "vm-a", "contoso", "westeurope", false, T0_MS + 40000 });
	fixture.network = "vnet-b/x";
	fixture_say(
	    &fixture, &(struct said){ "vm-b", "contoso", "westeurope", true, T0_MS + 30000 });
	query = ask_at(&fixture, T0_MS + 60000);
	incidents = fleet_incidents(&query);
	regions = fleet_propagation(&query);
	wbuf_init(&out);
	bulletin_incidents(incidents, false, &out);
	bulletin_propagation(regions, &out);
	assert_non_null(strstr(wbuf_text(&out),
	    "contoso East US: name does not exist in all of vnet-b: 2 agents\n"));
	assert_non_null(strstr(wbuf_text(&out), "owner dns"));
	assert_non_null(strstr(wbuf_text(&out),
	    "region West Europe was added to contoso at 1970-01-12T13:46:40.000Z, says its "
	    "document: 1 agent sees it right, 3 do not yet\n"
	    "    vm-b (vnet-b/x): not yet at 1970-01-12T13:47:10.000Z: name does not exist; by "
	    "the negative TTL caches may keep that until 1970-01-12T13:48:10.000Z\n"
	    "    vm-c (vnet-b/y): has not looked at it yet\n"
	    "    vm-d (vnet-c/x): has not looked at it yet\n"
	    "    vm-a (vnet-a/x): right after 40 s\n"));
	/* The cache is no excuse any more; and who is silent may have come to see it. */
	wbuf_clear(&out);
	json_decref(regions);
	query = ask_at(&fixture, T0_MS + 90000);
	regions = fleet_propagation(&query);
	bulletin_propagation(regions, &out);
	assert_non_null(strstr(wbuf_text(&out),
	    "name does not exist; by the negative TTL no cache may keep that since "
	    "1970-01-12T13:48:10.000Z\n"));
	wbuf_clear(&out);
	json_decref(regions);
	query = ask_at(&fixture, T0_MS + SILENT_MS + 50000);
	regions = fleet_propagation(&query);
	bulletin_propagation(regions, &out);
	assert_non_null(strstr(wbuf_text(&out),
	    "vm-b (vnet-b/x): silent; not yet at 1970-01-12T13:47:10.000Z: name does not "
	    "exist"));
	assert_non_null(
	    strstr(wbuf_text(&out), "vm-c (vnet-b/y): silent; has not looked at it yet\n"));
	assert_non_null(strstr(wbuf_text(&out), "vm-d (vnet-c/x): has not looked at it yet\n"));
	wbuf_fini(&out);
	json_decref(incidents);
	json_decref(regions);
	fixture_fini(&fixture);
}

static void
assert_line(struct wbuf *out, const char *line)
{
	char *whole = mem_printf("\n%s\n", line);

	if (strstr(wbuf_text(out), whole) == NULL)
		fail_msg("no line: %s in\n%s", line, wbuf_text(out));
	free(whole);
}

#define COUNT(severity, owner, life) \
	"plprobe_incidents{severity=\"" severity "\",owner=\"" owner "\",state=\"" life "\"} "

/* What many agents see counts once; what is well has its zeroes; what is old is not known. */
static void
test_metrics(void **state)
{
	struct fixture fixture;
	struct query   query;
	struct wbuf    out;

	fixture_init(&fixture);
	fixture.rules.critical = (struct hysteresis){ 2, 2, 1 };
	board_free(fixture.board);
	fixture.board = fixture_board(&fixture);
	load_document(&fixture, true, T0_MS);
	say_both(&fixture, "vnet-a/x", "vm-a", false, T0_MS);
	fixture_say(&fixture, &(struct said){ "vm-a", "contoso", "westeurope", false, T0_MS });
	for (int i = 0; i < 2; i++) {
		say_both(&fixture, "vnet-b/x", "vm-b", true, T0_MS + i * 60000);
		say_both(&fixture, "vnet-b/y", "vm-c", true, T0_MS + i * 60000);
	}
	fixture_say(
	    &fixture, &(struct said){ "vm-c", "contoso", "westeurope", true, T0_MS + 60000 });
	query = ask_at(&fixture, T0_MS + 61000);
	wbuf_init(&out);
	metrics_fleet(&query, &out);
	assert_line(
	    &out, COUNT("critical", "dns", "confirmed") "2"); /* in vnet-b, and of vm-b */
	assert_line(&out, COUNT("warning", "network", "opened") "0");
	assert_line(&out,
	    "plprobe_incident_agents{code=\"PLP-101-REGION-NAME-MISSING\",severity="
	    "\"critical\","
	    "owner=\"dns\",state=\"confirmed\",scope=\"vnet\",place=\"vnet-b\",account="
	    "\"contoso\","
	    "region=\"eastus\"} 2");
	assert_line(&out, "plprobe_failover_state{account=\"contoso\"} 3");
	assert_line(&out,
	    "plprobe_failover_readiness{account=\"contoso\",region=\"westeurope\",network="
	    "\"vnet-a/x\","
	    "api=\"sql\",mode=\"gateway\"} 0");
	assert_line(&out,
	    "plprobe_failover_readiness{account=\"contoso\",region=\"westeurope\",network="
	    "\"vnet-b/y\","
	    "api=\"sql\",mode=\"gateway\"} 2");
	wbuf_clear(&out);
	query = ask_at(&fixture, T0_MS + 2 * SILENT_MS);
	metrics_fleet(&query, &out);
	assert_line(&out, COUNT("critical", "dns", "confirmed") "0");
	assert_null(strstr(wbuf_text(&out), "plprobe_incident_agents{"));
	assert_line(&out, "plprobe_failover_state{account=\"contoso\"} 1");
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_incidents),
		cmocka_unit_test(test_new_region_is_witnessed),
		cmocka_unit_test(test_propagation),
		cmocka_unit_test(test_propagation_kept),
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_metrics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
