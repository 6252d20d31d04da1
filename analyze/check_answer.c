#include "analyze/checks.h"

#include "analyze/check_link.h"
#include "analyze/ede.h"
#include "analyze/facet.h"
#include "base/text.h"

#include <string.h>

static bool
has_approved(const struct scene *scene)
{
	for (size_t i = 0; i < scene->connection_count; i++) {
		if (check_is_for_api(scene, &scene->connections[i]) &&
		    text_equal_nocase(scene->connections[i].status, "Approved"))
			return true;
	}
	return false;
}

const char *
check_describe_view(const struct scene *scene, const struct view *view)
{
	return arena_printf(scene->arena, "resolver %s: %s%s", view->dns->resolver,
	    scene_chain(scene->arena, view), ede_describe(scene->arena, view->dns));
}

/* What the service said to a request over the public address; "" when none was answered. */
static const char *
describe_consequence(
    const struct scene *scene, const struct site *site, const struct view *view)
{
	for (size_t i = 0; i < site->attempt_count; i++) {
		const struct attempt *attempt = &site->attempts[i];

		if (!scene_has_address(view, &attempt->addr))
			continue;
		if (scene_is_answered(attempt->end))
			return "; a gateway answers there: traffic goes over the internet "
			       "unnoticed";
		return check_describe_attempt(scene, attempt);
	}
	return "";
}

/* Another name of the account is answered by the same server with a private address, and this one
 * with public ones alone: so the zone is linked, and only this record is missing. */
static bool
is_fallback(const struct scene *scene, const struct site *site, const struct view *view)
{
	for (size_t i = 0; i < view->addr_count; i++) {
		if (!scene_is_public(view, i))
			return false;
	}
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *other = &scene->sites[i];

		for (size_t j = 0; j < other->view_count && other != site; j++) {
			const struct view *theirs = &other->views[j];

			if (theirs->kind == VIEW_PRIVATE && theirs->alias && !other->pending &&
			    strcmp(theirs->dns->resolver, view->dns->resolver) == 0)
				return true;
		}
	}
	return false;
}

/* Why it is public: the range is all there is to tell by, unless documents name the address. */
static const char *
describe_public(const struct scene *scene, const struct site *site)
{
	const char                    *host = site->place->target->host;
	const struct private_endpoint *endpoint = claim_endpoint(&scene->claims, host, 0);
	char                           text[ADDR_TEXT];

	if (endpoint == NULL)
		return "public by its range (a hint)";
	return arena_printf(scene->arena, "endpoint %s has %s for this name", endpoint->name,
	    addr_render(endpoint_find(endpoint, host), text, sizeof(text)));
}

/* Why an answer is public, as far as other answers and the documents tell. */
struct cause {
	enum finding_code code;
	const char       *detail, *evidence;
};

static struct cause
find_cause(const struct scene *scene, const struct site *site, const struct view *view)
{
	const char *policy = check_describe_policy(scene), *evidence = "", *detail;

	if ((detail = check_link_fallback(scene, site, view)) != NULL)
		return (struct cause){ FINDING_LINK_FALLBACK, detail, policy };
	if (is_fallback(scene, site, view))
		return (struct cause){ FINDING_FALLBACK_TO_INTERNET, NULL, policy };
	if ((detail = check_not_forwarding(scene, site, view)) != NULL)
		return (struct cause){ FINDING_SERVER_NOT_FORWARDING, detail, policy };
	if ((detail = check_mistyped_zone(scene, &evidence)) != NULL)
		return (struct cause){ FINDING_ZONE_NAME_MISTYPED, detail, evidence };
	if ((detail = check_unlinked(scene, site, view)) != NULL)
		return (struct cause){ FINDING_ZONE_NOT_LINKED, detail,
			check_describe_zones(scene) };
	if ((detail = check_private_api(scene, view)) != NULL)
		return (struct cause){ FINDING_API_ZONE_MISSING, detail, policy };
	if (!check_vnet_is_known(scene) && *check_describe_zones(scene) != '\0')
		policy = arena_printf(scene->arena,
		    "%s; which virtual network this is, and so which zone it asks, was not "
		    "told "
		    "(--vnet)",
		    policy);
	return (struct cause){ FINDING_PUBLIC_ANSWER, NULL, policy };
}

