#include "collector/page.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "collector/embed.h"
#include "collector/fleet.h"
#include "collector/metrics.h"
#include "collector/metrics_fleet.h"
#include "collector/params.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char json_media[] = "application/json";

static json_t *
make_error(const char *text)
{
	return json_pack("{s:s}", "error", text);
}

static void
write_value(struct wbuf *out, json_t *value)
{
	json_write(out, value, 0);
	wbuf_puts(out, "\n");
	json_decref(value);
}

static void
answer_error(struct request *request, unsigned status, const char *text)
{
	struct wbuf out;

	wbuf_init(&out);
	write_value(&out, make_error(text));
	request_answer(request, status, json_media, out.bytes, out.count);
	wbuf_fini(&out);
}

/* What is to be answered: JSON, or other text. */
struct reply {
	json_t     *value; /* owned until it is written */
	struct wbuf bytes;
	unsigned    status;
};

static void
on_state(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	reply->value = query_state(&ask->query, params_text(arena, query, "account"));
}

static void
on_findings(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	bool   closed = params_number(query, "closed", 0, 1) == 1;
	size_t skip = params_number(query, "skip", 0, UINT32_MAX);
	size_t count = params_number(query, "count", QUERY_PAGE_MAX, QUERY_PAGE_MAX);

	reply->value = query_findings(&ask->query, closed, skip, count);
}

static void
on_agents(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	reply->value = query_agents(&ask->query);
}

static void
on_accounts(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	reply->value = query_accounts(&ask->query);
}

static void
on_incidents(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	reply->value = fleet_incidents(&ask->query);
}

static void
on_failover(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	reply->value = fleet_failover(&ask->query, params_text(arena, query, "account"));
}

static void
on_propagation(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	reply->value = fleet_propagation(&ask->query);
}

static void
on_cell(const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	struct query_cell cell = { .agent = params_text(arena, query, "agent"),
		.account = params_text(arena, query, "account"),
		.region = params_text(arena, query, "region"),
		.host = params_text(arena, query, "host"),
		.api = params_text(arena, query, "api"),
		.mode = params_text(arena, query, "mode") };

	if (cell.region == NULL)
		cell.region = "";
	if (cell.agent == NULL || cell.account == NULL) {
		reply->status = 400;
		reply->value = make_error("want ?agent=...&account=...&region=...");
		return;
	}
	reply->value = query_cell(&ask->query, &cell);
	if (reply->value == NULL) {
		reply->status = 404;
		reply->value = make_error("no such cell");
	}
}

static void
on_metrics(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	metrics_board(ask->query.board, ask->query.now_ms, &reply->bytes);
	metrics_fleet(&ask->query, &reply->bytes);
	ask->write_metrics(ask->arg, &reply->bytes);
}

static void
on_health(
    const struct page_ask *ask, const char *query, struct arena *arena, struct reply *reply)
{
	wbuf_puts(&reply->bytes, "ok\n");
}

static const struct route {
	const char *path, *type;
	void (*make)(const struct page_ask *ask, const char *query, struct arena *arena,
	    struct reply *reply);
} routes[] = {
	{ "/v1/state", json_media, on_state },
	{ "/v1/findings", json_media, on_findings },
	{ "/v1/agents", json_media, on_agents },
	{ "/v1/accounts", json_media, on_accounts },
	{ "/v1/cell", json_media, on_cell },
	{ "/v1/incidents", json_media, on_incidents },
	{ "/v1/failover", json_media, on_failover },
	{ "/v1/propagation", json_media, on_propagation },
	{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", on_metrics },
	{ "/healthz", "text/plain", on_health },
};

static const struct {
	const char *ending, *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".svg", "image/svg+xml" },
	{ "", "application/octet-stream" },
};

static const char *
find_type(const char *name)
{
	size_t at = 0;

	while (!text_ends_nocase(name, types[at].ending))
		at++;
	return types[at].type;
}

static bool
answer_file(struct request *request, const char *path)
{
	const struct embedded_file *file = collector_web;
	uint8_t                     digest[DIGEST_BYTES];
	char                        etag[DIGEST_HEX + 2], hex[DIGEST_HEX];
	const char                 *known = request_header(request, "If-None-Match");

	path = strcmp(path, "/") == 0 ? "index.html" : path + 1;
	while (file->name != NULL && strcmp(file->name, path) != 0)
		file++;
	if (file->name == NULL)
		return false;
	digest_sha256(file->bytes, file->count, digest);
	snprintf(etag, sizeof(etag), "\"%s\"", digest_hex(digest, DIGEST_BYTES, hex));
	request_set(request, "Cache-Control", "no-cache");
	request_set(request, "ETag", etag);
	if (known != NULL && strstr(known, etag) != NULL)
		request_answer(request, 304, NULL, NULL, 0);
	else
		request_answer(request, 200, find_type(file->name), file->bytes, file->count);
	return true;
}

/* Makes the answer of a route, and keeps it when that was work. */
static void
make_answer(const struct page_ask *ask, struct request *request, const struct route *route,
    const struct page_cache_ask *asked)
{
	struct arena *arena = arena_new();
	struct reply  reply = { .status = 200 };
	int64_t       took_us;

	wbuf_init(&reply.bytes);
	route->make(ask, request_query(request), arena, &reply);
	if (reply.value != NULL)
		write_value(&reply.bytes, reply.value);
	took_us = clock_mono_us(clock_system()) - asked->now_us;
	/* Before the answer, with which the request ends. */
	if (ask->cache != NULL && reply.status == 200)
		page_cache_keep(ask->cache, asked, took_us,
		    &(struct page_cache_bytes){ reply.bytes.bytes, reply.bytes.count });
	request_answer(
	    request, reply.status, route->type, reply.bytes.bytes, reply.bytes.count);
	wbuf_fini(&reply.bytes);
	arena_free(arena);
}

static void
answer_route(const struct page_ask *ask, struct request *request)
{
	struct page_cache_ask   asked = { request_path(request), request_query(request),
		  board_version(ask->query.board), clock_mono_us(clock_system()) };
	struct page_cache_bytes kept;
	size_t                  at = 0, count = sizeof(routes) / sizeof(routes[0]);

	while (at < count && strcmp(request_path(request), routes[at].path) != 0)
		at++;
	if (at == count)
		answer_error(request, 404, "no such page");
	else if (ask->cache != NULL && page_cache_find(ask->cache, &asked, &kept))
		request_answer(request, 200, routes[at].type, kept.bytes, kept.count);
	else
		make_answer(ask, request, &routes[at], &asked);
}

void
page_answer(const struct page_ask *ask, struct request *request)
{
	enum request_method method = request_method(request);

	if (method != REQUEST_GET && method != REQUEST_HEAD) {
		request_set(request, "Allow", "GET, HEAD");
		answer_error(request, 405, "only GET and HEAD");
	} else if (!answer_file(request, request_path(request))) {
		answer_route(ask, request);
	}
}
