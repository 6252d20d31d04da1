#include "analyze/checks.h"

#include "analyze/check_link.h"
#include "base/text.h"

#include <string.h>

const char *
check_describe_attempt(const struct scene *scene, const struct attempt *attempt)
{
	const struct endpoint *end;

	if (attempt == NULL || attempt->end->tcp == OUTCOME_NOT_RUN)
		return "";
	end = attempt->end;
	if (scene_is_answered(end))
		return end->greeting != NULL ? "; a front end answers there"
		                             : "; a gateway answers there";
	if (end->http_status == 403)
		return arena_printf(scene->arena, "; refused there with 403: %s",
		    end->error_text != NULL ? end->error_text : "");
	return arena_printf(scene->arena, "; there: tcp %s, tls %s, %s %s",
	    outcome_name(end->tcp), outcome_name(end->tls),
	    scene->ask->account->api == API_SQL ? "http" : "front end",
	    outcome_name(scene_answer(end)));
}

/* "endpoint pe-contoso (pe.json)"; in which network, where that is told. */
const char *
check_describe_endpoint(const struct scene *scene, const struct private_endpoint *endpoint)
{
	static const char networks[] = "/virtualNetworks/", subnets[] = "/subnets/";
	const char       *network = text_find_nocase(endpoint->subnet, networks);
	const char       *subnet = text_find_nocase(endpoint->subnet, subnets);

	if (network == NULL || subnet == NULL || subnet < network)
		return arena_printf(
		    scene->arena, "endpoint %s (%s)", endpoint->name, endpoint->source);
	network += sizeof(networks) - 1;
	return arena_printf(scene->arena, "endpoint %s in %.*s/%s (%s)", endpoint->name,
	    (int)(subnet - network), network, subnet + sizeof(subnets) - 1, endpoint->source);
}

/* "; endpoint pe-contoso (pe.json) has 10.1.0.4 for this name" for each that has one. */
static const char *
describe_wanted(const struct scene *scene, const char *host)
{
	const struct private_endpoint *endpoint;
	const char                    *text = "";
	char                           address[ADDR_TEXT];

	for (size_t i = 0; (endpoint = claim_endpoint(&scene->claims, host, i)) != NULL; i++)
		text = arena_printf(scene->arena, "%s; %s has %s for this name", text,
		    check_describe_endpoint(scene, endpoint),
		    addr_render(endpoint_find(endpoint, host), address, sizeof(address)));
	return text;
}

static bool
is_given(const struct claims *claims, const char *id)
{
	for (size_t i = 0; i < claims->own_count; i++) {
		if (claims->own[i]->address_count > 0 &&
		    text_equal_nocase(claims->own[i]->id, id))
			return true;
	}
	return false;
}

/* An endpoint that the account lists and whose addresses nobody gave may be the one. */
static const char *
describe_missing(const struct scene *scene)
{
	bool any = false;

	for (size_t i = 0; i < scene->connection_count; i++) {
		const struct connection *connection = &scene->connections[i];

		if (*connection->endpoint == '\0')
			return "; an endpoint whose document was not given could have it";
		if (!is_given(&scene->claims, connection->endpoint))
			return arena_printf(scene->arena,
			    "; the account also has endpoint %s, whose addresses were not "
			    "given",
			    connection->name);
		any = true;
	}
	return any && scene->ask->has_document
	    ? "; all endpoints that the account lists were given"
	    : "; an endpoint whose document was not given could have it";
}

/* One address of one answer, as all rules here look at it. */
struct answer {
	const struct site    *site;
	const struct view    *view;
	const struct claim   *claim;
	const struct attempt *attempt; /* NULL: not tried */
	const char           *address;
};

static bool
is_answered(const struct answer *answer)
{
	return answer->attempt != NULL && scene_is_answered(answer->attempt->end);
}

static void
add(const struct scene *scene, const struct answer *answer, struct sighting *sighting,
    struct report *out)
{
	sighting->site = answer->site;
	sighting->resolver = answer->view->dns->resolver;
	sighting->address = answer->address;
	sighting->evidence = arena_printf(scene->arena, "%s%s%s%s%s",
	    check_describe_view(scene, answer->view), sighting->evidence,
	    check_describe_attempt(scene, answer->attempt),
	    describe_wanted(scene, answer->site->place->target->host),
	    check_describe_record(scene, answer->site, answer->address));
	report_add(out, sighting);
}

static void
add_stale(const struct scene *scene, const struct answer *answer, struct report *out)
{
	const char     *orphan = check_orphan(scene, answer->site, answer->address);
	const char     *outdated = check_outdated_zone(scene, answer->site, answer->address);
	struct sighting sighting = {
		.code = outdated != NULL ? FINDING_TWO_ZONES
		    : orphan != NULL     ? FINDING_RECORD_ORPHANED
		                         : FINDING_STALE_ADDRESS,
		.detail = outdated != NULL ? outdated : orphan,
		.severity = is_answered(answer) ? STATE_WARNING : STATE_OK,
		.evidence = arena_printf(scene->arena, "; no endpoint that was given has %s%s",
		    answer->address, describe_missing(scene)),
	};

	add(scene, answer, &sighting, out);
}

