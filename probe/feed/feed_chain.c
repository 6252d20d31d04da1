#include "probe/feed/feed_chain.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/wbuf.h"
#include "probe/feed/feed_json.h"
#include "probe/feed/feed_percent.h"
#include "probe/feed/feed_refusal.h"
#include "probe/feed/feed_tally.h"
#include "base/date.h"
#include "probe/https/https_words.h"

#include <string.h>

/* Ranges in one addresses request, as the SDKs ask; a throttled request that names no time. */
enum { RANGES_A_REQUEST = 50, WAIT_PRESET_MS = 1000, DETAIL_MAX = 255 };

/* In the order of life.  enter() alone writes the step. */
enum step {
	STEP_ACCOUNT,
	STEP_DATABASES,
	STEP_CONTAINERS,
	STEP_CONTAINER,
	STEP_RANGES,
	STEP_ADDRESSES
};

static const struct {
	const char *name;
	const char *missing; /* what a 404 means */
} steps[] = {
	[STEP_ACCOUNT] = { "account", "a 404 of the service: it does not know the account" },
	[STEP_DATABASES] = { "databases", "a 404 of the service: it lists no databases" },
	[STEP_CONTAINERS] = { "containers", "a 404 of the service: no such database" },
	[STEP_CONTAINER] = { "container",
	    "a 404 of the service: no such database or container" },
	[STEP_RANGES] = { "ranges", "a 404 of the service: the container is gone" },
	[STEP_ADDRESSES] = { "addresses",
	    "a 404 of the service: it has no addresses for the container" },
};

struct feed_chain {
	const struct feed_ask *ask;   /* borrowed */
	struct feed           *feed;  /* borrowed */
	struct feed_found     *found; /* borrowed; may be NULL */
	struct arena          *arena; /* borrowed */
	enum step              step;
	struct feed_request    request;
	unsigned               pages;  /* read in this step */
	bool                   waited; /* for a throttled request; once is enough */
	bool                   cut;    /* a list went on where we stopped reading */

	const char      *database, *container, *rid; /* NULL: not known yet */
	struct feed_list databases, containers, ranges;
	size_t           database_at;    /* which of them is looked into */
	const char      *databases_next; /* continuation of their list; NULL: it has ended */
	unsigned         database_pages; /* of it, read so far */
	size_t           asked;          /* ranges whose addresses were asked for */
	struct feed_addresses addresses;
};

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static unsigned
ranges_max(const struct feed_chain *chain)
{
	unsigned most = chain->ask->ranges_max;

	if (most == 0)
		return FEED_RANGES_PRESET;
	return most < FEED_REPLICAS_MAX ? most : FEED_REPLICAS_MAX;
}

/* The next RANGES_A_REQUEST ids, in the query; they count as asked for. */
static const char *
list_ranges(struct feed_chain *chain)
{
	struct wbuf text;
	const char *list;

	wbuf_init(&text);
	for (unsigned i = 0; i < RANGES_A_REQUEST && chain->asked < chain->ranges.count; i++) {
		wbuf_puts(&text, i != 0 ? "," : "");
		wbuf_puts(&text,
		    feed_percent_text(chain->arena, chain->ranges.items[chain->asked++].id));
	}
	list = arena_strdup(chain->arena, wbuf_text(&text));
	wbuf_fini(&text);
	return list;
}

static struct feed_request
make_addresses(struct feed_chain *chain)
{
	struct feed_request request;

	if (chain->rid == NULL) {
		chain->feed->container = "dbs";
		request = feed_request_master();
	} else {
		request = feed_request_addresses(chain->arena, chain->rid, list_ranges(chain));
	}
	request.refresh = chain->ask->refresh;
	chain->feed->refreshed |= request.refresh;
	return request;
}

