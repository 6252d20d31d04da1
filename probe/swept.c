#include "probe/swept.h"

#include "probe/dns/sweep.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One target, waiting or under way. */
struct task {
	struct swept_ask    ask;
	struct measurement *seen; /* in the arena; NULL while it waits */
	int64_t             started_us;
	size_t              open; /* views that are not there yet */
	struct task        *previous, *next;
};

struct swept {
	struct sweep          *sweep; /* owned */
	const struct clock    *clock;
	struct measure_vantage vantages[MEASURE_VANTAGES_MAX];
	size_t                 vantage_count;
	struct task           *first, *last; /* all that are not over */
	struct task           *waiting;      /* the first of them that was not begun */
};

static bool
next_name(void *arg, struct sweep_name *name)
{
	struct swept      *swept = arg;
	struct task       *task = swept->waiting;
	struct measure_ask ask;

	if (task == NULL)
		return false;
	swept->waiting = task->next;
	ask = (struct measure_ask){ .target = task->ask.target,
		.vantages = swept->vantages,
		.vantage_count = swept->vantage_count,
		.arena = task->ask.arena };
	task->seen = measure_blank(&ask, swept->clock);
	task->started_us = clock_mono_us(swept->clock);
	task->open = swept->vantage_count;
	*name = (struct sweep_name){ task->ask.target->host, task };
	return true;
}

/* The sweep reads every answer into the same place. */
static const struct dns_answer *
copy_answer(const struct dns_answer *from, struct arena *arena)
{
	struct dns_answer *copy = arena_alloc(arena, sizeof(*copy));

	*copy = *from;
	copy->soa = arena_strdup(arena, from->soa);
	copy->aliases = arena_array(arena, from->alias_count, sizeof(*copy->aliases));
	for (size_t i = 0; i < from->alias_count; i++)
		copy->aliases[i] = (struct dns_alias){
			.owner = arena_strdup(arena, from->aliases[i].owner),
			.target = arena_strdup(arena, from->aliases[i].target),
			.ttl_s = from->aliases[i].ttl_s,
		};
	return copy;
}

static void
fill_view(struct task *task, const struct sweep_result *result)
{
	static const struct dns_heard not_asked = { .how = OUTCOME_NOT_RUN };
	struct arena                 *arena = task->ask.arena;
	struct dns_heard              heard = result->heard;

	if (heard.answer != NULL)
		heard.answer = copy_answer(heard.answer, arena);
	if (heard.detail != NULL)
		heard.detail = arena_strdup(arena, heard.detail);
	dns_record_fill(&task->seen->dns[result->resolver], arena,
	    arena_strdup(arena, result->host), &heard, &not_asked);
	task->seen->agent_late |= heard.how == OUTCOME_AGENT_LATE;
}

static void
take_out(struct swept *swept, struct task *task)
{
	if (task->previous != NULL)
		task->previous->next = task->next;
	else
		swept->first = task->next;
	if (task->next != NULL)
		task->next->previous = task->previous;
	else
		swept->last = task->previous;
}

static void
on_answer(void *arg, const struct sweep_result *result)
{
	struct swept       *swept = arg;
	struct task        *task = result->arg;
	struct swept_ask    ask = task->ask;
	struct measurement *seen = task->seen;

	fill_view(task, result);
	if (--task->open > 0)
		return;
	seen->took_us = (uint32_t)(clock_mono_us(swept->clock) - task->started_us);
	take_out(swept, task);
	free(task);
	ask.on_over(ask.arg, seen);
}

struct swept *
swept_new(const struct swept_options *options, struct err *err)
{
	const struct probe_options *probes = probes_options(options->probes);
	struct swept               *swept = mem_alloc(sizeof(*swept));
	struct addr                 resolvers[MEASURE_VANTAGES_MAX];

	assert(options->vantage_count >= 1 && options->vantage_count <= MEASURE_VANTAGES_MAX);
	swept->clock = probes->clock;
	swept->vantage_count = options->vantage_count;
	for (size_t i = 0; i < options->vantage_count; i++) {
		swept->vantages[i] = options->vantages[i];
		resolvers[i] = options->vantages[i].resolver;
	}
	swept->sweep = sweep_start(&(struct sweep_options){ .loop = probes->loop,
	                               .clock = probes->clock,
	                               .resolvers = resolvers,
	                               .resolver_count = options->vantage_count,
	                               .source = probes->source,
	                               .queries_per_s = options->queries_per_s,
	                               .limit_ms = options->limit_ms,
	                               .standing = true,
	                               .allows = probes->allows,
	                               .allows_arg = probes->allows_arg,
	                               .next = next_name,
	                               .on_answer = on_answer,
	                               .arg = swept },
	    err);
	if (swept->sweep != NULL)
		return swept;
	free(swept);
	return NULL;
}

void
swept_free(struct swept *swept)
{
	struct task *task;

	if (swept == NULL)
		return;
	sweep_cancel(swept->sweep);
	while ((task = swept->first) != NULL) {
		swept->first = task->next;
		free(task);
	}
	free(swept);
}

void
swept_add(struct swept *swept, const struct swept_ask *ask)
{
	struct task *task = mem_alloc(sizeof(*task));

	task->ask = *ask;
	task->previous = swept->last;
	if (swept->last != NULL)
		swept->last->next = task;
	else
		swept->first = task;
	swept->last = task;
	if (swept->waiting == NULL)
		swept->waiting = task;
	sweep_wake(swept->sweep);
}
