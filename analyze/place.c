#include "analyze/place.h"

#include "analyze/checks.h"
#include "analyze/generation.h"
#include "analyze/outside.h"
#include "analyze/scene_modes.h"

#include <string.h>

bool
place_is_reached(const struct site *site)
{
	bool any = false;

	for (size_t i = 0; i < site->attempt_count; i++) {
		if (site->attempts[i].beside)
			continue;
		if (!scene_is_answered(site->attempts[i].end))
			return false;
		any = true;
	}
	return any;
}

bool
place_is_dns_only(const struct site *site)
{
	const struct measurement *seen = site->seen;

	return seen != NULL && seen->target != NULL && seen->target->dns_only;
}

static const char *
describe_claim(const struct scene *scene, const struct addr *addr, const struct claim *claim)
{
	const char *endpoint = claim->entry != NULL ? claim->entry->endpoint->name : "";

	switch (claim->kind) {
	case CLAIM_UNTOLD: break;
	case CLAIM_RIGHT:
		return arena_printf(scene->arena, "of the private endpoint %s", endpoint);
	case CLAIM_OTHER_NAME:
	case CLAIM_OTHER_SERVICE:
		return arena_printf(scene->arena, "of the private endpoint %s for %s", endpoint,
		    claim->entry->fqdn);
	case CLAIM_OTHER_ACCOUNT:
		return arena_printf(scene->arena,
		    "of the private endpoint %s, which leads elsewhere", endpoint);
	case CLAIM_NOBODY: return "of none of the account's private endpoints";
	}
	return arena_printf(
	    scene->arena, "%s by its range (a hint)", addr_class_name(addr_class(addr)));
}

static void
list_address(
    const struct scene *scene, struct place *place, const char *text, const struct claim *claim)
{
	struct place_address *entry = &place->addresses[place->address_count];
	struct addr           addr;

	for (size_t i = 0; i < place->address_count; i++) {
		if (strcmp(place->addresses[i].address, text) == 0)
			return;
	}
	if (!addr_parse(&addr, text, 0, NULL))
		return;
	entry->address = text;
	entry->words = describe_claim(scene, &addr, claim);
	entry->told = claim->kind != CLAIM_UNTOLD;
	entry->right = claim->kind == CLAIM_RIGHT;
	place->address_count++;
}

static void
list_addresses(const struct scene *scene, const struct site *site)
{
	const struct measurement *seen = site->seen;
	size_t                    room = 0;

	for (size_t i = 0; seen != NULL && i < seen->dns_count; i++)
		room += seen->dns[i].addresses_count;
	site->place->addresses = arena_array(
	    scene->arena, room + 1, sizeof(*site->place->addresses));
	for (size_t i = 0; seen != NULL && i < seen->dns_count; i++) {
		for (size_t j = 0; j < seen->dns[i].addresses_count; j++) {
			const char  *text = seen->dns[i].addresses[j].address;
			struct addr  addr;
			struct claim claim = { CLAIM_UNTOLD, NULL };

			if (addr_parse(&addr, text, 0, NULL))
				claim = claim_find(
				    &scene->claims, site->place->target->host, &addr);
			list_address(scene, site->place, text, &claim);
		}
	}
}

/* "10.1.0.4, private by its range (a hint); ..." */
static const char *
describe_addresses(const struct scene *scene, const struct place *place)
{
	const char *text = "";

	for (size_t i = 0; i < place->address_count; i++)
		text = arena_printf(scene->arena, "%s%s%s, %s", text, i > 0 ? "; " : "",
		    place->addresses[i].address, place->addresses[i].words);
	return *text != '\0' ? text : "no address was seen";
}

/* Every server that a client asks answers with nothing but addresses that documents have for this
 * name: all is seen to be well that DNS can show. */
static bool
is_dns_right(const struct site *site)
{
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		if (view->addr_count == 0)
			return false;
		for (size_t j = 0; j < view->addr_count; j++) {
			if (view->claims[j].kind != CLAIM_RIGHT)
				return false;
		}
	}
	return site->view_count > 0;
}

