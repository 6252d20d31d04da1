#include "probe/conn_probe.h"

#include <stdlib.h>

struct conn_probe {
	struct probe             *probe;  /* borrowed; outlives us */
	const struct conn_recipe *recipe; /* borrowed; constant */
	struct conn              *conn;   /* owned */
	void                     *self;   /* in the arena of the ask */
};

static bool
ask_policy(void *arg, const struct addr *peer)
{
	return probe_allows(arg, peer);
}

static void
on_over(void *arg)
{
	struct conn_probe *run = arg;
	struct probe      *probe = run->probe;

	run->recipe->record(probe_ask(probe), conn_seen(run->conn), run->self);
	conn_probe_cancel(run);
	probe_over(probe);
}

void *
conn_probe_start(struct probe *probe, const struct conn_recipe *recipe)
{
	const struct probe_ask     *ask = probe_ask(probe);
	const struct probe_options *options = probe_options(probe);
	struct conn_probe          *run = mem_alloc(sizeof(*run));
	struct conn_ask             wanted = {
		            .loop = options->loop,
		            .clock = options->clock,
		            .arena = ask->arena,
		            .peer = ask->peer,
		            .source = options->source,
		            .limit_ms = ask->limit_ms,
		            .roots = recipe->tls ? probes_roots(probe_probes(probe)) : NULL,
		            .host = ask->host,
		            .alpn = recipe->alpn,
		            .dialog = recipe->dialog,
		            .allows = ask_policy,
		            .allows_arg = probe,
		            .on_over = on_over,
		            .arg = run,
	};

	struct err err = { ERR_NONE, "" };

	run->probe = probe;
	run->recipe = recipe;
	if (recipe->spec != NULL)
		run->self = recipe->spec(ask, &err);
	if (recipe->spec != NULL && run->self == NULL)
		wanted.refused = arena_strdup(ask->arena, err.text);
	wanted.dialog_self = run->self;
	run->conn = conn_start(&wanted);
	return run;
}

void
conn_probe_cancel(void *arg)
{
	struct conn_probe *run = arg;

	conn_free(run->conn);
	if (run->self != NULL && run->recipe->fini != NULL)
		run->recipe->fini(run->self);
	free(run);
}
