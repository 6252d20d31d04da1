#include "agent/survey.h"

#include "agent/policy.h"
#include "agent/sign_local.h"
#include "analyze/compare.h"
#include "analyze/facet.h"
#include "base/clock.h"
#include "base/text.h"
#include "probe/direct_pick.h"
#include "probe/swept.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Enough that the public names of all regions, which come last, do not wait for each other. */
enum { SURVEY_IN_FLIGHT = 256 };

static const int64_t progress_us = 100 * US_PER_MS;

struct survey;

/* One account.  Of one that has no document a signed request may tell the regions: then its own
 * name is measured first, and the rest is planned behind it. */
struct subject {
	struct survey        *survey; /* borrowed; outlives us */
	const struct account *account;
	bool                  has_document;
	bool                  planned;    /* all names are among the visits */
	size_t                handed_out; /* visits of names that a front end told of */
};

/* One name. */
struct visit {
	struct subject      *subject; /* borrowed; outlives us */
	struct measure      *running; /* NULL for one of the sweep */
	const struct target *target;
	bool                 swept; /* the sweep asks for it, not a measurement of its own */
	const struct measurement *seen; /* NULL until it is over */
	struct visit             *next;
};

struct survey {
	const struct survey_ask *ask;
	struct arena            *arena;
	struct loop             *loop;
	struct probes           *probes;
	struct swept            *swept;
	struct sign_local       *sign; /* owned; NULL: no credential */
	struct direct_means      means;
	struct subject          *subjects;
	struct visit            *first, *last; /* in the order of planning */
	size_t                   visit_count, over_count;
	struct loop_watch        progress;
	int64_t                  started_us;
	bool                     interrupted;
};

static void
print_progress(struct survey *survey)
{
	int64_t took_us = clock_mono_us(clock_system()) - survey->started_us;

	fprintf(stderr, "\r%zu of %zu names measured, %.1f s\033[K", survey->over_count,
	    survey->visit_count, (double)took_us / US_PER_S);
	fflush(stderr);
}

static void
on_progress(void *arg, unsigned what)
{
	struct survey *survey = arg;

	print_progress(survey);
	loop_watch_set(&survey->progress, -1, 0, progress_us);
}

static void
on_signal(void *arg)
{
	struct survey *survey = arg;

	survey->interrupted = true;
	loop_stop(survey->loop);
}

static void plan_rest(struct subject *subject, const struct feed *feed);
static void plan_handed_out(struct subject *subject, const struct measurement *seen);

static void
on_over(void *arg, struct measurement *seen)
{
	struct visit   *visit = arg;
	struct subject *subject = visit->subject;
	struct survey  *survey = subject->survey;

	visit->running = NULL;
	visit->seen = seen;
	survey->over_count++;
	if (!subject->planned)
		plan_rest(subject, seen->feed);
	plan_handed_out(subject, seen);
	if (survey->over_count == survey->visit_count)
		loop_stop(survey->loop);
}

/* What an application of this environment would go through; asked of gateways alone. */
static const char *
find_proxy(struct survey *survey, const struct target *target)
{
	if (survey->ask->proxy_for == NULL || target->mode != MODE_GATEWAY ||
	    target->dns_only || !facet_is_http((enum api)target->api))
		return NULL;
	return survey->ask->proxy_for(survey->ask->proxy_arg, survey->arena, target->host);
}

static void
start_visit(struct visit *visit)
{
	struct survey           *survey = visit->subject->survey;
	const struct survey_ask *ask = survey->ask;
	bool sweep = visit->target->role == ROLE_SWEEP && visit->target->dns_only;

	if (visit->swept) {
		swept_add(survey->swept,
		    &(struct swept_ask){ .target = visit->target,
		        .arena = survey->arena,
		        .on_over = on_over,
		        .arg = visit });
		return;
	}
	visit->running = measure_start(survey->probes,
	    &(struct measure_ask){ .target = visit->target,
	        .vantages = ask->vantages->list,
	        .vantage_count = ask->vantages->count,
	        .system = ask->system && !sweep,
	        .tcp_too = ask->tcp_too && !sweep,
	        .outside = ask->outside,
	        .outside_count = ask->outside_count,
	        .means = &survey->means,
	        .proxy = find_proxy(survey, visit->target),
	        .limit_ms = ask->limit_ms,
	        .arena = survey->arena,
	        .on_over = on_over,
	        .arg = visit });
}

