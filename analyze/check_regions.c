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

/* A region that comes or goes may stand in one of the two alone. */
void
check_regions(const struct scene *scene, struct report *out)
{
	const struct account *account = scene->ask->account;
	const struct feed    *feed = scene->feed;
	const char           *extra = "", *missing = "";

	if (feed == NULL || account->location_count == 0)
		return;
	for (size_t i = 0; i < feed->regions_count; i++) {
		if (find_location(account, feed->regions[i].name) == NULL)
			extra = append(scene, extra, feed->regions[i].name);
	}
	for (size_t i = 0; i < account->location_count; i++) {
		if (!account->locations[i].pending &&
		    !has_region(feed, account->locations[i].label))
			missing = append(scene, missing, account->locations[i].name);
	}
	if (*extra == '\0' && *missing == '\0')
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_REGIONS_DISAGREE,
	        .group = "account",
	        .detail = arena_printf(scene->arena, "%s%s%s%s%s",
	            *extra != '\0' ? "the gateway also names " : "", extra,
	            *extra != '\0' && *missing != '\0' ? "; " : "",
	            *missing != '\0' ? "the gateway does not name " : "", missing),
	        .evidence = arena_printf(scene->arena,
	            "GET / at %s against %s: only there: %s; only in the document: %s",
	            feed->address, account->source, *extra != '\0' ? extra : "none",
	            *missing != '\0' ? missing : "none"),
	    });
}
