#include "probe/measure.h"

#include "probe/direct.h"
#include "probe/negative.h"
#include "probe/visit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { VISITS_MAX = 32 };

/* How often the loop is felt, and how long after the deadline probes that end by their own clock
 * have to do so. */
static const int64_t pulse_us = 50 * US_PER_MS;
static const int64_t grace_us = 250 * US_PER_MS;

/* One resolver that is asked, or the system. */
struct inquiry {
	struct measure *measure; /* borrowed; owns us */
	struct probe   *probe;   /* NULL: over */
	struct dns     *dns;     /* in seen->dns */
};

struct measure {
	struct probes      *probes; /* borrowed */
	struct measure_ask  ask;
	struct measurement *seen; /* in the arena */
	const struct clock *clock;
	int64_t             started_us, due_us;
	int64_t             inside_over_us; /* 0: all but the negative test is not over yet */
	struct inquiry      inquiries[MEASURE_VANTAGES_MAX + 1];
	size_t              inquiry_count;
	struct visit       *visits[VISITS_MAX]; /* in the arena */
	size_t              visit_count;
	bool                crowded; /* there were more addresses */
	struct direct      *direct;  /* owned; NULL: not begun, or over */
	bool                direct_begun;
	struct negative    *negative; /* owned; NULL: none, or over */
	struct probe       *feed; /* a signed request in Gateway mode; NULL: none, or over */
	struct feed_ask     feed_ask;
	unsigned            pending; /* inquiries, visits and the like that are not over */
	struct loop_watch   pulse;   /* feels how late the loop is, and sees the deadline */
	int64_t             pulse_due_us;
};

static struct target *
copy_target(const struct target *from, struct arena *arena)
{
	struct target *target = arena_alloc(arena, sizeof(*target));

	*target = *from;
	target->account = arena_strdup(arena, from->account);
	target->region = arena_strdup(arena, from->region);
	target->host = arena_strdup(arena, from->host);
	if (target->port == 0)
		target->port = 443;
	return target;
}

static int64_t
now_us(const struct measure *measure)
{
	return clock_mono_us(measure->clock);
}