static void
add_visit(struct subject *subject, const struct target *target)
{
	struct survey *survey = subject->survey;
	struct visit  *visit = arena_alloc(survey->arena, sizeof(*visit));

	*visit = (struct visit){ .subject = subject,
		.target = target,
		/* Without a document each of them may be a name to use. */
		.swept = target->role == ROLE_SWEEP && target->dns_only &&
		    subject->has_document };
	if (survey->last != NULL)
		survey->last->next = visit;
	else
		survey->first = visit;
	survey->last = visit;
	survey->visit_count++;
}

static unsigned
find_flags(const struct survey_ask *ask)
{
	unsigned flags = ask->modes | ask->apis;

	return flags | (ask->sweep ? NAMES_SWEEP : 0) | (ask->dns_only ? NAMES_DNS_ONLY : 0);
}

/* All names of the account but, when it was measured before, its own. */
static void
plan_subject(struct subject *subject, const struct feed *feed, bool but_global)
{
	const struct survey_ask *ask = subject->survey->ask;
	struct name_list        *names = names_targets_more(
	           subject->survey->arena, subject->account, find_flags(ask), &ask->regions);

	subject->planned = true;
	if (feed != NULL)
		names_advertise(names, feed);
	for (size_t i = 0; i < names->count; i++) {
		const struct target *target = &names->targets[i];

		if (!but_global || target->api != API_SQL || target->mode != MODE_GATEWAY ||
		    *target->region != '\0')
			add_visit(subject, target);
	}
}

/* Configured names of all accounts before any sweep: they are what somebody waits for. */
static void
start_visits(struct visit *first)
{
	for (struct visit *visit = first; visit != NULL; visit = visit->next) {
		if (visit->target->role != ROLE_SWEEP)
			start_visit(visit);
	}
	for (struct visit *visit = first; visit != NULL; visit = visit->next) {
		if (visit->target->role == ROLE_SWEEP)
			start_visit(visit);
	}
}

/* The account's own name is measured; what its gateway told, if anything, decides the rest. */
static void
plan_rest(struct subject *subject, const struct feed *feed)
{
	struct survey  *survey = subject->survey;
	struct visit   *last = survey->last;
	struct account *told = NULL;

	if (feed != NULL && !subject->has_document)
		told = account_of_feed(survey->arena, subject->account, feed);
	if (told != NULL) {
		subject->account = told;
		subject->has_document = true;
	}
	plan_subject(subject, feed, true);
	start_visits(last->next);
}

static bool
is_planned(const struct subject *subject, const struct target *target)
{
	for (struct visit *visit = subject->survey->first; visit != NULL; visit = visit->next) {
		if (visit->subject == subject && visit->target->api == target->api &&
		    text_equal_nocase(visit->target->host, target->host))
			return true;
	}
	return false;
}

/* Drivers of MongoDB go on to the hosts that the first answer names: each has to be measured. */
static void
plan_handed_out(struct subject *subject, const struct measurement *seen)
{
	struct survey    *survey = subject->survey;
	struct visit     *last = survey->last;
	struct name_list *names = names_handed_out(survey->arena, subject->account, seen);

	for (size_t i = 0; i < names->count; i++) {
		if (subject->handed_out == ACCOUNT_LOCATIONS_MAX)
			break; /* no account has more regions */
		if (is_planned(subject, &names->targets[i]))
			continue;
		add_visit(subject, &names->targets[i]);
		subject->handed_out++;
	}
	start_visits(last->next);
}

