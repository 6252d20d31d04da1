#include "analyze/checks.h"

#include "analyze/region.h"

#include <string.h>

static const struct location *
find_location(const struct account *account, const char *name)
{
	char label[REGION_LABEL_ROOM];

	region_label(name, label, sizeof(label));
	for (size_t i = 0; i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, label) == 0)
			return &account->locations[i];
	}
	return NULL;
}

static bool
has_region(const struct feed *feed, const char *wanted)
{
	char label[REGION_LABEL_ROOM];

	for (size_t i = 0; i < feed->regions_count; i++) {
		region_label(feed->regions[i].name, label, sizeof(label));
		if (strcmp(label, wanted) == 0)
			return true;
	}
	return false;
}

static const char *
append(const struct scene *scene, const char *text, const char *name)
{
	return arena_printf(scene->arena, "%s%s%s", text, *text != '\0' ? ", " : "", name);
}

/* What stands in one of the two alone. */
struct difference {
	const char *extra;   /* regions that only the gateway names; "": none */
	const char *missing; /* ... only the document */
};

/* A region that comes or goes may stand in one of the two alone. */
static struct difference
compare(const struct scene *scene)
{
	const struct account *account = scene->ask->account;
	const struct feed    *feed = scene->feed;
	struct difference     found = { "", "" };

	if (feed == NULL || account->location_count == 0)
		return found;
	for (size_t i = 0; i < feed->regions_count; i++) {
		if (find_location(account, feed->regions[i].name) == NULL)
			found.extra = append(scene, found.extra, feed->regions[i].name);
	}
	for (size_t i = 0; i < account->location_count; i++) {
		if (!account->locations[i].pending &&
		    !has_region(feed, account->locations[i].label))
			found.missing = append(
			    scene, found.missing, account->locations[i].name);
	}
	return found;
}

static void
add(const struct scene *scene, const struct difference *found, struct sighting *sighting,
    struct report *out)
{
	bool extra = *found->extra != '\0', missing = *found->missing != '\0';

	sighting->code = FINDING_REGIONS_DISAGREE;
	sighting->group = "account";
	sighting->detail = arena_printf(scene->arena, "%s%s%s%s%s",
	    extra ? "the gateway also names " : "", found->extra, extra && missing ? "; " : "",
	    missing ? "the gateway does not name " : "", found->missing);
	report_add(out, sighting);
}

bool
check_gone(const struct scene *scene, const struct site *site, const char *evidence,
    struct report *out)
{
	struct difference found;

	if (site->location == NULL || site->pending || scene->feed == NULL ||
	    has_region(scene->feed, site->location->label))
		return false;
	found = compare(scene);
	add(scene, &found,
	    &(struct sighting){
	        .site = site,
	        .evidence = arena_printf(scene->arena, "%s does not exist in DNS: %s",
	            site->place->target->host, evidence),
	    },
	    out);
	return true;
}

void
check_regions(const struct scene *scene, struct report *out)
{
	struct difference found = compare(scene);

	if (*found.extra == '\0' && *found.missing == '\0')
		return;
	add(scene, &found,
	    &(struct sighting){
	        .evidence = arena_printf(scene->arena,
	            "GET / at %s against %s: only there: %s; only in the document: %s",
	            scene->feed->address, scene->ask->account->source,
	            *found.extra != '\0' ? found.extra : "none",
	            *found.missing != '\0' ? found.missing : "none"),
	    },
	    out);
}
