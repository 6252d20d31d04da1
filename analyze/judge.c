/* judge: runs the checks and says what may be said.
 *
 * How many findings a person gets, the rules of gathering (report.c carries them out):
 *
 * 1. A name is judged as far as it got. What follows from an earlier failure is not told: without
 *    an address nothing about connections, after a failed handshake nothing about HTTP, and
 *    nothing about an address that only a wrong answer (public behind the alias, blocked) names;
 *    what happened there stands in that finding's evidence.
 * 2. One name, one code: one finding, however many resolvers or addresses show it; the evidence
 *    has a line for each.
 * 3. When a code holds for every name that got as far as its stage (for DNS: by the same
 *    resolver), and for at least two, it is one finding with the region "*".  When no name exists
 *    at all, that is GLOBAL_NAME_MISSING with "*".
 * 4. Names that share an address are one finding for each address, with the region "*".
 * 5. Connections of the document are one finding for each status, with the region "*".  While none
 *    is approved, failed connections to private addresses are put down to it.
 * 6. A region that comes or goes is never at fault: whatever is missing becomes one
 *    REGION_PENDING.  It does not count in 3.
 * 7. Our own trouble (late, not allowed, out of descriptors) is AGENT_LATE or NOT_MEASURED, both
 *    `unknown`, and hides no finding that was seen all the same. The first is one finding, since it
 *    is one machine.  What a DNS server said that this machine asks no more is not judged at all:
 *    RESOLVERS_CHANGED.
 * 8. Swept names are told one by one; but when all of them have one address, that is one
 *    WILDCARD_RECORD.
 * 9. A name of which only the addresses were asked for is never ok by their ranges.  It is ok when
 *    documents of private endpoints have every address for it, which is all that DNS can show; its
 *    words begin with "DNS only".
 *
 * Who gave an answer decides what it counts for: scene.h.
 *
 * Where documents of private endpoints are given, an address is judged by them, and its range no
 * more; each address by itself:
 *
 *    the account's, for this name          right, of whatever range it is
 *    the account's, for another name       REGION_ADDRESS_SHARED, of the wrong name alone
 *    the account's, for another API        OTHER_ENDPOINT_ADDRESS
 *    of another account or service alone   OTHER_ACCOUNT_ADDRESS
 *    of none, the account's being given    STALE_ADDRESS
 *
 * Direct mode and Gateway V2 are judged behind the gateway of the same name:
 *
 * 10. What DNS says of a name is told once, whichever mode was measured; the places of all modes
 *     show it. Where the gateway was not asked, the DNS views of the other mode are judged.
 * 11. A replica that fails as the gateway at the same address does, or at an address that a wrong
 *     answer names, follows from that: one root, and the Direct place shows it. One that got further
 *     than the gateway, or whose handshake ended in another way, has a fault of its own, which is told
 *     of Direct mode.
 * 12. Of several replicas behind one name: when none answers, each way in which they fail is one
 *     finding; when some do, that is DIRECT_SOME_REPLICAS alone.
 * 13. Direct is ok only by a good context of at least one replica of the region's set, with none
 *     failing. Guessed ports show nothing either way.
 * 14. A credential that does not work says nothing of the account's reachability: it is told of
 *     the account as a whole, its places are none the worse, and Direct mode is unknown.
 * 15. Gateway V2 is at fault only where the gateway advertises it.
 * 16. What two findings would tell of one cause is told by the nearer one.  The answer of a filter
 *     (ANSWER_BLOCKED) is judged by no document; a gateway that throttles does so with a credential,
 *     too; of a name without an address what is told says why no replica is known, be it as bad or
 *     not; and a name that does not exist in a region that the gateways no longer name is
 *     REGIONS_DISAGREE.  Where a place is judged by a finding, that finding is told.
 *
 * Where documents of private zones, endpoints and what the account requires are given, they name
 * the cause of what an answer shows, and the finding of the cause takes the place of that of the
 * answer.  Where they could be meant for another network, the answer's own finding stays:
 *
 *    PUBLIC_ANSWER, API_ZONE_MISSING       ZONE_NOT_LINKED, ZONE_NAME_MISTYPED, SERVER_NOT_FORWARDING
 *    the same, FALLBACK_TO_INTERNET        LINK_FALLBACK
 *    the same, a name that is missing      ENDPOINT_NOT_READY, _FAILED, _WITHOUT_ADDRESS,
 *                                          REQUIRED_MEMBER_MISSING
 *    a name that is missing                TWO_ZONES, ZONE_NAME_WRONG
 *    ALIAS_BYPASSED                        ZONE_NAME_WRONG
 *    STALE_ADDRESS                         RECORD_ORPHANED, TWO_ZONES
 *    TCP_TIMEOUT, TCP_UNREACHABLE          NETWORKS_APART
 *    NO_PRIVATELINK_ALIAS                  NO_ENDPOINT_AT_ALL
 *
 * What happens at an address that is wrong by document stands in the evidence, as in 1.  With
 * several endpoints of the account, a right address is OTHER_ENDPOINT_ADDRESS when no connection
 * comes about, in the place of the failed connection; or when one server's answers mix endpoints.
 */
