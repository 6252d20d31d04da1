#include "analyze/checks.h"

#include "analyze/facet.h"
#include "analyze/generation.h"
#include "analyze/names.h"
#include "base/text.h"

#include <string.h>

/* The wire version of MongoDB 3.6, the first that works with private endpoints [mongo-wire]. */
enum { WIRE_LEAST = 6 };

static const char group_of_account[] = "account";

/* Of each name that is judged at all, so that its place shows it; one finding. */
static void
add_to_all(const struct scene *scene, const struct sighting *like, struct report *out)
{
	struct sighting sighting = *like;

	sighting.group = group_of_account;
	for (size_t i = 0; i < scene->site_count; i++) {
		if (scene->sites[i].pending)
			continue;
		sighting.site = &scene->sites[i];
		report_add(out, &sighting);
	}
}

/* Asked for, and nothing that measuring could show: an API without the mode has one place for it
 * (scene.c), and a mode that is gone none. */
void
check_modes(const struct scene *scene, struct report *out)
{
	const struct account *account = scene->ask->account;
	const char           *title = facet_title(account->api);

	for (size_t i = 0; i < scene->direct_count && account->api != API_SQL; i++)
		report_add(out,
		    &(struct sighting){ .code = FINDING_MODE_UNSUPPORTED,
		        .site = &scene->direct[i],
		        .group = group_of_account,
		        .detail = arena_printf(scene->arena, "%s has no Direct mode", title),
		        .evidence = arena_printf(scene->arena,
		            "asked for %s in Direct mode; support as of %s knows it for NoSQL, "
		            "and for Table by the NoSQL endpoint",
		            title, support_date) });
	if (account->api == API_SQL && (scene->ask->wanted & NAMES_DIRECT_HTTPS) != 0) {
		const struct support_row *row = support_find(
		    SUPPORT_SQL, SUPPORT_DIRECT_HTTPS, NULL);

		report_add(out,
		    &(struct sighting){ .code = FINDING_MODE_UNSUPPORTED,
		        .group = group_of_account,
		        .detail =
		            "Direct mode over HTTPS does not work with private endpoints, "
		            "and is gone",
		        .evidence = arena_printf(scene->arena, "support as of %s: %s; %s",
		            support_date, support_state_word(row->now), row->note) });
	}
}

/* The first wire version that is too low, and where it was heard. */
static const struct attempt *
find_low_wire(const struct site *site)
{
	for (size_t i = 0; i < site->attempt_count; i++) {
		const struct greeting *greeting = site->attempts[i].end->greeting;

		if (greeting != NULL && greeting->wire_most != 0 &&
		    greeting->wire_most < WIRE_LEAST)
			return &site->attempts[i];
	}
	return NULL;
}

static void
check_live_version(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct attempt *attempt = find_low_wire(site);
	char                  wire[GENERATION_TEXT];

	if (attempt == NULL)
		return;
	generation_render(attempt->end->greeting->wire_most, wire, sizeof(wire));
	report_add(out,
	    &(struct sighting){ .code = FINDING_MONGO_TOO_OLD,
	        .site = site,
	        .severity = STATE_WARNING,
	        .group = group_of_account,
	        .detail = arena_strdup(scene->arena, wire),
	        .evidence = arena_printf(scene->arena,
	            "%s: isMaster says %s; no document tells the server version", attempt->peer,
	            wire) });
}

void
check_version(const struct scene *scene, struct report *out)
{
	const struct account *account = scene->ask->account;

	if (account->api != API_MONGO)
		return;
	if (!facet_is_supported(account))
		add_to_all(scene,
		    &(struct sighting){ .code = FINDING_MONGO_TOO_OLD,
		        .detail = account->server_version,
		        .evidence = arena_printf(scene->arena,
		            "%s: apiProperties.serverVersion is %s; 3.6 and later work with "
		            "private endpoints, as of %s",
		            account->source, account->server_version, support_date) },
		    out);
	/* The service chooses its own numbers: the document is the better witness. */
	for (size_t i = 0; i < scene->site_count && *account->server_version == '\0'; i++)
		check_live_version(scene, &scene->sites[i], out);
}

/* The groups of the endpoints that the documents list; NULL when one may be for this API, or there
 * are none. */
static const char *
list_other_groups(const struct scene *scene)
{
	const char *groups = "";

	for (size_t i = 0; i < scene->connection_count; i++) {
		const char *group = scene->connections[i].group;

		if (check_is_for_api(scene, &scene->connections[i]))
			return NULL;
		if (text_find_nocase(groups, group) == NULL)
			groups = arena_printf(
			    scene->arena, "%s%s%s", groups, *groups != '\0' ? ", " : "", group);
	}
	return *groups != '\0' ? groups : NULL;
}

/* An endpoint is there all the same, which the document does not know. */
static bool
has_endpoint(const struct site *site)
{
	for (size_t i = 0; i < site->view_count; i++) {
		if (site->views[i].alias || site->views[i].kind == VIEW_PRIVATE)
			return true;
	}
	return false;
}

/* By the document, or since a name of it has an address: an API that is only asked about may be
 * one that the account does not have. */
static bool
is_served(const struct scene *scene)
{
	const struct account *account = scene->ask->account;

	if (!scene->ask->has_document || (account->apis & (1u << account->api)) != 0)
		return true;
	for (size_t i = 0; i < scene->site_count; i++) {
		for (size_t j = 0; j < scene->sites[i].view_count; j++) {
			if (scene->sites[i].views[j].addr_count > 0)
				return true;
		}
	}
	return false;
}

