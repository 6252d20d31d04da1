#include "tests/collector/board_fixture.h"

static const struct said global_well = { "vm-a", "contoso", "", false, T0_MS };
static const struct said east_well = { "vm-a", "contoso", "eastus", false, T0_MS };
static const struct said east_missing = { "vm-a", "contoso", "eastus", true, T0_MS + 60000 };

static void
test_opens_and_closes(void **state)
{
	struct fixture              fixture;
	const struct board_view    *view;
	const struct store_finding *finding;
	struct said                 again = east_missing, well = east_well;

	fixture_init(&fixture);
	fixture_say(&fixture, &global_well);
	fixture_say(&fixture, &east_well);
	view = fixture_view(&fixture, "vm-a");
	assert_int_equal(view->open_count, 0);
	assert_int_equal(view->verdict->state, STATE_OK);

	fixture_say(&fixture, &east_missing);
	assert_int_equal(view->open_count, 1);
	finding = &view->open[0]->finding;
	assert_string_equal(finding->code, "PLP-101-REGION-NAME-MISSING");
	assert_string_equal(finding->region, "eastus");
	assert_int_equal(finding->opened_ms, T0_MS + 60000);
	assert_int_equal(fixture.told, 1);

	again.at_ms += 60000; /* the same: still the one that was opened first */
	fixture_say(&fixture, &again);
	assert_int_equal(view->open_count, 1);
	finding = &view->open[0]->finding;
	assert_int_equal(finding->opened_ms, T0_MS + 60000);
	assert_int_equal(finding->last_seen_ms, T0_MS + 120000);
	assert_string_equal(finding->looks, "!!");
	assert_int_equal(fixture.told, 2);

	well.at_ms += 180000;
	fixture_say(&fixture, &well);
	assert_int_equal(view->open_count, 0);
	assert_int_equal(board_closed_count(fixture.board), 1);
	assert_int_equal(board_closed_at(fixture.board, 0)->closed_ms, T0_MS + 180000);
	assert_string_equal(board_closed_at(fixture.board, 0)->state, "closed");
	assert_int_equal(fixture.told, 3);
	fixture_fini(&fixture);
}

/* A look is what one letter says: '!' the name is missing, '.' it is there. */
static const struct course_case {
	const char *name, *looks;
	const char *state;        /* "": nothing is open */
	int         confirmed_at; /* number of the look; -1: never */
	size_t      closed;
} course_cases[] = {
	{ "once is not enough", ".!", "opened", -1, 0 },
	{ "two of three", ".!!", "confirmed", 2, 0 },
	{ "two of three, one good between", "!.!", "confirmed", 2, 0 },
	{ "one good look closes nothing", "!!.", "confirmed", 1, 0 },
	{ "two close", "!!..", "", -1, 1 },
	{ "a blip closes without ever being confirmed", "!..", "", -1, 1 },
	{ "what comes again soon is the same one", "!!..!", "opened", -1, 0 },
	{ "coming and going flaps", "!..!..!", "flapping", 6, 0 },
	{ "flapping ends when it is steady and good", "!..!..!.........", "", -1, 1 },
	{ "flapping ends when it is steady and bad", "!.!.!!!!!!!!!!!!", "confirmed", 2, 0 },
	{ "what was good for long is news when it comes again", "!!............!", "opened", -1,
	    1 },
};

static void
check_course(const struct course_case *c)
{
	struct fixture           fixture;
	struct said              said = east_well;
	const struct board_view *view;

	fixture_init(&fixture);
	fixture.rules.critical = (struct hysteresis){ 2, 3, 2 };
	board_free(fixture.board);
	fixture.board = fixture_board(&fixture);
	fixture_say(&fixture, &global_well);
	for (size_t i = 0; c->looks[i] != '\0'; i++) {
		said.at_ms = T0_MS + (int64_t)i * 60000;
		said.missing = c->looks[i] == '!';
		fixture_say(&fixture, &said);
	}
	view = fixture_view(&fixture, "vm-a");
	if (view->open_count != (c->state[0] != '\0') ||
	    board_closed_count(fixture.board) != c->closed)
		fail_msg("%s: %zu open, %zu closed", c->name, view->open_count,
		    board_closed_count(fixture.board));
	if (view->open_count > 0) {
		const struct store_finding *finding = &view->open[0]->finding;

		if (strcmp(finding->state, c->state) != 0)
			fail_msg("%s: %s", c->name, finding->state);
		assert_int_equal(finding->confirmed_ms,
		    c->confirmed_at >= 0 ? T0_MS + c->confirmed_at * 60000 : 0);
		assert_int_equal(finding->closed_ms, 0);
	}
	fixture_fini(&fixture);
}

