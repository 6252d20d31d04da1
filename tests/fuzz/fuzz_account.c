/* Any bytes as an account's document: taken, or refused with a place and a reason.  What is taken
 * keeps its promises, gives targets that can be asked for, and can be judged. */
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

static void
check_account(struct arena *arena, const struct account *account)
{
	struct judge_ask  ask = { .account = account, .has_document = true };
	struct name_list *names = names_targets(arena, account, NAMES_SWEEP);
	struct verdict   *verdict = judge_run(arena, &ask);

	want(account_name_is(account->name));
	want(account->location_count > 0 && account->location_count <= ACCOUNT_LOCATIONS_MAX);
	want(strncmp(account->zone, "privatelink.", 12) == 0);
	want(names->count > account->location_count);
	for (size_t i = 0; i < names->count; i++) {
		check_host(names->targets[i].host);
		want(names->targets[i].port > 0);
	}
	/* Nothing was measured, so nothing is well. */
	want(verdict->state != STATE_OK);
	want(verdict->place_count == 1 + account->location_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena        *arena = arena_new();
	struct err           err = { .text = "" };
	struct account_list *list = account_parse(
	    arena, (const char *)bytes, count, "in", &err);

	if (list == NULL)
		want(strncmp(err.text, "in:", 3) == 0);
	for (size_t i = 0; list != NULL && i < list->count && i < 4; i++)
		check_account(arena, list->accounts[i]);
	arena_free(arena);
	return 0;
}