static struct feed_request
make_request(struct feed_chain *chain)
{
	struct arena *arena = chain->arena;

	switch (chain->step) {
	case STEP_ACCOUNT: break;
	case STEP_DATABASES: return feed_request_databases();
	case STEP_CONTAINERS: return feed_request_containers(arena, chain->database);
	case STEP_CONTAINER:
		return feed_request_container(arena, chain->database, chain->container);
	case STEP_RANGES: return feed_request_ranges(arena, chain->database, chain->container);
	case STEP_ADDRESSES: return make_addresses(chain);
	}
	return feed_request_account();
}

static enum feed_next
enter(struct feed_chain *chain, enum step next)
{
	chain->step = next;
	chain->pages = 0;
	chain->feed->step = steps[next].name;
	chain->request = make_request(chain);
	return FEED_ASK;
}

/* The end, however it came; what was told until then stays. */
static enum feed_next
finish(struct feed_chain *chain, enum outcome outcome, const char *detail)
{
	chain->feed->outcome = outcome;
	chain->feed->detail = detail;
	feed_tally(chain->feed, &chain->addresses, chain->arena);
	chain->feed->partitions_left = (uint32_t)(chain->ranges.told - chain->asked);
	if (chain->found != NULL)
		*chain->found = (struct feed_found){ .replicas = chain->addresses.replicas,
			.count = chain->addresses.count };
	return FEED_OVER;
}

static const char *
keep_words(const struct feed_chain *chain, const char *words)
{
	return text_sane(chain->arena, words, strlen(words), DETAIL_MAX);
}

/* A 200 whose body is not what it should be. */
static enum feed_next
refuse_body(struct feed_chain *chain, const struct https_answer *answer, const struct err *why)
{
	const char *body = answer->body;
	size_t      at = 0;

	while (at < answer->body_bytes && memchr(" \t\r\n", body[at], 4) != NULL)
		at++;
	if (why->kind == ERR_LIMIT)
		return finish(chain, OUTCOME_TOO_LARGE, keep_words(chain, why->text));
	if (why->kind == ERR_PEER)
		return finish(chain, OUTCOME_HTTP_OTHER, keep_words(chain, why->text));
	if (at < answer->body_bytes && (body[at] == '{' || body[at] == '['))
		return finish(chain, OUTCOME_BROKE_PROTOCOL, keep_words(chain, why->text));
	return finish(chain, OUTCOME_HTTP_OTHER, https_words_stranger(answer, chain->arena));
}

/* The same page again would say the same again. */
static bool
may_turn(const struct feed_chain *chain, const char *next)
{
	const char *last = chain->request.continuation;

	return chain->pages < FEED_PAGES_MAX && strlen(next) <= HTTPS_CONTINUATION_MAX &&
	    (last == NULL || strcmp(last, next) != 0);
}

/* Whether there is another page, and it may be asked for; then the request is ready. */
static bool
turn_page(struct feed_chain *chain, const struct https_answer *answer)
{
	const char *next = text_or_empty(answer->continuation);

	chain->pages++;
	if (next[0] == '\0')
		return false;
	if (!may_turn(chain, next)) {
		chain->cut = true;
		return false;
	}
	chain->request.continuation = arena_strdup(chain->arena, next);
	return true;
}

static void
name_container(struct feed_chain *chain)
{
	chain->feed->container = feed_request_link(
	    chain->arena, chain->database, chain->container);
}

/* On to the next page of databases, after those of this one had no container. */
static enum feed_next
list_more(struct feed_chain *chain)
{
	enter(chain, STEP_DATABASES);
	chain->pages = chain->database_pages;
	chain->request.continuation = chain->databases_next;
	chain->databases_next = NULL;
	return FEED_ASK;
}

static enum feed_next
choose_database(struct feed_chain *chain)
{
	if (chain->database_at == FEED_DATABASES_MAX)
		chain->cut = chain->databases.told > FEED_DATABASES_MAX ||
		    chain->databases_next != NULL;
	else if (chain->database_at == chain->databases.count && chain->databases_next != NULL)
		return list_more(chain);
	if (chain->database_at == chain->databases.count)
		return enter(chain, STEP_ADDRESSES); /* of the master partition */
	chain->database = chain->databases.items[chain->database_at++].id;
	chain->containers = (struct feed_list){ .count = 0 };
	return enter(chain, chain->container != NULL ? STEP_CONTAINER : STEP_CONTAINERS);
}

