#include "analyze/checks.h"

#include <string.h>

enum { SWEPT_MIN = 3 }; /* fewer equal answers are no wildcard */

/* The judged name that answers with this address; NULL when none does. */
static const struct site *
find_holder(const struct scene *scene, const struct addr *addr)
{
	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		for (size_t j = 0; j < site->view_count; j++) {
			for (size_t k = 0; k < site->views[j].addr_count; k++) {
				if (addr_equal(&site->views[j].addrs[k], addr))
					return site;
			}
		}
	}
	return NULL;
}

/* "contoso-westus.privatelink.documents.azure.com" -> "contoso-westus.documents.azure.com". */
static const char *
find_public_name(const struct scene *scene, const struct site *site)
{
	const char *host = site->place->target->host;

	return arena_printf(scene->arena, "%.*s.%s", (int)strcspn(host, "."), host,
	    scene->ask->account->suffix);
}

/* What the documents of endpoints say of the address. */
static const char *
describe_claim(const struct scene *scene, const struct site *site, const struct addr *addr)
{
	struct claim claim = claim_find(&scene->claims, find_public_name(scene, site), addr);

	if (claim.kind == CLAIM_NOBODY)
		return "; no endpoint that was given has the address";
	if (claim.kind == CLAIM_RIGHT)
		return arena_printf(scene->arena,
		    "; %s still has it for this name: is the account's document older?",
		    check_describe_endpoint(scene, claim.entry->endpoint));
	if (claim.entry == NULL)
		return "";
	return arena_printf(scene->arena, "; the address is of %s now, for %s",
	    check_describe_endpoint(scene, claim.entry->endpoint), claim.entry->fqdn);
}

static void
add_swept(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	const struct site *holder = find_holder(scene, &view->addrs[0]);
	bool               left_over = view->kind == VIEW_PRIVATE;
	const char        *evidence = arena_printf(scene->arena, "resolver %s: %s -> %s (%u s)",
	           view->dns->resolver, site->place->target->host, view->dns->addresses[0].address,
	           view->dns->addresses[0].ttl_s);

	if (left_over && holder != NULL)
		evidence = arena_printf(scene->arena, "%s; the address belongs to %s now",
		    evidence, holder->place->target->host);
	else if (left_over)
		evidence = arena_printf(scene->arena, "%s%s", evidence,
		    describe_claim(scene, site, &view->addrs[0]));
	report_add(out,
	    &(struct sighting){
	        .code = left_over ? FINDING_RECORD_LEFT_OVER : FINDING_REGION_UNLISTED,
	        .site = site,
	        .resolver = view->dns->resolver,
	        .address = view->dns->addresses[0].address,
	        .evidence = evidence,
	    });
}

/* A private answer wins over a public one of another resolver: it is the one to clean up. */
static void
check_swept_name(const struct scene *scene, const struct site *site, struct report *out)
{
	bool left_over = false;

	for (size_t i = 0; i < site->view_count; i++)
		left_over |= site->views[i].kind == VIEW_PRIVATE;
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		if (view->kind == VIEW_PRIVATE ||
		    (!left_over && (view->kind == VIEW_PUBLIC || view->kind == VIEW_OPEN)))
			add_swept(scene, site, view, out);
	}
}

/* The one private address that every swept name has; NULL when there is none.  A few equal
 * answers may be records; all of them cannot. */
static const struct view *
find_wildcard(const struct scene *scene)
{
	const struct view *first;

	if (scene->swept_count < SWEPT_MIN ||
	    scene->swept_count + scene->swept_silent != scene->swept_asked)
		return NULL;
	first = &scene->swept[0].views[0];
	for (size_t i = 0; i < scene->swept_count; i++) {
		const struct site *site = &scene->swept[i];

		for (size_t j = 0; j < site->view_count; j++) {
			if (site->views[j].kind != VIEW_PRIVATE ||
			    !scene_views_agree(first, &site->views[j]))
				return NULL;
		}
	}
	return first->kind == VIEW_PRIVATE ? first : NULL;
}

void
check_swept(const struct scene *scene, struct report *out)
{
	const struct view *wildcard = find_wildcard(scene);

	if (wildcard == NULL) {
		for (size_t i = 0; i < scene->swept_count; i++)
			check_swept_name(scene, &scene->swept[i], out);
		return;
	}
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_WILDCARD_RECORD,
	        .resolver = wildcard->dns->resolver,
	        .address = wildcard->dns->addresses[0].address,
	        .evidence = arena_printf(scene->arena,
	            "%zu names of regions that are not configured have it, from %s to %s",
	            scene->swept_count, scene->swept[0].place->target->host,
	            scene->swept[scene->swept_count - 1].place->target->host),
	    });
}
