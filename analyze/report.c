#include "analyze/report.h"

#include "analyze/check_link.h"
#include "analyze/template.h"
#include "base/addr.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { EVIDENCE_LINES_MAX = 8, LISTED_MAX = 3 };

struct entry {
	struct sighting sighting;
	bool            all;   /* holds for every name that got as far: told once */
	bool            taken; /* is part of a finding already */
};

struct report {
	const struct scene *scene;
	struct entry       *entries; /* in the order of the names, whatever that of measuring */
	size_t              count, room;
};

/* The entries that make one finding. */
struct gathering {
	const struct entry **entries;
	size_t               count;
	const struct site  **sites; /* distinct, in order */
	size_t               site_count;
};

struct report *
report_new(const struct scene *scene)
{
	struct report *report = arena_alloc(scene->arena, sizeof(*report));

	report->scene = scene;
	return report;
}

static const char *
describe_pending(const struct site *site)
{
	const char *state = site->location->provisioning_state;

	return *state != '\0' ? state : "it has no endpoint yet";
}

void
report_add(struct report *report, const struct sighting *sighting)
{
	struct entry *entry;

	if (report->count == report->room) {
		struct entry *old = report->entries;

		report->room = report->room == 0 ? 16 : report->room * 2;
		report->entries = arena_array(
		    report->scene->arena, report->room, sizeof(struct entry));
		if (report->count > 0)
			memcpy(report->entries, old, report->count * sizeof(struct entry));
	}
	entry = &report->entries[report->count++];
	entry->sighting = *sighting;
	if (sighting->site != NULL && sighting->site->pending &&
	    finding_table[sighting->code].severity > STATE_UNKNOWN) {
		entry->sighting.code = FINDING_REGION_PENDING;
		entry->sighting.severity = STATE_OK;
		entry->sighting.group = NULL;
		entry->sighting.detail = describe_pending(sighting->site);
		return;
	}
	if (entry->sighting.severity == STATE_OK)
		entry->sighting.severity = finding_table[sighting->code].severity;
}

static bool
is_same(const char *left, const char *right)
{
	return left == right || (left != NULL && right != NULL && strcmp(left, right) == 0);
}

bool
report_shows(const struct report *report, const struct site *site, enum finding_code code,
    const char *resolver)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct sighting *sighting = &report->entries[i].sighting;

		if (sighting->site == site && sighting->code == code &&
		    is_same(sighting->resolver, resolver))
			return true;
	}
	return false;
}

static bool
is_worse(const struct sighting *left, const struct sighting *right)
{
	return left->severity > right->severity ||
	    (left->severity == right->severity && left->code < right->code);
}

const struct sighting *
report_worst(const struct report *report, const struct site *site, enum finding_code end)
{
	const struct sighting *worst = NULL;

	for (size_t i = 0; i < report->count; i++) {
		const struct sighting *sighting = &report->entries[i].sighting;

		if (sighting->site == site && !sighting->aside && sighting->code < end &&
		    (worst == NULL || is_worse(sighting, worst)))
			worst = sighting;
	}
	return worst;
}

bool
report_is_down(const struct report *report, const struct site *site, enum finding_code end)
{
	const struct sighting *worst = site == NULL ? NULL : report_worst(report, site, end);

	return worst != NULL && worst->severity == STATE_CRITICAL;
}

/* Whether every name of the mode that got as far as the stage shows one of the two.  That may be a
 * single one; it is then told with its own region all the same. */
static bool
holds_for_all(const struct report *report, const struct sighting *sighting, enum stage stage,
    enum finding_code or_code)
{
	size_t             count;
	const struct site *sites = scene_sites(
	    report->scene, scene_mode(sighting->site), &count);

	for (size_t i = 0; i < count; i++) {
		if (scene_reached(&sites[i], stage) &&
		    !report_shows(report, &sites[i], sighting->code, sighting->resolver) &&
		    !report_shows(report, &sites[i], or_code, sighting->resolver))
			return false;
	}
	return true;
}

