#include "analyze/checks.h"

#include "analyze/check_link.h"
#include "analyze/facet.h"
#include "base/text.h"

#include <string.h>

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

/* The account says that an endpoint for the API needs an address for the name. */
static bool
is_required(const struct scene *scene, const char *host)
{
	const struct account        *account = scene->ask->account;
	const struct plink_resource *resource = plink_find(
	    scene->ask->plinks, account->name, facet_group(account));
	size_t length = strcspn(host, ".");

	for (size_t i = 0; resource != NULL && i < resource->member_count; i++) {
		const char *member = resource->members[i];

		if (strlen(member) == length && text_starts_nocase(host, member))
			return true;
	}
	return false;
}

/* What an endpoint without an address for the name is told as; FINDING_COUNT: nothing. */
static enum finding_code
find_code(const struct scene *scene, const struct private_endpoint *endpoint, const char *host)
{
	if (!is_for_api(scene, endpoint) || endpoint_find(endpoint, host) != NULL)
		return FINDING_COUNT;
	if (is_in_state(endpoint, "Failed"))
		return FINDING_ENDPOINT_FAILED;
	if (is_in_state(endpoint, "Updating") || is_in_state(endpoint, "Creating"))
		return FINDING_ENDPOINT_NOT_READY;
	/* Its own document may list none while its zone group or interface has them. */
	if (is_in_state(endpoint, "Succeeded") && endpoint->address_count == 0 &&
	    text_equal_nocase(endpoint->status, "Approved") &&
	    (endpoint->zone_count > 0 || endpoint->has_interface))
		return FINDING_ENDPOINT_WITHOUT_ADDRESS;
	if (is_in_state(endpoint, "Succeeded") && endpoint->address_count > 0 &&
	    is_required(scene, host))
		return FINDING_REQUIRED_MEMBER_MISSING;
	return FINDING_COUNT;
}

/* An endpoint that the account lists, and of which no document was given, may have the address. */
static bool
are_all_given(const struct scene *scene)
{
	for (size_t i = 0; i < scene->connection_count; i++) {
		const struct connection *connection = &scene->connections[i];
		bool                     given = !check_is_for_api(scene, connection);

		for (size_t j = 0; j < scene->claims.own_count; j++)
			given |= text_equal_nocase(
			             scene->claims.own[j]->id, connection->endpoint) ||
			    text_equal_nocase(scene->claims.own[j]->name, connection->name);
		if (!given)
			return false;
	}
	return true;
}

bool
check_unready(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	const char                    *host = site->place->target->host;
	const struct private_endpoint *endpoint = NULL;
	enum finding_code              code = FINDING_COUNT;

	if (claim_endpoint(&scene->claims, host, 0) != NULL || !are_all_given(scene))
		return false;
	for (size_t i = 0; i < scene->claims.own_count && code == FINDING_COUNT; i++) {
		endpoint = scene->claims.own[i];
		code = find_code(scene, endpoint, host);
	}
	if (code == FINDING_COUNT)
		return false;
	report_add(out,
	    &(struct sighting){
	        .code = code,
	        .site = site,
	        .resolver = view->dns->resolver,
	        .connection = endpoint->name,
	        .group = code == FINDING_ENDPOINT_FAILED ? endpoint->name : NULL,
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

/* The account lists no connection, and a zone was filled for it all the same. */
bool
check_without_endpoint(const struct scene *scene, const struct site *site,
    const struct view *view, struct report *out)
{
	if (!scene->ask->has_document || scene->connection_count > 0 ||
	    scene->claims.own_count > 0 || check_zone_record(scene, site, NULL) == NULL)
		return false;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_NO_ENDPOINT_AT_ALL,
	        .site = site,
	        .resolver = view->dns->resolver,
	        .address = view->dns->addresses[0].address,
	        .evidence = arena_printf(scene->arena,
	            "%s, no privatelink alias in the chain; %s lists no private endpoint%s",
	            check_describe_view(scene, view), scene->ask->account->source,
	            check_describe_record(scene, site, NULL)),
	    });
	return true;
}