static const char *
describe_unmeasured(const struct scene *scene, const struct site *site)
{
	const struct measurement *seen = site->place->seen;

	if (seen == NULL)
		return "not measured";
	if (seen->detail != NULL && *seen->detail != '\0')
		return arena_printf(scene->arena, "not measured: %s", seen->detail);
	if (scene_mode(site) == MODE_DIRECT)
		return "not measured: no replica was tried";
	if (scene_mode(site) == MODE_GATEWAY_V2)
		return "not measured: no address was tried";
	if (site->view_count == 0)
		return "not measured: no resolver was asked";
	if (place_is_dns_only(site))
		return arena_printf(
		    scene->arena, "DNS only: %s", describe_addresses(scene, site->place));
	return scene->ask->account->api == API_SQL ? "resolves; the gateway was not asked"
	                                           : "resolves; the front end was not asked";
}

/* "front end asks for login", "front end reached, wire 18 (6.1 generation)". */
static const char *
describe_front_end(const struct scene *scene, const struct site *site)
{
	const struct greeting *greeting = NULL;
	const char            *text;
	char                   wire[GENERATION_TEXT];

	for (size_t i = 0; i < site->attempt_count && greeting == NULL; i++) {
		if (!site->attempts[i].beside)
			greeting = site->attempts[i].end->greeting;
	}
	if (greeting == NULL)
		return "gateway reached";
	text = greeting->wants_login ? "front end asks for login" : "front end reached";
	if (greeting->wire_most == 0)
		return text;
	return arena_printf(scene->arena, "%s, %s", text,
	    generation_render(greeting->wire_most, wire, sizeof(wire)));
}

/* Without a finding: ok only by what was seen to be well. */
static void
describe_gateway(const struct scene *scene, const struct site *site)
{
	struct place *place = site->place;
	bool          dns_right = place_is_dns_only(site) && is_dns_right(site);

	if (place->seen != NULL && place_is_reached(site)) {
		place->state = STATE_OK;
		place->words = scene_admitted(scene, site) ? "gateway reached, request admitted"
		                                           : describe_front_end(scene, site);
		return;
	}
	place->state = dns_right ? STATE_OK : STATE_UNKNOWN;
	place->words = describe_unmeasured(scene, site);
}

/* Of those that the feed told: equal addresses count as often as they were told. */
static size_t
count_untried(const struct site *site)
{
	const struct measurement *seen = site->place->seen;
	size_t                    tried = 0, told;

	if (seen->feed == NULL || site->direct->origin != ORIGIN_FEED)
		return 0;
	told = seen->feed->replicas;
	for (size_t i = 0; i < seen->replicas_count; i++) {
		if (seen->replicas[i].origin == ORIGIN_FEED)
			tried += seen->replicas[i].replicas;
	}
	return told > tried ? told - tried : 0;
}

static void
describe_direct(const struct scene *scene, const struct site *site)
{
	struct place *place = site->place;

	if (scene_modes_is_proven(site)) {
		place->state = STATE_OK;
		place->words = arena_printf(scene->arena, "%zu of %zu replica%s answer%s",
		    site->direct->well, site->direct->count,
		    site->direct->count == 1 ? "" : "s", site->direct->count == 1 ? "s" : "");
		if (count_untried(site) > 0)
			place->words = arena_printf(scene->arena, "%s, %zu more not tried",
			    place->words, count_untried(site));
		return;
	}
	place->state = STATE_UNKNOWN;
	place->words = describe_unmeasured(scene, site);
}

/* What the place shows of a fault that was found elsewhere, and told there. */
static void
borrow(struct place *place, enum finding_code code, enum state state)
{
	if (place->worst != FINDING_COUNT &&
	    (place->state > state || (place->state == state && place->worst < code)))
		return;
	place->worst = code;
	place->state = state;
}

/* Where the requests failed by what the name shows without a credential, that is told in place of
 * what they show. */
static void
borrow_from_feed(const struct report *report, const struct site *site, enum finding_code feed)
{
	const struct site     *name = site->name != NULL ? site->name : site;
	const struct sighting *cause;

	if (report_shows(report, name, feed, NULL)) {
		borrow(site->place, feed, STATE_UNKNOWN);
		return;
	}
	cause = report_worst(report, name, FINDING_COUNT);
	if (cause != NULL)
		borrow(site->place, cause->code, STATE_UNKNOWN);
}

/* DNS faults hold for the name in every mode; and where a mode showed nothing of its own, what
 * keeps clients from the gateway keeps them from it, too. */
