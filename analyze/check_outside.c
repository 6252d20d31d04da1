#include "analyze/checks.h"

#include "analyze/outside.h"
#include "base/text.h"

static const char *
name_peer(const struct scene *scene, const struct endpoint *end)
{
	struct addr addr;
	char        text[ADDR_TEXT];

	if (!addr_parse(&addr, end->address, (uint16_t)end->port, NULL))
		return end->address;
	return arena_strdup(scene->arena, addr_render_port(&addr, text, sizeof(text)));
}

static const char *
describe_feed(const struct scene *scene, const char *peer, const struct feed *feed)
{
	const char *text;

	if (feed->admitted)
		return arena_printf(scene->arena,
		    "%s: a signed GET / was answered with the account %s", peer,
		    text_is_said(feed->account) ? feed->account : "itself");
	text = arena_printf(
	    scene->arena, "%s: the signed GET / ended: %s", peer, outcome_name(feed->outcome));
	if (feed->http_status != 0)
		text = arena_printf(scene->arena, "%s, status %u", text, feed->http_status);
	if (text_is_said(feed->error_text))
		text = arena_printf(scene->arena, "%s: \"%s\"", text, feed->error_text);
	if (text_is_said(feed->detail))
		text = arena_printf(scene->arena, "%s; %s", text, feed->detail);
	return text;
}

/* What a signed request was told is proof enough by itself. */
static const char *
describe_open(const struct scene *scene, const struct outside_seen *seen)
{
	const char *peer = name_peer(scene, seen->end);
	const char *text = arena_printf(
	    scene->arena, "%s: %s", scene->ask->account->source, outside_wish_reason(scene));

	if (seen->kind != OUTSIDE_ADMITTED)
		text = arena_printf(
		    scene->arena, "%s; %s", text, check_describe_http(scene, peer, seen->end));
	if (seen->feed != NULL)
		text = arena_printf(
		    scene->arena, "%s; %s", text, describe_feed(scene, peer, seen->feed));
	return text;
}

/* Proven open, where a signed request is admitted; else only not seen to be closed.  A perimeter
 * has rules of its own, which no document of the account shows. */
static void
tell_open(const struct scene *scene, const struct site *site, const struct outside_seen *seen,
    struct report *out)
{
	enum outside_wish wish = outside_wish(scene);
	bool              admitted = seen->kind == OUTSIDE_ADMITTED;

	report_add(out,
	    &(struct sighting){
	        .code = FINDING_PUBLIC_ADDRESS_OPEN,
	        .site = site,
	        .severity = admitted && wish == OUTSIDE_CLOSED ? STATE_CRITICAL : STATE_WARNING,
	        .address = seen->end->address,
	        .port = seen->end->port,
	        .detail = admitted ? "admits a signed request"
	                           : "does not refuse a request without credentials",
	        .aside = true,
	        .evidence = describe_open(scene, seen),
	    });
}

static const char *
describe_resolver(const struct scene *scene, const struct site *site, const struct dns *dns)
{
	struct view view = { .dns = dns, .host = site->place->target->host };
	const char *chain = scene_chain(scene->arena, &view);
	const char *text = arena_printf(scene->arena, "resolver outside %s: %s", dns->resolver,
	    *chain != '\0' ? chain : outcome_name(dns->outcome));

	if (*chain == '\0' && text_is_said(dns->detail))
		text = arena_printf(scene->arena, "%s; %s", text, dns->detail);
	return text;
}

static void
tell_inner(const struct scene *scene, const struct site *site, const struct dns *dns,
    const char *address, struct report *out)
{
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_OUTSIDE_RESOLVER_INSIDE,
	        .site = site,
	        .resolver = dns->resolver,
	        .address = address,
	        .aside = true,
	        .evidence = describe_resolver(scene, site, dns),
	    });
}

/* Our own trouble is no resolver's fault. */
static bool
has_failed(const struct site *site, const struct dns *dns)
{
	switch ((enum outcome)dns->outcome) {
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return false;
	case OUTCOME_TIMEOUT: return !site->seen->agent_late;
	default: return dns->addresses_count == 0;
	}
}

static void
tell_failed(const struct scene *scene, const struct site *site, const struct dns *dns,
    struct report *out)
{
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_OUTSIDE_RESOLVER_FAILS,
	        .site = site,
	        .resolver = dns->resolver,
	        .detail = dns->outcome == OUTCOME_OK ? outcome_name(OUTCOME_NODATA)
	                                             : outcome_name(dns->outcome),
	        .aside = true,
	        .evidence = describe_resolver(scene, site, dns),
	    });
}

void
check_outside(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct outside *outside = site->seen->outside;
	struct outside_seen   seen;
	enum outside_wish     wish;

	/* A region that comes or goes has a name outside when it has one. */
	if (outside == NULL || site->pending)
		return;
	seen = outside_look(scene, site);
	wish = outside_wish(scene);
	for (size_t i = 0; i < outside->dns_count; i++) {
		const struct dns *dns = &outside->dns[i];
		const char       *inner = outside_inner(scene, site, dns);

		if (inner != NULL)
			tell_inner(scene, site, dns, inner, out);
		else if (seen.kind == OUTSIDE_UNRESOLVED && has_failed(site, dns))
			tell_failed(scene, site, dns, out);
	}
	/* A front end of another API asks for a login wherever one comes from. */
	if ((wish == OUTSIDE_CLOSED || wish == OUTSIDE_PERIMETER) &&
	    (seen.kind == OUTSIDE_ADMITTED ||
	        (seen.kind == OUTSIDE_ANSWERED && seen.end->greeting == NULL)))
		tell_open(scene, site, &seen, out);
}