#include "analyze/judge.h"

#include "analyze/checks.h"
#include "analyze/facet.h"
#include "analyze/merge.h"
#include "analyze/names.h"
#include "analyze/outside.h"
#include "analyze/place.h"
#include "analyze/scene_modes.h"

#include <assert.h>
#include <string.h>

enum { UNKNOWNS_MAX = 24 };

static void (*const site_checks[])(
    const struct scene *, const struct site *, struct report *) = {
	check_agent,
	check_dns_failures,
	check_missing,
	check_public,
	check_odd_answers,
	check_disagreement,
	check_shared,
	check_claims,
	check_escapes,
	check_transport,
	check_system,
	check_proxy,
	check_outside,
	check_records,
	check_ttl,
};

static void (*const attempt_checks[])(
    const struct scene *, const struct site *, const struct attempt *, struct report *) = {
	check_tcp,
	check_tls,
	check_http,
	check_greeting,
};

static void (*const scene_checks[])(const struct scene *, struct report *) = {
	check_swept,
	check_connections,
	check_failed_endpoints,
	check_last_endpoint,
	check_regions,
	check_slow,
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Behind the gateway's, whose findings hide what follows from them. */
static void
run_mode_checks(const struct scene *scene, struct report *report)
{
	for (size_t i = 0; i < scene->site_count; i++)
		check_feed(scene, &scene->sites[i], report);
	for (size_t i = 0; i < scene->direct_count; i++)
		check_feed(scene, &scene->direct[i], report);
	for (size_t i = 0; i < scene->direct_count; i++) {
		if (scene->direct[i].seen == NULL)
			continue;
		check_agent(scene, &scene->direct[i], report);
		check_direct(scene, &scene->direct[i], report);
		check_replicas(scene, &scene->direct[i], report);
	}
	for (size_t i = 0; i < scene->thin_count; i++) {
		if (scene->thin[i].seen == NULL)
			continue;
		check_agent(scene, &scene->thin[i], report);
		check_thin(scene, &scene->thin[i], report);
	}
}

static void
run_checks(const struct scene *scene, struct report *report)
{
	check_modes(scene, report);
	check_version(scene, report);
	check_group(scene, report);
	check_suffix(scene, report);
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		if (site->seen == NULL)
			continue;
		for (size_t j = 0; j < COUNT_OF(site_checks); j++)
			site_checks[j](scene, site, report);
		for (size_t j = 0; j < site->attempt_count; j++) {
			if (site->attempts[j].excused)
				continue;
			for (size_t k = 0; k < COUNT_OF(attempt_checks); k++)
				attempt_checks[k](scene, site, &site->attempts[j], report);
		}
	}
	run_mode_checks(scene, report);
	for (size_t i = 0; i < COUNT_OF(scene_checks); i++)
		scene_checks[i](scene, report);
}

static void
find_state(struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->place_count; i++) {
		if (verdict->places[i].state > verdict->state)
			verdict->state = verdict->places[i].state;
	}
	for (size_t i = 0; i < verdict->finding_count; i++) {
		if (verdict->findings[i].severity > verdict->state)
			verdict->state = verdict->findings[i].severity;
	}
}

static void
add_unknown(struct verdict *verdict, const char *text)
{
	assert(verdict->unknown_count < UNKNOWNS_MAX);
	verdict->unknowns[verdict->unknown_count++] = text;
}

static bool
has_unknown(const struct verdict *verdict, const char *text)
{
	for (size_t i = 0; i < verdict->unknown_count; i++) {
		if (strcmp(verdict->unknowns[i], text) == 0)
			return true;
	}
	return false;
}

/* Of the names that were measured at all, none was to be connected to. */
static bool
asked_only_dns(const struct scene *scene)
{
	bool any = false;

	for (size_t i = 0; i < scene->site_count; i++) {
		if (scene->sites[i].seen == NULL)
			continue;
		if (!place_is_dns_only(&scene->sites[i]))
			return false;
		any = true;
	}
	return any;
}

/* An answer is private, and no document says whose it is. */
static bool
is_private_by_range(const struct scene *scene)
{
	for (size_t i = 0; i < scene->site_count && !scene->claims.told; i++) {
		for (size_t j = 0; j < scene->sites[i].view_count; j++) {
			if (scene->sites[i].views[j].kind == VIEW_PRIVATE)
				return true;
		}
	}
	return false;
}

