/* board_fixture: a board with a document and what agents say, without a network. */
#ifndef TESTS_COLLECTOR_BOARD_FIXTURE_H
#define TESTS_COLLECTOR_BOARD_FIXTURE_H

#include "base/arena.h"
#include "base/file.h"
#include "collector/board.h"
#include "collector/intake.h"
#include "proto/encode.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SILENT_MS = 300000, T0_MS = 1000000000 };

struct fixture {
	char                folder[64];
	struct documents   *documents;
	struct board       *board;
	struct store       *store;   /* memory: what the board tells */
	unsigned            told;    /* findings that were told */
	struct board_rules  rules;   /* of boards that are made from here on */
	const char         *network; /* of those who speak from here on */
	struct propagation *propagation;
	const char     *suffix;  /* of the names that agents say; NULL: of the public cloud */
	struct outside *outside; /* what they see outside; NULL: nobody asks there */
	const char     *vnet;    /* of the agents' vitals; NULL: none come */
	const struct conf_list *networks; /* NULL: none */
};

static inline void
fixture_on_trouble(void *arg, const struct err *err)
{
	fail_msg("%s", err->text);
}

static inline void
fixture_on_findings(
    void *arg, struct arena *arena, const struct store_finding *findings, size_t count)
{
	struct fixture *fixture = arg;
	struct err      err;

	fixture->told += (unsigned)count;
	if (!store_put(fixture->store, findings, count, &err))
		fail_msg("%s", err.text);
	arena_free(arena);
}

static inline void
fixture_write(struct fixture *fixture, const char *name, const char *text)
{
	char *path = mem_printf("%s/%s", fixture->folder, name);

	assert_true(file_replace(path, text, strlen(text), 0600, NULL));
	free(path);
}

/* An account "contoso" with East US, and with West Europe when asked for. */
static inline void
fixture_document(struct fixture *fixture, bool west)
{
	char *text = mem_printf(
	    "{\"name\":\"contoso\",\"kind\":\"GlobalDocumentDB\",\"documentEndpoint\":"
	    "\"https://contoso.documents.azure.com:443/\",\"provisioningState\":\"Succeeded\","
	    "\"publicNetworkAccess\":\"Disabled\",\"locations\":[{\"locationName\":\"East US\","
	    "\"failoverPriority\":0,\"provisioningState\":\"Succeeded\",\"documentEndpoint\":"
	    "\"https://contoso-eastus.documents.azure.com:443/\"}%s]}",
	    west ? ",{\"locationName\":\"West Europe\",\"failoverPriority\":1,"
	           "\"provisioningState\":\"Succeeded\",\"documentEndpoint\":"
	           "\"https://contoso-westeurope.documents.azure.com:443/\"}"
	         : "");

	fixture_write(fixture, "contoso.json", text);
	free(text);
}

static inline struct board *
fixture_board(struct fixture *fixture)
{
	struct board_options options = { .documents = fixture->documents,
		.rules = fixture->rules,
		.propagation = fixture->propagation,
		.networks = fixture->networks,
		.silent_ms = SILENT_MS,
		.on_findings = fixture_on_findings,
		.arg = fixture };

	return board_new(&options);
}

static inline void
fixture_init(struct fixture *fixture)
{
	struct err err = { 0 };

	*fixture = (struct fixture){ .folder = "/tmp/plprobe-board-XXXXXX" };
	fixture->network = "vnet-a";
	assert_non_null(mkdtemp(fixture->folder));
	fixture_document(fixture, false);
	fixture->documents = documents_new(fixture->folder);
	assert_true(documents_scan(fixture->documents, fixture_on_trouble, NULL));
	fixture->store = store_open("memory:", false, &err);
	assert_non_null(fixture->store);
	fixture->propagation = propagation_new();
	propagation_learn(fixture->propagation, fixture->documents, T0_MS);
	propagation_loaded(fixture->propagation);
	fixture->board = fixture_board(fixture);
}

static inline void
fixture_fini(struct fixture *fixture)
{
	char *command = mem_printf("rm -rf %s", fixture->folder);

	board_free(fixture->board);
	propagation_free(fixture->propagation);
	documents_free(fixture->documents);
	store_close(fixture->store);
	assert_int_equal(system(command), 0);
	free(command);
}

/* What one agent says of one name: all well, or no such name. */
struct said {
	const char *agent, *account, *region;
	bool        missing;
	int64_t     at_ms;
};

/* In Direct mode it has one replica, which answers well.  Of other APIs than NoSQL it is Cassandra's
 * name, and its front end. */
