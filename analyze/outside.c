#include "analyze/outside.h"

#include "analyze/checks.h"
#include "base/text.h"

static bool
is_firewall(unsigned path, const char *text)
{
	return check_refusal(path, text) != FINDING_GATEWAY_ANSWERS_OTHER;
}

/* What ended before anything was said.  A certificate that does not verify is somebody else's. */
static enum outside_kind
sort_silence(const struct site *site, unsigned outcome)
{
	switch ((enum outcome)outcome) {
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return OUTSIDE_UNTRIED;
	case OUTCOME_TIMEOUT:
		return site->seen->agent_late ? OUTSIDE_UNTRIED : OUTSIDE_UNREACHED;
	case OUTCOME_REFUSED:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return OUTSIDE_UNREACHED;
	default: return OUTSIDE_STRANGE;
	}
}

static enum outside_kind
sort_greeting(const struct site *site, const struct greeting *greeting)
{
	if (greeting->outcome == OUTCOME_OK)
		return OUTSIDE_ANSWERED;
	if (greeting->outcome == OUTCOME_REFUSED_BY_PEER)
		return is_firewall(greeting->path, greeting->error_text) ? OUTSIDE_REFUSED
		                                                         : OUTSIDE_STRANGE;
	return sort_silence(site, greeting->outcome);
}

static enum outside_kind
sort_end(const struct site *site, const struct endpoint *end)
{
	if (text_is_said(end->proxy))
		return OUTSIDE_UNTRIED; /* the proxy went where it liked */
	if (end->tcp != OUTCOME_OK)
		return sort_silence(site, end->tcp);
	if (end->tls != OUTCOME_OK)
		return sort_silence(site, end->tls);
	if (end->greeting != NULL)
		return sort_greeting(site, end->greeting);
	if (end->http == OUTCOME_OK)
		return OUTSIDE_ANSWERED;
	if (end->http == OUTCOME_HTTP_OTHER)
		return end->http_status == 403 && is_firewall(end->path, end->error_text)
		    ? OUTSIDE_REFUSED
		    : OUTSIDE_STRANGE;
	return sort_silence(site, end->http);
}

/* A signed request says more than the unsigned one before it. */
static enum outside_kind
sort_feed(const struct feed *feed)
{
	if (feed->admitted)
		return OUTSIDE_ADMITTED;
	if (feed->http_status == 403 && is_firewall(feed->path, feed->error_text))
		return OUTSIDE_REFUSED;
	return OUTSIDE_ANSWERED;
}

static struct outside_seen
look_at_ends(const struct site *site, const struct outside *outside)
{
	struct outside_seen best = { OUTSIDE_UNTRIED, NULL, NULL };

	for (size_t i = 0; i < outside->endpoints_count; i++) {
		const struct endpoint *end = &outside->endpoints[i];
		struct outside_seen    one = { sort_end(site, end), end, NULL };

		if (one.kind == OUTSIDE_ANSWERED && outside->feed != NULL &&
		    text_is_said(outside->feed->address) &&
		    text_equal_nocase(outside->feed->address, end->address)) {
			one.kind = sort_feed(outside->feed);
			one.feed = outside->feed;
		}
		if (best.end == NULL || one.kind < best.kind)
			best = one;
	}
	return best;
}

const char *
outside_inner(const struct scene *scene, const struct site *site, const struct dns *dns)
{
	for (size_t i = 0; i < dns->addresses_count; i++) {
		const char  *text = dns->addresses[i].address;
		struct addr  addr;
		struct claim claim;

		if (!addr_parse(&addr, text, 0, NULL))
			continue;
		claim = claim_find(&scene->claims, site->place->target->host, &addr);
		if (!addr_is_public(&addr) || claim.entry != NULL)
			return text;
	}
	return NULL;
}

/* Of a public address that documents have for an endpoint nothing is said either: it is inside. */
static bool
is_any_public(const struct scene *scene, const struct site *site, const struct outside *outside)
{
	for (size_t i = 0; i < outside->dns_count; i++) {
		const struct dns *dns = &outside->dns[i];

		if (dns->addresses_count > 0 && outside_inner(scene, site, dns) == NULL)
			return true;
	}
	return false;
}

static bool
is_dns_own_trouble(const struct outside *outside)
{
	for (size_t i = 0; i < outside->dns_count; i++) {
		switch ((enum outcome)outside->dns[i].outcome) {
		case OUTCOME_NOT_RUN:
		case OUTCOME_AGENT_LATE:
		case OUTCOME_POLICY:
		case OUTCOME_LOCAL: break;
		default: return false;
		}
	}
	return true;
}

