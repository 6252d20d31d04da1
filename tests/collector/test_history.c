/* Judging stored batches again from nothing gives the same findings, byte for byte.  The batches
 * come from a seed, and the collector that took them started anew in their midst. */
#include "tests/collector/board_fixture.h"

#include "base/base64.h"
#include "collector/history.h"
#include "tests/support/support_records.h"

enum { AGENTS = 3, REGIONS = 2, ROUNDS = 240 };

static const char *const regions[REGIONS] = { "", "eastus" };

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
	dns->addresses->address = region[0] == '\0' ? "10.0.0.4" : "10.0.0.5";
	*seen = (struct measurement){
		.target = target, .started_ms = at_ms, .dns = dns, .dns_count = 1
	};
}

/* One round of one agent, as it comes over the wire. */
static void
take(struct fixture *fixture, int agent, uint32_t seq, int64_t at_ms,
    struct support_random *random)
{
	struct arena     *arena = arena_new();
	struct record     records[REGIONS] = { 0 };
	struct batch      batch = { .v = 1,
		     .agent = arena_printf(arena, "vm-%d", agent),
		     .epoch = 7,
		     .seq = seq,
		     .network = "vnet-a/default",
		     .created_ms = at_ms,
		     .records = records,
		     .records_count = REGIONS };
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

static void
start_anew(struct fixture *fixture)
{
	struct err err = { 0 };

	board_free(fixture->board);
	fixture->board = fixture_board(fixture);
	if (!board_load(fixture->board, fixture->store, &err))
		fail_msg("%s", err.text);
}

static char *
write_history(const struct fixture *fixture, bool rejudge)
{
	struct history_ask ask = { .store = fixture->store,
		.documents = fixture->documents,
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

static void
test_same_again(void **state)
{
	struct fixture        fixture;
	struct support_random random = support_random_new();
	char                 *kept, *again, *twice;

	fixture_init(&fixture);
	fixture.rules = (struct board_rules){ { 2, 3, 2 }, { 3, 5, 2 } };
	start_anew(&fixture);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		for (int agent = 0; agent < AGENTS; agent++)
			take(&fixture, agent, round,
			    T0_MS + (int64_t)round * 60000 + agent * 700, &random);
		if (round % 37 == 0)
			start_anew(&fixture);
	}
	kept = write_history(&fixture, false);
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
	ask.documents = fixture.documents;
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
		cmocka_unit_test(test_broken_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