static enum feed_next
step_account(struct feed_chain *chain, const struct https_answer *answer, struct err *err)
{
	if (!feed_json_account(
	        chain->feed, answer->body, answer->body_bytes, chain->arena, err))
		return refuse_body(chain, answer, err);
	chain->feed->admitted = true;
	if (chain->ask->depth == FEED_ACCOUNT)
		return finish(chain, OUTCOME_OK, "");
	if (chain->database == NULL)
		return enter(chain, STEP_DATABASES);
	return enter(chain, chain->container != NULL ? STEP_CONTAINER : STEP_CONTAINERS);
}

static enum feed_next
step_databases(struct feed_chain *chain, const struct https_answer *answer, struct err *err)
{
	if (!feed_json_list(&chain->databases, "Databases", FEED_DATABASES_MAX, answer->body,
	        answer->body_bytes, chain->arena, err))
		return refuse_body(chain, answer, err);
	chain->databases_next = turn_page(chain, answer) ? chain->request.continuation : NULL;
	chain->database_pages = chain->pages;
	return choose_database(chain);
}

static enum feed_next
step_containers(struct feed_chain *chain, const struct https_answer *answer, struct err *err)
{
	const struct feed_item *first;

	if (!feed_json_list(&chain->containers, "DocumentCollections", 1, answer->body,
	        answer->body_bytes, chain->arena, err))
		return refuse_body(chain, answer, err);
	if (chain->containers.count == 0)
		return turn_page(chain, answer) ? FEED_ASK : choose_database(chain);
	first = &chain->containers.items[0];
	chain->container = first->id;
	name_container(chain);
	/* The list has told what the container itself would tell. */
	if (feed_json_database_rid(first->rid, chain->arena) == NULL)
		return enter(chain, STEP_CONTAINER);
	chain->rid = first->rid;
	return enter(chain, STEP_RANGES);
}

static enum feed_next
step_container(struct feed_chain *chain, const struct https_answer *answer, struct err *err)
{
	if (!feed_json_container(
	        &chain->rid, answer->body, answer->body_bytes, chain->arena, err)) {
		chain->rid = NULL;
		return refuse_body(chain, answer, err);
	}
	name_container(chain);
	return enter(chain, STEP_RANGES);
}

static enum feed_next
step_ranges(struct feed_chain *chain, const struct https_answer *answer, struct err *err)
{
	if (!feed_json_list(&chain->ranges, "PartitionKeyRanges", ranges_max(chain),
	        answer->body, answer->body_bytes, chain->arena, err))
		return refuse_body(chain, answer, err);
	if (turn_page(chain, answer))
		return FEED_ASK;
	if (chain->ranges.count == 0)
		return finish(chain, OUTCOME_HTTP_OTHER,
		    "the service tells no partition key range of the container");
	return enter(chain, STEP_ADDRESSES);
}

/* All went well, and yet something is left out. */
static const char *
say_incomplete(const struct feed_chain *chain)
{
	if (chain->addresses.bad != 0)
		return keep_words(chain,
		    arena_printf(chain->arena, "%zu addresses cannot be read; the first: %s",
		        chain->addresses.bad, chain->addresses.why));
	if (chain->cut)
		return "a list of the service has more pages than we read, or repeats itself";
	return "";
}

static enum feed_next
step_addresses(struct feed_chain *chain, const struct https_answer *answer, struct err *err)
{
	if (!feed_json_addresses(
	        &chain->addresses, answer->body, answer->body_bytes, chain->arena, err))
		return refuse_body(chain, answer, err);
	if (chain->asked < chain->ranges.count)
		return enter(chain, STEP_ADDRESSES);
	if (chain->addresses.count == 0)
		return finish(chain, OUTCOME_HTTP_OTHER,
		    chain->addresses.bad != 0
		        ? arena_printf(chain->arena, "no replica's address can be read: %s",
		              chain->addresses.why)
		        : "the service tells no replica");
	return finish(chain, OUTCOME_OK, say_incomplete(chain));
}

