#include "analyze/checks.h"

enum { LONG_TTL_S = 300 };

/* Findings that a repaired record ends, once the wrong one is out of the caches. */
static const enum finding_code repairs[] = {
	FINDING_REGION_NAME_MISSING,
	FINDING_PUBLIC_ANSWER,
	FINDING_REGION_ADDRESS_SHARED,
	FINDING_GLOBAL_NAME_MISSING,
	FINDING_ALIAS_BYPASSED,
	FINDING_ANSWER_BLOCKED,
	FINDING_STALE_ADDRESS,
	FINDING_OTHER_ACCOUNT_ADDRESS,
	FINDING_OTHER_ENDPOINT_ADDRESS,
	FINDING_FALLBACK_TO_INTERNET,
	FINDING_AAAA_ESCAPES,
	FINDING_ZONE_NOT_LINKED,
	FINDING_RECORD_ORPHANED,
	FINDING_TWO_ZONES,
	FINDING_ZONE_NAME_WRONG,
	FINDING_LINK_FALLBACK,
	FINDING_ZONE_NAME_MISTYPED,
	FINDING_SERVER_NOT_FORWARDING,
	FINDING_API_ZONE_MISSING,
	FINDING_MONGO_HOST_MISSING,
};

static bool
is_wrong(const struct report *report, const struct site *site, const char *resolver)
{
	for (size_t i = 0; i < sizeof(repairs) / sizeof(repairs[0]); i++) {
		if (report_shows(report, site, repairs[i], resolver))
			return true;
	}
	return false;
}

/* How long a cache may keep what is wrong: that the name is missing; or what the zone, or the
 * internet in its place, says of the name in it; or the addresses. */
static uint32_t
find_ttl(const struct view *view)
{
	const struct dns *dns = view->dns;
	uint32_t          ttl_s = 0;

	if (view->addr_count == 0)
		return dns->negative_ttl_s;
	if (view->zone_ttl_s > 0)
		return view->zone_ttl_s;
	for (size_t i = 0; i < dns->addresses_count; i++) {
		if (dns->addresses[i].ttl_s > ttl_s)
			ttl_s = dns->addresses[i].ttl_s;
	}
	return ttl_s;
}

void
check_ttl(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];
		uint32_t           ttl_s = find_ttl(view);

		if (ttl_s <= LONG_TTL_S || !is_wrong(out, site, view->dns->resolver))
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_TTL_DELAYS_FIX,
		        .site = site,
		        .resolver = view->dns->resolver,
		        .detail = arena_printf(scene->arena, "%u s", ttl_s),
		        .evidence = arena_printf(scene->arena,
		            "resolver %s: this answer may live %u s more", view->dns->resolver,
		            ttl_s),
		    });
	}
}