static void
test_course(void **state)
{
	for (size_t i = 0; i < sizeof(course_cases) / sizeof(course_cases[0]); i++) {
		print_message("%s\n", course_cases[i].name);
		check_course(&course_cases[i]);
	}
}

/* What is sent long after it was seen opens and closes as of then, and calls nobody now. */
static void
test_backfill(void **state)
{
	struct fixture              fixture;
	const struct board_agent   *agent;
	const struct store_finding *finding;
	struct said                 said = east_missing;
	int64_t                     now_ms = T0_MS + INT64_C(86400000);

	fixture_init(&fixture);
	fixture_say_late(&fixture, &said, now_ms);
	agent = board_agent_find(fixture.board, "vm-a");
	finding = &fixture_view(&fixture, "vm-a")->open[0]->finding;
	assert_string_equal(finding->state, "confirmed");
	assert_int_equal(finding->confirmed_ms, said.at_ms);
	assert_false(board_is_silent(fixture.board, agent, now_ms));
	assert_true(board_is_old(fixture.board, agent, finding, now_ms));
	assert_false(board_is_alarm(fixture.board, agent, finding, now_ms));
	assert_true(board_is_alarm(fixture.board, agent, finding, said.at_ms));
	said.at_ms = now_ms;
	fixture_say(&fixture, &said);
	finding = &fixture_view(&fixture, "vm-a")->open[0]->finding;
	assert_true(board_is_alarm(fixture.board, agent, finding, now_ms));
	fixture_fini(&fixture);
}

/* Backlog that comes after news changes nothing of now. */
static void
test_old_news(void **state)
{
	struct fixture fixture;
	struct said    old = east_missing;

	fixture_init(&fixture);
	fixture_say(&fixture, &global_well);
	fixture_say(&fixture, &east_well);
	old.at_ms = T0_MS - 60000;
	fixture_say(&fixture, &old);
	assert_int_equal(fixture_view(&fixture, "vm-a")->open_count, 0);
	assert_int_equal(fixture_view(&fixture, "vm-a")->seen_count, 2);
	fixture_fini(&fixture);
}

static void
test_agents_are_apart(void **state)
{
	struct fixture fixture;
	struct said    other = east_well;

	fixture_init(&fixture);
	fixture_say(&fixture, &east_missing);
	other.agent = "vm-b";
	fixture_say(&fixture, &other);
	assert_int_equal(board_agent_count(fixture.board), 2);
	assert_int_equal(fixture_view(&fixture, "vm-a")->open_count, 1);
	assert_int_equal(fixture_view(&fixture, "vm-b")->open_count, 0);
	fixture_fini(&fixture);
}

static void
test_silence_is_unknown(void **state)
{
	struct fixture            fixture;
	const struct board_agent *agent;
	const struct place       *place;

	fixture_init(&fixture);
	fixture_say(&fixture, &east_missing);
	agent = board_agent_find(fixture.board, "vm-a");
	place = NULL;
	for (size_t i = 0; i < agent->views[0]->verdict->place_count; i++) {
		if (strcmp(agent->views[0]->verdict->places[i].target->region, "eastus") == 0)
			place = &agent->views[0]->verdict->places[i];
	}
	assert_non_null(place);
	assert_false(board_is_silent(fixture.board, agent, east_missing.at_ms + SILENT_MS));
	assert_int_equal(
	    board_state(fixture.board, place, east_missing.at_ms + SILENT_MS), STATE_CRITICAL);
	assert_true(board_is_silent(fixture.board, agent, east_missing.at_ms + SILENT_MS + 1));
	assert_int_equal(board_state(fixture.board, place, east_missing.at_ms + SILENT_MS + 1),
	    STATE_UNKNOWN);
	fixture_fini(&fixture);
}

