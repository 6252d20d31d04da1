#include "probe/direct.h"

#include "base/text.h"
#include "probe/direct_pick.h"
#include "probe/rntbd/rntbd_stage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What an SDK allows for the whole opening of a connection [rntbd-sdk]. */
static const int64_t open_limit_ms = 5 * MS_PER_S;
/* A sample must not look like a port scan: one port at a time, and a pause behind each. */
static const int64_t sample_pause_us = 50 * US_PER_MS;
static const int64_t sample_limit_ms = 1000;
/* With less than this left the feed is not asked again. */
static const int64_t refresh_least_ms = 500;
/* With less than this left, or than this part of all of it, an address is not tried: a silence so
 * short would be ours. */
static const int64_t trial_least_ms = MS_PER_S, trial_least_part = 8;

enum { HOST_ADDRS_MAX = 4 };

/* In order: the feed is asked, its replicas are tried; once more when some are dead; else ports
 * are sampled. */
enum phase { PHASE_BEGIN, PHASE_FEED, PHASE_REPLICAS, PHASE_REFRESH, PHASE_SAMPLE, PHASE_OVER };

/* A host that is not the target's own: it has to be resolved. */
struct lookup {
	struct direct *direct; /* borrowed; owns us */
	struct probe  *probe;  /* NULL: over */
	const char    *host;
	struct dns     dns;
	int64_t        started_us;
	uint32_t       took_us;
	struct lookup *next;
};

/* One address that is tried. */
struct trial {
	struct direct  *direct; /* borrowed; owns us */
	struct probe   *probe;  /* NULL: over, or not begun */
	struct lookup  *lookup; /* NULL: the host is the target's own */
	struct replica *replica;
	bool            begun;
	struct trial   *next;
};

struct direct {
	struct probes    *probes; /* borrowed */
	struct direct_ask ask;
	struct arena     *arena; /* borrowed */
	enum phase        phase;
	int64_t           due_us;
	uint32_t          lag_us; /* of the loop, when we began: the limit knows of it */
	struct probe     *feed;   /* NULL: over */
	struct feed      *told;   /* by the first reading, in the arena */
	struct feed_ask   feed_ask;
	struct feed_found found;
	size_t            feed_addr; /* index of the address that is asked */
	struct lookup    *lookups;
	struct trial     *trials; /* newest first */
	size_t            trial_count;
	unsigned          pending; /* lookups and trials that are not over */
	unsigned          sampled;
	struct loop_watch timer; /* begins, and paces the sample */
};

static int64_t
now_us(const struct direct *direct)
{
	return clock_mono_us(probes_options(direct->probes)->clock);
}

/* What our own loop lost meanwhile does not count, as in measure. */
static int64_t
left_ms(const struct direct *direct)
{
	int64_t due_us = direct->due_us + direct->ask.seen->loop_lag_us - direct->lag_us;
	int64_t left = (due_us - now_us(direct)) / US_PER_MS;

	return left > 1 ? left : 1;
}

static bool
has_time(const struct direct *direct)
{
	int64_t least_ms = direct->ask.limit_ms / trial_least_part;

	return left_ms(direct) >= (least_ms < trial_least_ms ? least_ms : trial_least_ms);
}

static int64_t
at_most(int64_t limit_ms, int64_t left)
{
	return left < limit_ms ? left : limit_ms;
}

static const struct target *
target_of(const struct direct *direct)
{
	return direct->ask.seen->target;
}

static const struct direct_means *
means_of(const struct direct *direct)
{
	static const struct direct_means none = { .database = "", .container = "" };

	return direct->ask.measure->means != NULL ? direct->ask.measure->means : &none;
}

static void step(struct direct *direct);

/* All replicas of a host show the same certificate: its many names are kept once. */
static void
drop_repeated_names(struct measurement *seen)
{
	for (size_t i = seen->replicas_count; i-- > 1;) {
		struct endpoint       *end = seen->replicas[i].end;
		const struct endpoint *before = seen->replicas[i - 1].end;

		if (end->sans != NULL && before->sans != NULL &&
		    strcmp(end->sans, before->sans) == 0)
			end->sans = "";
	}
}

/* Into the record: the trials in the order in which they were picked. */
static void
gather(struct direct *direct)
{
	struct measurement *seen = direct->ask.seen;
	size_t              at = direct->trial_count;

	seen->replicas = arena_array(direct->arena, at + 1, sizeof(struct replica));
	seen->replicas_count = at;
	for (struct trial *trial = direct->trials; trial != NULL; trial = trial->next)
		seen->replicas[--at] = *trial->replica;
	drop_repeated_names(seen);
}

