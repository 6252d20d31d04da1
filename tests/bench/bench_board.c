/* bench_board: what a fleet of 10,000 agents that look at 3 accounts of 3 regions costs the
 * collector: judging all of it again, one batch, and its incidents.
 *
 * One VNet of ten does not have the records of one region, and one agent of a hundred has trouble
 * of its own.
 */
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "collector/board.h"
#include "collector/fleet.h"
#include "collector/intake.h"
#include "proto/encode.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AGENTS = 10000, VNETS = 100, ACCOUNTS = 3, NAMES = 4, BATCHES = 1000 };

static const int64_t     started_ms = 1000000000000;
static const char *const regions[NAMES] = { "", "eastus", "westeurope", "northeurope" };
static const char *const titles[NAMES] = { "", "East US", "West Europe", "North Europe" };

static size_t told;

static void
on_findings(void *arg, struct arena *arena, const struct store_finding *findings, size_t count)
{
	told += count;
	arena_free(arena);
}

static void
on_trouble(void *arg, const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
}

static void
write_document(const char *folder, int number)
{
	char       *path = mem_printf("%s/account%d.json", folder, number);
	struct wbuf text;
	struct err  err;

	wbuf_init(&text);
	wbuf_printf(&text,
	    "{\"name\":\"account%d\",\"documentEndpoint\":"
	    "\"https://account%d.documents.azure.com:443/\",\"locations\":[",
	    number, number);
	for (int i = 1; i < NAMES; i++)
		wbuf_printf(&text,
		    "%s{\"locationName\":\"%s\",\"failoverPriority\":%d,"
		    "\"provisioningState\":\"Succeeded\",\"documentEndpoint\":"
		    "\"https://account%d-%s.documents.azure.com:443/\"}",
		    i > 1 ? "," : "", titles[i], i - 1, number, regions[i]);
	wbuf_puts(&text, "]}");
	if (!file_replace(path, text.bytes, text.count, 0600, &err))
		fprintf(stderr, "%s\n", err.text);
	wbuf_fini(&text);
	free(path);
}

static bool
is_missing(int agent, int account, int name, int64_t round)
{
	int vnet = agent % VNETS;

	if (vnet % 10 == 0 && name == 2)
		return true;
	return (agent + round) % 100 == 7 && account == 1 && name == 1;
}

static void
fill(struct arena *arena, struct measurement *seen, int account, int name, bool missing,
    int64_t at_ms)
{
	struct target   *target = arena_alloc(arena, sizeof(*target));
	struct dns      *dns = arena_alloc(arena, sizeof(*dns));
	struct hop      *hop = arena_alloc(arena, sizeof(*hop));
	struct rdata    *address = arena_alloc(arena, sizeof(*address));
	struct endpoint *endpoint = arena_alloc(arena, sizeof(*endpoint));
	const char      *label = arena_printf(
	         arena, "account%d%s%s", account, name > 0 ? "-" : "", regions[name]);

	target->account = arena_printf(arena, "account%d", account);
	target->region = regions[name];
	target->host = arena_printf(arena, "%s.documents.azure.com", label);
	target->port = 443;
	target->interval_ms = 60000;
	hop->owner = target->host;
	hop->target = arena_printf(arena, "%s.privatelink.documents.azure.com", label);
	address->address = arena_printf(arena, "10.%d.0.%d", account, name + 4);
	*dns = (struct dns){ .resolver = "10.0.0.2",
		.outcome = missing ? OUTCOME_NXDOMAIN : OUTCOME_OK,
		.rcode = missing ? 3 : 0,
		.hops = hop,
		.hops_count = 1,
		.addresses = address,
		.addresses_count = missing ? 0 : 1 };
	*endpoint = (struct endpoint){ .address = address->address,
		.port = 443,
		.tcp = OUTCOME_OK,
		.tls = OUTCOME_OK,
		.http = OUTCOME_OK,
		.http_status = 401 };
	*seen = (struct measurement){ .target = target,
		.started_ms = at_ms,
		.took_us = 8000,
		.dns = dns,
		.dns_count = 1,
		.endpoints = endpoint,
		.endpoints_count = missing ? 0 : 1 };
}

