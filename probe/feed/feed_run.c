#include "probe/feed/feed.h"

#include "base/date.h"
#include "base/digest.h"
#include "base/text.h"
#include "probe/feed/feed_chain.h"
#include "probe/feed/feed_json.h"
#include "probe/feed/feed_secret.h"
#include "probe/https/https_request.h"

#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 10, DETAIL_MAX = 255 };

/* A timer that fires this far behind its deadline says nothing of the signer. */
static const int64_t late_max_us = 100 * US_PER_MS;

/* The life of each request of the chain, in order.  enter() alone writes run->state. */
enum state { RUN_SIGN, RUN_ASK, RUN_WAIT };

struct run {
	struct probe          *probe;    /* borrowed; lives as long as the run */
	struct https_requests *requests; /* borrowed; outlives us */
	struct https_line     *line;     /* owned */
	struct feed_chain     *chain;    /* in the arena of the ask */
	enum state             state;
	void                  *signing; /* RUN_SIGN: the signer's; NULL: none */
	struct https_request  *request; /* RUN_ASK: owned */
	struct loop_watch      timer;   /* RUN_SIGN: the deadline; RUN_WAIT: when to go on */
	int64_t                due_us, answered_us; /* monotonic */
	int64_t                asked_us;            /* the first request; 0: there was none */
	char                   date[DATE_TEXT];     /* of this request */
	struct feed_secret     secret;
};

static void ask_signer(struct run *run);

static int64_t
now_us(const struct run *run)
{
	return clock_mono_us(probe_options(run->probe)->clock);
}

static int64_t
now_wall_ms(const struct run *run)
{
	return clock_wall_ms(probe_options(run->probe)->clock);
}

static void
enter(struct run *run, enum state next, int64_t limit_us)
{
	run->state = next;
	if (limit_us >= 0)
		loop_watch_set(&run->timer, -1, 0, limit_us);
	else
		loop_watch_stop(&run->timer);
}

static void
free_run(struct run *run)
{
	loop_watch_fini(&run->timer);
	https_line_free(run->line);
	digest_wipe(&run->secret, sizeof(run->secret));
	free(run);
}

static void
withhold_secrets(struct run *run)
{
	const struct probe_ask *ask = probe_ask(run->probe);
	size_t                  dropped = 0;

	feed_secret_withhold(&run->secret, ask->feed);
	if (ask->feed_found != NULL)
		dropped = feed_secret_drop(&run->secret, ask->feed_found);
	if (dropped > 0)
		ask->feed->detail = arena_printf(
		    ask->arena, "%zu addresses dropped: they quoted our credential", dropped);
}

/* The last thing that happens to the probe. */
static void
finish(struct run *run)
{
	struct probe *probe = run->probe;
	struct feed  *feed = probe_ask(probe)->feed;
	int64_t       took_us = run->answered_us - run->asked_us;

	if (run->asked_us != 0 && took_us > 0)
		feed->took_us = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
	withhold_secrets(run);
	free_run(run);
	probe_over(probe);
}

static void
give_up_signing(struct run *run, enum outcome outcome, const char *why)
{
	feed_chain_unsigned(run->chain, outcome,
	    text_sane(probe_ask(run->probe)->arena, why, strlen(why), DETAIL_MAX));
	finish(run);
}

static void
step_answer(struct run *run, const struct https_answer *answer)
{
	uint32_t wait_ms = 0;
	int64_t  left_us = run->due_us - now_us(run);

	switch (feed_chain_hear(run->chain, answer, now_wall_ms(run), &wait_ms)) {
	case FEED_ASK: ask_signer(run); return;
	case FEED_WAIT:
		if (wait_ms * US_PER_MS >= left_us)
			break; /* what the chain has noted stands */
		enter(run, RUN_WAIT, wait_ms * US_PER_MS);
		return;
	case FEED_OVER: break;
	}
	finish(run);
}

static void
on_answer(void *arg, const struct https_seen *seen, const struct https_answer *answer)
{
	struct run      *run = arg;
	struct https_end end = https_record_end(seen, probe_ask(run->probe)->arena);

	run->request = NULL;
	run->answered_us = now_us(run);
	if (end.outcome == OUTCOME_OK) {
		step_answer(run, answer);
		return;
	}
	feed_chain_break(
	    run->chain, answer->status != 0 ? answer : NULL, end.outcome, end.detail);
	finish(run);
}

/* "name: value" of each, NULL at the end. */
static void
list_headers(const struct run *run, const char *authorization, const char *headers[])
{
	const struct feed_request *request = feed_chain_request(run->chain);
	struct arena              *arena = probe_ask(run->probe)->arena;
	size_t                     count = 0;

	headers[count++] = authorization;
	headers[count++] = arena_printf(arena, "x-ms-date: %s", run->date);
	headers[count++] = "x-ms-version: 2020-07-15";
	headers[count++] = "Accept: application/json";
	headers[count++] = "Cache-Control: no-cache";
	if (request->thin)
		headers[count++] = "x-ms-cosmos-use-thinclient: true";
	if (request->refresh)
		headers[count++] = "x-ms-force-refresh: True";
	if (request->continuation != NULL)
		headers[count++] = arena_printf(
		    arena, "x-ms-continuation: %s", request->continuation);
	headers[count] = NULL;
}