static void
borrow_from_name(const struct report *report, const struct site *site)
{
	const struct sighting *dns, *any;
	enum finding_code      feed = check_feed_code(site);

	if (site->seen == NULL)
		return;
	if (site->name != NULL && site->pending) {
		any = report_worst(report, site->name, FINDING_COUNT);
		if (any != NULL && site->place->worst == FINDING_COUNT)
			borrow(site->place, any->code, any->severity);
	} else if (site->name != NULL) {
		dns = report_worst(report, site->name, FINDING_TCP_REFUSED);
		any = report_worst(report, site->name, FINDING_COUNT);
		if (dns != NULL)
			borrow(site->place, dns->code, dns->severity);
		if (any != NULL &&
		    (any->severity == STATE_CRITICAL ||
		        !scene_reached(site->name, STAGE_ANSWER)) &&
		    site->place->worst == FINDING_COUNT && !scene_modes_is_proven(site) &&
		    !check_thin_is_told(site))
			borrow(site->place, any->code, any->severity);
	}
	/* Without a credential nothing is known, good or bad; a guess does not change that. */
	if (site->place->worst == FINDING_COUNT && site->direct != NULL &&
	    (site->direct->count == 0 || site->direct->origin == ORIGIN_SAMPLE) &&
	    feed != FINDING_COUNT)
		borrow_from_feed(report, site, feed);
}

static void
describe_inside(const struct scene *scene, const struct site *site)
{
	struct place *place = site->place;

	if (place->worst != FINDING_COUNT) {
		place->words = finding_table[place->worst].words;
		if (place->worst == FINDING_REGION_PENDING)
			place->words = arena_printf(scene->arena, "region is not ready: %s",
			    *site->location->provisioning_state != '\0'
			        ? site->location->provisioning_state
			        : "no endpoint yet");
		return;
	}
	switch (scene_mode(site)) {
	case MODE_GATEWAY: describe_gateway(scene, site); break;
	case MODE_DIRECT: describe_direct(scene, site); break;
	case MODE_GATEWAY_V2:
		check_thin_describe(scene, site);
		if (place->words == NULL)
			place->words = describe_unmeasured(scene, site);
		break;
	case MODE_COUNT: break;
	}
}

/* What the negative test showed stands behind: the one does not make the other better or worse. */
static void
describe_place(const struct scene *scene, const struct site *site)
{
	struct place *place = site->place;
	const char   *words;

	list_addresses(scene, site);
	describe_inside(scene, site);
	if (scene_mode(site) != MODE_GATEWAY || place->seen == NULL)
		return;
	place->outside = outside_look(scene, site).kind;
	if (place->outside == OUTSIDE_UNASKED)
		return;
	words = outside_words(place->outside, outside_wish(scene));
	if (words != NULL)
		place->words = arena_printf(scene->arena, "%s; %s", place->words, words);
}

bool
place_has_gateways(const struct scene *scene)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		if (scene->sites[i].place->seen != NULL)
			return true;
	}
	return scene->direct_count == 0 && scene->thin_count == 0;
}

static void
take_sites(
    const struct scene *scene, struct verdict *verdict, const struct site *sites, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* Not a gateway's, when only another mode of the name was asked for. */
		if (sites[i].unasked || (sites[i].place->seen == NULL && sites[i].seen != NULL))
			continue;
		describe_place(scene, &sites[i]);
		verdict->places[verdict->place_count++] = *sites[i].place;
	}
}

void
place_take(const struct scene *scene, const struct report *report, struct verdict *verdict)
{
	verdict->places = arena_array(scene->arena,
	    scene->site_count + scene->swept_count + scene->direct_count + scene->thin_count +
	        1,
	    sizeof(struct place));
	if (place_has_gateways(scene))
		take_sites(scene, verdict, scene->sites, scene->site_count);
	for (size_t i = 0; i < scene->swept_count; i++) {
		if (scene->swept[i].place->worst == FINDING_COUNT)
			continue;
		describe_place(scene, &scene->swept[i]);
		verdict->places[verdict->place_count++] = *scene->swept[i].place;
	}
	for (size_t i = 0; i < scene->direct_count; i++)
		borrow_from_name(report, &scene->direct[i]);
	take_sites(scene, verdict, scene->direct, scene->direct_count);
	for (size_t i = 0; i < scene->thin_count; i++)
		borrow_from_name(report, &scene->thin[i]);
	take_sites(scene, verdict, scene->thin, scene->thin_count);
}
