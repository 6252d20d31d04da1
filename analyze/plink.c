#include "analyze/plink.h"

#include "analyze/account.h"
#include "base/text.h"

#include <string.h>

const struct plink_resource *
plink_find(const struct plink_list *list, const char *account, const char *group)
{
	for (size_t i = 0; list != NULL && i < list->resource_count; i++) {
		const struct plink_resource *resource = list->resources[i];

		if (text_equal_nocase(resource->account, account) &&
		    text_equal_nocase(resource->group, group))
			return resource;
	}
	return NULL;
}

static struct connection *
find_connection(struct account *account, const char *name)
{
	for (size_t i = 0; i < account->connection_count; i++) {
		if (text_equal_nocase(account->connections[i].name, name))
			return &account->connections[i];
	}
	return NULL;
}

static void
take_text(const char **into, const char *text)
{
	if (**into == '\0')
		*into = text;
}

/* The account's document counts where both speak: which of the two is newer is not known. */
static void
add_connection(struct account *account, const struct connection *more)
{
	struct connection *known = find_connection(account, more->name);

	if (known == NULL) {
		account->connections[account->connection_count++] = *more;
		return;
	}
	take_text(&known->endpoint, more->endpoint);
	take_text(&known->group, more->group);
	take_text(&known->status, more->status);
	take_text(&known->description, more->description);
	take_text(&known->actions_required, more->actions_required);
	take_text(&known->provisioning_state, more->provisioning_state);
}

struct account *
plink_join(struct arena *arena, struct account *account, const struct plink_list *list)
{
	struct account *joined;
	size_t          more = 0;

	for (size_t i = 0; i < list->connection_count; i++)
		more += strcmp(list->connections[i].account, account->name) == 0;
	if (more == 0)
		return account;
	joined = arena_alloc(arena, sizeof(*joined));
	*joined = *account;
	joined->connections = arena_array(
	    arena, account->connection_count + more, sizeof(struct connection));
	for (size_t i = 0; i < account->connection_count; i++)
		joined->connections[i] = account->connections[i];
	for (size_t i = 0; i < list->connection_count; i++) {
		if (strcmp(list->connections[i].account, account->name) == 0)
			add_connection(joined, &list->connections[i].connection);
	}
	return joined;
}
