#include "probe/https/https_request.h"

#include "probe/https/https_easy.h"
#include "probe/https/https_multi.h"

#include <assert.h>
#include <curl/curl.h>
#include <stdlib.h>

enum { IDLE_MAX = 16 };

static const struct clock *
clock_of(const struct https_request *request)
{
	return probes_options(request->requests->probes)->clock;
}

static void on_refusal(void *arg, unsigned what);

static struct https_request *
make_request(struct https_requests *requests)
{
	struct https_request *request = mem_alloc(sizeof(*request));

	request->requests = requests;
	wbuf_init(&request->body);
	loop_watch_init(
	    &request->refusal, probes_options(requests->probes)->loop, on_refusal, request);
	https_easy_open(request);
	return request;
}

static void
free_request(struct https_request *request)
{
	https_easy_close(request);
	wbuf_fini(&request->body);
	loop_watch_fini(&request->refusal);
	free(request);
}

static struct https_request *
take_request(struct https_requests *requests)
{
	struct https_request *request = requests->idle;

	if (request != NULL) {
		requests->idle = request->next;
		requests->idle_count--;
	} else {
		request = make_request(requests);
	}
	request->next = requests->active;
	requests->active = request;
	return request;
}

static void
give_back(struct https_request *request)
{
	struct https_requests *requests = request->requests;
	struct https_request **link = &requests->active;

	if (request->asking)
		https_multi_remove(requests->multi, request->easy);
	request->asking = false;
	https_easy_forget(request);
	request->ask.line = NULL;
	loop_watch_stop(&request->refusal);
	while (*link != request)
		link = &(*link)->next;
	*link = request->next;
	if (requests->idle_count == IDLE_MAX) {
		free_request(request);
		return;
	}
	request->next = requests->idle;
	requests->idle = request;
	requests->idle_count++;
}

/* The end. */

/* The last thing that happens to the request: what it leaves outlives it for the callback. */
static void
finish(struct https_request *request, int code)
{
	const struct https_request_ask ask = request->ask;
	struct https_seen              seen = request->seen;
	struct https_answer            answer = request->answer;
	struct arena                  *arena = probe_ask(ask.probe)->arena;
	struct wbuf                    body = request->body;

	seen.code = code;
	seen.late_us = clock_mono_us(clock_of(request)) - request->due_us;
	if (code != CURLE_OK)
		seen.text = arena_strdup(arena,
		    request->text[0] != '\0' ? request->text
		                             : curl_easy_strerror((CURLcode)code));
	seen.why = request->why.text[0] != '\0' ? arena_strdup(arena, request->why.text) : "";
	answer.body = (const char *)body.bytes;
	answer.body_bytes = body.count;
	wbuf_init(&request->body);
	give_back(request);
	ask.on_over(ask.arg, &seen, &answer);
	wbuf_fini(&body);
}

static void
on_done(void *arg, void *easy, int code)
{
	void *private = NULL;

	curl_easy_getinfo((CURL *)easy, CURLINFO_PRIVATE, &private);
	https_easy_look(private);
	finish(private, code);
}

static void
on_refusal(void *arg, unsigned what)
{
	finish(arg, CURLE_FAILED_INIT);
}

/* The beginning. */

static void
clear(struct https_request *request, const struct https_request_ask *ask)
{
	request->ask = *ask;
	request->seen = (struct https_seen){
		.text = "",
		.wanted = ask->peer,
		.proxy = request->requests->proxy,
		.kept = ask->line != NULL && ask->line->fd >= 0,
		.target = ask->target,
		.body_max = ask->body_max,
		.limit_ms = ask->limit_ms,
	};
	request->answer = (struct https_answer){ 0 };
	request->why = (struct err){ 0 };
	request->text[0] = '\0';
	request->fd = ask->line != NULL ? ask->line->fd : -1;
	request->started_us = clock_mono_us(clock_of(request));
	request->due_us = request->started_us + ask->limit_ms * US_PER_MS;
	request->connected_us = 0;
}

struct https_request *
https_request_start(struct https_requests *requests, const struct https_request_ask *ask)
{
	struct https_request *request = take_request(requests);
	struct https_spec     spec;

	assert(ask->limit_ms > 0 && ask->body_kept <= ask->body_max);
	clear(request, ask);
	if (!https_spec_make(&spec, ask->host, &ask->peer, ask->target,
	        probe_ask(ask->probe)->arena, &request->why)) {
		request->seen.stop = HTTPS_STOP_SPEC;
		loop_watch_set(&request->refusal, -1, 0, 0);
		return request;
	}
	request->seen.target = spec.path;
	https_easy_ask(request, &spec);
	request->asking = true;
	https_multi_add(requests->multi, request->easy);
	return request;
}

void
https_request_cancel(struct https_request *request)
{
	wbuf_clear(&request->body);
	give_back(request);
}

struct https_line *
https_line_new(struct https_requests *requests)
{
	struct https_line *line = mem_alloc(sizeof(*line));

	line->requests = requests;
	line->fd = -1;
	line->pool = https_easy_pool_open();
	line->next = requests->lines;
	requests->lines = line;
	return line;
}

void
https_line_free(struct https_line *line)
{
	struct https_line **link;

	if (line == NULL)
		return;
	https_easy_pool_close(line->pool);
	for (link = &line->requests->lines; *link != line; link = &(*link)->next)
		;
	*link = line->next;
	free(line);
}

struct https_requests *
https_requests_new(struct probes *probes, struct err *err)
{
	const struct probe_options *options = probes_options(probes);
	struct https_requests      *requests = mem_alloc(sizeof(*requests));

	requests->probes = probes;
	if (options->proxy != NULL && !https_spec_proxy(&requests->proxy, options->proxy, err))
		goto fail;
	requests->multi = https_multi_new(options->loop, on_done, requests, err);
	if (requests->multi == NULL)
		goto fail;
	return requests;
fail:
	https_requests_free(requests);
	return NULL;
}

void
https_requests_free(struct https_requests *requests)
{
	if (requests == NULL)
		return;
	assert(requests->active == NULL && requests->lines == NULL);
	while (requests->idle != NULL) {
		struct https_request *request = requests->idle;

		requests->idle = request->next;
		free_request(request);
	}
	https_multi_free(requests->multi);
	free(requests->proxy);
	free(requests);
}