/* A region that is added to the document is missed at once, without a new measurement. */
static void
test_new_document(void **state)
{
	struct fixture fixture;
	struct said    west = { "vm-a", "contoso", "westeurope", true, T0_MS };
	unsigned       before;

	fixture_init(&fixture);
	fixture_say(&fixture, &global_well);
	fixture_say(&fixture, &east_well);
	fixture_say(&fixture, &west);
	before = (unsigned)fixture_view(&fixture, "vm-a")->open_count;
	fixture_document(&fixture, true);
	assert_true(documents_scan(fixture.documents, fixture_on_trouble, NULL));
	board_judge_all(fixture.board);
	documents_release(fixture.documents);
	assert_int_equal(fixture_view(&fixture, "vm-a")->open_count, before + 1);
	assert_false(documents_scan(fixture.documents, fixture_on_trouble, NULL));
	fixture_fini(&fixture);
}

static unsigned troubles;

static void
count_trouble(void *arg, const struct err *err)
{
	troubles++;
	assert_non_null(strstr(err->text, "contoso.json"));
}

static void
test_broken_document_keeps(void **state)
{
	struct fixture fixture;

	fixture_init(&fixture);
	troubles = 0;
	fixture_write(&fixture, "contoso.json", "{\"name\": \"contoso\", ");
	assert_false(documents_scan(fixture.documents, count_trouble, NULL));
	assert_false(documents_scan(fixture.documents, count_trouble, NULL));
	assert_int_equal(troubles, 1); /* told once */
	assert_int_equal(documents_broken(fixture.documents), 1);
	assert_int_equal(documents_count(fixture.documents), 1);
	assert_non_null(documents_find(fixture.documents, "contoso"));
	fixture_document(&fixture, true);
	assert_true(documents_scan(fixture.documents, count_trouble, NULL));
	assert_int_equal(documents_broken(fixture.documents), 0);
	documents_release(fixture.documents);
	fixture_fini(&fixture);
}

/* What a new process reads from the store is what the old one knew. */
static void
test_rebuilt_from_store(void **state)
{
	struct fixture fixture;
	struct board  *old;
	struct err     err = { 0 };

	fixture_init(&fixture);
	fixture_say(&fixture, &global_well);
	fixture_say(&fixture, &east_well);
	fixture_say(&fixture, &east_missing);
	assert_int_equal(fixture.told, 1);
	old = fixture.board;
	fixture.board = fixture_board(&fixture);
	assert_true(board_load(fixture.board, fixture.store, &err));
	assert_int_equal(fixture.told, 1); /* nothing new to say */
	assert_int_equal(fixture_view(&fixture, "vm-a")->open_count, 1);
	assert_int_equal(
	    fixture_view(&fixture, "vm-a")->open[0]->finding.opened_ms, T0_MS + 60000);
	assert_int_equal(board_agent_find(fixture.board, "vm-a")->last_seen_ms,
	    board_agent_find(old, "vm-a")->last_seen_ms);
	board_free(old);
	fixture_fini(&fixture);
}