/* Whether any gateway answered a signed request, whatever it said. */
static bool
is_signed_answered(const struct scene *scene)
{
	for (size_t i = 0; i < scene->ask->seen_count; i++) {
		const struct feed *feed = scene->ask->seen[i]->feed;

		if (feed != NULL && feed->http_status != 0)
			return true;
	}
	return false;
}

/* What a signed request would have shown, and what only a request to a replica would. */
static void
list_unknown_admission(const struct scene *scene, struct verdict *verdict)
{
	bool any_reached = false, any_admitted = false, any_direct = false;

	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		any_reached |= site->place->seen != NULL && place_is_reached(site);
		any_admitted |= scene_admitted(scene, site);
	}
	for (size_t i = 0; i < scene->direct_count; i++)
		any_direct |= scene->direct[i].direct != NULL &&
		    scene->direct[i].direct->well > 0;
	if (any_reached && scene->ask->account->api != API_SQL)
		add_unknown(verdict,
		    arena_printf(scene->arena,
		        "whether the account admits this network's clients of %s: the front "
		        "end was reached, and nobody logged in",
		        facet_title(scene->ask->account->api)));
	else if (any_reached && !any_admitted)
		add_unknown(verdict,
		    is_signed_answered(scene)
		        ? "whether the account admits this network: no signed request was "
		          "answered with the account, and a 401 shows only that the gateway "
		          "was reached"
		        : "whether the account admits this network: the request carries no "
		          "credentials, and a 401 shows only that the gateway was reached");
	if (any_reached && scene->ask->account->api == API_MONGO &&
	    facet_is_supported(scene->ask->account))
		add_unknown(verdict,
		    "whether the application's driver sends SNI, or passes the appName of the "
		    "connection string: a private endpoint of MongoDB wants one of them, and "
		    "we "
		    "send SNI");
	if (any_direct)
		add_unknown(verdict,
		    "whether the account admits this network in Direct mode: a context "
		    "response shows the path and the back end, and no request was made there");
}

static const char *
describe_unasked(const struct scene *scene, enum api api)
{
	if (facet_of(scene->arena, scene->ask->account, api) == NULL)
		return arena_printf(scene->arena,
		    "the names of %s, which the account serves too: they do not follow from %s",
		    facet_title(api), scene->ask->account->host);
	return arena_printf(scene->arena,
	    "the names of %s, which the account serves too: not asked for (--api all)",
	    facet_title(api));
}

/* What the document tells of, and nobody looked at. */
static void
list_unknown_apis(const struct scene *scene, struct verdict *verdict)
{
	for (unsigned api = 0; api < API_COUNT; api++) {
		bool judged = false;

		for (size_t i = 0; i < scene->apis->count; i++)
			judged |= scene->apis->of[i]->ask->account->api == api;
		if (!judged && (scene->ask->account->apis & (1u << api)) != 0)
			add_unknown(verdict, describe_unasked(scene, (enum api)api));
		if ((scene->apis->absent & (1u << api)) != 0)
			add_unknown(verdict,
			    arena_printf(scene->arena,
			        "%s: the account does not serve it, as far as DNS shows: no "
			        "name "
			        "of it exists",
			        facet_title((enum api)api)));
	}
}

static void
list_unknown_modes(const struct scene *scene, struct verdict *verdict)
{
	if (scene->ask->account->api != API_SQL)
		return;
	if (!place_has_gateways(scene))
		add_unknown(verdict,
		    "the gateways, and the account's own name, where every client begins: not "
		    "asked for (--mode all)");
	if (scene->direct_count == 0)
		add_unknown(verdict, "Direct mode: not asked for (--mode all)");
	if (scene->thin_count == 0)
		add_unknown(verdict, "Gateway V2: not asked for (--mode all)");
}

static void
list_unknown_outside(const struct scene *scene, struct verdict *verdict)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		const char *text = outside_unproven(scene, &scene->sites[i]);

		if (text != NULL && !has_unknown(verdict, text))
			add_unknown(verdict, text);
	}
}