/* When no name of the account exists, that is one thing: the account cannot be found. */
static void
join_missing(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct sighting *sighting = &report->entries[i].sighting;
		const char      *resolver = sighting->resolver;

		if (sighting->code != FINDING_GLOBAL_NAME_MISSING ||
		    !holds_for_all(report, sighting, STAGE_NAME, FINDING_REGION_NAME_MISSING))
			continue;
		for (size_t j = 0; j < report->count; j++) {
			struct sighting *other = &report->entries[j].sighting;

			if (other->code == FINDING_REGION_NAME_MISSING &&
			    is_same(other->resolver, resolver))
				other->code = FINDING_GLOBAL_NAME_MISSING;
		}
	}
}

static void
mark_all(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		struct entry          *entry = &report->entries[i];
		const struct sighting *sighting = &entry->sighting;
		enum stage             stage = finding_table[sighting->code].stage;

		entry->all = stage > STAGE_ACCOUNT && sighting->group == NULL &&
		    sighting->site != NULL &&
		    holds_for_all(report, sighting, stage, sighting->code);
	}
}

static void
mark_places(struct report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct sighting *sighting = &report->entries[i].sighting;
		struct place          *place;

		if (sighting->site == NULL || sighting->aside)
			continue;
		place = sighting->site->place;
		if (place->worst == FINDING_COUNT || sighting->severity > place->state ||
		    (sighting->severity == place->state && sighting->code < place->worst)) {
			place->state = sighting->severity;
			place->worst = sighting->code;
		}
	}
}

/* One name is one thing to a reader, in however many modes it was measured. */
static bool
is_same_name(const struct site *left, const struct site *right)
{
	if (left == right || left == NULL || right == NULL)
		return left == right;
	return strcmp(left->place->target->region, right->place->target->region) == 0 &&
	    text_equal_nocase(left->place->target->host, right->place->target->host);
}

static bool
belong_together(const struct entry *first, const struct entry *other)
{
	const struct sighting *left = &first->sighting, *right = &other->sighting;

	if (left->code != right->code || first->all != other->all)
		return false;
	if (first->all)
		return true;
	if (left->group != NULL || right->group != NULL)
		return is_same(left->group, right->group);
	return is_same_name(left->site, right->site);
}

static void
gather(struct report *report, size_t first, struct gathering *found)
{
	struct arena *arena = report->scene->arena;

	memset(found, 0, sizeof(*found));
	found->entries = arena_array(arena, report->count, sizeof(void *));
	found->sites = arena_array(arena, report->count, sizeof(void *));
	for (size_t i = first; i < report->count; i++) {
		struct entry      *entry = &report->entries[i];
		const struct site *site = entry->sighting.site;
		bool               fresh = site != NULL;

		if (entry->taken || !belong_together(&report->entries[first], entry))
			continue;
		entry->taken = true;
		found->entries[found->count++] = entry;
		for (size_t j = 0; j < found->site_count; j++)
			fresh = fresh && !is_same_name(found->sites[j], site);
		if (fresh)
			found->sites[found->site_count++] = site;
	}
}

static const char *
count_names(struct arena *arena, size_t count, const char *kind, const char *account)
{
	if (count == 2)
		return arena_printf(arena, "both %s of %s", kind, account);
	return arena_printf(arena, "all %zu %s of %s", count, kind, account);
}

/* "a, b, c and 2 more". */
static const char *
list_names(struct arena *arena, const struct gathering *found)
{
	const char *text = found->sites[0]->place->target->host;

	for (size_t i = 1; i < found->site_count; i++) {
		bool last = i + 1 == found->site_count;

		if (i == LISTED_MAX && !last)
			return arena_printf(
			    arena, "%s and %zu more", text, found->site_count - i);
		text = arena_printf(arena, "%s%s%s", text, last ? " and " : ", ",
		    found->sites[i]->place->target->host);
	}
	return text;
}

