#include "analyze/account.h"

#include "analyze/region.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>

enum { NAME_MIN = 3, NAME_MAX = 50 };

/* Suffixes that still stand in old configurations, and what became of them. */
static const struct {
	const char *suffix, *advice;
} old_suffixes[] = {
	{ "documents.cloudapi.de", "this cloud was closed; its accounts are gone" },
	{ "documents.usgovcloudapi.net", "the suffix is documents.azure.us today" },
	{ "documents.chinacloudapi.cn", "the suffix is documents.azure.cn today" },
};

static const char *const suffixes[] = { "documents.azure.com", "documents.azure.us",
	"documents.azure.cn", NULL };

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

	if (text_starts_nocase(text, "https://"))
		host += strlen("https://");
	return copy_lower(arena, arena_strndup(arena, host, strcspn(host, ":/")));
}

static bool
check_suffix(const char *text, const char *suffix, struct err *err)
{
	for (size_t i = 0; i < sizeof(old_suffixes) / sizeof(old_suffixes[0]); i++) {
		if (strcmp(suffix, old_suffixes[i].suffix) == 0)
			return err_set(
			    err, ERR_USAGE, "'%s': %s", text, old_suffixes[i].advice);
	}
	if (strncmp(suffix, "privatelink.", strlen("privatelink.")) == 0)
		return err_set(err, ERR_USAGE,
		    "'%s': clients use the public name, without 'privatelink.'; give that",
		    text);
	for (size_t i = 0; suffixes[i] != NULL; i++) {
		if (strcmp(suffix, suffixes[i]) == 0)
			return true;
	}
	return err_set(err, ERR_USAGE,
	    "'%s': '%s' is not a suffix known here (documents.azure.com, .us, .cn); for "
	    "another "
	    "cloud give the account's document",
	    text, suffix);
}

struct account *
account_named(struct arena *arena, const char *text, struct err *err)
{
	static const char marker[] = "/databaseAccounts/";
	const char       *id = text_find_nocase(text, marker);
	struct account   *account = arena_alloc(arena, sizeof(*account));
	const char       *host, *dot;

	host = id != NULL ? copy_lower(arena, id + strlen(marker)) : take_host(arena, text);
	dot = strchr(host, '.');
	if (dot != NULL && !check_suffix(text, dot + 1, err))
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
	account->suffix = dot != NULL ? dot + 1 : suffixes[0];
	account->id = id != NULL ? arena_strdup(arena, text) : "";
	account->kind = account->provisioning_state = account->public_network_access = "";
	account->host = arena_printf(arena, "%s.%s", account->name, account->suffix);
	account->port = ACCOUNT_PORT;
	account->zone = arena_printf(arena, "privatelink.%s", account->suffix);
	account->source = "";
	return account;
}