/* The last thing that happens to direct: on_over() may free it. */
static void
finish(struct direct *direct)
{
	direct->phase = PHASE_OVER;
	loop_watch_stop(&direct->timer);
	gather(direct);
	direct->ask.on_over(direct->ask.arg);
}

/* One replica. */

static void
on_trial_over(void *arg)
{
	struct trial  *trial = arg;
	struct direct *direct = trial->direct;

	trial->probe = NULL;
	direct->pending--;
	step(direct);
}

/* Nothing is said of the address. */
static void
end_untried(struct trial *trial, const char *why)
{
	trial->begun = true;
	trial->replica->end->tcp = OUTCOME_LOCAL;
	trial->replica->end->detail = why;
	rntbd_stage(trial->replica);
}

static const char why_untried[] = "the measurement's time was over before its turn came";

static void
try_address(struct trial *trial, const struct addr *addr)
{
	struct direct   *direct = trial->direct;
	struct replica  *replica = trial->replica;
	bool             sample = replica->origin == ORIGIN_SAMPLE;
	char             text[ADDR_TEXT];
	struct probe_ask ask = {
		.kind = sample ? "tls" : "rntbd",
		.host = replica->host,
		.peer = *addr,
		.limit_ms = at_most(sample ? sample_limit_ms : open_limit_ms, left_ms(direct)),
		.arena = direct->arena,
		.endpoint = replica->end,
		.replica = replica,
		.on_over = on_trial_over,
		.arg = trial,
	};

	ask.peer.port = (uint16_t)replica->port;
	replica->end->address = arena_strdup(
	    direct->arena, addr_render(addr, text, sizeof(text)));
	replica->end->port = replica->port;
	if (!has_time(direct)) {
		end_untried(trial, why_untried);
		return;
	}
	trial->begun = true;
	direct->pending++;
	trial->probe = probe_start(direct->probes, &ask);
}

static struct trial *
add_trial(struct direct *direct, const struct direct_spot *spot, struct lookup *lookup)
{
	struct trial *trial = arena_alloc(direct->arena, sizeof(*trial));

	trial->direct = direct;
	trial->lookup = lookup;
	trial->replica = arena_alloc(direct->arena, sizeof(struct replica));
	*trial->replica = (struct replica){ .host = spot->host,
		.port = spot->port,
		.origin = spot->origin,
		.partitions = spot->partitions,
		.primary = spot->primary,
		.replicas = spot->replicas,
		.end = arena_alloc(direct->arena, sizeof(struct endpoint)) };
	trial->next = direct->trials;
	direct->trials = trial;
	direct->trial_count++;
	return trial;
}

/* A name that does not lead anywhere ends the trials of it. */
static void
end_unresolved(struct trial *trial, enum outcome how, const char *detail)
{
	trial->begun = true;
	trial->replica->dns = how;
	trial->replica->detail = detail;
	rntbd_stage(trial->replica);
}

static void
use_lookup(struct trial *trial)
{
	const struct lookup *lookup = trial->lookup;
	const struct dns    *dns = &lookup->dns;
	struct addr          addr;

	trial->replica->dns_us = lookup->took_us;
	trial->replica->dns = dns->outcome;
	for (size_t i = 0; i < dns->addresses_count; i++) {
		if (addr_parse(&addr, dns->addresses[i].address, (uint16_t)trial->replica->port,
		        NULL)) {
			trial->replica->dns = OUTCOME_OK;
			try_address(trial, &addr);
			return;
		}
	}
	if (dns->outcome == OUTCOME_OK)
		end_unresolved(trial, OUTCOME_NODATA, "the host has no address");
	else
		end_unresolved(trial, (enum outcome)dns->outcome, dns->detail);
}

/* Hosts other than the target's own. */

static void
on_lookup_over(void *arg)
{
	struct lookup *lookup = arg;
	struct direct *direct = lookup->direct;
	int64_t        took_us = now_us(direct) - lookup->started_us;

	lookup->probe = NULL;
	lookup->took_us = took_us > UINT32_MAX ? UINT32_MAX : (uint32_t)took_us;
	for (struct trial *trial = direct->trials; trial != NULL; trial = trial->next) {
		if (trial->lookup == lookup && !trial->begun)
			use_lookup(trial);
	}
	direct->pending--;
	step(direct);
}