/* "contoso.documents.azure.com", "all 6 names of contoso", "a, b, c and 2 more". */
static const char *
name_sites(const struct scene *scene, const struct gathering *found)
{
	struct arena      *arena = scene->arena;
	const char        *account = scene->ask->account->name;
	size_t             judged = 0, regional = 0, here = 0, count;
	const struct site *sites;

	if (found->site_count == 0)
		return account;
	if (found->site_count == 1)
		return found->sites[0]->place->target->host;
	sites = scene_sites(scene, scene_mode(found->sites[0]), &count);
	for (size_t i = 0; i < count; i++) {
		bool is_region = *sites[i].place->target->region != '\0';

		judged += sites[i].pending ? 0 : 1;
		regional += !sites[i].pending && is_region ? 1 : 0;
	}
	for (size_t i = 0; i < found->site_count; i++)
		here += *found->sites[i]->place->target->region != '\0' ? 1 : 0;
	if (found->site_count == judged && here < judged)
		return count_names(arena, judged, "names", account);
	if (here == found->site_count && here == regional)
		return count_names(arena, here, "regional names", account);
	return list_names(arena, found);
}

/* What holds for the account is seen once, however many places show it. */
static bool
is_seen_once(const struct gathering *found)
{
	const struct sighting *first = &found->entries[0]->sighting;

	if (finding_table[first->code].stage != STAGE_ACCOUNT)
		return false;
	for (size_t i = 1; i < found->count; i++) {
		if (!is_same(first->evidence, found->entries[i]->sighting.evidence))
			return false;
	}
	return true;
}

static const char *
join_evidence(const struct scene *scene, const struct gathering *found)
{
	const char *text = "";

	if (is_seen_once(found))
		return found->entries[0]->sighting.evidence;

	for (size_t i = 0; i < found->count; i++) {
		const struct sighting *sighting = &found->entries[i]->sighting;
		bool                   named = found->site_count > 1 && sighting->site != NULL;

		if (i == EVIDENCE_LINES_MAX)
			return arena_printf(
			    scene->arena, "%s\nand %zu more alike", text, found->count - i);
		text = arena_printf(scene->arena, "%s%s%s%s%s", text, i > 0 ? "\n" : "",
		    named ? sighting->site->place->target->host : "", named ? ": " : "",
		    sighting->evidence);
	}
	return text;
}

/* The distinct values of one member, "10.0.0.4 and 10.0.0.5". */
static const char *
join_values(const struct scene *scene, const struct gathering *found, size_t at)
{
	const char *text = NULL;
	size_t      listed = 0, more = 0;

	for (size_t i = 0; i < found->count; i++) {
		const char *value, *other;
		bool        fresh = true;

		memcpy(&value, (const char *)&found->entries[i]->sighting + at, sizeof(value));
		for (size_t j = 0; j < i; j++) {
			memcpy(&other, (const char *)&found->entries[j]->sighting + at,
			    sizeof(other));
			fresh = fresh && !is_same(value, other);
		}
		if (value == NULL || !fresh)
			continue;
		if (listed++ == 0)
			text = value;
		else if (listed <= LISTED_MAX)
			text = arena_printf(scene->arena, "%s, %s", text, value);
		else
			more++;
	}
	if (more > 0)
		text = arena_printf(scene->arena, "%s and %zu more", text, more);
	return text != NULL ? text : "";
}

/* The distinct addresses as arguments of a command, all of them. */
static const char *
list_addresses(const struct scene *scene, const struct gathering *found)
{
	const char *text = "";

	for (size_t i = 0; i < found->count; i++) {
		const char *address = found->entries[i]->sighting.address;
		struct addr addr;
		bool        fresh = address != NULL && addr_parse(&addr, address, 0, NULL);

		for (size_t j = 0; j < i && fresh; j++)
			fresh = !is_same(address, found->entries[j]->sighting.address);
		if (fresh)
			text = arena_printf(
			    scene->arena, "%s%s%s", text, *text != '\0' ? " " : "", address);
	}
	return text;
}

/* The API's private zone that this network is linked to, or when one alone was given; NULL
 * otherwise. */
static const char *
find_zone_id(const struct scene *scene)
{
	const struct zone_link   *link;
	const struct zone        *own = check_own_zone(scene, &link);
	size_t                    count;
	const struct zone *const *zones = zone_find(
	    scene->ask->zones, scene->ask->account->zone, &count);

	if (own != NULL && *own->id != '\0')
		return own->id;
	return count == 1 && *zones[0]->id != '\0' ? zones[0]->id : NULL;
}