static inline void
fixture_say_at(struct fixture *fixture, const struct said *said, enum api api, enum mode mode,
    int64_t received_ms)
{
	bool            direct = mode == MODE_DIRECT;
	static uint32_t seq;
	struct arena   *arena = arena_new();
	const char     *suffix = fixture->suffix != NULL ? fixture->suffix
	        : api == API_SQL                         ? "documents.azure.com"
	                                                 : "cassandra.cosmos.azure.com";
	const char     *label = arena_printf(
	        arena, "%s%s%s", said->account, said->region[0] != '\0' ? "-" : "", said->region);
	const char *host = arena_printf(arena, "%s.%s", label, suffix);
	struct hop hop = { host, arena_printf(arena, "%s.privatelink.%s", label, suffix), 300 };
	/* Each name has an address of its own. */
	struct rdata address = { said->region[0] == '\0' ? "10.0.0.4"
		    : said->region[0] == 'e'             ? "10.0.0.5"
		                                         : "10.0.0.6",
		10 };
	struct dns         dns = { .resolver = "10.0.0.2",
		        .outcome = said->missing ? OUTCOME_NXDOMAIN : OUTCOME_OK,
		        .rcode = said->missing ? 3 : 0,
		        .negative_ttl_s = said->missing ? 60 : 0,
		        .transport = TRANSPORT_UDP,
		        .took_us = 1500,
		        .aaaa_outcome = OUTCOME_NODATA,
		        .hops = &hop,
		        .hops_count = 1,
		        .addresses = &address,
		        .addresses_count = said->missing ? 0 : 1 };
	struct greeting    greeting = { .outcome = OUTCOME_OK, .wants_login = true };
	struct endpoint    endpoint = { .address = address.address,
		   .port = 443,
		   .tcp = OUTCOME_OK,
		   .tls = OUTCOME_OK,
		   .http = OUTCOME_OK,
		   .http_status = 401,
		   .http_connect_us = 1000,
		   .http_tls_us = 2000,
		   .http_wait_us = 3000,
		   .http_total_us = 7000,
		   .not_after_ms = T0_MS + INT64_C(300) * 86400000 };
	bool               sql = api == API_SQL;
	struct replica     replica = { .host = host,
		    .port = 21226,
		    .origin = ORIGIN_FEED,
		    .end = &endpoint,
		    .context = OUTCOME_OK,
		    .status = 200 };
	struct target      target = { .account = said->account,
		     .api = api,
		     .region = said->region,
		     .host = host,
		     .port = sql ? 443 : 10350,
		     .mode = mode };
	struct measurement seen = { .target = &target,
		.started_ms = said->at_ms,
		.took_us = 8000,
		.dns = &dns,
		.dns_count = 1,
		.endpoints = &endpoint,
		.endpoints_count = said->missing || direct ? 0 : 1,
		.outside = fixture->outside,
		.origin = direct ? ORIGIN_FEED : ORIGIN_NONE,
		.replicas = &replica,
		.replicas_count = direct ? 1 : 0 };
	struct vitals      vitals = { .at_ms = said->at_ms, .vnet = fixture->vnet };
	struct wbuf        bytes, more;
	struct store_row   row = { intake_key(arena, &target), said->at_ms, &seen, NULL, 0 };
	struct store_batch batch = { .agent = said->agent,
		.network = fixture->network,
		.epoch = 1,
		.seq = ++seq,
		.received_ms = received_ms,
		.created_ms = said->at_ms,
		.body = (const uint8_t *)"",
		.rows = &row,
		.row_count = 1 };
	const struct store_batch *batches = &batch;
	enum store_answer         answer;
	struct err                err;

	if (!sql) {
		endpoint.http = OUTCOME_NOT_RUN;
		endpoint.http_status = 0;
		endpoint.greeting = &greeting;
	}
	wbuf_init(&bytes);
	encode_message(&measurement_desc, &seen, &bytes);
	row.bytes = bytes.bytes;
	row.count = bytes.count;
	wbuf_init(&more);
	if (fixture->vnet != NULL) {
		encode_message(&vitals_desc, &vitals, &more);
		batch.vitals_bytes = more.bytes;
		batch.vitals_count = more.count;
	}
	assert_true(store_append(fixture->store, &batches, 1, &answer, &err));
	assert_int_equal(answer, STORE_STORED);
	board_take(fixture->board, &batch, false);
	wbuf_fini(&more);
	wbuf_fini(&bytes);
	arena_free(arena);
}

static inline void
fixture_say_in(struct fixture *fixture, const struct said *said, enum mode mode)
{
	fixture_say_at(fixture, said, API_SQL, mode, said->at_ms);
}

static inline void
fixture_say_of(struct fixture *fixture, const struct said *said, enum api api, enum mode mode)
{
	fixture_say_at(fixture, said, api, mode, said->at_ms);
}

static inline void
fixture_say_late(struct fixture *fixture, const struct said *said, int64_t received_ms)
{
	fixture_say_at(fixture, said, API_SQL, MODE_GATEWAY, received_ms);
}

static inline void
fixture_say(struct fixture *fixture, const struct said *said)
{
	fixture_say_in(fixture, said, MODE_GATEWAY);
}

static inline const struct board_view *
fixture_view(const struct fixture *fixture, const char *agent)
{
	const struct board_agent *found = board_agent_find(fixture->board, agent);

	assert_non_null(found);
	assert_true(found->view_count > 0);
	return found->views[0];
}

#endif