static void
list_unknowns(const struct scene *scene, struct verdict *verdict)
{
	verdict->unknowns = arena_array(scene->arena, UNKNOWNS_MAX, sizeof(char *));
	if (!scene->ask->has_document)
		add_unknown(verdict,
		    "which regions are configured: no document of the account was given "
		    "(--expect); "
		    "regions are known only by their names in public DNS");
	/* Where there can be no private zone, no record can be left over in it. */
	if (scene->ask->has_document && scene->swept_asked == 0 &&
	    facet_is_supported(scene->ask->account))
		add_unknown(verdict,
		    "whether records of removed regions are left over: the sweep was not run");
	if (is_private_by_range(scene))
		add_unknown(verdict,
		    scene->claims.own_count == 0 ? "whether the private addresses are those of "
		                                   "the account's endpoints: no "
		                                   "document of one was given (--expect)"
		                                 : "whether the private addresses are those of "
		                                   "the account's endpoints: the "
		                                   "documents that were given of them hold "
		                                   "none; those of their zone groups "
		                                   "and interfaces do (--expect)");
	if (scene->swept_silent > 0)
		add_unknown(verdict,
		    arena_printf(scene->arena,
		        "whether %zu of %zu swept names exist: their resolvers gave no answer",
		        scene->swept_silent, scene->swept_asked));
	if (verdict->dns_only)
		add_unknown(
		    verdict, "whether anything answers at the addresses: only DNS was asked");
	list_unknown_outside(scene, verdict);
	list_unknown_admission(scene, verdict);
	list_unknown_modes(scene, verdict);
	list_unknown_apis(scene, verdict);
}

static struct verdict *
judge_api(const struct scene *scene)
{
	struct report  *report = report_new(scene);
	struct verdict *verdict = arena_alloc(scene->arena, sizeof(*verdict));

	run_checks(scene, report);
	report_finish(report, verdict);
	verdict->dns_only = asked_only_dns(scene);
	place_take(scene, report, verdict);
	find_state(verdict);
	list_unknowns(scene, verdict);
	return verdict;
}

/* Those that were measured; when none was, those that the account serves.  What cannot work by
 * its document is told without measuring. */
static unsigned
find_apis(const struct judge_ask *ask)
{
	const struct account *account = ask->account;
	unsigned              wanted = (ask->wanted & NAMES_APIS) >> NAMES_APIS_AT;
	unsigned              apis = 0;

	for (size_t i = 0; i < ask->seen_count; i++) {
		const struct target *target = ask->seen[i]->target;

		if (target != NULL && target->api < API_COUNT)
			apis |= 1u << target->api;
	}
	if (apis == 0)
		apis = wanted != 0 ? wanted : account->apis;
	apis |= names_without_mode(account, ask->wanted);
	if ((account->apis & (1u << API_MONGO)) != 0 && !facet_is_version_supported(account))
		apis |= 1u << API_MONGO;
	return apis;
}

/* All APIs were asked for, or one that the document does not tell of: a question, to which no name
 * is an answer. */
static bool
is_question(const struct judge_ask *ask, enum api api, bool any)
{
	bool all = (ask->wanted & NAMES_APIS) == NAMES_APIS;

	/* Without a document NoSQL is what we take an account for, while it has no other name. */
	if (!ask->has_document && api == API_SQL)
		return all && any;
	return (ask->account->apis & (1u << api)) == 0 && (ask->has_document || all);
}

static void
drop_absent(const struct judge_ask *ask, struct scenes *scenes)
{
	size_t kept = 0;
	bool   any = false;

	for (size_t i = 0; i < scenes->count; i++)
		any = any || !scene_is_absent(scenes->of[i]);

	for (size_t i = 0; i < scenes->count; i++) {
		enum api api = scenes->of[i]->ask->account->api;
		bool     last = kept == 0 && i + 1 == scenes->count;

		if (!last && is_question(ask, api, any) && scene_is_absent(scenes->of[i]))
			scenes->absent |= 1u << api;
		else
			scenes->of[kept++] = scenes->of[i];
	}
	scenes->count = kept;
}

/* All scenes before any judging: what one API shows may explain what another does. */
static void
make_scenes(struct arena *arena, const struct judge_ask *ask, struct scenes *scenes)
{
	unsigned apis = find_apis(ask);

	for (unsigned api = 0; api < API_COUNT; api++) {
		const struct account *facet = (apis & (1u << api)) != 0
		    ? facet_of(arena, ask->account, (enum api)api)
		    : NULL;
		struct judge_ask     *of_api;

		if (facet == NULL)
			continue;
		of_api = arena_alloc(arena, sizeof(*of_api));
		*of_api = *ask;
		of_api->account = facet;
		scenes->of[scenes->count++] = scene_new(arena, of_api, scenes);
	}
	drop_absent(ask, scenes);
}

struct verdict *
judge_run(struct arena *arena, const struct judge_ask *ask)
{
	struct scenes  *scenes = arena_alloc(arena, sizeof(*scenes));
	struct verdict *verdicts[API_COUNT];

	make_scenes(arena, ask, scenes);
	if (scenes->count == 0) /* nothing follows from such a suffix but NoSQL's own names */
		scenes->of[scenes->count++] = scene_new(arena, ask, scenes);
	for (size_t i = 0; i < scenes->count; i++)
		verdicts[i] = judge_api(scenes->of[i]);
	return merge_verdicts(arena, verdicts, scenes->count);
}
