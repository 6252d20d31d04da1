#include "analyze/checks.h"

#include "base/text.h"

#include <string.h>

/* A 403 that tells no way is the firewall's if it says so; there are others [cosmos-forbidden]. */
enum finding_code
check_refusal(unsigned path, const char *text)
{
	switch ((enum path)path) {
	case PATH_PUBLIC_INTERNET: return FINDING_FIREWALL_PUBLIC;
	case PATH_SERVICE_ENDPOINT: return FINDING_FIREWALL_SERVICE_ENDPOINT;
	case PATH_PRIVATE_ENDPOINT: return FINDING_FIREWALL_PRIVATE_ENDPOINT;
	default: break;
	}
	if (text != NULL && text_find_nocase(text, "forbidden encryption in transit") != NULL)
		return FINDING_TLS_VERSION_REFUSED;
	if (text != NULL && text_find_nocase(text, "firewall settings") != NULL)
		return FINDING_FIREWALL_UNTOLD;
	return FINDING_GATEWAY_ANSWERS_OTHER;
}

/* The service puts one of these on each of its answers; nobody else does. */
static bool
is_of_service(const struct endpoint *end)
{
	return text_is_said(end->gateway_version) || text_is_said(end->activity_id) ||
	    (text_is_said(end->server) &&
	        text_find_nocase(end->server, "Microsoft-HTTPAPI") != NULL);
}

/* Sends somewhere else, shows a page for people, or wants a login of its own [rfc9110 15.5.8]
 * [rfc6585 6]. */
static bool
is_portal(const struct endpoint *end)
{
	enum { PROXY_LOGIN = 407, NETWORK_LOGIN = 511 };

	return (end->http_status >= 300 && end->http_status < 400) ||
	    end->http_status == PROXY_LOGIN || end->http_status == NETWORK_LOGIN ||
	    (text_is_said(end->content_type) &&
	        (text_starts_nocase(end->content_type, "text/html") ||
	            text_starts_nocase(end->content_type, "application/xhtml")));
}

static enum finding_code
find_other(const struct endpoint *end)
{
	enum finding_code refusal = end->http_status == 403
	    ? check_refusal(end->path, end->error_text)
	    : FINDING_GATEWAY_ANSWERS_OTHER;

	if (refusal != FINDING_GATEWAY_ANSWERS_OTHER)
		return refusal;
	if (is_portal(end))
		return FINDING_PORTAL_ANSWERS;
	if (!is_of_service(end))
		return FINDING_GATEWAY_ANSWERS_OTHER;
	if (end->http_status == 429)
		return FINDING_GATEWAY_THROTTLES;
	if (end->http_status == 404)
		return FINDING_ACCOUNT_UNKNOWN_THERE;
	return end->http_status >= 500 ? FINDING_GATEWAY_UNAVAILABLE
	                               : FINDING_GATEWAY_ANSWERS_OTHER;
}

static enum finding_code
find_failure(const struct site *site, const struct endpoint *end)
{
	switch ((enum outcome)end->http) {
	case OUTCOME_OK:
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return FINDING_COUNT;
	case OUTCOME_HTTP_OTHER: return find_other(end);
	case OUTCOME_TIMEOUT:
		return site->seen->agent_late ? FINDING_COUNT : FINDING_HTTP_TIMEOUT;
	default: return FINDING_HTTP_BROKEN;
	}
}

const char *
check_describe_http(const struct scene *scene, const char *peer, const struct endpoint *end)
{
	const char *text = arena_printf(scene->arena, "%s: %s", peer, outcome_name(end->http));

	if (end->http_status != 0)
		text = arena_printf(scene->arena, "%s, status %u", text, end->http_status);
	if (end->substatus != 0)
		text = arena_printf(scene->arena, "%s/%u", text, end->substatus);
	if (text_is_said(end->error_code))
		text = arena_printf(scene->arena, "%s %s", text, end->error_code);
	if (text_is_said(end->server))
		text = arena_printf(scene->arena, "%s, server %s", text, end->server);
	if (text_is_said(end->content_type))
		text = arena_printf(scene->arena, "%s, %s", text, end->content_type);
	if (end->retry_after_ms != 0)
		text = arena_printf(
		    scene->arena, "%s, asks to wait %u ms", text, end->retry_after_ms);
	if (text_is_said(end->proxy))
		text = arena_printf(
		    scene->arena, "%s, by way of the proxy %s", text, end->proxy);
	if (text_is_said(end->location))
		text = arena_printf(scene->arena, "%s, to %s", text, end->location);
	if (text_is_said(end->seen_as))
		text = arena_printf(scene->arena, "%s, seen as %s", text, end->seen_as);
	if (text_is_said(end->error_text))
		text = arena_printf(scene->arena, "%s: \"%s\"", text, end->error_text);
	if (text_is_said(end->activity_id))
		text = arena_printf(scene->arena, "%s, activity %s", text, end->activity_id);
	if (text_is_said(end->http_detail))
		text = arena_printf(scene->arena, "%s; %s", text, end->http_detail);
	return text;
}

void
check_http(const struct scene *scene, const struct site *site, const struct attempt *attempt,
    struct report *out)
{
	const struct endpoint *end = attempt->end;
	enum finding_code      code = find_failure(site, end);
	const char            *detail = outcome_name(end->http);

	/* Without a good handshake the request could not be made. */
	if (code == FINDING_COUNT || end->tls != OUTCOME_OK)
		return;
	if (code == FINDING_FIREWALL_PUBLIC && check_other_groups(scene) != NULL)
		return;
	if (code == FINDING_TLS_VERSION_REFUSED && text_is_said(end->tls_version))
		detail = end->tls_version;
	else if (end->http_status != 0)
		detail = arena_printf(scene->arena, "status %u", end->http_status);
	report_add(out,
	    &(struct sighting){
	        .code = code,
	        .site = site,
	        .address = end->address,
	        .port = end->port,
	        .detail = detail,
	        .evidence = check_describe_http(scene, attempt->peer, end),
	    });
}
