#include "agent/survey.h"

#include "agent/policy.h"
#include "analyze/compare.h"
#include "base/clock.h"
#include "probe/swept.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Enough that the public names of all regions, which come last, do not wait for each other. */
enum { SURVEY_IN_FLIGHT = 256 };

static const int64_t progress_us = 100 * US_PER_MS;

struct survey;

/* One name. */
struct visit {
	struct survey       *survey;  /* borrowed; outlives us */
	struct measure      *running; /* NULL for one of the sweep */
	const struct target *target;
	bool                 swept; /* the sweep asks for it, not a measurement of its own */
	const struct measurement *seen; /* NULL until it is over */
};

struct survey {
	const struct survey_ask *ask;
	struct arena            *arena;
	struct loop             *loop;
	struct probes           *probes;
	struct swept            *swept;
	struct visit            *visits;
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

static void
on_over(void *arg, struct measurement *seen)
{
	struct visit  *visit = arg;
	struct survey *survey = visit->survey;

	visit->running = NULL;
	visit->seen = seen;
	if (++survey->over_count == survey->visit_count)
		loop_stop(survey->loop);
}

static void
start_visit(struct visit *visit)
{
	struct survey           *survey = visit->survey;
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
	        .limit_ms = ask->limit_ms,
	        .arena = survey->arena,
	        .on_over = on_over,
	        .arg = visit });
}

/* Configured names of all accounts before any sweep: they are what somebody waits for. */
static void
start_visits(struct survey *survey)
{
	for (size_t i = 0; i < survey->visit_count; i++) {
		if (survey->visits[i].target->role != ROLE_SWEEP)
			start_visit(&survey->visits[i]);
	}
	for (size_t i = 0; i < survey->visit_count; i++) {
		if (survey->visits[i].target->role == ROLE_SWEEP)
			start_visit(&survey->visits[i]);
	}
}

static void
plan_visits(struct survey *survey)
{
	const struct survey_ask *ask = survey->ask;
	struct name_list       **lists = arena_array(
	          survey->arena, ask->account_count, sizeof(*lists));
	size_t next = 0;

	for (size_t i = 0; i < ask->account_count; i++) {
		lists[i] = names_targets_more(survey->arena, ask->accounts[i],
		    (ask->sweep ? NAMES_SWEEP : 0) | (ask->dns_only ? NAMES_DNS_ONLY : 0),
		    &ask->regions);
		survey->visit_count += lists[i]->count;
	}
	survey->visits = arena_array(survey->arena, survey->visit_count, sizeof(struct visit));
	for (size_t i = 0; i < ask->account_count; i++) {
		for (size_t j = 0; j < lists[i]->count; j++) {
			const struct target *target = &lists[i]->targets[j];

			/* Without a document each of them may be a name to use. */
			survey->visits[next++] = (struct visit){ .survey = survey,
				.target = target,
				.swept = target->role == ROLE_SWEEP && target->dns_only &&
				    ask->has_document[i] };
		}
	}
}

static void
judge_visits(struct survey *survey, struct survey_result *results)
{
	const struct survey_ask   *ask = survey->ask;
	const struct measurement **seen;
	struct verdict           **verdicts = arena_array(
	              survey->arena, ask->account_count, sizeof(*verdicts));
	size_t next = 0;

	for (size_t i = 0; i < ask->account_count; i++) {
		struct judge_ask judge = { .account = ask->accounts[i],
			.has_document = ask->has_document[i],
			.endpoints = ask->endpoints };

		seen = arena_array(survey->arena, survey->visit_count, sizeof(*seen));
		for (; next < survey->visit_count; next++) {
			if (strcmp(survey->visits[next].target->account,
			        ask->accounts[i]->name) != 0)
				break;
			if (survey->visits[next].seen != NULL)
				seen[judge.seen_count++] = survey->visits[next].seen;
		}
		judge.seen = seen;
		verdicts[i] = judge_run(survey->arena, &judge);
		results[i] = (struct survey_result){ ask->accounts[i], verdicts[i] };
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
	survey->probes = probes_new(&(struct probe_options){ .loop = survey->loop,
	                                .clock = clock_system(),
	                                .in_flight_max = SURVEY_IN_FLIGHT,
	                                .source = ask->source,
	                                .ca_file = ask->ca_file,
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
	for (size_t i = 0; i < survey->visit_count; i++)
		measure_cancel(survey->visits[i].running);
	swept_free(survey->swept);
	probes_free(survey->probes);
	if (survey->loop == NULL)
		return;
	loop_watch_fini(&survey->progress);
	loop_free(survey->loop);
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
	start_visits(&survey);
	if (ask->progress)
		loop_watch_set(&survey.progress, -1, 0, progress_us);
	if (survey.visit_count > 0)
		loop_run(survey.loop);
	if (ask->progress)
		fputs("\r\033[K", stderr);
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
