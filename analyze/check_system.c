#include "analyze/checks.h"

#include "base/text.h"

#include <string.h>

/* What getaddrinfo() gives, and whether servers that were asked give it too. */
struct contrast {
	const struct addr *alone;  /* an address that no server gives; NULL: none */
	bool               lacks;  /* no address, although each server gives one */
	bool               says;   /* a server said something about the name */
	bool               denies; /* a server denied it, or did not answer */
};

static bool
is_in_any_view(const struct site *site, const struct addr *addr)
{
	for (size_t i = 0; i < site->view_count; i++) {
		if (scene_has_address(&site->views[i], addr))
			return true;
	}
	return site->control != NULL && scene_has_address(site->control, addr);
}

/* Not for want of time: the thread that asks may still have been busy with another name. */
static bool
lacks_address(const struct view *system)
{
	switch (system->dns->outcome) {
	case OUTCOME_NXDOMAIN:
	case OUTCOME_NODATA:
	case OUTCOME_SERVFAIL: return system->addr_count == 0;
	default: return false;
	}
}

/* Public addresses change from answer to answer: they are compared with private ones alone. */
static struct contrast
compare(const struct site *site)
{
	const struct view *system = site->system;
	struct contrast    contrast = { 0 };
	bool private = false;

	for (size_t i = 0; i < site->view_count; i++) {
		contrast.says |= scene_says_something(&site->views[i]);
		contrast.denies |= site->views[i].addr_count == 0;
		private |= site->views[i].kind == VIEW_PRIVATE;
	}
	for (size_t i = 0; i < system->addr_count && contrast.alone == NULL; i++) {
		if ((private || contrast.denies || !scene_is_public(system, i)) &&
		    !is_in_any_view(site, &system->addrs[i]))
			contrast.alone = &system->addrs[i];
	}
	contrast.lacks = lacks_address(system) && !contrast.denies;
	return contrast;
}

/* "contoso.documents.azure.com.corp.example": the name with a search domain behind it. */
static const char *
find_search_domain(const struct site *site)
{
	const char *canonical = site->system->dns->canonical;
	const char *host = site->place->target->host;
	size_t      count = strlen(host);

	if (canonical == NULL || !text_starts_nocase(canonical, host) ||
	    canonical[count] != '.' || canonical[count + 1] == '\0')
		return NULL;
	return canonical + count + 1;
}

static bool
is_any_public(const struct view *view)
{
	for (size_t i = 0; i < view->addr_count; i++) {
		if (scene_is_public(view, i))
			return true;
	}
	return false;
}

/* A gateway answers wherever the system leads, and no traffic leaves that DNS would keep inside. */
static bool
does_work(const struct site *site)
{
	bool private = false;

	for (size_t i = 0; i < site->view_count; i++)
	private |= site->views[i].kind == VIEW_PRIVATE;
	if (private && is_any_public(site->system))
		return false;
	for (size_t i = 0; i < site->system->addr_count; i++) {
		const struct attempt *attempt = scene_attempt(site, &site->system->addrs[i]);

		if (attempt == NULL || !scene_is_answered(attempt->end))
			return false;
	}
	return site->system->addr_count > 0;
}

static const char *
list_addresses(const struct scene *scene, const struct view *view)
{
	const char *text = "";
	char        address[ADDR_TEXT];

	for (size_t i = 0; i < view->addr_count; i++)
		text = arena_printf(scene->arena, "%s%s%s", text, i > 0 ? ", " : "",
		    addr_render(&view->addrs[i], address, sizeof(address)));
	return *text != '\0' ? text : outcome_name(view->dns->outcome);
}

/* "getaddrinfo gives 10.9.9.9; resolver 10.0.0.2 says ..." */
static const char *
describe_contrast(const struct scene *scene, const struct site *site, const struct addr *alone)
{
	const struct dns *dns = site->system->dns;
	const char       *text = arena_printf(scene->arena, "getaddrinfo gives %s%s%s",
	          list_addresses(scene, site->system),
            dns->canonical != NULL && *dns->canonical != '\0' ? " by the name " : "",
            dns->canonical != NULL ? dns->canonical : "");

	if (dns->addresses_count == 0 && dns->detail != NULL && *dns->detail != '\0')
		text = arena_printf(scene->arena, "%s (%s)", text, dns->detail);
	if (alone != NULL)
		text = arena_printf(scene->arena, "%s%s", text,
		    check_describe_attempt(scene, scene_attempt(site, alone)));
	for (size_t i = 0; i < site->view_count; i++)
		text = arena_printf(scene->arena, "%s; resolver %s: %s", text,
		    site->views[i].dns->resolver, list_addresses(scene, &site->views[i]));
	return text;
}

static void
add_hijack(
    const struct scene *scene, const struct site *site, const char *domain, struct report *out)
{
	const struct view *system = site->system;

	report_add(out,
	    &(struct sighting){
	        .code = FINDING_SEARCH_DOMAIN_HIJACK,
	        .site = site,
	        .resolver = system->dns->resolver,
	        .address = system->addr_count > 0 ? system->dns->addresses[0].address : NULL,
	        .detail = domain,
	        .evidence = describe_contrast(
	            scene, site, system->addr_count > 0 ? &system->addrs[0] : NULL),
	    });
}

void
check_system(const struct scene *scene, const struct site *site, struct report *out)
{
	struct contrast contrast;
	const char     *domain;

	if (site->system == NULL)
		return;
	domain = find_search_domain(site);
	if (domain != NULL) {
		add_hijack(scene, site, domain, out);
		return;
	}
	contrast = compare(site);
	if (!contrast.says || (contrast.alone == NULL && !contrast.lacks))
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_SYSTEM_OVERRIDES_DNS,
	        .site = site,
	        .severity = does_work(site) ? STATE_WARNING : STATE_OK,
	        .resolver = site->system->dns->resolver,
	        .detail = contrast.lacks
	            ? "no address, although every DNS server gives one"
	            : arena_printf(scene->arena, "%s, which no DNS server gives",
	                  list_addresses(scene, site->system)),
	        .evidence = describe_contrast(scene, site, contrast.alone),
	    });
}
