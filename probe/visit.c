#include "probe/visit.h"

#include <assert.h>
#include <string.h>

/* tls and https go side by side and share an endpoint: the one shows the certificate whatever the
 * gateway does, the other what it says. */
static const struct plan {
	enum api    api;
	enum mode   mode;
	const char *kinds[VISIT_PROBES_MAX];
} plans[] = {
	{ API_SQL, MODE_GATEWAY, { "tls", "https" } },
	{ API_SQL, MODE_GATEWAY_V2, { "thin", NULL } },
	{ API_MONGO, MODE_GATEWAY, { "mongo", NULL } },
	{ API_CASSANDRA, MODE_GATEWAY, { "cassandra", NULL } },
	{ API_GREMLIN, MODE_GATEWAY, { "gremlin", NULL } },
	{ API_TABLE, MODE_GATEWAY, { "table", NULL } },
};

static const struct plan *
find_plan(uint32_t api, uint32_t mode)
{
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		if (plans[i].api == api && plans[i].mode == mode)
			return &plans[i];
	}
	return NULL;
}

bool
visit_knows(uint32_t api, uint32_t mode)
{
	return find_plan(api, mode) != NULL;
}

static void
end_probe(struct visit *visit, int at)
{
	visit->probes[at] = NULL;
	if (--visit->pending == 0)
		visit->on_over(visit->arg);
}

static void
on_first_over(void *arg)
{
	end_probe(arg, 0);
}

static void
on_second_over(void *arg)
{
	end_probe(arg, 1);
}

struct visit *
visit_start(struct probes *probes, const struct visit_ask *ask)
{
	static void (*const on_over[VISIT_PROBES_MAX])(
	    void *) = { on_first_over, on_second_over };
	struct visit      *visit = arena_alloc(ask->arena, sizeof(*visit));
	const struct plan *plan = find_plan(ask->target->api, ask->target->mode);
	char               text[ADDR_TEXT];

	assert(plan != NULL);
	visit->addr = ask->addr;
	visit->endpoint.address = arena_strdup(
	    ask->arena, addr_render(&ask->addr, text, sizeof(text)));
	visit->endpoint.port = ask->addr.port;
	visit->thin.host = ask->target->host;
	visit->thin.port = ask->addr.port;
	visit->thin.advertised = ask->target->advertised;
	visit->thin.end = &visit->endpoint;
	visit->on_over = ask->on_over;
	visit->arg = ask->arg;
	for (int i = 0; i < VISIT_PROBES_MAX && plan->kinds[i] != NULL; i++) {
		visit->pending++;
		visit->probes[i] = probe_start(probes,
		    &(struct probe_ask){ .kind = plan->kinds[i],
		        .host = ask->target->host,
		        .peer = ask->addr,
		        .limit_ms = ask->limit_ms,
		        .arena = ask->arena,
		        .endpoint = &visit->endpoint,
		        .thin = &visit->thin,
		        .on_over = on_over[i],
		        .arg = visit });
	}
	return visit;
}

static void
give_up(struct visit *visit, const char *kind, const char *why)
{
	if (strcmp(kind, "https") == 0) {
		visit->endpoint.http = OUTCOME_LOCAL;
		visit->endpoint.http_detail = why;
		return;
	}
	visit->endpoint.tcp = OUTCOME_LOCAL;
	visit->endpoint.detail = why;
}

void
visit_cancel(struct visit *visit, const char *why)
{
	for (int i = 0; i < VISIT_PROBES_MAX; i++) {
		if (visit->probes[i] == NULL)
			continue;
		if (why != NULL)
			give_up(visit, probe_ask(visit->probes[i])->kind, why);
		probe_cancel(visit->probes[i]);
		visit->probes[i] = NULL;
	}
}

bool
visit_was_late(const struct visit *visit)
{
	const struct endpoint *end = &visit->endpoint;

	return end->tcp == OUTCOME_AGENT_LATE || end->tls == OUTCOME_AGENT_LATE ||
	    end->http == OUTCOME_AGENT_LATE || visit->thin.outcome == OUTCOME_AGENT_LATE ||
	    (end->greeting != NULL && end->greeting->outcome == OUTCOME_AGENT_LATE);
}