static void
add_other_account(const struct scene *scene, const struct answer *answer, struct report *out)
{
	const struct endpoint_entry *entry = answer->claim->entry;
	struct sighting              sighting = {
		             .code = FINDING_OTHER_ACCOUNT_ADDRESS,
		             .detail = entry->fqdn,
		             .evidence = arena_printf(scene->arena, "; %s is of %s, for %s", answer->address,
		                 check_describe_endpoint(scene, entry->endpoint), entry->fqdn),
	};

	add(scene, answer, &sighting, out);
}

static void
add_other_name(const struct scene *scene, const struct answer *answer, struct report *out)
{
	const struct endpoint_entry *entry = answer->claim->entry;
	struct sighting              sighting = {
		             .code = FINDING_REGION_ADDRESS_SHARED,
		             .detail = arena_printf(scene->arena, "which is the address of %s", entry->fqdn),
		             .group = answer->address,
		             .evidence = arena_printf(scene->arena, "; %s is of %s, for %s", answer->address,
		                 check_describe_endpoint(scene, entry->endpoint), entry->fqdn),
	};

	add(scene, answer, &sighting, out);
}

static void
add_other_service(const struct scene *scene, const struct answer *answer, struct report *out)
{
	const struct endpoint_entry *entry = answer->claim->entry;
	bool                         tried = answer->attempt != NULL && !is_answered(answer);
	struct sighting              sighting = {
		             .code = FINDING_OTHER_ENDPOINT_ADDRESS,
		             .severity = tried ? STATE_CRITICAL : STATE_OK,
		             .detail = arena_printf(
		                 scene->arena, "%s, which is for %s", entry->endpoint->name, entry->fqdn),
		             .evidence = arena_printf(scene->arena, "; %s is of %s, for %s", answer->address,
		                 check_describe_endpoint(scene, entry->endpoint), entry->fqdn),
	};

	add(scene, answer, &sighting, out);
}

static const struct private_endpoint *
find_right(const struct view *view, const struct private_endpoint *but)
{
	for (size_t i = 0; i < view->addr_count; i++) {
		const struct claim *claim = &view->claims[i];

		if (claim->kind == CLAIM_RIGHT && claim->entry->endpoint != but)
			return claim->entry->endpoint;
	}
	return NULL;
}

/* The endpoint of the account's own name, as the same server answers: the others should be of it,
 * too, when it has them. */
static const struct private_endpoint *
find_global(const struct scene *scene, const struct site *site, const struct view *view)
{
	const struct site *global = &scene->sites[0];

	for (size_t i = 0; i < global->view_count; i++) {
		const struct private_endpoint *endpoint;

		if (strcmp(global->views[i].dns->resolver, view->dns->resolver) != 0)
			continue;
		endpoint = find_right(&global->views[i], NULL);
		if (endpoint != NULL &&
		    endpoint_find(endpoint, site->place->target->host) != NULL)
			return endpoint;
	}
	return NULL;
}

/* An address that is right, but of one of several endpoints: out of reach, or not that of the
 * other names. */
static void
check_right(const struct scene *scene, const struct answer *answer, struct report *out)
{
	const struct private_endpoint *own = answer->claim->entry->endpoint, *global;
	const struct private_endpoint *here = check_own_endpoint(
	    scene, answer->site->place->target->host);
	struct sighting sighting = { .code = FINDING_OTHER_ENDPOINT_ADDRESS, .evidence = "" };

	if (claim_endpoint(&scene->claims, answer->site->place->target->host, 1) == NULL)
		return;
	global = find_global(scene, answer->site, answer->view);
	if (answer->attempt != NULL && scene_tcp_failed(answer->site, answer->attempt)) {
		sighting.severity = STATE_CRITICAL;
		sighting.detail = arena_printf(
		    scene->arena, "%s, out of reach from here", own->name);
	} else if (find_right(answer->view, own) != NULL) {
		sighting.detail = "several endpoints at once";
	} else if (here != NULL && here != own) {
		sighting.detail = arena_printf(scene->arena,
		    "%s, while %s is in this network, %s", own->name, here->name,
		    check_vnet_name(scene));
	} else if (global != NULL && global != own) {
		sighting.detail = arena_printf(
		    scene->arena, "%s, unlike the account's name", own->name);
	} else {
		return;
	}
	add(scene, answer, &sighting, out);
}

static void
check_answer(const struct scene *scene, const struct answer *answer, struct report *out)
{
	switch (answer->claim->kind) {
	case CLAIM_UNTOLD: break;
	case CLAIM_RIGHT: check_right(scene, answer, out); break;
	case CLAIM_OTHER_NAME: add_other_name(scene, answer, out); break;
	case CLAIM_OTHER_SERVICE: add_other_service(scene, answer, out); break;
	case CLAIM_OTHER_ACCOUNT: add_other_account(scene, answer, out); break;
	case CLAIM_NOBODY: add_stale(scene, answer, out); break;
	}
}

void
check_claims(const struct scene *scene, const struct site *site, struct report *out)
{
	if (scene->claims.index == NULL)
		return;
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		/* A filter's answer is nobody's record, and is told as what it is. */
		for (size_t j = 0;
		     j < view->addr_count && view->kind != VIEW_BLOCKED && !view->outdated;
		     j++) {
			char text[ADDR_TEXT];

			addr_render(&view->addrs[j], text, sizeof(text));
			check_answer(scene,
			    &(struct answer){ site, view, &view->claims[j],
			        scene_attempt(site, &view->addrs[j]),
			        arena_strdup(scene->arena, text) },
			    out);
		}
	}
}