/* An agent may have accounts of its own, of which the collector has no document, in any cloud. */
static void
test_cloud_without_document(void **state)
{
	static const struct {
		const char *suffix, *host, *zone;
		enum api    api;
	} cases[] = {
		{ NULL, "fabrikam.documents.azure.com", "privatelink.documents.azure.com",
		    API_SQL },
		{ "documents.azure.cn", "fabrikam.documents.azure.cn",
		    "privatelink.documents.azure.cn", API_SQL },
		{ "cassandra.cosmos.azure.us", "fabrikam.documents.azure.us",
		    "privatelink.documents.azure.us", API_CASSANDRA },
		{ "documents.azure.example", "fabrikam.documents.azure.example",
		    "privatelink.documents.azure.example", API_SQL },
		{ "strange.example", "fabrikam.documents.azure.com",
		    "privatelink.documents.azure.com", API_SQL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture           fixture;
		struct said              said = global_well;
		const struct board_view *view;

		fixture_init(&fixture);
		said.account = "fabrikam";
		fixture.suffix = cases[i].suffix;
		fixture_say_of(&fixture, &said, cases[i].api, MODE_GATEWAY);
		view = fixture_view(&fixture, "vm-a");
		assert_false(view->has_document);
		assert_string_equal(view->account->host, cases[i].host);
		assert_string_equal(view->account->zone, cases[i].zone);
		assert_int_equal(view->account->apis, 1u << cases[i].api);
		fixture_fini(&fixture);
	}
}

static void
look_again(struct fixture *fixture)
{
	assert_true(documents_scan(fixture->documents, fixture_on_trouble, NULL));
	board_judge_touched(fixture->board);
	documents_release_before(fixture->documents, board_generation(fixture->board));
}

/* A change in one account's own document costs the views of that account, and nobody else's. */
static void
test_judges_what_changed(void **state)
{
	struct fixture            fixture;
	struct said               other = global_well;
	const struct board_agent *agent;
	uint64_t                  first;

	fixture_init(&fixture);
	other.account = "fabrikam";
	fixture_say(&fixture, &global_well);
	fixture_say(&fixture, &other);
	agent = board_agent_find(fixture.board, "vm-a");
	first = documents_generation(fixture.documents);
	assert_int_equal(board_generation(fixture.board), first);
	fixture_document(&fixture, true);
	look_again(&fixture);
	assert_true(documents_touched(fixture.documents, "contoso"));
	assert_false(documents_touched(fixture.documents, "fabrikam"));
	assert_int_equal(agent->views[0]->generation, first + 1);
	assert_int_equal(agent->views[1]->generation, first); /* still borrows */
	assert_true(documents_retired(fixture.documents) > 0);
	other.at_ms += 60000;
	fixture_say(&fixture, &other);
	assert_int_equal(agent->views[1]->generation, first + 1);
	documents_release_before(fixture.documents, board_generation(fixture.board));
	assert_int_equal(documents_retired(fixture.documents), 0);
	/* A zone is everybody's. */
	fixture_write(&fixture, "zone.json",
	    "{\"id\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
	    "privateDnsZones/privatelink.documents.azure.com\",\"name\":"
	    "\"privatelink.documents.azure.com\",\"type\":"
	    "\"Microsoft.Network/privateDnsZones\",\"properties\":{}}");
	look_again(&fixture);
	assert_int_equal(board_generation(fixture.board), first + 2);
	/* One that is silent does not make us keep documents for ever. */
	for (int i = 0; i < 300; i++) {
		fixture_document(&fixture, i % 2 == 0 ? false : true);
		look_again(&fixture);
		assert_in_range(documents_retired(fixture.documents), 0, 210);
	}
	fixture_fini(&fixture);
}

static void
test_forgotten(void **state)
{
	struct fixture fixture;
	struct said    other = global_well;

	fixture_init(&fixture);
	fixture_say(&fixture, &east_missing);
	other.account = "fabrikam";
	other.at_ms = T0_MS + 20 * (int64_t)SILENT_MS;
	fixture_say(&fixture, &other); /* the agent lives, and looks at contoso no more */
	assert_int_equal(board_agent_find(fixture.board, "vm-a")->view_count, 1);
	assert_int_equal(board_closed_count(fixture.board), 1);
	board_forget(fixture.board, other.at_ms + 1);
	assert_int_equal(board_agent_count(fixture.board), 0);
	fixture_fini(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_and_closes),
		cmocka_unit_test(test_course),
		cmocka_unit_test(test_backfill),
		cmocka_unit_test(test_old_news),
		cmocka_unit_test(test_cloud_without_document),
		cmocka_unit_test(test_agents_are_apart),
		cmocka_unit_test(test_silence_is_unknown),
		cmocka_unit_test(test_new_document),
		cmocka_unit_test(test_broken_document_keeps),
		cmocka_unit_test(test_rebuilt_from_store),
		cmocka_unit_test(test_judges_what_changed),
		cmocka_unit_test(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
