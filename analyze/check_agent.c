#include "analyze/checks.h"

#include <string.h>

struct own_trouble {
	bool        late, unable;
	const char *detail; /* why unable */
};

static void
note(struct own_trouble *trouble, bool agent_late, unsigned outcome, const char *detail)
{
	if (outcome == OUTCOME_AGENT_LATE || (agent_late && outcome == OUTCOME_TIMEOUT))
		trouble->late = true;
	if (outcome != OUTCOME_POLICY && outcome != OUTCOME_LOCAL)
		return;
	trouble->unable = true;
	if (trouble->detail == NULL)
		trouble->detail = detail != NULL && *detail != '\0' ? detail
		                                                    : outcome_meaning(outcome);
}

static void
note_end(struct own_trouble *trouble, bool agent_late, const struct endpoint *end)
{
	if (end == NULL)
		return;
	note(trouble, agent_late, end->tcp, end->detail);
	note(trouble, agent_late, end->tls, end->detail);
	note(trouble, agent_late, end->http, end->http_detail);
	if (end->greeting != NULL)
		note(trouble, agent_late, end->greeting->outcome, end->greeting->detail);
}

/* Of signed requests, replicas and Gateway V2, each at the site of its own mode. */
static void
note_modes(struct own_trouble *trouble, const struct site *site)
{
	const struct measurement *seen = site->place->seen;
	enum mode                 mode = scene_mode(site);

	/* A credential that cannot be read is CREDENTIAL_UNUSABLE. */
	if (seen != NULL && seen->feed != NULL && check_feed_code(site) == FINDING_COUNT)
		note(trouble, seen->agent_late, seen->feed->outcome, seen->feed->detail);
	for (size_t i = 0; mode == MODE_DIRECT && i < seen->replicas_count; i++) {
		const struct replica *replica = &seen->replicas[i];

		note(trouble, seen->agent_late, replica->dns, replica->detail);
		note_end(trouble, seen->agent_late, replica->end);
		note(trouble, seen->agent_late, replica->context, replica->detail);
	}
	for (size_t i = 0; mode == MODE_GATEWAY_V2 && i < seen->thins_count; i++) {
		note_end(trouble, seen->agent_late, seen->thins[i].end);
		note(trouble, seen->agent_late, seen->thins[i].outcome, seen->thins[i].detail);
	}
}

/* "10.0.0.2, now 10.0.0.9". */
static const char *
describe_servers(const struct scene *scene, const struct site *site)
{
	const char *before = "", *now = "";

	for (size_t i = 0; i < site->view_count; i++) {
		if (site->views[i].outdated)
			before = arena_printf(scene->arena, "%s%s%s", before,
			    *before != '\0' ? ", " : "", site->views[i].dns->resolver);
	}
	for (size_t i = 0; *before != '\0' && i < scene->server_count; i++)
		now = arena_printf(
		    scene->arena, "%s%s%s", now, *now != '\0' ? ", " : "", scene->servers[i]);
	return *before != '\0' ? arena_printf(scene->arena, "%s, now %s", before, now) : before;
}

void
check_agent(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct measurement *seen = site->seen;
	struct own_trouble        trouble = { 0 };
	const char               *servers = describe_servers(scene, site);

	if (*servers != '\0')
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_RESOLVERS_CHANGED,
		        .site = site,
		        .group = servers,
		        .detail = servers,
		        .evidence = servers,
		    });
	for (size_t i = 0; i < site->view_count; i++)
		note(&trouble, seen->agent_late, site->views[i].dns->outcome,
		    site->views[i].dns->detail);
	for (size_t i = 0; i < site->attempt_count; i++) {
		if (!site->attempts[i].excused)
			note_end(&trouble, seen->agent_late, site->attempts[i].end);
	}
	note_modes(&trouble, site);
	if (trouble.late)
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_AGENT_LATE,
		        .site = site,
		        .group = "agent", /* one machine, whatever it measured meanwhile */
		        .evidence = arena_printf(scene->arena,
		            "our own loop was up to %u ms late", seen->loop_lag_us / 1000),
		    });
	if (trouble.unable)
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_NOT_MEASURED,
		        .site = site,
		        .detail = trouble.detail,
		        .evidence = trouble.detail,
		    });
}
