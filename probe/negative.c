#include "probe/negative.h"

#include "probe/direct.h"
#include "probe/visit.h"

#include <assert.h>
#include <stdlib.h>

enum { TRIES_MAX = 16 };

/* One resolver that is asked. */
struct question {
	struct negative *negative; /* borrowed; owns us */
	struct probe    *probe;    /* NULL: over */
	struct dns      *dns;      /* in outside->dns */
};

/* One address that is tried. */
struct
try {
	struct negative *negative; /* borrowed; owns us */
	struct visit    *visit;    /* in the arena */
};

struct negative {
	struct probes      *probes; /* borrowed */
	struct negative_ask ask;
	struct outside     *outside; /* in the arena */
	struct arena       *arena;   /* borrowed */
	int64_t             due_us;
	struct question     questions[NEGATIVE_RESOLVERS_MAX];
	size_t              question_count;
	struct try          tries[TRIES_MAX];
	size_t              try_count;
	struct probe       *feed; /* NULL: none, or over */
	struct feed_ask     feed_ask;
	unsigned            pending; /* of all these */
};

bool
negative_is_for(const struct target *target)
{
	return target->role == ROLE_CONFIGURED && target->mode == MODE_GATEWAY;
}

/* A firewall that is silent is what a network wants to have: it must not hold up for long what was
 * measured inside.  A third is enough for one lost packet of each step. */
static int64_t
step_ms(const struct negative *negative)
{
	int64_t now_us = clock_mono_us(probes_options(negative->probes)->clock);
	int64_t left_ms = (negative->due_us - now_us) / US_PER_MS;
	int64_t share_ms = negative->ask.limit_ms / 3;

	if (share_ms < left_ms)
		left_ms = share_ms;
	return left_ms > 1 ? left_ms : 1;
}

static void
gather(struct negative *negative)
{
	struct outside *outside = negative->outside;

	outside->endpoints_count = negative->try_count;
	outside->endpoints = arena_array(
	    negative->arena, negative->try_count + 1, sizeof(*outside->endpoints));
	for (size_t i = 0; i < negative->try_count; i++)
		outside->endpoints[i] = negative->tries[i].visit->endpoint;
}

/* The last thing that happens to the test: on_over() may free it. */
static void
end_step(struct negative *negative)
{
	if (--negative->pending > 0)
		return;
	gather(negative);
	negative->ask.on_over(negative->ask.arg);
}

static void
on_feed_over(void *arg)
{
	struct negative *negative = arg;

	negative->feed = NULL;
	end_step(negative);
}

/* Only where the door seems to be open: a request that is refused needs no signature. */
static void
start_feed(struct negative *negative, const struct visit *visit)
{
	const struct target       *target = negative->ask.seen->target;
	const struct direct_means *means = negative->ask.measure->means;

	if (means == NULL || means->signer == NULL || target->api != API_SQL ||
	    visit->endpoint.http != OUTCOME_OK || negative->outside->feed != NULL)
		return;
	negative->outside->feed = arena_alloc(negative->arena, sizeof(struct feed));
	negative->feed_ask = (struct feed_ask){ .account = target->account,
		.signer = means->signer,
		.depth = FEED_ACCOUNT,
		.database = "",
		.container = "" };
	negative->pending++;
	negative->feed = probe_start(negative->probes,
	    &(struct probe_ask){ .kind = "feed",
	        .host = target->host,
	        .peer = visit->addr,
	        .limit_ms = step_ms(negative),
	        .arena = negative->arena,
	        .feed = negative->outside->feed,
	        .feed_ask = &negative->feed_ask,
	        .on_over = on_feed_over,
	        .arg = negative });
}

static void
on_try_over(void *arg)
{
	struct try      *try = arg;
	struct negative *negative = try->negative;

	start_feed(negative, try->visit);
	end_step(negative);
}

static bool
is_tried(const struct negative *negative, const struct addr *addr)
{
	for (size_t i = 0; i < negative->try_count; i++) {
		if (addr_equal(&negative->tries[i].visit->addr, addr))
			return true;
	}
	return false;
}