/* Credentials tell more than the name: the regions, or where Gateway V2 is. */
static bool
begins_with_global(const struct subject *subject)
{
	const struct survey_ask *ask = subject->survey->ask;

	unsigned apis = ask->apis != 0 ? ask->apis : subject->account->apis << NAMES_APIS_AT;

	if (subject->survey->means.signer == NULL || ask->dns_only ||
	    (apis & NAMES_API(API_SQL)) == 0)
		return false;
	return !subject->has_document || (ask->modes & NAMES_V2) != 0;
}

static void
plan_global(struct subject *subject)
{
	struct survey    *survey = subject->survey;
	struct name_list *names = names_targets(
	    survey->arena, subject->account, NAMES_API(API_SQL));

	add_visit(subject, &names->targets[0]);
}

static void
plan_visits(struct survey *survey)
{
	const struct survey_ask *ask = survey->ask;

	survey->subjects = arena_array(
	    survey->arena, ask->account_count, sizeof(struct subject));
	for (size_t i = 0; i < ask->account_count; i++) {
		struct subject *subject = &survey->subjects[i];

		*subject = (struct subject){ .survey = survey,
			.account = ask->accounts[i],
			.has_document = ask->has_document[i] };
		if (begins_with_global(subject))
			plan_global(subject);
		else
			plan_subject(subject, NULL, false);
	}
}

/* Whom a client asks by now, where resolv.conf was changed in the middle; NULL: it was not. */
static const char *const *
find_servers(const struct survey *survey, size_t *count)
{
	const struct survey_ask *ask = survey->ask;
	struct vantages          now;
	const char             **servers;

	*count = 0;
	if (ask->again == NULL || !vantages_find(&now, ask->again, NULL) ||
	    vantages_equal(&now, ask->vantages))
		return NULL;
	servers = arena_array(survey->arena, now.count, sizeof(*servers));
	for (size_t i = 0; i < now.count; i++) {
		struct vantages one = { { now.list[i] }, 1 };

		if (now.list[i].source != SOURCE_AZURE)
			servers[(*count)++] = vantages_render(&one, survey->arena);
	}
	return servers;
}

static void
judge_visits(struct survey *survey, struct survey_result *results)
{
	const struct survey_ask *ask = survey->ask;
	struct verdict         **verdicts = arena_array(
	            survey->arena, ask->account_count, sizeof(*verdicts));
	size_t             server_count;
	const char *const *servers = find_servers(survey, &server_count);

	for (size_t i = 0; i < ask->account_count; i++) {
		const struct subject      *subject = &survey->subjects[i];
		const struct measurement **seen = arena_array(
		    survey->arena, survey->visit_count + 1, sizeof(*seen));
		struct judge_ask judge = { .account = subject->account,
			.has_document = subject->has_document,
			.seen = seen,
			.endpoints = ask->endpoints,
			.wanted = ask->wanted,
			.zones = ask->zones,
			.plinks = ask->plinks,
			.vnet = ask->vnet,
			.servers = servers,
			.server_count = server_count };

		for (struct visit *visit = survey->first; visit != NULL; visit = visit->next) {
			if (visit->subject == subject && visit->seen != NULL)
				seen[judge.seen_count++] = visit->seen;
		}
		verdicts[i] = judge_run(survey->arena, &judge);
		results[i] = (struct survey_result){ subject->account, verdicts[i] };
	}
	compare_verdicts(survey->arena, verdicts, ask->account_count);
}