static void
ask_gateway(struct run *run, const char *authorization, int64_t left_ms)
{
	const struct probe_ask  *ask = probe_ask(run->probe);
	const char              *headers[HEADERS_MAX];
	struct https_request_ask request = {
		.probe = run->probe,
		.host = ask->host,
		.peer = ask->peer,
		.target = feed_chain_request(run->chain)->target,
		.headers = headers,
		.line = run->line,
		.body_max = FEED_BODY_MAX,
		.body_kept = FEED_BODY_MAX,
		.limit_ms = left_ms,
		.on_over = on_answer,
		.arg = run,
	};

	list_headers(run, authorization, headers);
	if (run->asked_us == 0)
		run->asked_us = now_us(run);
	enter(run, RUN_ASK, -1);
	run->request = https_request_start(run->requests, &request);
}

/* A signer that is another process may send what it likes; a header ends at its line. */
static bool
is_header(const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value < ' ' || *value > '~')
			return false;
	}
	return true;
}

static void
on_signed(void *arg, const char *header, const char *why)
{
	struct run *run = arg;
	int64_t     left_ms = (run->due_us - now_us(run)) / US_PER_MS;
	char       *authorization;

	run->signing = NULL;
	if (header == NULL) {
		give_up_signing(run, OUTCOME_LOCAL, why != NULL ? why : "nobody signs for us");
		return;
	}
	if (!is_header(header)) {
		give_up_signing(run, OUTCOME_LOCAL, "what was signed is no header");
		return;
	}
	if (left_ms <= 0) {
		give_up_signing(run, OUTCOME_LOCAL, "signed too late for any request");
		return;
	}
	/* Each signature is looked for in what was told until the next. */
	feed_secret_withhold(&run->secret, probe_ask(run->probe)->feed);
	feed_secret_note(&run->secret, header);
	authorization = mem_printf("authorization: %s", header);
	ask_gateway(run, authorization, left_ms);
	digest_wipe(authorization, strlen(authorization));
	free(authorization);
}

static void
ask_signer(struct run *run)
{
	const struct probe_ask    *ask = probe_ask(run->probe);
	const struct signer       *signer = ask->feed_ask->signer;
	const struct feed_request *request = feed_chain_request(run->chain);
	const struct signer_ask    question = {
		   .account = ask->feed_ask->account,
		   .host = ask->host,
		   .verb = "GET",
		   .type = request->type,
		   .link = request->link,
		   .date = run->date,
	};
	int64_t left_us = run->due_us - now_us(run);

	date_render(run->date, now_wall_ms(run));
	enter(run, RUN_SIGN, left_us > 0 ? left_us : 0);
	run->signing = signer->start(signer->arg, &question, on_signed, run);
}

static void
stop_signing(struct run *run)
{
	const struct signer *signer = probe_ask(run->probe)->feed_ask->signer;

	if (run->signing != NULL)
		signer->cancel(run->signing);
	run->signing = NULL;
}

static void
step_unsigned(struct run *run)
{
	bool late = now_us(run) - run->due_us > late_max_us;

	stop_signing(run);
	give_up_signing(run, late ? OUTCOME_AGENT_LATE : OUTCOME_LOCAL,
	    late ? "our own loop came late: no statement" : "no signature came in time");
}

static void
on_timer(void *arg, unsigned what)
{
	struct run *run = arg;

	switch (run->state) {
	case RUN_SIGN: step_unsigned(run); break;
	case RUN_ASK: break; /* the request keeps its own time */
	case RUN_WAIT: ask_signer(run); break;
	}
}

static void *
start_feed(struct probe *probe, void *shared)
{
	const struct probe_ask *ask = probe_ask(probe);
	struct run             *run = mem_alloc(sizeof(*run));
	char                    text[ADDR_TEXT];

	run->probe = probe;
	run->requests = shared;
	run->line = https_line_new(shared);
	loop_watch_init(&run->timer, probe_options(probe)->loop, on_timer, run);
	run->due_us = now_us(run) + ask->limit_ms * US_PER_MS;
	ask->feed->address = arena_strdup(
	    ask->arena, addr_render(&ask->peer, text, sizeof(text)));
	run->chain = feed_chain_new(ask->feed_ask, ask->feed, ask->feed_found, ask->arena);
	ask_signer(run);
	return run;
}

static void
cancel_feed(void *arg)
{
	struct run *run = arg;

	stop_signing(run);
	if (run->request != NULL)
		https_request_cancel(run->request);
	free_run(run);
}

static bool
init_feed(struct probes *probes, void **shared, struct err *err)
{
	*shared = https_requests_new(probes, err);
	return *shared != NULL;
}

static void
free_feed(void *shared)
{
	https_requests_free(shared);
}

const struct probe_kind probe_feed = {
	.name = "feed",
	.init = init_feed,
	.fini = free_feed,
	.start = start_feed,
	.cancel = cancel_feed,
};