static void
try_address(struct negative *negative, const char *text)
{
	const struct target *target = negative->ask.seen->target;
	struct addr          addr;
	struct try          *try;

	if (!addr_parse(&addr, text, (uint16_t)target->port, NULL) || !addr_is_public(&addr) ||
	    is_tried(negative, &addr) || negative->try_count == TRIES_MAX)
		return;
	try = &negative->tries[negative->try_count++];
	try->negative = negative;
	negative->pending++;
	try->visit = visit_start(negative->probes,
	    &(struct visit_ask){ .target = target,
	        .addr = addr,
	        .limit_ms = step_ms(negative),
	        .arena = negative->arena,
	        .on_over = on_try_over,
	        .arg = try });
}

static void
on_answered(void *arg)
{
	struct question  *question = arg;
	struct negative  *negative = question->negative;
	const struct dns *dns = question->dns;

	question->probe = NULL;
	for (size_t i = 0; i < dns->addresses_count && negative->outside->detail == NULL; i++)
		try_address(negative, dns->addresses[i].address);
	end_step(negative);
}

static const char *
name_resolver(const struct addr *resolver, struct arena *arena)
{
	char text[ADDR_TEXT];

	return arena_strdup(arena,
	    resolver->port == 53 ? addr_render(resolver, text, sizeof(text))
	                         : addr_render_port(resolver, text, sizeof(text)));
}

static void
ask_resolver(struct negative *negative, const struct addr *resolver)
{
	struct question *question = &negative->questions[negative->question_count];

	question->negative = negative;
	question->dns = &negative->outside->dns[negative->question_count++];
	question->dns->resolver = name_resolver(resolver, negative->arena);
	question->dns->source = SOURCE_OUTSIDE;
	negative->pending++;
	question->probe = probe_start(negative->probes,
	    &(struct probe_ask){ .kind = "dns",
	        .host = negative->ask.seen->target->host,
	        .peer = *resolver,
	        .limit_ms = step_ms(negative),
	        .arena = negative->arena,
	        .dns = question->dns,
	        .on_over = on_answered,
	        .arg = question });
}

/* NULL: nothing is in the way. */
static const char *
find_obstacle(const struct negative *negative)
{
	if (negative->ask.seen->target->dns_only)
		return "only DNS was asked";
	if (probes_options(negative->probes)->proxy != NULL)
		return "requests go through a proxy, which resolves the name itself";
	return NULL;
}

struct negative *
negative_start(struct probes *probes, const struct negative_ask *ask)
{
	const struct measure_ask *measure = ask->measure;
	struct negative          *negative = mem_alloc(sizeof(*negative));

	assert(measure->outside_count > 0 && measure->outside_count <= NEGATIVE_RESOLVERS_MAX);
	assert(ask->limit_ms > 0 && ask->on_over != NULL);
	*negative = (struct negative){ .probes = probes, .ask = *ask, .arena = measure->arena };
	negative->due_us = clock_mono_us(probes_options(probes)->clock) +
	    ask->limit_ms * US_PER_MS;
	negative->outside = arena_alloc(negative->arena, sizeof(*negative->outside));
	negative->outside->detail = find_obstacle(negative);
	negative->outside->dns_count = measure->outside_count;
	negative->outside->dns = arena_array(
	    negative->arena, measure->outside_count, sizeof(*negative->outside->dns));
	ask->seen->outside = negative->outside;
	for (size_t i = 0; i < measure->outside_count; i++)
		ask_resolver(negative, &measure->outside[i]);
	return negative;
}

static void
give_up(struct negative *negative, const char *why)
{
	for (size_t i = 0; i < negative->question_count; i++) {
		struct question *question = &negative->questions[i];

		if (question->probe == NULL)
			continue;
		question->dns->outcome = question->dns->aaaa_outcome = OUTCOME_LOCAL;
		question->dns->detail = why;
	}
	if (negative->feed != NULL) {
		negative->outside->feed->outcome = OUTCOME_LOCAL;
		negative->outside->feed->detail = why;
	}
}

void
negative_free(struct negative *negative, const char *why)
{
	if (negative == NULL)
		return;
	if (why != NULL)
		give_up(negative, why);
	for (size_t i = 0; i < negative->question_count; i++)
		probe_cancel(negative->questions[i].probe);
	for (size_t i = 0; i < negative->try_count; i++)
		visit_cancel(negative->tries[i].visit, why);
	probe_cancel(negative->feed);
	if (why != NULL)
		gather(negative);
	free(negative);
}