struct outside_seen
outside_look(const struct scene *scene, const struct site *site)
{
	const struct outside *outside = site->seen != NULL ? site->seen->outside : NULL;

	if (outside == NULL)
		return (struct outside_seen){ OUTSIDE_UNASKED, NULL, NULL };
	if (is_dns_own_trouble(outside))
		return (struct outside_seen){ OUTSIDE_UNTRIED, NULL, NULL };
	if (!is_any_public(scene, site, outside))
		return (struct outside_seen){ OUTSIDE_UNRESOLVED, NULL, NULL };
	return look_at_ends(site, outside);
}

static bool
is_any_approved(const struct scene *scene)
{
	for (size_t i = 0; i < scene->connection_count; i++) {
		if (text_equal_nocase(scene->connections[i].status, "Approved"))
			return true;
	}
	return false;
}

/* Without rules an account that has an endpoint is reached by endpoints alone; without an endpoint
 * it is open [cosmos-private-endpoints]. */
enum outside_wish
outside_wish(const struct scene *scene)
{
	const struct account *account = scene->ask->account;
	const char           *access = account->public_network_access;

	if (!scene->ask->has_document || !text_is_said(access))
		return OUTSIDE_UNTOLD;
	if (text_equal_nocase(access, "Disabled"))
		return OUTSIDE_CLOSED;
	if (text_equal_nocase(access, "SecuredByPerimeter"))
		return OUTSIDE_PERIMETER;
	if (!text_equal_nocase(access, "Enabled"))
		return OUTSIDE_UNTOLD;
	if (!account->ruleless)
		return OUTSIDE_BY_RULES;
	return is_any_approved(scene) ? OUTSIDE_CLOSED : OUTSIDE_MAY_BE;
}

const char *
outside_wish_reason(const struct scene *scene)
{
	const char *access = scene->ask->account->public_network_access;

	if (outside_wish(scene) == OUTSIDE_CLOSED && text_equal_nocase(access, "Enabled"))
		return "publicNetworkAccess Enabled, no rule, and an approved private endpoint";
	return arena_printf(scene->arena, "publicNetworkAccess %s", access);
}

const char *
outside_kind_name(enum outside_kind kind)
{
	switch (kind) {
	case OUTSIDE_ADMITTED: return "admitted";
	case OUTSIDE_ANSWERED: return "answered";
	case OUTSIDE_REFUSED: return "refused";
	case OUTSIDE_STRANGE: return "strange";
	case OUTSIDE_UNREACHED: return "unreached";
	case OUTSIDE_UNTRIED: return "untried";
	case OUTSIDE_UNRESOLVED: return "unresolved";
	case OUTSIDE_UNASKED: return "unasked";
	case OUTSIDE_COUNT: break;
	}
	return "?";
}

const char *
outside_words(enum outside_kind kind, enum outside_wish wish)
{
	switch (kind) {
	case OUTSIDE_ADMITTED: return "public address admits requests";
	case OUTSIDE_ANSWERED: return "public address answers";
	case OUTSIDE_REFUSED:
		return wish == OUTSIDE_CLOSED || wish == OUTSIDE_PERIMETER
		    ? "public address refused, as configured"
		    : "public address refused";
	case OUTSIDE_STRANGE: return "public address answers otherwise: no proof";
	case OUTSIDE_UNREACHED: return "public address not reached: no proof";
	case OUTSIDE_UNTRIED: return "public address not tried";
	case OUTSIDE_UNRESOLVED: return "public address not known";
	case OUTSIDE_UNASKED:
	case OUTSIDE_COUNT: break;
	}
	return NULL;
}

const char *
outside_unproven(const struct scene *scene, const struct site *site)
{
	enum outside_kind kind = outside_look(scene, site).kind;
	enum outside_wish wish;

	if (kind == OUTSIDE_UNASKED || kind == OUTSIDE_UNRESOLVED)
		return NULL;
	if (kind == OUTSIDE_UNREACHED)
		return "whether the account refuses its public address: this network does not "
		       "let us there, which is as good from here, and no proof for elsewhere";
	if (kind == OUTSIDE_STRANGE)
		return "whether the account refuses its public address: what answers there is "
		       "not the service, or answers in no known way";
	if (kind == OUTSIDE_UNTRIED)
		return "whether the account refuses its public address: it was not tried";
	wish = outside_wish(scene);
	if (wish == OUTSIDE_UNTOLD)
		return "whether the public address should be refused: no document says so";
	if (wish == OUTSIDE_BY_RULES)
		return "whether the public address should be refused: the document has rules "
		       "for "
		       "public networks, and they may admit this one";
	if (kind == OUTSIDE_ANSWERED && scene->ask->account->api != API_SQL)
		return "whether the account admits the internet by its other APIs: their front "
		       "ends ask everybody for a login";
	return NULL;
}
