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

void
check_agent(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct measurement *seen = site->place->seen;
	struct own_trouble        trouble = { 0 };

	for (size_t i = 0; i < site->view_count; i++)
		note(&trouble, seen->agent_late, site->views[i].dns->outcome,
		    site->views[i].dns->detail);
	for (size_t i = 0; i < site->attempt_count; i++) {
		const struct endpoint *end = site->attempts[i].end;

		if (site->attempts[i].excused)
			continue;
		note(&trouble, seen->agent_late, end->tcp, end->detail);
		note(&trouble, seen->agent_late, end->tls, end->detail);
		note(&trouble, seen->agent_late, end->http, end->http_detail);
	}
	if (trouble.late)
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_AGENT_LATE,
		        .site = site,
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