/* By the way that an application takes, or, where that is not asked, by the first server. */
static struct lookup *
start_lookup(struct direct *direct, const char *host)
{
	const struct measure_ask *measure = direct->ask.measure;
	struct lookup            *lookup = arena_alloc(direct->arena, sizeof(*lookup));
	struct probe_ask          ask = { .kind = measure->system ? "nss" : "dns",
		         .host = host,
		         .limit_ms = at_most(open_limit_ms, left_ms(direct)),
		         .arena = direct->arena,
		         .dns = &lookup->dns,
		         .on_over = on_lookup_over,
		         .arg = lookup };

	if (!measure->system)
		ask.peer = measure->vantages[0].resolver;
	lookup->direct = direct;
	lookup->host = host;
	lookup->started_us = now_us(direct);
	lookup->next = direct->lookups;
	direct->lookups = lookup;
	direct->pending++;
	lookup->probe = probe_start(direct->probes, &ask);
	return lookup;
}

static struct lookup *
find_lookup(const struct direct *direct, const char *host)
{
	for (struct lookup *lookup = direct->lookups; lookup != NULL; lookup = lookup->next) {
		if (strcmp(lookup->host, host) == 0)
			return lookup;
	}
	return NULL;
}

/* Whoever gives us an address gives us a name to resolve and a peer to connect to: it has to be a
 * name of the service, one label below the suffix of the target's own. */
static bool
is_sibling(const struct direct *direct, const char *host)
{
	const char *own = strchr(target_of(direct)->host, '.');
	const char *other = strchr(host, '.');

	return own != NULL && other != NULL && other != host && text_equal_nocase(own, other);
}

static void
try_spot(struct direct *direct, const struct direct_spot *spot)
{
	struct lookup *lookup;
	struct trial  *trial;

	if (text_equal_nocase(spot->host, target_of(direct)->host)) {
		try_address(add_trial(direct, spot, NULL), &direct->ask.addrs[0]);
		return;
	}
	if (!is_sibling(direct, spot->host)) {
		end_unresolved(add_trial(direct, spot, NULL), OUTCOME_POLICY,
		    "the host is not a name of the service beside the account's own");
		return;
	}
	lookup = find_lookup(direct, spot->host);
	if (lookup == NULL && !has_time(direct)) {
		end_untried(add_trial(direct, spot, NULL), why_untried);
		return;
	}
	if (lookup == NULL)
		lookup = start_lookup(direct, spot->host);
	trial = add_trial(direct, spot, lookup);
	if (lookup->probe == NULL)
		use_lookup(trial);
}

static size_t
count_most(const struct direct *direct)
{
	unsigned most = means_of(direct)->replicas_max;

	if (most == 0)
		most = DIRECT_REPLICAS_PRESET;
	return most < DIRECT_REPLICAS_MAX ? most : DIRECT_REPLICAS_MAX;
}

static bool
is_tried(const struct direct *direct, const struct rntbd_uri *uri)
{
	for (const struct trial *trial = direct->trials; trial != NULL; trial = trial->next) {
		if (trial->replica->port == uri->port &&
		    strcmp(trial->replica->host, uri->host) == 0)
			return true;
	}
	return false;
}

static void
try_found(struct direct *direct, const struct feed_found *found, enum origin origin)
{
	struct feed_found   fresh = { 0 };
	struct direct_spots spots;
	size_t              most = count_most(direct);

	fresh.replicas = arena_array(
	    direct->arena, found->count + 1, sizeof(struct feed_replica));
	for (size_t i = 0; i < found->count; i++) {
		if (!is_tried(direct, &found->replicas[i].uri))
			fresh.replicas[fresh.count++] = found->replicas[i];
	}
	direct_pick(direct->arena, &fresh, origin,
	    direct->trial_count < most ? most - direct->trial_count : 0, &spots);
	for (size_t i = 0; i < spots.picked; i++)
		try_spot(direct, &spots.spots[i]);
	if (spots.picked > 0 && direct->ask.seen->origin == ORIGIN_NONE)
		direct->ask.seen->origin = origin;
}

static void
try_pasted(struct direct *direct)
{
	const struct direct_means *means = means_of(direct);
	struct feed_found          found = { 0 };

	found.replicas = arena_array(
	    direct->arena, means->pasted_count + 1, sizeof(struct feed_replica));
	for (size_t i = 0; i < means->pasted_count; i++) {
		if (direct_is_for(&means->pasted[i], target_of(direct)))
			found.replicas[found.count++] = (struct feed_replica){
				.uri = means->pasted[i], .partition = ""
			};
	}
	try_found(direct, &found, ORIGIN_PASTED);
}

