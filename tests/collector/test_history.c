/* Judging stored batches again from nothing gives the same findings, byte for byte.  The batches
 * come from a seed; the collector that took them started anew in their midst, and the documents
 * changed under it, while it ran and while it did not. */
#include "tests/collector/board_fixture.h"

#include "base/base64.h"
#include "collector/history.h"
#include "collector/recall.h"
#include "tests/support/support_records.h"

#include <sqlite3.h>

enum { AGENTS = 3, REGIONS = 3, ROUNDS = 150 };

static const char *const regions[REGIONS] = { "", "eastus", "westeurope" };

/* When the documents were looked at last. */
static int64_t scanned_ms;

static void
fill_measurement(struct arena *arena, struct measurement *seen, const char *region,
    bool missing, int64_t at_ms)
{
	struct target *target = arena_alloc(arena, sizeof(*target));
	struct dns    *dns = arena_alloc(arena, sizeof(*dns));

	*target = (struct target){ .account = "contoso",
		.region = region,
		.host = arena_printf(arena, "contoso%s%s.documents.azure.com",
		    region[0] != '\0' ? "-" : "", region),
		.port = 443,
		.interval_ms = 60000 };
	*dns = (struct dns){ .resolver = "10.0.0.2",
		.outcome = missing ? OUTCOME_NXDOMAIN : OUTCOME_OK,
		.rcode = missing ? 3 : 0,
		.hops = arena_alloc(arena, sizeof(struct hop)),
		.hops_count = 1,
		.addresses = arena_alloc(arena, sizeof(struct rdata)),
		.addresses_count = missing ? 0 : 1 };
	dns->hops->owner = target->host;
	dns->hops->target = arena_printf(arena, "contoso%s%s.privatelink.documents.azure.com",
	    region[0] != '\0' ? "-" : "", region);
	dns->addresses->address = region[0] == '\0' ? "10.0.0.4"
	    : region[0] == 'e'                      ? "10.0.0.5"
	                                            : "10.0.0.6";
	*seen = (struct measurement){
		.target = target, .started_ms = at_ms, .dns = dns, .dns_count = 1
	};
}

/* The global name of the other account. */
static void
fill_other(struct arena *arena, struct measurement *seen, bool missing, int64_t at_ms)
{
	fill_measurement(arena, seen, "", missing, at_ms);
	seen->target->account = "fabrikam";
	seen->target->host = "fabrikam.documents.azure.com";
	seen->dns->hops->owner = seen->target->host;
	seen->dns->hops->target = "fabrikam.privatelink.documents.azure.com";
	seen->dns->addresses->address = "10.0.0.9";
}

/* One round of one agent, as it comes over the wire. */
static void
take(struct fixture *fixture, int agent, uint32_t seq, int64_t at_ms,
    struct support_random *random)
{
	struct arena     *arena = arena_new();
	struct record     records[REGIONS + 1] = { 0 };
	struct batch      batch = { .v = 1,
		     .agent = arena_printf(arena, "vm-%d", agent),
		     .epoch = 7,
		     .seq = seq,
		     .network = "vnet-a/default",
		     .created_ms = at_ms,
		     .records = records,
		     .records_count = REGIONS + 1 };
	struct intake     intake;
	struct intake_ask ask = {
		.agent = batch.agent, .network = "", .now_ms = at_ms + 500, .horizon_ms = at_ms
	};
	uint8_t                   digest[DIGEST_BYTES];
	char                      text[BASE64_ROOM(DIGEST_BYTES)];
	struct wbuf               body;
	const struct store_batch *stored = &intake.batch;
	enum store_answer         answer;
	struct err                err = { 0 };

	for (int i = 0; i < REGIONS; i++) {
		/* Long stretches of either, and some that flap. */
		static const uint64_t percents[] = { 5, 45, 95 };
		uint64_t              percent = percents[(seq / 30 + (unsigned)agent) % 3];
		bool                  missing = support_random_below(random, 100) < percent;

		records[i].measurement = arena_alloc(arena, sizeof(struct measurement));
		fill_measurement(arena, records[i].measurement, regions[i], missing, at_ms);
	}
	records[REGIONS].measurement = arena_alloc(arena, sizeof(struct measurement));
	fill_other(
	    arena, records[REGIONS].measurement, support_random_below(random, 100) < 30, at_ms);
	wbuf_init(&body);
	encode_message(&batch_desc, &batch, &body);
	digest_sha256(body.bytes, body.count, digest);
	ask.digest = arena_printf(
	    arena, "sha-256=:%s:", base64_encode(digest, DIGEST_BYTES, text));
	ask.body = body.bytes;
	ask.count = body.count;
	if (intake_read(&intake, arena, &ask, &err) != INTAKE_OK)
		fail_msg("%s", err.text);
	assert_true(store_append(fixture->store, &stored, 1, &answer, &err));
	assert_int_equal(answer, STORE_STORED);
	board_take(fixture->board, &intake.batch, intake.clock_suspect);
	wbuf_fini(&body);
	arena_free(arena);
}