/* These are so whatever becomes of the endpoint. */
static bool
is_of_resolution(enum finding_code code)
{
	return code == FINDING_ZONE_NOT_LINKED || code == FINDING_ZONE_NAME_MISTYPED ||
	    code == FINDING_SERVER_NOT_FORWARDING;
}

static void
add_public(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	struct cause cause = find_cause(scene, site, view);

	if (!is_of_resolution(cause.code) && check_unready(scene, site, view, out))
		return;
	report_add(out,
	    &(struct sighting){
	        .code = cause.code,
	        .detail = cause.detail,
	        .site = site,
	        .resolver = view->dns->resolver,
	        .address = view->dns->addresses[0].address,
	        .evidence = arena_printf(scene->arena, "%s; %s%s%s%s",
	            check_describe_view(scene, view), describe_public(scene, site),
	            describe_consequence(scene, site, view),
	            check_describe_control(scene, site), cause.evidence),
	    });
}

static void
add_open(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	const struct account *account = scene->ask->account;
	bool closed = text_equal_nocase(account->public_network_access, "Disabled");
	bool approved = has_approved(scene);

	/* Told of the API as a whole: it cannot have one, or has none. */
	if (!facet_is_supported(account) || check_other_groups(scene) != NULL)
		return;

	if (check_without_endpoint(scene, site, view, out))
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_NO_PRIVATELINK_ALIAS,
	        .site = site,
	        .severity = closed || approved || scene->claims.told ? STATE_CRITICAL
	                                                             : STATE_OK,
	        .resolver = view->dns->resolver,
	        .address = view->dns->addresses[0].address,
	        .evidence = arena_printf(scene->arena,
	            "%s, no privatelink alias in the chain%s%s",
	            check_describe_view(scene, view),
	            closed ? "; the document says publicNetworkAccess Disabled" : "",
	            approved ? "; the document lists an approved private endpoint"
	                : scene->claims.told ? "; the document of a private endpoint was given"
	                                     : ""),
	    });
}

void
check_public(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		if (site->views[i].kind == VIEW_PUBLIC)
			add_public(scene, site, &site->views[i], out);
		if (site->views[i].kind == VIEW_OPEN)
			add_open(scene, site, &site->views[i], out);
	}
}

void
check_odd_answers(const struct scene *scene, const struct site *site, struct report *out)
{
	const char *zone = check_public_zone(scene);

	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];
		bool               bypassed = view->kind == VIEW_PRIVATE && !view->alias;

		if (!bypassed && view->kind != VIEW_BLOCKED)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = !bypassed  ? FINDING_ANSWER_BLOCKED
		            : zone != NULL ? FINDING_ZONE_NAME_WRONG
		                           : FINDING_ALIAS_BYPASSED,
		        .site = site,
		        .resolver = view->dns->resolver,
		        .address = view->dns->addresses[0].address,
		        .evidence = arena_printf(scene->arena, "%s%s",
		            check_describe_view(scene, view),
		            bypassed && zone != NULL ? zone : ""),
		    });
	}
}

static const char *
describe_kind(const struct scene *scene, const struct view *view)
{
	switch (view->kind) {
	case VIEW_MISSING: return "no such name";
	case VIEW_PRIVATE:
		return arena_printf(
		    scene->arena, "private %s", view->dns->addresses[0].address);
	case VIEW_PUBLIC:
	case VIEW_OPEN:
		return arena_printf(scene->arena, "public %s", view->dns->addresses[0].address);
	case VIEW_BLOCKED:
		return arena_printf(
		    scene->arena, "blocked %s", view->dns->addresses[0].address);
	case VIEW_NONE:
	case VIEW_FAILED: return "nothing";
	}
	return "nothing";
}