/* The feed. */

/* Another address of the same name may answer where this one did not. */
static bool
has_other_address(const struct direct *direct)
{
	switch ((enum outcome)direct->ask.seen->feed->outcome) {
	case OUTCOME_TIMEOUT:
	case OUTCOME_REFUSED:
	case OUTCOME_RESET:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_CLOSED: return direct->feed_addr + 1 < direct->ask.addr_count;
	default: return false;
	}
}

static void on_feed_over(void *arg);

/* Of the time two thirds: the replicas are what is asked for. */
static void
start_feed(struct direct *direct)
{
	const struct direct_means *means = means_of(direct);
	struct feed               *feed = arena_alloc(direct->arena, sizeof(*feed));
	int64_t tries = direct->feed_addr + 1 < direct->ask.addr_count ? 2 : 1;

	direct->ask.seen->feed = feed;
	direct->feed_ask = (struct feed_ask){ .account = target_of(direct)->account,
		.signer = means->signer,
		.depth = FEED_ADDRESSES,
		.database = means->database != NULL ? means->database : "",
		.container = means->container != NULL ? means->container : "",
		.refresh = direct->phase == PHASE_REFRESH };
	direct->found = (struct feed_found){ 0 };
	direct->feed = probe_start(direct->probes,
	    &(struct probe_ask){ .kind = "feed",
	        .host = target_of(direct)->host,
	        .peer = direct->ask.addrs[direct->feed_addr],
	        .limit_ms = (left_ms(direct) * 2 / 3 + tries) / tries,
	        .arena = direct->arena,
	        .feed = feed,
	        .feed_ask = &direct->feed_ask,
	        .feed_found = &direct->found,
	        .on_over = on_feed_over,
	        .arg = direct });
}

/* What the second reading no longer tells has moved: its failure says nothing. */
static void
drop_moved(struct direct *direct)
{
	struct trial **link = &direct->trials;

	while (*link != NULL) {
		const struct replica *replica = (*link)->replica;
		bool told = replica->origin != ORIGIN_FEED || replica->context == OUTCOME_OK;

		for (size_t i = 0; i < direct->found.count && !told; i++)
			told = direct->found.replicas[i].uri.port == replica->port &&
			    strcmp(direct->found.replicas[i].uri.host, replica->host) == 0;
		if (told) {
			link = &(*link)->next;
			continue;
		}
		*link = (*link)->next;
		direct->trial_count--;
	}
}

static void
on_feed_over(void *arg)
{
	struct direct *direct = arg;
	struct feed   *feed = direct->ask.seen->feed;

	direct->feed = NULL;
	if (direct->phase == PHASE_REFRESH) {
		if (feed->outcome == OUTCOME_OK)
			drop_moved(direct);
		else
			direct->ask.seen->feed = direct->told;
		direct->ask.seen->feed->refreshed = true;
	} else if (has_other_address(direct)) {
		direct->feed_addr++;
		start_feed(direct);
		return;
	}
	if (direct->told == NULL)
		direct->told = feed;
	step(direct);
}

/* Seen to be so: what we did not try, or may not, is none. */
static bool
is_dead(const struct replica *replica)
{
	return replica->stage != NULL && replica->stage[0] != '\0';
}

/* Some are dead that may only have moved: one was refused or says so itself, or others answer.
 * When all are silent a second reading would tell the same. */
static bool
may_have_moved(const struct direct *direct)
{
	bool any_good = false, any_dead = false, moved = false;

	for (const struct trial *trial = direct->trials; trial != NULL; trial = trial->next) {
		const struct replica *replica = trial->replica;

		if (replica->origin != ORIGIN_FEED)
			continue;
		any_good |= replica->context == OUTCOME_OK;
		any_dead |= is_dead(replica);
		moved |= replica->status == 410 || replica->end->tcp == OUTCOME_REFUSED;
	}
	return moved || (any_good && any_dead);
}

/* The sample. */

static void
sample_next(struct direct *direct)
{
	const struct target *target = target_of(direct);
	struct direct_spot   spot = { .host = target->host,
		  .port = direct_sample_port(target->host, direct->sampled),
		  .origin = ORIGIN_SAMPLE,
		  .partitions = "" };

	direct->ask.seen->origin = ORIGIN_SAMPLE;
	direct->sampled++;
	try_address(add_trial(direct, &spot, NULL), &direct->ask.addrs[0]);
}