/* What the head of any answer says; nothing is left of the error of the one before. */
static void
note_head(struct feed *feed, const struct https_answer *answer)
{
	feed->http_status = answer->status;
	feed->substatus = https_answer_substatus(answer);
	feed->error_code = feed->error_text = feed->seen_as = feed->detail = "";
	feed->path = PATH_NOT_TOLD;
	if (text_or_empty(answer->activity_id)[0] != '\0')
		feed->activity_id = answer->activity_id;
	if (text_or_empty(answer->gateway_version)[0] != '\0')
		feed->gateway_version = answer->gateway_version;
}

static void
note_date(struct feed *feed, const struct https_answer *answer, int64_t wall_ms)
{
	int64_t theirs_s;

	if (!date_parse(&theirs_s, answer->date))
		return;
	feed->dated = true;
	feed->clock_ahead_s = wall_ms / MS_PER_S - theirs_s;
}

static enum feed_next
refuse(struct feed_chain *chain, const struct https_answer *answer, uint32_t *wait_ms)
{
	feed_refusal_record(chain->feed, answer, steps[chain->step].missing, chain->arena);
	finish(chain, OUTCOME_HTTP_OTHER, chain->feed->detail);
	if (answer->status != 429 || chain->waited)
		return FEED_OVER;
	chain->waited = true;
	*wait_ms = https_answer_retry_after_ms(answer);
	if (*wait_ms == 0)
		*wait_ms = WAIT_PRESET_MS;
	return FEED_WAIT;
}

struct feed_chain *
feed_chain_new(const struct feed_ask *ask, struct feed *feed, struct feed_found *found,
    struct arena *arena)
{
	struct feed_chain *chain = arena_alloc(arena, sizeof(*chain));

	*chain = (struct feed_chain){
		.ask = ask,
		.feed = feed,
		.found = found,
		.arena = arena,
		.database = text_or_empty(ask->database)[0] != '\0' ? ask->database : NULL,
		.ranges = { .id_max = FEED_RANGE_MAX },
		.container = text_or_empty(ask->container)[0] != '\0' ? ask->container : NULL,
	};
	feed->credential = ask->signer->kind;
	enter(chain, STEP_ACCOUNT);
	return chain;
}

const struct feed_request *
feed_chain_request(const struct feed_chain *chain)
{
	return &chain->request;
}

enum feed_next
feed_chain_hear(struct feed_chain *chain, const struct https_answer *answer, int64_t wall_ms,
    uint32_t *wait_ms)
{
	struct err err = { .kind = ERR_NONE };

	*wait_ms = 0;
	note_head(chain->feed, answer);
	note_date(chain->feed, answer, wall_ms);
	if (answer->status != 200)
		return refuse(chain, answer, wait_ms);
	switch (chain->step) {
	case STEP_ACCOUNT: return step_account(chain, answer, &err);
	case STEP_DATABASES: return step_databases(chain, answer, &err);
	case STEP_CONTAINERS: return step_containers(chain, answer, &err);
	case STEP_CONTAINER: return step_container(chain, answer, &err);
	case STEP_RANGES: return step_ranges(chain, answer, &err);
	case STEP_ADDRESSES: return step_addresses(chain, answer, &err);
	}
	return FEED_OVER;
}

void
feed_chain_break(struct feed_chain *chain, const struct https_answer *answer,
    enum outcome outcome, const char *detail)
{
	if (answer != NULL)
		note_head(chain->feed, answer);
	finish(chain, outcome, detail);
}

void
feed_chain_unsigned(struct feed_chain *chain, enum outcome outcome, const char *detail)
{
	chain->feed->step = "credential";
	finish(chain, outcome, detail);
}
