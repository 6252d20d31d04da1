#include "analyze/account.h"

#include "analyze/region.h"
#include "analyze/support.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>

enum { NAME_MIN = 3, NAME_MAX = 50 };

static const char zone_prefix[] = "privatelink.";

bool
account_name_is(const char *name)
{
	size_t count = strlen(name);

	return count >= NAME_MIN && count <= NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == count && name[0] != '-';
}

struct account_list *
account_read(struct arena *arena, const char *path, struct err *err)
{
	size_t count;
	char  *bytes = file_read(arena, path, ACCOUNT_DOCUMENT_MAX, &count, err);

	if (bytes == NULL)
		return NULL;
	return account_parse(
	    arena, bytes, count, strcmp(path, "-") == 0 ? "standard input" : path, err);
}

static void
count_all(const struct account_list *list, struct account_list *total)
{
	total->count += list->count;
	total->endpoints.count += list->endpoints.count;
	total->zones.count += list->zones.count;
	total->plinks.resource_count += list->plinks.resource_count;
	total->plinks.connection_count += list->plinks.connection_count;
}

static void
append_all(const struct account_list *list, struct account_list *sum)
{
	for (size_t i = 0; i < list->count; i++)
		sum->accounts[sum->count++] = list->accounts[i];
	for (size_t i = 0; i < list->endpoints.count; i++)
		sum->endpoints.endpoints[sum->endpoints.count++] = list->endpoints.endpoints[i];
	for (size_t i = 0; i < list->zones.count; i++)
		sum->zones.zones[sum->zones.count++] = list->zones.zones[i];
	for (size_t i = 0; i < list->plinks.resource_count; i++)
		sum->plinks.resources[sum->plinks.resource_count++] = list->plinks.resources[i];
	for (size_t i = 0; i < list->plinks.connection_count; i++)
		sum->plinks.connections[sum->plinks.connection_count++] =
		    list->plinks.connections[i];
}

struct account_list *
account_list_sum(struct arena *arena, const struct account_list *const *lists, size_t count)
{
	struct account_list  total = { 0 };
	struct account_list *sum = arena_alloc(arena, sizeof(*sum));

	for (size_t i = 0; i < count; i++) {
		if (lists[i] != NULL)
			count_all(lists[i], &total);
	}
	sum->accounts = arena_array(arena, total.count + 1, sizeof(void *));
	sum->endpoints.endpoints = arena_array(
	    arena, total.endpoints.count + 1, sizeof(void *));
	sum->zones.zones = arena_array(arena, total.zones.count + 1, sizeof(void *));
	sum->plinks.resources = arena_array(
	    arena, total.plinks.resource_count + 1, sizeof(void *));
	sum->plinks.connections = arena_array(
	    arena, total.plinks.connection_count + 1, sizeof(struct plink_connection));
	for (size_t i = 0; i < count; i++) {
		if (lists[i] != NULL)
			append_all(lists[i], sum);
	}
	for (size_t i = 0; i < sum->count; i++)
		sum->accounts[i] = plink_join(arena, sum->accounts[i], &sum->plinks);
	return sum;
}

static char *
copy_lower(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text);

	for (char *c = copy; *c != '\0'; c++)
		*c = text_lower(*c);
	return copy;
}

/* The host of "https://host:port/path", or the text itself. */
static char *
take_host(struct arena *arena, const char *text)
{
	const char *host = text;
	size_t      length;

	if (text_starts_nocase(text, "https://"))
		host += strlen("https://");
	host = arena_strndup(arena, host, strcspn(host, ":/"));
	length = strlen(host);
	/* "contoso.documents.azure.com.", as dig(1) writes it. */
	if (length > 1 && host[length - 1] == '.' && host[length - 2] != '.')
		length--;
	return copy_lower(arena, arena_strndup(arena, host, length));
}

/* The suffix of NoSQL in the same cloud: "documents.azure.com" for "mongo.cosmos.azure.com". */
static const char *
document_suffix(struct arena *arena, const struct support_place *place)
{
	const char *label = support_services[place->service].label;

	return arena_printf(
	    arena, "%s%s", support_services[SUPPORT_SQL].label, place->suffix + strlen(label));
}

static bool
has_api(const struct support_place *place)
{
	return place->service < SUPPORT_SERVICE_COUNT &&
	    support_services[place->service].api < API_COUNT;
}