static bool
wants_sample(const struct direct *direct)
{
	unsigned wanted = means_of(direct)->sample_ports;

	if (wanted > DIRECT_SAMPLE_MAX)
		wanted = DIRECT_SAMPLE_MAX;
	return direct->sampled < wanted && has_time(direct);
}

static void
on_timer(void *arg, unsigned what)
{
	struct direct *direct = arg;

	if (direct->phase == PHASE_SAMPLE && wants_sample(direct))
		sample_next(direct);
	if (direct->pending == 0)
		step(direct);
}

/* What comes when nothing is pending. */
static enum phase
find_next(const struct direct *direct)
{
	switch (direct->phase) {
	case PHASE_BEGIN: return means_of(direct)->signer != NULL ? PHASE_FEED : PHASE_REPLICAS;
	case PHASE_FEED: return PHASE_REPLICAS;
	case PHASE_REPLICAS:
		if (direct->trial_count == 0)
			return wants_sample(direct) ? PHASE_SAMPLE : PHASE_OVER;
		if (direct->ask.seen->feed != NULL && !direct->ask.seen->feed->refreshed &&
		    may_have_moved(direct) && left_ms(direct) > refresh_least_ms)
			return PHASE_REFRESH;
		return PHASE_OVER;
	case PHASE_REFRESH: return PHASE_REPLICAS;
	case PHASE_SAMPLE: return wants_sample(direct) ? PHASE_SAMPLE : PHASE_OVER;
	case PHASE_OVER: break;
	}
	return PHASE_OVER;
}

static void
enter(struct direct *direct, enum phase next)
{
	direct->phase = next;
	switch (next) {
	case PHASE_BEGIN: break;
	case PHASE_FEED:
	case PHASE_REFRESH: start_feed(direct); break;
	case PHASE_REPLICAS:
		try_found(direct, &direct->found, ORIGIN_FEED);
		try_pasted(direct);
		break;
	case PHASE_SAMPLE:
		loop_watch_set(
		    &direct->timer, -1, 0, direct->sampled == 0 ? 0 : sample_pause_us);
		break;
	case PHASE_OVER: break;
	}
}

/* Goes on as soon as nothing is pending.  finish() is the last thing that happens to direct. */
static void
step(struct direct *direct)
{
	while (direct->pending == 0 && direct->feed == NULL && direct->phase != PHASE_OVER) {
		enter(direct, find_next(direct));
		if (direct->phase == PHASE_SAMPLE)
			return; /* the timer goes on */
	}
	if (direct->phase == PHASE_OVER)
		finish(direct);
}

struct direct *
direct_start(struct probes *probes, const struct direct_ask *ask)
{
	struct direct *direct = mem_alloc(sizeof(*direct));

	assert(ask->addr_count > 0 && ask->limit_ms > 0 && ask->on_over != NULL);
	direct->probes = probes;
	direct->ask = *ask;
	direct->arena = ask->measure->arena;
	direct->due_us = now_us(direct) + ask->limit_ms * US_PER_MS;
	direct->lag_us = ask->seen->loop_lag_us;
	loop_watch_init(&direct->timer, probes_options(probes)->loop, on_timer, direct);
	loop_watch_set(&direct->timer, -1, 0, 0);
	return direct;
}

/* What waited for its turn when the time was over. */
static void
mark_late(struct direct *direct)
{
	static const char *const why =
	    "waited for its turn when the measurement's time was over";

	if (direct->phase == PHASE_REFRESH) {
		direct->ask.seen->feed = direct->told; /* what the first reading told stands */
		direct->told->refreshed = true;
	} else if (direct->feed != NULL) {
		direct->ask.seen->feed->outcome = OUTCOME_LOCAL;
		direct->ask.seen->feed->detail = why;
	}
	for (struct trial *trial = direct->trials; trial != NULL; trial = trial->next) {
		if (!trial->begun || trial->probe != NULL)
			end_untried(trial, why);
	}
}

void
direct_free(struct direct *direct, bool late)
{
	if (direct == NULL)
		return;
	probe_cancel(direct->feed);
	for (struct lookup *lookup = direct->lookups; lookup != NULL; lookup = lookup->next)
		probe_cancel(lookup->probe);
	for (struct trial *trial = direct->trials; trial != NULL; trial = trial->next)
		probe_cancel(trial->probe);
	if (late) {
		mark_late(direct);
		gather(direct);
	}
	loop_watch_fini(&direct->timer);
	free(direct);
}
