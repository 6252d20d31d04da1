#include "analyze/checks.h"

#include "analyze/facet.h"
#include "base/text.h"

static bool
is_in_state(const struct private_endpoint *endpoint, const char *state)
{
	return text_equal_nocase(endpoint->provisioning_state, state);
}

static bool
is_for_api(const struct scene *scene, const struct private_endpoint *endpoint)
{
	return *endpoint->group == '\0' ||
	    text_equal_nocase(endpoint->group, facet_group(scene->ask->account));
}

/* The endpoint that will have the address for the name, or should; NULL: one has it, or none of
 * those that were given is being made. */
static const struct private_endpoint *
find_unready(const struct scene *scene, const struct site *site)
{
	const char *host = site->place->target->host;

	if (claim_endpoint(&scene->claims, host, 0) != NULL)
		return NULL;
	for (size_t i = 0; i < scene->claims.own_count; i++) {
		const struct private_endpoint *own = scene->claims.own[i];

		if (is_for_api(scene, own) &&
		    (is_in_state(own, "Failed") || is_in_state(own, "Updating") ||
		        is_in_state(own, "Creating")))
			return own;
	}
	return NULL;
}

bool
check_unready(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	const struct private_endpoint *endpoint = find_unready(scene, site);
	bool                           failed;

	if (endpoint == NULL)
		return false;
	failed = is_in_state(endpoint, "Failed");
	report_add(out,
	    &(struct sighting){
	        .code = failed ? FINDING_ENDPOINT_FAILED : FINDING_ENDPOINT_NOT_READY,
	        .site = site,
	        .resolver = view->dns->resolver,
	        .connection = endpoint->name,
	        .group = failed ? endpoint->name : NULL,
	        .detail = endpoint->provisioning_state,
	        .evidence = arena_printf(scene->arena,
	            "%s; %s is in the state %s and has no address for this name",
	            check_describe_view(scene, view), check_describe_endpoint(scene, endpoint),
	            endpoint->provisioning_state),
	    });
	return true;
}

/* Names that it leaves without an address are told of by themselves, and are worse. */
void
check_failed_endpoints(const struct scene *scene, struct report *out)
{
	for (size_t i = 0; i < scene->claims.own_count; i++) {
		const struct private_endpoint *own = scene->claims.own[i];

		if (!is_for_api(scene, own) || !is_in_state(own, "Failed"))
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_ENDPOINT_FAILED,
		        .severity = STATE_WARNING,
		        .connection = own->name,
		        .group = own->name,
		        .detail = own->provisioning_state,
		        .evidence = arena_printf(scene->arena,
		            "%s is in the state %s, with %zu address%s",
		            check_describe_endpoint(scene, own), own->provisioning_state,
		            own->address_count, own->address_count == 1 ? "" : "es"),
		    });
	}
}