/* One batch of one agent, as ingest hands it on. */
static void
take(struct board *board, int number, int64_t round)
{
	struct arena      *arena = arena_new();
	struct store_row   rows[ACCOUNTS * NAMES];
	int64_t            at_ms = started_ms + round * 60000;
	struct store_batch batch = { .agent = arena_printf(arena, "vm-%05d", number),
		.network = arena_printf(
		    arena, "vnet-%02d/subnet-%d", number % VNETS, number / VNETS % 4),
		.received_ms = at_ms,
		.created_ms = at_ms,
		.rows = rows };

	for (int i = 0; i < ACCOUNTS; i++) {
		for (int j = 0; j < NAMES; j++) {
			struct store_row   *row = &rows[batch.row_count++];
			struct measurement *seen = arena_alloc(arena, sizeof(*seen));
			struct wbuf         bytes;

			fill(arena, seen, i, j, is_missing(number, i, j, round), at_ms);
			wbuf_init(&bytes);
			encode_message(&measurement_desc, seen, &bytes);
			row->key = intake_key(arena, seen->target);
			row->at_ms = at_ms;
			row->seen = seen;
			row->bytes = memcpy(
			    arena_alloc(arena, bytes.count), bytes.bytes, bytes.count);
			row->count = bytes.count;
			wbuf_fini(&bytes);
		}
	}
	board_take(board, &batch, false);
	arena_free(arena);
}

static double
seconds_since(int64_t start_us)
{
	return (double)(clock_mono_us(clock_system()) - start_us) / 1e6;
}

static void
run(struct board *board, const struct documents *documents)
{
	const struct clock *clock = clock_system();
	int64_t             start_us = clock_mono_us(clock);
	struct query        query = {
		       .board = board, .documents = documents, .now_ms = started_ms + 61000
	};
	struct wbuf out;
	json_t     *answer;
	double      all, batch;

	for (int i = 0; i < AGENTS; i++)
		take(board, i, 0);
	printf("first round: %d batches taken and judged in %.2f s\n", AGENTS,
	    seconds_since(start_us));
	start_us = clock_mono_us(clock);
	board_judge_all(board);
	all = seconds_since(start_us);
	printf("%d agents x %d accounts judged whole: %.2f s (wanted: under 5 s)\n", AGENTS,
	    ACCOUNTS, all);
	told = 0;
	start_us = clock_mono_us(clock);
	for (int i = 0; i < BATCHES; i++)
		take(board, i, 1);
	batch = seconds_since(start_us) / BATCHES;
	printf("one batch of one agent: %.0f us, decoded, judged, %zu findings told of %d\n",
	    batch * 1e6, told, BATCHES);
	start_us = clock_mono_us(clock);
	answer = fleet_incidents(&query);
	wbuf_init(&out);
	json_write(&out, answer, 0);
	printf("incidents of the fleet: %.0f ms, %zu KiB of JSON\n",
	    seconds_since(start_us) * 1e3, out.count / 1024);
	printf("%.300s\n", wbuf_text(&out));
	json_decref(answer);
	wbuf_clear(&out);
	start_us = clock_mono_us(clock);
	answer = fleet_failover(&query, NULL);
	json_write(&out, answer, 0);
	printf("failover of the fleet: %.0f ms, %zu KiB of JSON\n",
	    seconds_since(start_us) * 1e3, out.count / 1024);
	json_decref(answer);
	wbuf_fini(&out);
}

int
main(void)
{
	char                 folder[] = "/tmp/plprobe-bench-XXXXXX";
	struct documents    *documents;
	struct board_options options = { .rules = { { 2, 3, 2 }, { 3, 5, 2 } },
		.silent_ms = 300000,
		.on_findings = on_findings };
	struct board        *board;

	if (mkdtemp(folder) == NULL)
		return 1;
	for (int i = 0; i < ACCOUNTS; i++)
		write_document(folder, i);
	documents = documents_new(folder);
	documents_scan(documents, on_trouble, NULL);
	options.documents = documents;
	board = board_new(&options);
	run(board, documents);
	board_free(board);
	documents_free(documents);
	for (int i = 0; i < ACCOUNTS; i++) {
		char *path = mem_printf("%s/account%d.json", folder, i);

		unlink(path);
		free(path);
	}
	return rmdir(folder);
}