static void
fill(const struct report *report, const struct gathering *found, struct finding *finding)
{
	const struct scene        *scene = report->scene;
	const struct sighting     *first = &found->entries[0]->sighting;
	const struct finding_desc *desc = &finding_table[first->code];
	const struct site         *site = found->site_count > 0 ? found->sites[0] : NULL;
	bool                       all = strcmp(finding->region, "*") == 0;
	struct words               words = {
		              .arena = scene->arena,
		              .account = scene->ask->account,
		              .target = site != NULL ? site->place->target : NULL,
		              .names = name_sites(scene, found),
		              .address = join_values(scene, found, offsetof(struct sighting, address)),
		              .addresses = list_addresses(scene, found),
		              .resolver = join_values(scene, found, offsetof(struct sighting, resolver)),
		              .detail = join_values(scene, found, offsetof(struct sighting, detail)),
		              .connection = first->connection,
		              .first_address = first->address,
		              .first_resolver = first->resolver,
		              .port = first->port,
	};
	words.zone_id = find_zone_id(scene);
	words.vnet_id = check_vnet_is_known(scene) ? scene->ask->vnet->id : NULL;
	/* When there are two and nobody said which network this is, a person has to say it. */
	if (site != NULL)
		words.endpoint = check_own_endpoint(scene, site->place->target->host);
	if (site != NULL && words.endpoint == NULL &&
	    claim_endpoint(&scene->claims, site->place->target->host, 1) == NULL)
		words.endpoint = claim_endpoint(&scene->claims, site->place->target->host, 0);

	finding->sentence = template_sentence(&words, desc->sentence);
	finding->fix = template_fix(
	    &words, all && *desc->fix_all != '\0' ? desc->fix_all : desc->fix);
	finding->evidence = join_evidence(scene, found);
}

/* "*" for the account as a whole and for more than one name. */
static const char *
find_region(const struct gathering *found)
{
	enum finding_code code = found->entries[0]->sighting.code;
	bool              of_document = finding_table[code].stage == STAGE_ACCOUNT;

	if (of_document || found->site_count != 1)
		return "*";
	return found->sites[0]->place->target->region;
}

static void
make_finding(
    const struct report *report, const struct gathering *found, struct finding *finding)
{
	const struct sighting *first = &found->entries[0]->sighting;

	finding->code = first->code;
	finding->api = report->scene->ask->account->api;
	finding->apis = 1u << finding->api;
	finding->mode = first->site != NULL ? scene_mode(first->site) : MODE_GATEWAY;
	finding->account = report->scene->ask->account->name;
	finding->region = find_region(found);
	finding->hosts = arena_array(
	    report->scene->arena, found->site_count + 1, sizeof(char *));
	for (size_t i = 0; i < found->site_count; i++) {
		const struct site *site = found->sites[i];

		finding->hosts[finding->host_count++] = site->place->target->host;
		if (site->seen != NULL && site->seen->started_ms > finding->seen_ms)
			finding->seen_ms = site->seen->started_ms;
	}
	finding->host = finding->host_count > 0 ? finding->hosts[0] : "";
	for (size_t i = 0; i < found->count; i++) {
		if (found->entries[i]->sighting.severity > finding->severity)
			finding->severity = found->entries[i]->sighting.severity;
	}
	fill(report, found, finding);
}

/* Worst first; of equals, what concerns all names, then in the order of the names, which is that
 * of making; codes break what ties are left. */
static int
compare_findings(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	bool                  a_all = strcmp(a->region, "*") == 0;
	bool                  b_all = strcmp(b->region, "*") == 0;

	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a_all != b_all)
		return a_all ? -1 : 1;
	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	return strcmp(a->host, b->host);
}

void
report_sort(struct finding *findings, size_t count)
{
	qsort(findings, count, sizeof(struct finding), compare_findings);
}

void
report_finish(struct report *report, struct verdict *verdict)
{
	struct gathering found;

	join_missing(report);
	mark_all(report);
	mark_places(report);
	verdict->findings = arena_array(
	    report->scene->arena, report->count + 1, sizeof(struct finding));
	for (size_t i = 0; i < report->count; i++) {
		if (report->entries[i].taken)
			continue;
		gather(report, i, &found);
		make_finding(report, &found, &verdict->findings[verdict->finding_count++]);
	}
	report_sort(verdict->findings, verdict->finding_count);
}
