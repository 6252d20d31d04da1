#include "collector/page.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "collector/embed.h"
#include "collector/fleet.h"
#include "collector/metrics.h"
#include "collector/params.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static void
answer_json(struct request *request, unsigned status, json_t *value)
{
	struct wbuf out;

	wbuf_init(&out);
	json_write(&out, value, 0);
	wbuf_puts(&out, "\n");
	json_decref(value);
	request_answer(request, status, "application/json", out.bytes, out.count);
	wbuf_fini(&out);
}

static void
answer_error(struct request *request, unsigned status, const char *text)
{
	answer_json(request, status, json_pack("{s:s}", "error", text));
}

static void
on_state(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	answer_json(request, 200,
	    query_state(&ask->query, params_text(arena, request_query(request), "account")));
}

static void
on_findings(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	const char *query = request_query(request);
	bool        closed = params_number(query, "closed", 0, 1) == 1;
	size_t      skip = params_number(query, "skip", 0, UINT32_MAX);
	size_t      count = params_number(query, "count", QUERY_PAGE_MAX, QUERY_PAGE_MAX);

	answer_json(request, 200, query_findings(&ask->query, closed, skip, count));
}

static void
on_agents(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	answer_json(request, 200, query_agents(&ask->query));
}

static void
on_accounts(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	answer_json(request, 200, query_accounts(&ask->query));
}

static void
on_incidents(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	answer_json(request, 200, fleet_incidents(&ask->query));
}

static void
on_failover(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	answer_json(request, 200,
	    fleet_failover(&ask->query, params_text(arena, request_query(request), "account")));
}

static void
on_propagation(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	answer_json(request, 200, fleet_propagation(&ask->query));
}

static void
on_cell(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	const char       *query = request_query(request);
	struct query_cell cell = { .agent = params_text(arena, query, "agent"),
		.account = params_text(arena, query, "account"),
		.region = params_text(arena, query, "region"),
		.host = params_text(arena, query, "host"),
		.api = params_text(arena, query, "api"),
		.mode = params_text(arena, query, "mode") };
	json_t           *value;

	if (cell.region == NULL)
		cell.region = "";
	if (cell.agent == NULL || cell.account == NULL) {
		answer_error(request, 400, "want ?agent=...&account=...&region=...");
		return;
	}
	value = query_cell(&ask->query, &cell);
	if (value == NULL)
		answer_error(request, 404, "no such cell");
	else
		answer_json(request, 200, value);
}

static void
on_metrics(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	struct wbuf out;

	wbuf_init(&out);
	metrics_board(ask->query.board, ask->query.now_ms, &out);
	ask->write_metrics(ask->arg, &out);
	request_answer(
	    request, 200, "text/plain; version=0.0.4; charset=utf-8", out.bytes, out.count);
	wbuf_fini(&out);
}

static void
on_health(const struct page_ask *ask, struct request *request, struct arena *arena)
{
	request_answer(request, 200, "text/plain", "ok\n", 3);
}

static const struct {
	const char *path;
	void (*answer)(
	    const struct page_ask *ask, struct request *request, struct arena *arena);
} routes[] = {
	{ "/v1/state", on_state },
	{ "/v1/findings", on_findings },
	{ "/v1/agents", on_agents },
	{ "/v1/accounts", on_accounts },
	{ "/v1/cell", on_cell },
	{ "/v1/incidents", on_incidents },
	{ "/v1/failover", on_failover },
	{ "/v1/propagation", on_propagation },
	{ "/metrics", on_metrics },
	{ "/healthz", on_health },
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

static void
answer_route(const struct page_ask *ask, struct request *request)
{
	struct arena *arena = arena_new();
	size_t        at = 0, count = sizeof(routes) / sizeof(routes[0]);

	while (at < count && strcmp(request_path(request), routes[at].path) != 0)
		at++;
	if (at < count)
		routes[at].answer(ask, request, arena);
	else
		answer_error(request, 404, "no such page");
	arena_free(arena);
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