const char *
check_other_groups(const struct scene *scene)
{
	const char *groups = list_other_groups(scene);

	if (!facet_is_supported(scene->ask->account) || !is_served(scene))
		return NULL;
	for (size_t i = 0; i < scene->site_count && groups != NULL; i++) {
		if (has_endpoint(&scene->sites[i]))
			return NULL;
	}
	return groups;
}

/* What the firewall said to us, who came over the internet; NULL: nothing. */
static const char *
find_refusal(const struct endpoint *end)
{
	if (end->greeting != NULL && end->greeting->path == PATH_PUBLIC_INTERNET)
		return end->greeting->error_text;
	return end->path == PATH_PUBLIC_INTERNET ? end->error_text : NULL;
}

static const char *
describe_refusal(const struct scene *scene)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		for (size_t j = 0; j < site->attempt_count; j++) {
			const char *text = find_refusal(site->attempts[j].end);

			if (text != NULL)
				return arena_printf(scene->arena,
				    "; %s, public, refuses: \"%s\"", site->attempts[j].peer,
				    text);
		}
	}
	return "";
}

void
check_group(const struct scene *scene, struct report *out)
{
	const struct account *account = scene->ask->account;
	const char           *groups = check_other_groups(scene);

	if (groups == NULL)
		return;
	add_to_all(scene,
	    &(struct sighting){ .code = FINDING_API_GROUP_MISSING,
	        .severity = facet_is_aside(account) ? STATE_WARNING : STATE_OK,
	        .detail = groups,
	        .evidence = arena_printf(scene->arena,
	            "%s: %zu private endpoint%s, for group id %s; the account serves %s, whose "
	            "group id is %s%s",
	            scene->connections[0].source, scene->connection_count,
	            scene->connection_count == 1 ? "" : "s", groups, facet_title(account->api),
	            facet_group(account), describe_refusal(scene)) },
	    out);
}

/* Of the server that gave the view, and with the alias. */
static bool
is_private_from(const struct scene *scene, const struct view *view)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		for (size_t j = 0; j < site->view_count && !site->pending; j++) {
			if (site->views[j].kind == VIEW_PRIVATE && site->views[j].alias &&
			    strcmp(site->views[j].dns->resolver, view->dns->resolver) == 0)
				return true;
		}
	}
	return false;
}

const char *
check_private_api(const struct scene *scene, const struct view *view)
{
	for (size_t i = 0; i < scene->apis->count; i++) {
		const struct scene *other = scene->apis->of[i];

		if (other != scene && is_private_from(other, view))
			return facet_title(other->ask->account->api);
	}
	return NULL;
}

static bool
knows_any(const struct scene *scene, const char *resolver)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		for (size_t j = 0; j < site->view_count; j++) {
			const struct view *view = &site->views[j];

			if (strcmp(view->dns->resolver, resolver) == 0 &&
			    (view->alias || view->addr_count > 0))
				return true;
		}
	}
	return false;
}

const char *
check_unforwarded(const struct scene *scene, const struct view *view)
{
	const struct account *account = scene->ask->account;

	/* Without a document the API itself may be what does not exist. */
	if (!scene->ask->has_document || (account->apis & (1u << account->api)) == 0 ||
	    scene->apis->count == 1 || knows_any(scene, view->dns->resolver))
		return NULL;
	return check_private_api(scene, view);
}

/* By the documents, both addresses are right, and of endpoints in one subnet. */
static bool
is_beside(const struct attempt *left, const struct attempt *right)
{
	const struct private_endpoint *here, *there;

	if (addr_equal(&left->addr, &right->addr))
		return true;
	if (left->claim.kind != CLAIM_RIGHT || right->claim.kind != CLAIM_RIGHT)
		return false;
	here = left->claim.entry->endpoint;
	there = right->claim.entry->endpoint;
	return *here->subnet != '\0' && text_equal_nocase(here->subnet, there->subnet);
}

static const struct attempt *
find_neighbour(const struct scene *other, const struct attempt *attempt)
{
	for (size_t i = 0; i < other->site_count; i++) {
		const struct site *site = &other->sites[i];

		for (size_t j = 0; j < site->attempt_count; j++) {
			const struct attempt *neighbour = &site->attempts[j];

			if (neighbour->end->tcp == OUTCOME_OK &&
			    neighbour->end->port != attempt->end->port &&
			    is_beside(attempt, neighbour))
				return neighbour;
		}
	}
	return NULL;
}

const char *
check_open_neighbour(
    const struct scene *scene, const struct site *site, const struct attempt *attempt)
{
	for (size_t i = 0; i < scene->apis->count; i++) {
		const struct scene   *other = scene->apis->of[i];
		const struct attempt *neighbour = other == scene
		    ? NULL
		    : find_neighbour(other, attempt);

		if (neighbour != NULL)
			return arena_printf(scene->arena, "%s of %s answers", neighbour->peer,
			    facet_title(other->ask->account->api));
	}
	return NULL;
}

const char *
check_sender(const struct scene *scene, const struct site *site)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *other = &scene->sites[i];

		if (other != site && other->seen != NULL &&
		    names_is_handed_out(other->seen, site->place->target->host))
			return other->place->target->host;
	}
	return NULL;
}
