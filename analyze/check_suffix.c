#include "analyze/checks.h"

#include "analyze/facet.h"

#include <string.h>

/* Known, and of another cloud than the account's own suffix is known to be of. */
static bool
differs(enum cloud own, enum cloud other)
{
	return own != CLOUD_COUNT && other != CLOUD_COUNT && own != other;
}

static void
add(const struct scene *scene, const char *detail, const char *evidence, struct report *out)
{
	report_add(out,
	    &(struct sighting){ .code = FINDING_WRONG_SUFFIX,
	        .group = detail,
	        .detail = detail,
	        .evidence = evidence });
}

static void
check_given(const struct scene *scene, enum cloud own, struct report *out)
{
	const struct account *account = scene->ask->account;
	enum cloud            given = support_place_of(account->given, NULL).cloud;

	if (scene->ask->has_document && differs(own, given))
		add(scene,
		    arena_printf(scene->arena, "the name was given with %s, of the cloud %s",
		        account->given, support_clouds[given].word),
		    arena_printf(scene->arena,
		        "%s: documentEndpoint ends in %s, of the cloud %s", account->source,
		        account->suffix, support_clouds[own].word),
		    out);
}

static void
check_regions_of(const struct scene *scene, enum cloud own, struct report *out)
{
	const struct account *account = scene->ask->account;

	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];
		const struct region   *region = region_find(location->label);

		if (region == NULL || !differs(own, region->cloud))
			continue;
		add(scene,
		    arena_printf(scene->arena, "%s is of the cloud %s, %s is not",
		        location->name, support_clouds[region->cloud].word, account->suffix),
		    arena_printf(scene->arena,
		        "%s: locations has %s, documentEndpoint ends in %s, of the cloud %s",
		        account->source, location->name, account->suffix,
		        support_clouds[own].word),
		    out);
		return;
	}
}

static bool
is_of_account(const struct account *account, const char *fqdn)
{
	size_t length = strlen(account->name);

	return strncmp(fqdn, account->name, length) == 0 &&
	    (fqdn[length] == '.' || fqdn[length] == '-');
}

static void
check_endpoints_of(const struct scene *scene, enum cloud own, struct report *out)
{
	const struct account *account = scene->ask->account;

	for (size_t i = 0; i < scene->claims.own_count; i++) {
		const struct private_endpoint *endpoint = scene->claims.own[i];

		for (size_t j = 0; j < endpoint->address_count; j++) {
			const char *fqdn = endpoint->addresses[j].fqdn;
			const char *dot = strchr(fqdn, '.');
			enum cloud  other = dot != NULL && is_of_account(account, fqdn)
			     ? support_place_of(dot + 1, NULL).cloud
			     : CLOUD_COUNT;

			if (!differs(own, other))
				continue;
			add(scene,
			    arena_printf(scene->arena,
			        "the endpoint %s is for %s, of the cloud %s", endpoint->name,
			        fqdn, support_clouds[other].word),
			    arena_printf(scene->arena,
			        "%s has an address for %s; the account is %s",
			        check_describe_endpoint(scene, endpoint), fqdn, account->host),
			    out);
			return;
		}
	}
}

/* Once for the account, whatever its APIs. */
void
check_suffix(const struct scene *scene, struct report *out)
{
	enum cloud own = support_place_of(scene->ask->account->suffix, NULL).cloud;

	if (scene->apis->of[0] != scene)
		return;
	check_given(scene, own, out);
	check_regions_of(scene, own, out);
	check_endpoints_of(scene, own, out);
}
