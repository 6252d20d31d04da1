#include "tests/support/support_probe.h"

#include <stdio.h>
#include <stdlib.h>

struct over {
	struct support_probe *run;
	struct loop          *loop;
};

static void
on_over(void *arg)
{
	struct over *over = arg;

	over->run->overs++;
	loop_stop(over->loop);
}

struct support_probe *
support_probe_run(const struct probe_options *options, const struct probe_ask *ask)
{
	struct support_probe *run = mem_alloc(sizeof(*run));
	struct over           over = { .run = run };
	struct probe_options  used_options = *options;
	struct probe_ask      used_ask = *ask;
	struct probes        *probes;
	struct err            err = { ERR_NONE, "" };
	int64_t               start_us = clock_mono_us(clock_system());

	run->arena = arena_new();
	over.loop = used_options.loop = loop_new(&err);
	if (used_options.clock == NULL)
		used_options.clock = clock_system();
	used_ask.arena = run->arena;
	used_ask.dns = &run->dns;
	used_ask.endpoint = &run->endpoint;
	used_ask.replica = &run->replica;
	used_ask.on_over = on_over;
	used_ask.arg = &over;
	probes = probes_new(&used_options, &err);
	if (probes == NULL) {
		fprintf(stderr, "support_probe: %s\n", err.text);
		abort();
	}
	probe_start(probes, &used_ask);
	loop_run(over.loop);
	run->took_us = clock_mono_us(clock_system()) - start_us;
	loop_run_once(over.loop, false); /* nothing may come twice */
	probes_free(probes);
	loop_free(over.loop);
	return run;
}

void
support_probe_free(struct support_probe *run)
{
	if (run == NULL)
		return;
	arena_free(run->arena);
	free(run);
}
