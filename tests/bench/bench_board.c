/* bench_board: what a fleet of 10,000 agents that look at 3 accounts of 3 regions costs the
 * collector: judging all of it again, one batch, and its page.
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
#include "collector/metrics_fleet.h"
#include "collector/page_cache.h"
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
write_document(const char *folder, int number, int ip_rules)
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
	wbuf_puts(&text, "],\"ipRules\":[");
	for (int i = 0; i < ip_rules; i++)
		wbuf_printf(
		    &text, "%s{\"ipAddressOrRange\":\"192.0.2.%d\"}", i > 0 ? "," : "", i);
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

static json_t *
make_state(const struct query *query)
{
	return query_state(query, NULL);
}

static json_t *
make_findings(const struct query *query)
{
	return query_findings(query, false, 0, QUERY_PAGE_MAX);
}

static json_t *
make_failover(const struct query *query)
{
	return fleet_failover(query, NULL);
}

/* What an open page asks for every few seconds. */
static const struct part {
	const char *path;
	json_t *(*make)(const struct query *query);
} parts[] = { { "/v1/state", make_state }, { "/v1/findings", make_findings },
	{ "/v1/incidents", fleet_incidents }, { "/v1/propagation", fleet_propagation },
	{ "/v1/failover", make_failover } };

enum { PARTS = sizeof(parts) / sizeof(parts[0]), PAGES = 20, REFRESH_S = 5, MINUTE_S = 60 };

/* As page_json.c does it. */
static size_t
answer_part(const struct query *query, struct page_cache *cache, size_t part, uint64_t version,
    int64_t now_us, double *took_s)
{
	struct page_cache_ask   ask = { parts[part].path, NULL, version, now_us };
	struct page_cache_bytes kept;
	struct wbuf             out;
	int64_t                 start_us = clock_mono_us(clock_system());
	json_t                 *answer;

	if (page_cache_find(cache, &ask, &kept)) {
		*took_s = seconds_since(start_us);
		return kept.count;
	}
	wbuf_init(&out);
	answer = parts[part].make(query);
	json_write(&out, answer, 0);
	json_decref(answer);
	*took_s = seconds_since(start_us);
	kept = (struct page_cache_bytes){ out.bytes, out.count };
	page_cache_keep(cache, &ask, (int64_t)(*took_s * 1e6), &kept);
	wbuf_fini(&out);
	return kept.count;
}

/* Made anew at each refresh, and as the cache has it: many pages open for a minute, while batches come
 * all the time, so that nothing stays as it was. */
static void
measure_page(const struct query *query)
{
	struct page_cache *cache = page_cache_new();
	struct wbuf        metrics;
	int64_t            start_us;
	double             anew_s = 0, all_s = 0, took_s;

	for (size_t i = 0; i < PARTS; i++) {
		size_t bytes = answer_part(query, cache, i, 0, 0, &took_s);

		printf("%s: %.0f ms, %zu KiB\n", parts[i].path, took_s * 1e3, bytes / 1024);
		anew_s += took_s;
	}
	page_cache_free(cache);
	wbuf_init(&metrics);
	start_us = clock_mono_us(clock_system());
	metrics_fleet(query, &metrics);
	printf("incidents and failover for Prometheus: %.0f ms, %zu KiB\n",
	    seconds_since(start_us) * 1e3, metrics.count / 1024);
	wbuf_fini(&metrics);
	cache = page_cache_new();
	for (int at = 0; at < PAGES * MINUTE_S / REFRESH_S; at++) {
		int64_t now_us = (int64_t)at * US_PER_S * REFRESH_S / PAGES;

		for (size_t i = 0; i < PARTS; i++) {
			(void)answer_part(query, cache, i, (uint64_t)at, now_us, &took_s);
			all_s += took_s;
		}
	}
	page_cache_free(cache);
	printf("%d open pages for a minute: %.2f s of the loop, without the cache %.2f s\n",
	    PAGES, all_s, anew_s * PAGES * MINUTE_S / REFRESH_S);
}

static void
run(struct board *board, struct documents *documents, const char *folder)
{
	const struct clock *clock = clock_system();
	int64_t             start_us = clock_mono_us(clock);
	struct query        query = {
		       .board = board, .documents = documents, .now_ms = started_ms + 61000
	};
	double all, batch;

	for (int i = 0; i < AGENTS; i++)
		take(board, i, 0);
	printf("first round: %d batches taken and judged in %.2f s\n", AGENTS,
	    seconds_since(start_us));
	start_us = clock_mono_us(clock);
	board_judge_all(board);
	all = seconds_since(start_us);
	printf("%d agents x %d accounts judged whole: %.2f s (wanted: under 5 s)\n", AGENTS,
	    ACCOUNTS, all);
	write_document(folder, 0, 30);
	start_us = clock_mono_us(clock);
	documents_scan(documents, on_trouble, NULL);
	board_judge_touched(board);
	documents_release_before(documents, board_generation(board));
	printf("the document of one account of %d is another: %.2f s\n", ACCOUNTS,
	    seconds_since(start_us));
	told = 0;
	start_us = clock_mono_us(clock);
	for (int i = 0; i < BATCHES; i++)
		take(board, i, 1);
	batch = seconds_since(start_us) / BATCHES;
	printf("one batch of one agent: %.0f us, decoded, judged, %zu findings told of %d\n",
	    batch * 1e6, told, BATCHES);
	measure_page(&query);
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
		write_document(folder, i, 0);
	documents = documents_new(folder);
	documents_scan(documents, on_trouble, NULL);
	options.documents = documents;
	board = board_new(&options);
	run(board, documents, folder);
	board_free(board);
	documents_free(documents);
	for (int i = 0; i < ACCOUNTS; i++) {
		char *path = mem_printf("%s/account%d.json", folder, i);

		unlink(path);
		free(path);
	}
	return rmdir(folder);
}