/* As collector.c does it. */
static void
on_change(void *arg, const struct documents_change *change)
{
	struct fixture       *fixture = arg;
	struct store_document document = { .id = change->id,
		.kind = change->kind,
		.account = change->account,
		.change = change->what,
		.seen_ms = scanned_ms,
		.bytes = change->bytes,
		.count = change->count,
		.after = { .agent = NULL } };
	struct err            err = { 0 };

	if (fixture->board != NULL)
		document.after = board_mark(fixture->board);
	memcpy(document.digest, change->digest, DIGEST_BYTES);
	if (!store_keep(fixture->store, &document, 1, &err))
		fail_msg("%s", err.text);
}

static void
start_anew(struct fixture *fixture)
{
	struct err err = { 0 };

	board_free(fixture->board);
	fixture->board = NULL;
	documents_free(fixture->documents);
	fixture->documents = documents_new(fixture->folder);
	assert_true(recall_documents(fixture->documents, fixture->store, &err));
	documents_watch(fixture->documents, on_change, fixture);
	documents_scan(fixture->documents, fixture_on_trouble, NULL);
	fixture->board = fixture_board(fixture);
	if (!board_load(fixture->board, fixture->store, &err))
		fail_msg("%s", err.text);
}

static const char *
endpoint_of(const char *account, const char *address)
{
	static char text[1000];

	snprintf(text, sizeof(text),
	    "{\"id\":\"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
	    "privateEndpoints/"
	    "pe-%s\",\"name\":\"pe-%s\",\"type\":\"Microsoft.Network/"
	    "privateEndpoints\",\"properties\":{"
	    "\"provisioningState\":\"Succeeded\",\"privateLinkServiceConnections\":[{"
	    "\"properties\":{"
	    "\"privateLinkServiceId\":\"/subscriptions/s/resourceGroups/g/providers/"
	    "Microsoft.DocumentDB/databaseAccounts/%s\",\"groupIds\":[\"Sql\"],"
	    "\"privateLinkServiceConnectionState\":{\"status\":\"Approved\"}}}],"
	    "\"customDnsConfigs\":[{\"fqdn\":\"%s.documents.azure.com\",\"ipAddresses\":[\"%"
	    "s\"]}]}}",
	    account, account, account, account, address);
	return text;
}

/* Files of the other account, and of an endpoint, which is everybody's matter. */
static void
change_other_file(struct fixture *fixture, uint64_t what)
{
	char *text = mem_printf(
	    "{\"name\":\"fabrikam\",\"documentEndpoint\":\"https://"
	    "fabrikam.documents.azure.com/\","
	    "\"publicNetworkAccess\":\"%s\",\"locations\":[{\"locationName\":\"East US\","
	    "\"failoverPriority\":0,\"provisioningState\":\"Succeeded\",\"documentEndpoint\":"
	    "\"https://fabrikam-eastus.documents.azure.com:443/\"}]}",
	    what == 3 ? "Enabled" : "Disabled");

	if (what < 5)
		fixture_write(fixture, "fabrikam.json", text);
	else if (what == 5)
		fixture_write(fixture, "endpoint.json", endpoint_of("contoso", "10.0.0.5"));
	else
		fixture_write(fixture, "endpoint.json", endpoint_of("fabrikam", "10.0.0.9"));
	free(text);
}

/* The file says something else, or is gone. */
static void
change_file(struct fixture *fixture, uint64_t what)
{
	char *path = mem_printf("%s/contoso.json", fixture->folder);

	if (what < 2)
		fixture_document(fixture, what == 1);
	else if (what == 2)
		unlink(path);
	else
		change_other_file(fixture, what);
	free(path);
}

static void
look_at_files(struct fixture *fixture)
{
	if (!documents_scan(fixture->documents, fixture_on_trouble, NULL))
		return;
	board_judge_touched(fixture->board);
	documents_release_before(fixture->documents, board_generation(fixture->board));
}

static char *
write_history(const struct fixture *fixture, bool rejudge)
{
	struct history_ask ask = { .store = fixture->store,
		.rules = fixture->rules,
		.silent_ms = SILENT_MS,
		.rejudge = rejudge };
	struct wbuf        out;
	struct err         err = { 0 };

	wbuf_init(&out);
	if (!history_write(&ask, &out, &err))
		fail_msg("%s", err.text);
	return wbuf_take(&out);
}

/* Tells the first line that differs: the texts are long. */
static void
assert_same(const char *got, const char *wanted)
{
	while (got[0] != '\0' && wanted[0] != '\0') {
		size_t one = strcspn(got, "\n") + 1, other = strcspn(wanted, "\n") + 1;

		if (one != other || memcmp(got, wanted, one) != 0)
			fail_msg("got %.*swant %.*s", (int)one, got, (int)other, wanted);
		got += one;
		wanted += other;
	}
	assert_string_equal(got, wanted);
}