static bool
open_survey(struct survey *survey, struct err *err)
{
	const struct survey_ask *ask = survey->ask;

	survey->loop = loop_new(err);
	if (survey->loop == NULL)
		return false;
	loop_watch_init(&survey->progress, survey->loop, on_progress, survey);
	survey->means = ask->means;
	if (ask->credential != NULL) {
		survey->sign = sign_local_new(survey->loop, ask->credential, err);
		if (survey->sign == NULL)
			return false;
		survey->means.signer = sign_local_signer(survey->sign);
	}
	survey->probes = probes_new(&(struct probe_options){ .loop = survey->loop,
	                                .clock = clock_system(),
	                                .in_flight_max = SURVEY_IN_FLIGHT,
	                                .source = ask->source,
	                                .ca_file = ask->ca_file,
	                                .proxy = ask->proxy,
	                                .allows = policy_allows_by_hand },
	    err);
	if (survey->probes == NULL)
		return false;
	survey->swept = swept_new(&(struct swept_options){ .probes = survey->probes,
	                              .vantages = ask->vantages->list,
	                              .vantage_count = ask->vantages->count,
	                              .queries_per_s = ask->sweep_pace,
	                              .limit_ms = ask->limit_ms },
	    err);
	return survey->swept != NULL &&
	    loop_signal(survey->loop, SIGINT, on_signal, survey, err) &&
	    loop_signal(survey->loop, SIGTERM, on_signal, survey, err);
}

static void
close_survey(struct survey *survey)
{
	for (struct visit *visit = survey->first; visit != NULL; visit = visit->next)
		measure_cancel(visit->running);
	swept_free(survey->swept);
	probes_free(survey->probes);
	sign_local_free(survey->sign);
	if (survey->loop == NULL)
		return;
	loop_watch_fini(&survey->progress);
	loop_free(survey->loop);
}

static bool
is_used(const struct survey *survey, const struct rntbd_uri *uri)
{
	for (const struct visit *visit = survey->first; visit != NULL; visit = visit->next) {
		if (visit->target->mode == MODE_DIRECT && direct_is_for(uri, visit->target))
			return true;
	}
	return false;
}

/* An address given by hand that is of no region: perhaps the log is another account's. */
static void
warn_unused(const struct survey *survey)
{
	const struct direct_means *means = &survey->ask->means;
	const struct rntbd_uri    *first = NULL;
	size_t                     count = 0;

	for (size_t i = 0; i < means->pasted_count; i++) {
		if (is_used(survey, &means->pasted[i]))
			continue;
		first = count++ == 0 ? &means->pasted[i] : first;
	}
	if (first != NULL)
		fprintf(stderr,
		    "plprobe check: %zu of %zu addresses of replicas are of no region that is "
		    "measured; the first: %s:%u\n",
		    count, means->pasted_count, first->host, first->port);
}

bool
survey_run(struct arena *arena, const struct survey_ask *ask, struct survey_result *results,
    bool *interrupted, struct err *err)
{
	struct survey survey = { .ask = ask, .arena = arena };

	if (!open_survey(&survey, err)) {
		close_survey(&survey);
		return false;
	}
	survey.started_us = clock_mono_us(clock_system());
	plan_visits(&survey);
	start_visits(survey.first);
	if (ask->progress)
		loop_watch_set(&survey.progress, -1, 0, progress_us);
	if (survey.visit_count > 0)
		loop_run(survey.loop);
	if (ask->progress)
		fputs("\r\033[K", stderr);
	if (!survey.interrupted && !ask->dns_only)
		warn_unused(&survey);
	judge_visits(&survey, results);
	*interrupted = survey.interrupted;
	close_survey(&survey);
	return true;
}

struct nap {
	struct loop *loop;
	bool         signalled;
};

static void
on_nap_over(void *arg, unsigned what)
{
	loop_stop(((struct nap *)arg)->loop);
}

static void
on_nap_signal(void *arg)
{
	struct nap *nap = arg;

	nap->signalled = true;
	loop_stop(nap->loop);
}

bool
survey_wait(int64_t wait_ms)
{
	struct nap        nap = { .loop = loop_new(NULL) };
	struct loop_watch watch;

	if (nap.loop == NULL)
		return false;
	loop_watch_init(&watch, nap.loop, on_nap_over, &nap);
	loop_watch_set(&watch, -1, 0, wait_ms * US_PER_MS);
	if (loop_signal(nap.loop, SIGINT, on_nap_signal, &nap, NULL) &&
	    loop_signal(nap.loop, SIGTERM, on_nap_signal, &nap, NULL))
		loop_run(nap.loop);
	loop_watch_fini(&watch);
	loop_free(nap.loop);
	return !nap.signalled;
}