/* The suffix to ask for: that of today where an old one was given, and that of NoSQL, from which
 * those of other APIs follow. */
static const char *
take_suffix(struct account *account, struct arena *arena, const char *text, const char *suffix,
    const struct support_more *more, struct err *err)
{
	struct support_place place = support_place_of(suffix, more);

	if (text_starts_nocase(suffix, zone_prefix)) {
		err_set(err, ERR_USAGE,
		    "'%s': clients use the public name, without 'privatelink.'; give that",
		    text);
		return NULL;
	}
	switch (place.kind) {
	case SUPPORT_DEAD: err_set(err, ERR_USAGE, "'%s': %s", text, place.words); return NULL;
	case SUPPORT_OLD:
		account->warning = arena_printf(
		    arena, "'%s': %s, which is asked for", text, place.words);
		return place.suffix;
	case SUPPORT_KNOWN:
	case SUPPORT_OWN:
		if (!has_api(&place))
			break;
		account->apis = 1u << support_services[place.service].api;
		return document_suffix(arena, &place);
	case SUPPORT_STRANGE: break;
	}
	err_set(err, ERR_USAGE,
	    "'%s': '%s' is not a suffix known here (documents.azure.com, .us, .cn); for "
	    "another cloud give the account's document",
	    text, suffix);
	return NULL;
}

struct account *
account_named(struct arena *arena, const char *text, struct err *err)
{
	return account_named_more(arena, text, NULL, err);
}

/* A connection string, which holds a key: it is refused, and not quoted. */
static bool
is_secret(const char *text)
{
	const char *scheme = strstr(text, "://");

	return text_find_nocase(text, "AccountKey=") != NULL ||
	    text_find_nocase(text, "AccountEndpoint=") != NULL ||
	    (scheme != NULL && strchr(scheme, '@') != NULL);
}

static bool
is_other_scheme(const char *text)
{
	return strstr(text, "://") != NULL && !text_starts_nocase(text, "https://");
}

struct account *
account_named_more(
    struct arena *arena, const char *text, const struct support_more *more, struct err *err)
{
	static const char marker[] = "/databaseAccounts/";
	const char       *id = text_find_nocase(text, marker);
	struct account   *account = arena_alloc(arena, sizeof(*account));
	const char       *host, *dot;

	if (is_secret(text)) {
		err_set(err, ERR_USAGE,
		    "a connection string is no account: give the account's name, and a key "
		    "never on a command line");
		return NULL;
	}
	if (is_other_scheme(text)) {
		err_set(
		    err, ERR_USAGE, "'%s': only an https:// URL is one of an account", text);
		return NULL;
	}
	host = id != NULL ? copy_lower(arena, id + strlen(marker)) : take_host(arena, text);
	dot = strchr(host, '.');
	account->warning = "";
	account->api = API_SQL;
	account->apis = 1u << API_SQL;
	account->server_version = "";
	account->given = dot != NULL ? dot + 1 : "";
	account->suffix = "documents.azure.com";
	if (dot != NULL)
		account->suffix = take_suffix(account, arena, text, dot + 1, more, err);
	if (account->suffix == NULL)
		return NULL;
	account->name = dot != NULL ? arena_strndup(arena, host, (size_t)(dot - host)) : host;
	if (!account_name_is(account->name)) {
		err_set(err, ERR_USAGE,
		    "'%s' is not an account: a name of %d to %d of a-z, 0-9 and '-' wanted, or "
		    "its "
		    "host name",
		    text, NAME_MIN, NAME_MAX);
		return NULL;
	}
	account->id = id != NULL ? arena_strdup(arena, text) : "";
	account->kind = account->provisioning_state = account->public_network_access = "";
	account->host = arena_printf(arena, "%s.%s", account->name, account->suffix);
	account->port = ACCOUNT_PORT;
	account->zone = arena_printf(arena, "%s%s", zone_prefix, account->suffix);
	account->source = "";
	return account;
}

struct account *
account_of_host(struct arena *arena, const char *name, const char *host)
{
	const char         *suffix = strchr(host, '.');
	struct support_more more = { &suffix, 1 };

	if (suffix == NULL)
		return NULL;
	suffix++;
	if (text_starts_nocase(suffix, zone_prefix))
		suffix += strlen(zone_prefix);
	return account_named_more(
	    arena, arena_printf(arena, "%s.%s", name, suffix), &more, NULL);
}