void
check_disagreement(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct view *first = NULL;
	const char        *detail = "";
	bool               differ = false;

	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		if (!scene_says_something(view)) /* only answers can disagree */
			continue;
		if (first == NULL)
			first = view;
		differ = differ || !scene_views_agree(first, view);
		detail = arena_printf(scene->arena, "%s%s%s says %s", detail,
		    *detail != '\0' ? ", " : "", view->dns->resolver,
		    describe_kind(scene, view));
	}
	if (!differ)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_RESOLVERS_DISAGREE,
	        .site = site,
	        .detail = detail,
	        .evidence = detail,
	    });
}

/* An address, and who gave it. */
struct given {
	const struct addr *addr; /* NULL: none */
	const char        *resolver;
};

/* The private address of this name that another name has too.  Where
 * documents tell whose an address is, check_claims() says which of the names is wrong. */
static struct given
find_shared(const struct site *site, const struct site *other)
{
	for (size_t i = 0; i < site->view_count; i++) {
		for (size_t j = 0; j < other->view_count; j++) {
			const struct view *here = &site->views[i], *there = &other->views[j];

			if (here->kind != VIEW_PRIVATE || there->kind != VIEW_PRIVATE)
				continue;
			for (size_t k = 0; k < here->addr_count; k++) {
				if (here->claims[k].kind == CLAIM_UNTOLD &&
				    scene_has_address(there, &here->addrs[k]))
					return (struct given){ &here->addrs[k],
						here->dns->resolver };
			}
		}
	}
	return (struct given){ NULL, NULL };
}

void
check_shared(const struct scene *scene, const struct site *site, struct report *out)
{
	struct given shared = { NULL, NULL };
	char         text[ADDR_TEXT];

	for (size_t i = 0; i < scene->site_count && shared.addr == NULL; i++) {
		const struct site *other = &scene->sites[i];

		if (other != site && !other->pending && !site->pending)
			shared = find_shared(site, other);
	}
	if (shared.addr == NULL)
		return;
	addr_render(shared.addr, text, sizeof(text));
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_REGION_ADDRESS_SHARED,
	        .site = site,
	        .resolver = shared.resolver,
	        .address = arena_strdup(scene->arena, text),
	        .group = arena_strdup(scene->arena, text),
	        .detail = "like other names of the account; each has its own",
	        .evidence = arena_printf(scene->arena, "answered with %s", text),
	    });
}

const char *
check_describe_control(const struct scene *scene, const struct site *site)
{
	const struct view *control = site->control;

	if (control == NULL || control->kind == VIEW_NONE)
		return "";
	return arena_printf(scene->arena, "; Azure's resolver %s says %s",
	    control->dns->resolver,
	    control->kind == VIEW_FAILED ? outcome_name(control->dns->outcome)
	                                 : describe_kind(scene, control));
}

/* IPv6 comes first where there is a route for it [rfc6724 6]. */
void
check_escapes(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		for (size_t j = 0; j < view->addr_count && view->escapes; j++) {
			const struct attempt *attempt = scene_attempt(site, &view->addrs[j]);
			char                  text[ADDR_TEXT];
			bool                  harmless = attempt == NULL ||
			    attempt->end->tcp == OUTCOME_UNREACHABLE ||
			    attempt->end->tcp == OUTCOME_NOT_RUN;

			if (!scene_is_public(view, j))
				continue;
			report_add(out,
			    &(struct sighting){
			        .code = FINDING_AAAA_ESCAPES,
			        .site = site,
			        .severity = harmless ? STATE_WARNING : STATE_OK,
			        .resolver = view->dns->resolver,
			        .address = arena_strdup(scene->arena,
			            addr_render(&view->addrs[j], text, sizeof(text))),
			        .evidence = arena_printf(scene->arena, "%s%s",
			            check_describe_view(scene, view),
			            check_describe_attempt(scene, attempt)),
			    });
		}
	}
}
