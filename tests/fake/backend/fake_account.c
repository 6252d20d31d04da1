#include "tests/fake/backend/fake_account.h"

#include <jansson.h>
#include <string.h>

struct fake_book fake_book;

static bool
is_host_of(const struct fake_account *account, const char *host, size_t count)
{
	char name[300];

	snprintf(name, sizeof(name), "%s.%s", account->name, account->suffix);
	if (strlen(name) == count && strncasecmp(name, host, count) == 0)
		return true;
	for (size_t i = 0; i < account->region_count; i++) {
		if (strlen(account->regions[i].host) == count &&
		    strncasecmp(account->regions[i].host, host, count) == 0)
			return true;
	}
	return false;
}

const struct fake_account *
fake_accounts_find(const char *host)
{
	size_t      count = strcspn(host, ":");
	struct addr addr;
	char        name[300];

	for (size_t i = 0; i < fake_book.count; i++) {
		if (is_host_of(&fake_book.items[i], host, count))
			return &fake_book.items[i];
	}
	snprintf(name, sizeof(name), "%.*s", (int)count, host);
	if (host[0] == '[' || strcmp(name, "localhost") == 0 ||
	    addr_parse(&addr, name, 443, NULL))
		return &fake_book.items[0];
	return NULL;
}

static const struct fake_replica *
find_replica(const struct fake_range *range, const char *path, uint16_t port)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] == '/')
		length--;
	for (size_t i = 0; i < range->replica_count; i++) {
		const struct fake_replica *one = &range->replicas[i];

		if (one->port == port && strncmp(one->path, path, length) == 0 &&
		    (one->path[length] == '\0' || strcmp(one->path + length, "/") == 0))
			return one;
	}
	return NULL;
}

static const struct fake_replica *
find_in_database(const struct fake_database *database, const char *path, uint16_t port)
{
	const struct fake_replica *found = NULL;

	for (size_t i = 0; i < database->container_count && found == NULL; i++) {
		const struct fake_container *container = &database->containers[i];

		for (size_t k = 0; k < container->range_count && found == NULL; k++)
			found = find_replica(&container->ranges[k], path, port);
	}
	return found;
}

const struct fake_replica *
fake_accounts_replica(const char *path, uint16_t port)
{
	const struct fake_replica *found = NULL;

	for (size_t i = 0; i < fake_book.count && found == NULL; i++) {
		const struct fake_account *account = &fake_book.items[i];

		found = find_replica(&account->master, path, port);
		for (size_t k = 0; k < account->database_count && found == NULL; k++)
			found = find_in_database(&account->databases[k], path, port);
	}
	return found;
}

const struct fake_database *
fake_account_database(const struct fake_account *account, const char *id, bool by_rid)
{
	for (size_t i = 0; i < account->database_count; i++) {
		const struct fake_database *one = &account->databases[i];

		if (strcmp(by_rid ? one->rid : one->id, id) == 0)
			return one;
	}
	return NULL;
}

const struct fake_container *
fake_database_container(const struct fake_database *database, const char *id, bool by_rid)
{
	for (size_t i = 0; i < database->container_count; i++) {
		const struct fake_container *one = &database->containers[i];

		if (strcmp(by_rid ? one->rid : one->id, id) == 0)
			return one;
	}
	return NULL;
}

/* Whether the text, or a beginning of it that ends in a dot, is in the list; ports do not count. */
static bool
is_in(const json_t *list, const char *text)
{
	size_t length = strcspn(text, ":");

	if (list == NULL)
		return true;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *entry = json_string_value(json_array_get(list, i));
		size_t      count = entry != NULL ? strlen(entry) : 0;

		if (count > 0 && strncasecmp(entry, text, count) == 0 &&
		    (count == length || entry[count - 1] == '.'))
			return true;
	}
	return false;
}

const struct fake_view *
fake_account_view(
    const struct fake_account *account, const char *host, const struct fake_talk *talk)
{
	char local[ADDR_TEXT], client[ADDR_TEXT];

	addr_render(&talk->local, local, sizeof(local));
	addr_render(&talk->peer, client, sizeof(client));
	for (size_t i = 0; i < account->view_count; i++) {
		const struct fake_view *view = &account->views[i];

		if (is_in(view->hosts, host) && is_in(view->locals, local) &&
		    is_in(view->clients, client))
			return view;
	}
	return NULL;
}

static bool
is_same_path(const char *left, const char *right)
{
	size_t count, other;

	left += strspn(left, "/");
	right += strspn(right, "/");
	for (count = strlen(left); count > 0 && left[count - 1] == '/'; count--)
		continue;
	for (other = strlen(right); other > 0 && right[other - 1] == '/'; other--)
		continue;
	return count == other && strncmp(left, right, count) == 0;
}

const struct fake_step *
fake_account_step(const struct fake_account *account, const char *path)
{
	for (size_t i = 0; i < account->step_count; i++) {
		struct fake_step *step = &account->steps[i];

		if (is_same_path(step->path, path) &&
		    (__atomic_fetch_add(&step->used, 1, __ATOMIC_RELAXED) < step->times ||
		        step->times == 0))
			return step;
	}
	return NULL;
}
