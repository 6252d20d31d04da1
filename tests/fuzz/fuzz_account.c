/* Any bytes as a document of accounts and private endpoints: taken, or refused with a place and a
 * reason.  What is taken keeps its promises, gives targets that can be asked for, and can be judged;
 * and every address of an endpoint is found again. */
#include "analyze/facet.h"
#include "analyze/judge.h"
#include "analyze/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
want(bool holds)
{
	if (!holds)
		abort();
}

static void
check_host(const char *host)
{
	size_t count = strlen(host);

	want(count > 0 && count <= 320); /* an endpoint's host, or one made by the rule */
	want(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == count);
}

/* Each of its own, with all that an account has. */
static void
check_apis(struct arena *arena, const struct account *account)
{
	for (int api = 0; api < API_COUNT; api++) {
		const struct account *facet = facet_of(arena, account, (enum api)api);

		if (facet == NULL)
			continue;
		check_host(facet->host);
		want(facet->api == (enum api)api && facet->port > 0);
		want(facet->location_count == account->location_count);
		want(strcmp(facet->zone + strlen("privatelink."), facet->suffix) == 0);
		want(strcmp(strchr(facet->host, '.') + 1, facet->suffix) == 0);
	}
}

static void
check_account(
    struct arena *arena, const struct account *account, const struct endpoint_index *endpoints)
{
	struct judge_ask ask = {
		.account = account, .has_document = true, .endpoints = endpoints
	};
	struct name_list *names = names_targets(arena, account, NAMES_SWEEP);
	struct verdict   *verdict = judge_run(arena, &ask);

	want(account_name_is(account->name));
	want(account->location_count > 0 && account->location_count <= ACCOUNT_LOCATIONS_MAX);
	want(strncmp(account->zone, "privatelink.", 12) == 0);
	want(names->count > account->location_count);
	want(account->apis != 0 && account->apis < 1u << API_COUNT);
	check_apis(arena, account);
	for (size_t i = 0; i < names->count; i++) {
		check_host(names->targets[i].host);
		want(names->targets[i].port > 0);
	}
	/* Nothing was measured, so nothing is well. */
	want(verdict->state != STATE_OK);
	want(verdict->place_count > 0 &&
	    verdict->place_count % (1 + account->location_count) == 0);
	want(verdict->place_count <= API_COUNT * (1 + account->location_count));
}

static void
check_endpoint(const struct endpoint_index *index, const struct private_endpoint *endpoint)
{
	want(endpoint->address_count <= ENDPOINT_ADDRESSES_MAX);
	for (size_t i = 0; i < endpoint->address_count; i++) {
		const struct endpoint_address *address = &endpoint->addresses[i];
		const struct endpoint_entry   *entries;
		size_t                         count;
		bool                           found = false;

		check_host(address->fqdn);
		entries = endpoint_by_address(index, &address->addr, &count);
		for (size_t j = 0; j < count; j++)
			found |= strcmp(entries[j].fqdn, address->fqdn) == 0;
		want(found);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena        *arena = arena_new();
	struct err           err = { .text = "" };
	struct account_list *list = account_parse(
	    arena, (const char *)bytes, count, "in", &err);
	const struct endpoint_index *index = NULL;

	if (list == NULL)
		want(strncmp(err.text, "in:", 3) == 0);
	if (list != NULL)
		index = endpoint_index_new(arena, &list->endpoints);
	for (size_t i = 0; list != NULL && i < list->endpoints.count; i++)
		check_endpoint(index, list->endpoints.endpoints[i]);
	for (size_t i = 0; list != NULL && i < list->count && i < 4; i++)
		check_account(arena, list->accounts[i], index);
	arena_free(arena);
	return 0;
}
