#include "analyze/checks.h"

#include "analyze/region.h"
#include "base/text.h"

#include <string.h>

/* What Gateway V2 showed at one address. */
enum thin_kind {
	THIN_NONE,
	THIN_READY,
	THIN_BLOCKED,
	THIN_OFF,
	THIN_STRANGE, /* HTTP/2, and neither of the two answers of Gateway V2 */
	THIN_NO_HTTP2
};

/* What Gateway V2 says where it is switched off [cosmos-thin-client]. */
enum { STATUS_OFF = 503 };

static bool
says_nothing(unsigned outcome, bool agent_late)
{
	return outcome == OUTCOME_NOT_RUN || outcome == OUTCOME_AGENT_LATE ||
	    outcome == OUTCOME_POLICY || outcome == OUTCOME_LOCAL ||
	    (agent_late && outcome == OUTCOME_TIMEOUT);
}

static bool
speaks_http2(const struct thin *thin)
{
	return thin->alpn != NULL && strcmp(thin->alpn, "h2") == 0;
}

static enum thin_kind
find_kind(const struct thin *thin, bool agent_late)
{
	const struct endpoint *end = thin->end;

	if (end == NULL || says_nothing(end->tcp, agent_late))
		return THIN_NONE;
	if (end->tcp != OUTCOME_OK)
		return THIN_BLOCKED;
	if (says_nothing(end->tls, agent_late))
		return THIN_NONE;
	if (end->tls != OUTCOME_OK)
		return thin->outcome == OUTCOME_BROKE_PROTOCOL ? THIN_NO_HTTP2 : THIN_BLOCKED;
	if (!speaks_http2(thin))
		return THIN_NO_HTTP2;
	if (thin->outcome == OUTCOME_OK)
		return THIN_READY;
	if (thin->outcome == OUTCOME_HTTP_OTHER && thin->status == STATUS_OFF)
		return THIN_OFF;
	if (says_nothing(thin->outcome, agent_late))
		return THIN_NONE;
	/* HTTP/2 may also refuse a request without a status [rfc9113 7]; an answer may begin, and
	 * never end. */
	if (thin->status != 0 || thin->outcome == OUTCOME_REFUSED_BY_PEER)
		return THIN_STRANGE;
	return thin->outcome == OUTCOME_BROKE_PROTOCOL || thin->outcome == OUTCOME_TOO_LARGE
	    ? THIN_NO_HTTP2
	    : THIN_BLOCKED;
}

/* Whether the gateway names a location of Gateway V2 for the region, as far as it was asked. */
enum advertised {
	ADVERTISED_UNKNOWN,
	ADVERTISED_NOT,
	ADVERTISED_ELSEWHERE, /* at another host or port than was tried */
	ADVERTISED
};

static bool
is_of_region(const struct gateway_region *told, const struct target *target)
{
	char label[REGION_LABEL_ROOM];

	return strcmp(region_label(told->name, label, sizeof(label)), target->region) == 0;
}

static enum advertised
find_advertised(const struct scene *scene, const struct site *site)
{
	const struct target *target = site->place->target;
	enum advertised      found = ADVERTISED_NOT;

	for (size_t i = 0; i < site->seen->thins_count; i++) {
		if (site->seen->thins[i].advertised)
			return ADVERTISED;
	}
	if (scene->feed == NULL)
		return ADVERTISED_UNKNOWN;
	for (size_t i = 0; i < scene->feed->regions_count; i++) {
		const struct gateway_region *region = &scene->feed->regions[i];

		if (!text_is_said(region->v2_host))
			continue;
		if (text_equal_nocase(region->v2_host, target->host) &&
		    region->v2_port == target->port)
			return ADVERTISED;
		if (is_of_region(region, target))
			found = ADVERTISED_ELSEWHERE;
	}
	return found;
}

/* The worst of its addresses, and whether any was tried. */
static enum thin_kind
find_worst(const struct site *site, const struct thin **worst)
{
	static const unsigned badness[] = { [THIN_NONE] = 0,
		[THIN_READY] = 1,
		[THIN_OFF] = 2,
		[THIN_STRANGE] = 3,
		[THIN_NO_HTTP2] = 4,
		[THIN_BLOCKED] = 5 };
	enum thin_kind        found = THIN_NONE;

	*worst = NULL;
	for (size_t i = 0; i < site->seen->thins_count; i++) {
		const struct thin *thin = &site->seen->thins[i];
		enum thin_kind     kind = find_kind(thin, site->seen->agent_late);

		if (badness[kind] <= badness[found])
			continue;
		found = kind;
		*worst = thin;
	}
	return found;
}

