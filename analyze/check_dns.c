#include "analyze/checks.h"

#include "analyze/check_link.h"
#include "analyze/ede.h"

#include <string.h>

/* How a resolver failed, and whose matter that is.  0 (NOT_RUN) is none. */
static const struct {
	enum outcome      outcome;
	enum finding_code code;
} failures[] = {
	{ OUTCOME_SERVFAIL, FINDING_DNS_SERVFAIL },
	{ OUTCOME_DNS_REFUSED, FINDING_DNS_REFUSED },
	{ OUTCOME_TIMEOUT, FINDING_DNS_TIMEOUT },
	{ OUTCOME_REFUSED, FINDING_DNS_UNREACHABLE },
	{ OUTCOME_UNREACHABLE, FINDING_DNS_UNREACHABLE },
};

static enum finding_code
find_failure(const struct view *view)
{
	unsigned          outcome = view->dns->outcome;
	enum finding_code cut = check_cut_code(view);

	if (cut != FINDING_COUNT)
		return cut;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].outcome == outcome)
			return failures[i].code;
	}
	return FINDING_DNS_BROKEN;
}

static const char *
describe_failure(const struct scene *scene, const struct dns *dns)
{
	const char *text = arena_printf(
	    scene->arena, "resolver %s: %s", dns->resolver, outcome_name(dns->outcome));

	if (dns->took_us > 0) /* not when nothing came: the detail says how long was waited */
		text = arena_printf(scene->arena, "%s after %u ms", text, dns->took_us / 1000);
	if (dns->tries > 1)
		text = arena_printf(scene->arena, "%s, %u tries", text, dns->tries);
	if (dns->outcome == OUTCOME_DNS_OTHER)
		text = arena_printf(scene->arena, "%s, rcode %u", text, dns->rcode);
	if (dns->detail != NULL && *dns->detail != '\0')
		text = arena_printf(scene->arena, "%s (%s)", text, dns->detail);
	if (dns->nsid != NULL && *dns->nsid != '\0')
		text = arena_printf(
		    scene->arena, "%s; it calls itself \"%s\"", text, dns->nsid);
	return arena_printf(scene->arena, "%s%s", text, ede_describe(scene->arena, dns));
}

/* A client goes on to its next server when one is silent or fails, but not when one says that the
 * name does not exist [resolv-conf]. */
static bool
has_answer(const struct site *site)
{
	for (size_t i = 0; i < site->view_count; i++) {
		if (site->views[i].addr_count > 0)
			return true;
	}
	return false;
}

void
check_dns_failures(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		const struct dns *dns = site->views[i].dns;

		if (site->views[i].kind != VIEW_FAILED)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = find_failure(&site->views[i]),
		        .site = site,
		        .severity = has_answer(site) ? STATE_WARNING : STATE_CRITICAL,
		        .resolver = dns->resolver,
		        .detail = outcome_name(dns->outcome),
		        .evidence = describe_failure(scene, dns),
		    });
	}
}

/* "; the zone corp.example says so, and this answer may live 300 s more" [rfc2308 5]. */
static const char *
describe_life(const struct scene *scene, const struct dns *dns)
{
	bool        zone = dns->soa != NULL && *dns->soa != '\0';
	const char *text = "";

	if (zone)
		text = arena_printf(scene->arena, "; the zone %s says so", dns->soa);
	if (dns->negative_ttl_s > 0)
		text = arena_printf(scene->arena, "%s%s this answer may live %u s more", text,
		    zone ? ", and" : ";", dns->negative_ttl_s);
	return text;
}

static const char *
describe_missing(const struct scene *scene, const struct site *site, const struct view *view)
{
	const char *chain = scene_chain(scene->arena, view);
	const char *why = view->by_zone ? "the privatelink zone is linked and lacks the record"
	    : view->alias
	    ? "the chain leads through the privatelink zone and ends without an address"
	    : "no privatelink alias: this resolver does not know the name at all";
	const char *outcome = view->dns->outcome == OUTCOME_OK
	    ? "an empty answer"
	    : outcome_name(view->dns->outcome);

	return arena_printf(scene->arena, "resolver %s: %s%s%s; %s%s%s%s", view->dns->resolver,
	    outcome, *chain != '\0' ? " behind " : "", chain, why,
	    describe_life(scene, view->dns), ede_describe(scene->arena, view->dns),
	    check_describe_control(scene, site));
}

/* What is known of a name that a resolver does not know. */
struct missing {
	const char *sender;      /* who hands the name out */
	const char *private_api; /* another API that is private here */
	const char *public_zone; /* a private zone has the name of the public one */
	const char *other_zone;  /* which of the zones of one name holds the record */
};

static enum finding_code
find_missing(const struct site *site, const struct missing *missing)
{
	if (missing->other_zone != NULL)
		return FINDING_TWO_ZONES;
	if (missing->public_zone != NULL)
		return FINDING_ZONE_NAME_WRONG;
	if (missing->private_api != NULL)
		return FINDING_API_ZONE_MISSING;
	if (*site->place->target->region == '\0')
		return FINDING_GLOBAL_NAME_MISSING;
	return missing->sender != NULL ? FINDING_MONGO_HOST_MISSING
	                               : FINDING_REGION_NAME_MISSING;
}

void
check_missing(const struct scene *scene, const struct site *site, struct report *out)
{
	struct missing missing = { .sender = check_sender(scene, site) };

	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		if (view->kind != VIEW_MISSING)
			continue;
		missing.public_zone = view->alias ? NULL : check_public_zone(scene);
		missing.private_api = check_unforwarded(scene, view);
		missing.other_zone = view->by_zone ? check_other_zone(scene, site) : NULL;
		if (missing.other_zone == NULL && view->by_zone &&
		    check_unready(scene, site, view, out))
			continue;
		if (check_gone(scene, site, describe_missing(scene, site, view), out))
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = find_missing(site, &missing),
		        .site = site,
		        .resolver = view->dns->resolver,
		        .detail = missing.other_zone != NULL ? missing.other_zone
		                                             : missing.private_api,
		        .evidence = arena_printf(scene->arena, "%s%s%s%s",
		            describe_missing(scene, site, view),
		            missing.sender != NULL ? "; handed out by " : "",
		            missing.sender != NULL ? missing.sender : "",
		            missing.other_zone != NULL        ? check_describe_zones(scene)
		                : missing.public_zone != NULL ? missing.public_zone
		                                              : ""),
		    });
	}
}
