#include "analyze/checks.h"

#include "base/text.h"

#include <string.h>

/* Too many requests in the words of each API: 16500 of MongoDB, 0x1001 of Cassandra, a status of
 * HTTP. */
static bool
is_busy(const struct greeting *greeting)
{
	return text_is_said(greeting->error_code) &&
	    (strcmp(greeting->error_code, "16500") == 0 ||
	        strcmp(greeting->error_code, "0x1001") == 0 ||
	        strcmp(greeting->error_code, "429") == 0);
}

static enum finding_code
find_refusal(const struct greeting *greeting)
{
	enum finding_code code = check_refusal(greeting->path, greeting->error_text);

	return code != FINDING_GATEWAY_ANSWERS_OTHER ? code : FINDING_API_REFUSES;
}

static enum finding_code
find_failure(const struct site *site, const struct greeting *greeting)
{
	switch ((enum outcome)greeting->outcome) {
	case OUTCOME_OK:
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return FINDING_COUNT;
	case OUTCOME_REFUSED_BY_PEER: return find_refusal(greeting);
	case OUTCOME_TIMEOUT:
		return site->seen->agent_late ? FINDING_COUNT : FINDING_API_SILENT;
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return FINDING_API_SILENT;
	default: return FINDING_API_ANSWERS_OTHER;
	}
}

const char *
check_describe_greeting(
    const struct scene *scene, const char *peer, const struct greeting *greeting)
{
	const char *text = arena_printf(
	    scene->arena, "%s: %s", peer, outcome_name(greeting->outcome));

	if (greeting->status != 0)
		text = arena_printf(scene->arena, "%s, status %u", text, greeting->status);
	if (text_is_said(greeting->error_code))
		text = arena_printf(scene->arena, "%s, error %s", text, greeting->error_code);
	if (text_is_said(greeting->server))
		text = arena_printf(scene->arena, "%s, server %s", text, greeting->server);
	if (text_is_said(greeting->seen_as))
		text = arena_printf(scene->arena, "%s, seen as %s", text, greeting->seen_as);
	if (text_is_said(greeting->error_text))
		text = arena_printf(scene->arena, "%s: \"%s\"", text, greeting->error_text);
	if (text_is_said(greeting->request_id))
		text = arena_printf(
		    scene->arena, "%s, activity %s", text, greeting->request_id);
	if (text_is_said(greeting->detail))
		text = arena_printf(scene->arena, "%s; %s", text, greeting->detail);
	return text;
}

static const char *
find_detail(const struct scene *scene, const struct greeting *greeting, enum finding_code code)
{
	if (code == FINDING_API_REFUSES && text_is_said(greeting->error_code))
		return arena_printf(scene->arena, "error %s", greeting->error_code);
	if (code == FINDING_API_ANSWERS_OTHER && text_is_said(greeting->detail))
		return greeting->detail;
	return outcome_name(greeting->outcome);
}

void
check_greeting(const struct scene *scene, const struct site *site,
    const struct attempt *attempt, struct report *out)
{
	const struct endpoint *end = attempt->end;
	enum finding_code      code;

	if (end->greeting == NULL || end->tls != OUTCOME_OK)
		return;
	code = find_failure(site, end->greeting);
	if (code == FINDING_COUNT ||
	    (code == FINDING_FIREWALL_PUBLIC && check_other_groups(scene) != NULL))
		return;
	report_add(out,
	    &(struct sighting){
	        .code = code,
	        .site = site,
	        .severity = code == FINDING_API_REFUSES && is_busy(end->greeting)
	            ? STATE_WARNING
	            : STATE_OK,
	        .address = end->address,
	        .port = end->port,
	        .detail = find_detail(scene, end->greeting, code),
	        .evidence = check_describe_greeting(scene, attempt->peer, end->greeting),
	    });
}