/* `changing`: the documents, too. */
static void
live(struct fixture *fixture, const char *url, struct support_random *random, bool changing)
{
	struct err err = { 0 };

	fixture_init(fixture);
	if (url != NULL) {
		char *whole = mem_printf("sqlite:%s/%s", fixture->folder, url);

		store_close(fixture->store);
		fixture->store = store_open(whole, false, &err);
		if (fixture->store == NULL)
			fail_msg("%s", err.text);
		free(whole);
	}
	fixture->rules = (struct board_rules){ { 2, 3, 2 }, { 3, 5, 2 } };
	scanned_ms = T0_MS;
	start_anew(fixture);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		int64_t at_ms = T0_MS + (int64_t)round * 60000;
		int     between = (int)support_random_below(random, AGENTS);

		for (int agent = 0; agent < AGENTS; agent++) {
			take(fixture, agent, round, at_ms + agent * 700, random);
			if (!changing || agent != between || round % 5 != 0)
				continue;
			change_file(fixture, support_random_below(random, 7));
			scanned_ms = at_ms + agent * 700 + 600; /* behind the arrival */
			look_at_files(fixture);
		}
		if (round % 37 != 0)
			continue;
		/* While it is not there. */
		if (changing)
			change_file(fixture, support_random_below(random, 7));
		scanned_ms = at_ms + 5000;
		start_anew(fixture);
	}
}

static void
compare_with_past(const char *url, bool changing)
{
	struct fixture        fixture;
	struct support_random random = support_random_new();
	char                 *kept, *again, *twice;

	live(&fixture, url, &random, changing);
	kept = write_history(&fixture, false);
	/* What a file says now does not matter. */
	change_file(&fixture, support_random_below(&random, 3));
	again = write_history(&fixture, true);
	twice = write_history(&fixture, true);
	assert_non_null(strstr(kept, "\tconfirmed\t"));
	assert_non_null(strstr(kept, "\tclosed\t"));
	assert_same(again, kept);
	assert_same(twice, kept);
	free(kept);
	free(again);
	free(twice);
	fixture_fini(&fixture);
}

static void
test_same_again(void **state)
{
	compare_with_past(NULL, false);
}

static void
test_same_with_documents_of_then(void **state)
{
	compare_with_past(NULL, true);
	compare_with_past("store.db", true);
}

static unsigned
count_text(const char *text, const char *part)
{
	unsigned count = 0;

	while ((text = strstr(text, part)) != NULL) {
		text += strlen(part);
		count++;
	}
	return count;
}

/* Before and behind one change: a region that is not the account's is not missing, and one that is
 * is; judged by today's document, the first half would say otherwise. */
static void
test_halves(void **state)
{
	static const char *const urls[] = { NULL, "store.db" };

	for (size_t i = 0; i < 2; i++) {
		struct fixture        fixture;
		struct support_random none = support_random_of(1);
		char                 *kept, *again;

		live(&fixture, urls[i], &none, false);
		kept = write_history(&fixture, false);
		assert_null(strstr(kept, "West Europe: name does not exist"));
		free(kept);
		fixture_document(&fixture, true);
		scanned_ms = T0_MS + (ROUNDS + 1) * INT64_C(60000);
		look_at_files(&fixture);
		kept = write_history(&fixture, false);
		start_anew(&fixture);
		again = write_history(&fixture, true);
		assert_same(again, kept);
		assert_int_equal(count_text(again, "\n"), count_text(kept, "\n"));
		free(kept);
		free(again);
		fixture_fini(&fixture);
	}
}

/* A store of before versions said what they came behind: by their times. */
static void
test_old_versions(void **state)
{
	struct fixture        fixture;
	struct support_random random = support_random_new();
	char                 *kept, *again, *path;
	sqlite3              *database;

	live(&fixture, "store.db", &random, true);
	kept = write_history(&fixture, false);
	path = mem_printf("%s/store.db", fixture.folder);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(database, "UPDATE documents SET after_agent = NULL", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(database);
	again = write_history(&fixture, true);
	assert_same(again, kept);
	free(kept);
	free(again);
	free(path);
	fixture_fini(&fixture);
}

/* A body that cannot be read says which it is. */
static void
test_broken_body(void **state)
{
	struct fixture     fixture;
	const struct said  said = { "vm-a", "contoso", "", false, T0_MS };
	struct wbuf        out;
	struct err         err = { 0 };
	struct history_ask ask = { .silent_ms = SILENT_MS, .rejudge = true };

	fixture_init(&fixture);
	fixture_say(&fixture, &said); /* has no body */
	ask.store = fixture.store;
	wbuf_init(&out);
	assert_false(history_write(&ask, &out, &err));
	assert_non_null(strstr(err.text, "of vm-a"));
	wbuf_fini(&out);
	fixture_fini(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_same_with_documents_of_then),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_old_versions),
		cmocka_unit_test(test_broken_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