static uint32_t
clamp_us(int64_t us)
{
	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void
feel_lag(struct measure *measure)
{
	uint32_t late_us = clamp_us(now_us(measure) - measure->pulse_due_us);

	if (late_us > measure->seen->loop_lag_us)
		measure->seen->loop_lag_us = late_us;
}

static bool
was_late(const struct measure *measure)
{
	const struct measurement *seen = measure->seen;

	for (size_t i = 0; i < seen->dns_count; i++) {
		if (seen->dns[i].outcome == OUTCOME_AGENT_LATE ||
		    seen->dns[i].aaaa_outcome == OUTCOME_AGENT_LATE)
			return true;
	}
	for (size_t i = 0; i < measure->visit_count; i++) {
		if (visit_was_late(measure->visits[i]))
			return true;
	}
	for (size_t i = 0; i < seen->replicas_count; i++) {
		const struct replica *replica = &seen->replicas[i];

		if (replica->dns == OUTCOME_AGENT_LATE ||
		    replica->context == OUTCOME_AGENT_LATE ||
		    replica->end->tcp == OUTCOME_AGENT_LATE ||
		    replica->end->tls == OUTCOME_AGENT_LATE)
			return true;
	}
	return seen->feed != NULL && seen->feed->outcome == OUTCOME_AGENT_LATE;
}

/* The addresses of Gateway V2 stand in messages of their own. */
static void
gather_visits(struct measure *measure)
{
	struct measurement *seen = measure->seen;
	struct arena       *arena = measure->ask.arena;
	size_t              count = measure->visit_count;

	if (seen->target->mode == MODE_GATEWAY_V2) {
		seen->thins_count = count;
		seen->thins = arena_array(arena, count, sizeof(*seen->thins));
		for (size_t i = 0; i < count; i++)
			seen->thins[i] = measure->visits[i]->thin;
		return;
	}
	seen->endpoints_count = count;
	seen->endpoints = arena_array(arena, count, sizeof(*seen->endpoints));
	for (size_t i = 0; i < count; i++)
		seen->endpoints[i] = measure->visits[i]->endpoint;
}

static void
cancel_probes(struct measure *measure, const char *why)
{
	for (size_t i = 0; i < measure->inquiry_count; i++)
		probe_cancel(measure->inquiries[i].probe);
	for (size_t i = 0; i < measure->visit_count; i++)
		visit_cancel(measure->visits[i], why);
	probe_cancel(measure->feed);
	direct_free(measure->direct, why != NULL);
	negative_free(measure->negative, why);
}

static void
free_measure(struct measure *measure)
{
	loop_watch_fini(&measure->pulse);
	free(measure);
}

/* The last thing that happens to the measure. */
static void
finish(struct measure *measure)
{
	struct measure_ask  ask = measure->ask;
	struct measurement *seen = measure->seen;

	gather_visits(measure);
	feel_lag(measure);
	if (measure->inside_over_us == 0)
		measure->inside_over_us = now_us(measure);
	seen->took_us = clamp_us(measure->inside_over_us - measure->started_us);
	seen->agent_late = was_late(measure);
	if (measure->crowded)
		seen->detail = arena_printf(
		    ask.arena, "more than %d addresses: the first were tried", VISITS_MAX);
	free_measure(measure);
	ask.on_over(ask.arg, seen);
}

/* The negative test may have to wait for a firewall that is silent: it is none of the name's time. */
static void
finish_if_over(struct measure *measure)
{
	measure->pending--;
	if (measure->pending == 0)
		finish(measure);
	else if (measure->pending == 1 && measure->negative != NULL)
		measure->inside_over_us = now_us(measure);
}

/* A probe that waits its turn in the line may still wait when the time is over. */
static void
give_up(struct measure *measure)
{
	static const char *const why =
	    "waited for its turn when the measurement's time was over";

	cancel_probes(measure, why);
	for (size_t i = 0; i < measure->inquiry_count; i++) {
		struct inquiry *inquiry = &measure->inquiries[i];

		if (inquiry->probe == NULL)
			continue;
		inquiry->dns->outcome = inquiry->dns->aaaa_outcome = OUTCOME_LOCAL;
		inquiry->dns->detail = why;
	}
	if (measure->feed != NULL) {
		measure->seen->feed->outcome = OUTCOME_LOCAL;
		measure->seen->feed->detail = why;
	}
	finish(measure);
}

static void
set_pulse(struct measure *measure)
{
	measure->pulse_due_us = now_us(measure) + pulse_us;
	loop_watch_set(&measure->pulse, -1, 0, pulse_us);
}

static void
on_pulse(void *arg, unsigned what)
{
	struct measure *measure = arg;

	feel_lag(measure);
	if (now_us(measure) > measure->due_us + grace_us + measure->seen->loop_lag_us)
		give_up(measure);
	else
		set_pulse(measure);
}

/* What our own loop lost does not count: a VM that was frozen has its answers waiting, and must
 * not begin the next stage with no time left and call that a timeout. */
static int64_t
left_ms(const struct measure *measure)
{
	int64_t due_us = measure->due_us + measure->seen->loop_lag_us;
	int64_t left = (due_us - now_us(measure)) / US_PER_MS;

	return left > 1 ? left : 1;
}

static void
on_visit_over(void *arg)
{
	finish_if_over(arg);
}

static void
on_feed_over(void *arg)
{
	struct measure *measure = arg;

	measure->feed = NULL;
	finish_if_over(measure);
}

/* What the account says of itself to a signed request, and whether it admits us. */
static void
start_feed(struct measure *measure, const struct addr *addr)
{
	const struct direct_means *means = measure->ask.means;
	struct arena              *arena = measure->ask.arena;

	if (means == NULL || means->signer == NULL || measure->seen->target->api != API_SQL)
		return;
	measure->seen->feed = arena_alloc(arena, sizeof(struct feed));
	measure->feed_ask = (struct feed_ask){ .account = measure->seen->target->account,
		.signer = means->signer,
		.depth = FEED_ACCOUNT,
		.database = "",
		.container = "" };
	measure->pending++;
	measure->feed = probe_start(measure->probes,
	    &(struct probe_ask){ .kind = "feed",
	        .host = measure->seen->target->host,
	        .peer = *addr,
	        .limit_ms = left_ms(measure),
	        .arena = arena,
	        .feed = measure->seen->feed,
	        .feed_ask = &measure->feed_ask,
	        .on_over = on_feed_over,
	        .arg = measure });
}

static bool
is_visited(const struct measure *measure, const struct addr *addr)
{
	for (size_t i = 0; i < measure->visit_count; i++) {
		if (addr_equal(&measure->visits[i]->addr, addr))
			return true;
	}
	return false;
}

static void
visit_address(struct measure *measure, const struct rdata *record)
{
	struct addr addr;

	if (!addr_parse(&addr, record->address, (uint16_t)measure->seen->target->port, NULL) ||
	    is_visited(measure, &addr))
		return;
	if (measure->visit_count == VISITS_MAX) {
		measure->crowded = true;
		return;
	}
	measure->pending++;
	measure->visits[measure->visit_count++] = visit_start(measure->probes,
	    &(struct visit_ask){ .target = measure->seen->target,
	        .addr = addr,
	        .limit_ms = left_ms(measure),
	        .arena = measure->ask.arena,
	        .on_over = on_visit_over,
	        .arg = measure });
	if (measure->visit_count == 1 && measure->seen->target->mode == MODE_GATEWAY)
		start_feed(measure, &addr);
}

/* Azure's own server is asked for comparison where others are what a client asks: where it sends
 * nobody, there is nothing to connect to. */
static bool
is_for_comparison(const struct measure *measure, const struct dns *dns)
{
	if (dns->source != SOURCE_AZURE)
		return false;
	for (size_t i = 0; i < measure->inquiry_count; i++) {
		if (measure->inquiries[i].dns->source != SOURCE_AZURE)
			return true;
	}
	return false;
}

static void
on_direct_over(void *arg)
{
	struct measure *measure = arg;

	direct_free(measure->direct, false);
	measure->direct = NULL;
	finish_if_over(measure);
}

/* At what the first answer tells: an application would not wait for the others either. */
static void
begin_direct(struct measure *measure, const struct dns *dns)
{
	struct arena *arena = measure->ask.arena;
	struct addr  *addrs = arena_array(arena, dns->addresses_count + 1, sizeof(*addrs));
	size_t        count = 0;

	for (size_t i = 0; i < dns->addresses_count; i++)
		count += addr_parse(&addrs[count], dns->addresses[i].address,
		    (uint16_t)measure->seen->target->port, NULL);
	if (count == 0 || measure->direct_begun)
		return;
	measure->direct_begun = true;
	measure->pending++;
	measure->direct = direct_start(measure->probes,
	    &(struct direct_ask){ .measure = &measure->ask,
	        .seen = measure->seen,
	        .addrs = addrs,
	        .addr_count = count,
	        .limit_ms = left_ms(measure),
	        .on_over = on_direct_over,
	        .arg = measure });
}

static void
use_answer(struct measure *measure, const struct dns *dns)
{
	if (measure->seen->target->dns_only || is_for_comparison(measure, dns))
		return;
	if (measure->seen->target->mode == MODE_DIRECT) {
		begin_direct(measure, dns);
		return;
	}
	for (size_t i = 0; i < dns->addresses_count; i++)
		visit_address(measure, &dns->addresses[i]);
}

static void
on_dns_over(void *arg)
{
	struct inquiry *inquiry = arg;
	struct measure *measure = inquiry->measure;

	inquiry->probe = NULL;
	feel_lag(measure);
	use_answer(measure, inquiry->dns);
	finish_if_over(measure);
}

/* Of the time a resolver may use half, where connections have to follow: a slow resolver must not
 * pass for a slow gateway.  The C library waits 5 s for a silent server before it asks the next:
 * of the 10 s that are usual that answer is still heard, and leaves time to connect. */
static int64_t
dns_limit_ms(const struct measure *measure, bool system)
{
	int64_t limit_ms = measure->ask.limit_ms;

	if (measure->ask.target->dns_only || limit_ms < 4)
		return limit_ms;
	return system ? limit_ms / 4 * 3 : limit_ms / 2;
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
start_inquiry(struct measure *measure, struct probe_ask *ask)
{
	size_t          i = measure->inquiry_count++;
	struct inquiry *inquiry = &measure->inquiries[i];

	inquiry->measure = measure;
	inquiry->dns = ask->dns = &measure->seen->dns[i];
	ask->host = measure->seen->target->host;
	ask->arena = measure->ask.arena;
	ask->on_over = on_dns_over;
	ask->arg = inquiry;
	measure->pending++;
	inquiry->probe = probe_start(measure->probes, ask);
}

static void
on_negative_over(void *arg)
{
	struct measure *measure = arg;

	negative_free(measure->negative, NULL);
	measure->negative = NULL;
	finish_if_over(measure);
}

static void
start_negative(struct measure *measure)
{
	if (measure->ask.outside_count == 0 || !negative_is_for(measure->seen->target))
		return;
	measure->pending++;
	measure->negative = negative_start(measure->probes,
	    &(struct negative_ask){ .measure = &measure->ask,
	        .seen = measure->seen,
	        .limit_ms = measure->ask.limit_ms,
	        .on_over = on_negative_over,
	        .arg = measure });
}

static void
ask_server(struct measure *measure, const struct measure_vantage *vantage)
{
	start_inquiry(measure,
	    &(struct probe_ask){ .kind = "dns",
	        .peer = vantage->resolver,
	        .limit_ms = dns_limit_ms(measure, false),
	        .tcp_too = measure->ask.tcp_too,
	        .keep_raw = measure->ask.target->role != ROLE_SWEEP });
}

static void
ask_system(struct measure *measure)
{
	start_inquiry(measure,
	    &(struct probe_ask){ .kind = "nss", .limit_ms = dns_limit_ms(measure, true) });
}

struct measurement *
measure_blank(const struct measure_ask *ask, const struct clock *clock)
{
	struct measurement *seen = arena_alloc(ask->arena, sizeof(*seen));

	seen->target = copy_target(ask->target, ask->arena);
	seen->started_ms = clock_wall_ms(clock);
	seen->proxy = ask->proxy != NULL ? arena_strdup(ask->arena, ask->proxy) : NULL;
	seen->dns_count = ask->vantage_count + ask->system;
	seen->dns = arena_array(ask->arena, seen->dns_count, sizeof(*seen->dns));
	for (size_t i = 0; i < ask->vantage_count; i++) {
		seen->dns[i].resolver = name_resolver(&ask->vantages[i].resolver, ask->arena);
		seen->dns[i].source = ask->vantages[i].source;
	}
	if (ask->system) {
		seen->dns[ask->vantage_count].resolver = "system";
		seen->dns[ask->vantage_count].source = SOURCE_SYSTEM;
	}
	return seen;
}

struct measure *
measure_start(struct probes *probes, const struct measure_ask *ask)
{
	struct measure *measure = mem_alloc(sizeof(*measure));

	assert(ask->vantage_count <= MEASURE_VANTAGES_MAX);
	assert(ask->vantage_count > 0 || ask->system);
	assert(ask->limit_ms > 0 && ask->on_over != NULL);
	measure->probes = probes;
	measure->ask = *ask;
	measure->clock = probes_options(probes)->clock;
	measure->seen = measure_blank(ask, measure->clock);
	measure->started_us = now_us(measure);
	measure->due_us = measure->started_us + ask->limit_ms * US_PER_MS;
	loop_watch_init(&measure->pulse, probes_options(probes)->loop, on_pulse, measure);
	for (size_t i = 0; i < ask->vantage_count; i++)
		ask_server(measure, &ask->vantages[i]);
	if (ask->system)
		ask_system(measure);
	start_negative(measure);
	set_pulse(measure);
	return measure;
}

void
measure_cancel(struct measure *measure)
{
	if (measure == NULL)
		return;
	cancel_probes(measure, NULL);
	free_measure(measure);
}