bool
check_thin_is_told(const struct site *site)
{
	const struct thin *worst;
	enum thin_kind     kind = scene_mode(site) != MODE_GATEWAY_V2 || site->seen == NULL
	        ? THIN_NONE
	        : find_worst(site, &worst);

	return kind != THIN_NONE && kind != THIN_BLOCKED;
}

void
check_thin_describe(const struct scene *scene, const struct site *site)
{
	struct place      *place = site->place;
	enum advertised    advertised;
	const struct thin *worst;

	place->state = STATE_UNKNOWN;
	if (site->seen == NULL)
		return;
	advertised = find_advertised(scene, site);
	switch (find_worst(site, &worst)) {
	case THIN_NONE: break;
	case THIN_READY:
		place->state = STATE_OK;
		place->words = advertised == ADVERTISED_NOT ? "ready, though not advertised"
		                                            : "ready";
		break;
	case THIN_BLOCKED:
	case THIN_OFF:
	case THIN_STRANGE:
	case THIN_NO_HTTP2:
		if (advertised == ADVERTISED_ELSEWHERE) {
			place->words =
			    "not ready, and advertised at another place, which was not "
			    "tried";
		} else if (advertised == ADVERTISED_NOT) {
			place->state = STATE_OK;
			place->words = "not offered: the gateway does not advertise it";
		} else {
			place->words = "not ready; whether it is offered was not asked";
		}
		break;
	}
}

/* "https://host:10250/connectivity-probe at 10.1.1.6: tcp ok, tls ok, ALPN h2, status 503". */
static const char *
describe(const struct scene *scene, const struct thin *thin)
{
	const struct endpoint *end = thin->end;
	const char *text = arena_printf(scene->arena, "%s:%u at %s: tcp %s", thin->host,
	    thin->port, text_is_said(end->address) ? end->address : "no address",
	    outcome_name(end->tcp));

	if (end->tls != OUTCOME_NOT_RUN)
		text = arena_printf(scene->arena, "%s, tls %s", text, outcome_name(end->tls));
	if (end->tls != OUTCOME_OK && text_is_said(end->issuer))
		text = arena_printf(scene->arena, "%s, issuer %s", text, end->issuer);
	if (end->tls == OUTCOME_OK)
		text = arena_printf(scene->arena, "%s, ALPN %s", text,
		    text_is_said(thin->alpn) ? thin->alpn : "none");
	if (thin->outcome != OUTCOME_NOT_RUN)
		text = arena_printf(scene->arena, "%s, POST /connectivity-probe: %s", text,
		    outcome_name(thin->outcome));
	if (thin->status != 0)
		text = arena_printf(scene->arena, "%s, status %u", text, thin->status);
	if (text_is_said(end->detail))
		text = arena_printf(scene->arena, "%s (%s)", text, end->detail);
	if (text_is_said(thin->detail))
		text = arena_printf(scene->arena, "%s (%s)", text, thin->detail);
	return text;
}

static enum finding_code
find_code(enum thin_kind kind)
{
	switch (kind) {
	case THIN_NONE:
	case THIN_READY: break;
	case THIN_BLOCKED: return FINDING_V2_BLOCKED;
	case THIN_OFF: return FINDING_V2_OFF;
	case THIN_STRANGE: return FINDING_V2_STRANGE;
	case THIN_NO_HTTP2: return FINDING_V2_NO_HTTP2;
	}
	return FINDING_COUNT;
}

/* The gateway at the same address is as far away: told there. */
static bool
follows(const struct site *site, const struct thin *thin)
{
	const struct attempt *gateway;
	struct addr           addr;

	if (site->name == NULL || !text_is_said(thin->end->address) ||
	    !addr_parse(&addr, thin->end->address, 0, NULL))
		return false;
	gateway = scene_attempt(site->name, &addr);
	if (gateway == NULL)
		return false;
	if (thin->end->tcp != OUTCOME_OK)
		return scene_tcp_failed(site->name, gateway) || gateway->excused;
	return gateway->end->tls != OUTCOME_OK && gateway->end->tls != OUTCOME_NOT_RUN;
}

void
check_thin(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct thin     *worst;
	const struct sighting *cause = site->name != NULL
	    ? report_worst(out, site->name, FINDING_COUNT)
	    : NULL;
	enum finding_code      code = find_code(find_worst(site, &worst));

	if (code == FINDING_COUNT || find_advertised(scene, site) != ADVERTISED ||
	    (code == FINDING_V2_BLOCKED && cause != NULL && cause->severity == STATE_CRITICAL &&
	        follows(site, worst)))
		return;
	report_add(out,
	    &(struct sighting){
	        .code = code,
	        .site = site,
	        .address = worst->end->address,
	        .port = worst->port,
	        .detail = worst->status != 0
	            ? arena_printf(scene->arena, "status %u", worst->status)
	            : outcome_name(worst->outcome),
	        .evidence = describe(scene, worst),
	    });
}
