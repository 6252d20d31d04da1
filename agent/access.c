#include "agent/access.h"

#include "agent/agent_conf.h"
#include "base/text.h"

#include <fnmatch.h>
#include <string.h>

#define AT(member) offsetof(struct access, member)

enum { NAME_MAX_BYTES = 255, REPLICAS_MAX = 256, SAMPLE_PORTS_MAX = 64 };

static bool
check_pattern(const char *pattern, struct err *err)
{
	static const char taken[] = "abcdefghijklmnopqrstuvwxyz0123456789-*?[]!";

	if (pattern[0] == '\0' || pattern[strspn(pattern, taken)] != '\0')
		return err_set(err, ERR_PARSE,
		    "'%.80s': a pattern of account names wanted: small letters, digits, '-', "
		    "and '*', '?' or '[...]' for what varies",
		    pattern);
	return true;
}

/* 8-4-4-4-12 digits. */
static bool
is_guid(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t            at = 0;

	for (; shape[at] != '\0' && text[at] != '\0'; at++) {
		bool digit = strchr("0123456789abcdefABCDEF", text[at]) != NULL;

		if (shape[at] == '-' ? text[at] != '-' : !digit)
			return false;
	}
	return shape[at] == '\0' && text[at] == '\0';
}

bool
access_identity_check(const char *text, struct err *err)
{
	if (text[0] == '\0' || strcmp(text, ACCESS_SYSTEM) == 0 || is_guid(text))
		return true;
	return err_set(err, ERR_PARSE,
	    "'%.80s': '" ACCESS_SYSTEM
	    "' wanted, or the client id of an identity that was given to this VM",
	    text);
}

/* What a database or container may be called [cosmos-account]; empty is none. */
bool
access_name_check(const char *name, struct err *err)
{
	if (strlen(name) > NAME_MAX_BYTES || strpbrk(name, "/\\?#") != NULL)
		return err_set(err, ERR_PARSE,
		    "'%.80s': a name of at most %d bytes without '/', '\\', '?' and '#' wanted",
		    name, NAME_MAX_BYTES);
	return true;
}

static bool
check_replica(const char *text, struct err *err)
{
	struct arena    *arena = arena_new();
	struct rntbd_uri uri;
	bool             good = rntbd_uri_parse(&uri, text, strlen(text), arena, err);

	arena_free(arena);
	return good;
}

/* clang-format off */
const struct conf_row access_rows[] = {
	{ "account", CONF_TEXT, AT(account), .preset = "*",
	    .help = "pattern of account names; the first entry that fits is used",
	    .check = check_pattern },
	{ "key_file", CONF_PATH, AT(key_file), .preset = "",
	    .help = "file with a read-only key, mode 0600, or credential:NAME of systemd" },
	{ "token_file", CONF_PATH, AT(token_file), .preset = "",
	    .help = "the same with a token of Entra ID, which somebody keeps fresh" },
	{ "managed_identity", CONF_TEXT, AT(managed_identity), .preset = "",
	    .help = "'system', or a client id: a token of this VM's identity",
	    .check = access_identity_check },
	{ "database", CONF_TEXT, AT(database), .preset = "",
	    .help = "whose replicas to measure; empty: the first that is listed",
	    .check = access_name_check },
	{ "container", CONF_TEXT, AT(container), .preset = "",
	    .help = "of that database; empty: the first that is listed",
	    .check = access_name_check },
	{ "replicas", CONF_TEXTS, AT(replica_texts), 0, REPLICAS_MAX, "",
	    .help = "rntbd://host:port/... as an application's diagnostics say",
	    .check = check_replica },
	{ "sample_ports", CONF_NUMBER, AT(sample_ports), 0, SAMPLE_PORTS_MAX, "0",
	    .help = "ports to try where replicas are not known" },
	{ 0 },
};
/* clang-format on */

bool
access_check(const void *entry, struct err *err)
{
	const struct access *access = entry;
	int                  ways = 0;

	ways += access->key_file[0] != '\0';
	ways += access->token_file[0] != '\0';
	ways += access->managed_identity[0] != '\0';
	if (ways > 1)
		return err_set(err, ERR_USAGE,
		    "'%s': only one of 'key_file', 'token_file' and 'managed_identity' wanted",
		    access->account);
	if (access->container[0] != '\0' && access->database[0] == '\0')
		return err_set(err, ERR_USAGE, "'%s': 'container' without its 'database'",
		    access->account);
	return true;
}

static bool
fill_replicas(struct access *access, struct arena *arena, struct err *err)
{
	const struct conf_texts *texts = &access->replica_texts;

	access->replica_count = texts->count;
	access->replicas = arena_array(arena, texts->count, sizeof(access->replicas[0]));
	for (size_t i = 0; i < texts->count; i++) {
		if (!rntbd_uri_parse(&access->replicas[i], texts->texts[i],
		        strlen(texts->texts[i]), arena, err))
			return err_in(err, "replicas");
	}
	return true;
}

bool
access_settle(struct conf_list *list, struct arena *arena, struct err *err)
{
	struct access *rows = list->rows;

	for (size_t i = 0; i < list->count; i++) {
		if (!fill_replicas(&rows[i], arena, err))
			return err_in(err, "access: entry %zu", i + 1);
	}
	return true;
}

const struct access *
access_find(const struct agent_conf *conf, const char *account)
{
	const struct access *rows = conf->access.rows;

	for (size_t i = 0; i < conf->access.count; i++) {
		if (fnmatch(rows[i].account, account, FNM_CASEFOLD) == 0)
			return &rows[i];
	}
	return NULL;
}

enum credential
access_credential(const struct access *access)
{
	if (access == NULL)
		return CREDENTIAL_NONE;
	if (access->key_file[0] != '\0')
		return CREDENTIAL_KEY;
	if (access->token_file[0] != '\0' || access->managed_identity[0] != '\0')
		return CREDENTIAL_ENTRA;
	return CREDENTIAL_NONE;
}
