#include "agent/sign_guard.h"

#include "agent/access.h"
#include "agent/policy.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/date.h"

#include <string.h>

enum { NAME_MAX_BYTES = 1020, RID_CHARS = 12, PARTS_MAX = 4 };

static const int64_t apart_ms = 5 * MS_PER_MIN;

/* The form of a link: as many parts of a path, "dbs/NAME/colls/NAME" from the left. */
struct link_form {
	const char *type;
	unsigned    least, most; /* parts; 0: empty */
};

/* What an SDK asks for before it knows its replicas [cosmos-address-feed]. */
static const struct link_form link_forms[] = {
	{ "", 0, 0 },    /* the account */
	{ "dbs", 0, 2 }, /* databases, or the addresses of the master partition; one of them */
	{ "colls", 2, 4 },    /* containers of a database; one of them */
	{ "pkranges", 4, 4 }, /* partition key ranges of a container */
};

static bool
is_part(const char *part, size_t count, unsigned index)
{
	static const char *const words[PARTS_MAX] = { "dbs", NULL, "colls", NULL };
	const char              *word = words[index];

	if (word != NULL)
		return strlen(word) == count && memcmp(part, word, count) == 0;
	return count > 0 && count <= NAME_MAX_BYTES && memchr(part, '?', count) == NULL &&
	    memchr(part, '#', count) == NULL && memchr(part, '\\', count) == NULL;
}

/* How many parts the link has; PARTS_MAX + 1 when it is not of the form. */
static unsigned
count_parts(const char *link)
{
	unsigned parts = 0;

	while (*link != '\0' && parts < PARTS_MAX) {
		size_t count = strcspn(link, "/");

		if (!is_part(link, count, parts))
			return PARTS_MAX + 1;
		parts++;
		link += count;
		if (*link == '/' && *++link == '\0')
			return PARTS_MAX + 1;
	}
	return *link == '\0' ? parts : PARTS_MAX + 1;
}

/* Of a container: base64 of eight bytes with '-' for '/', in small letters as it is signed. */
static bool
is_container_rid(const char *link)
{
	static const char taken[] = "abcdefghijklmnopqrstuvwxyz0123456789+-";

	return strlen(link) == RID_CHARS && strspn(link, taken) == RID_CHARS - 1 &&
	    link[RID_CHARS - 1] == '=';
}

static bool
check_link(const struct signer_ask *ask, struct err *err)
{
	unsigned parts;

	if (strcmp(ask->type, "docs") == 0)
		return is_container_rid(ask->link) ||
		    err_set(err, ERR_LIMIT,
		        "not signed: 'docs' of '%.80s': the rid of a container wanted, to ask "
		        "for addresses",
		        ask->link);
	parts = count_parts(ask->link);
	for (size_t i = 0; i < sizeof(link_forms) / sizeof(link_forms[0]); i++) {
		const struct link_form *form = &link_forms[i];

		if (strcmp(ask->type, form->type) != 0)
			continue;
		/* Whole pairs, or none. */
		if (parts >= form->least && parts <= form->most && parts % 2 == 0)
			return true;
		return err_set(err, ERR_LIMIT,
		    "not signed: '%.80s' is no link of the resource type '%s'", ask->link,
		    form->type);
	}
	return err_set(
	    err, ERR_LIMIT, "not signed: resource type '%.20s' is not read here", ask->type);
}

/* Strictly the form that is sent: what it is read as is written again and compared. */
static bool
read_date(const char *text, int64_t *wall_ms)
{
	char    again[DATE_TEXT];
	int64_t wall_s;

	if (!date_parse(&wall_s, text))
		return false;
	*wall_ms = wall_s * MS_PER_S;
	date_render(again, *wall_ms);
	return strcmp(again, text) == 0;
}

static bool
check_date(const char *date, int64_t wall_ms, struct err *err)
{
	int64_t date_ms;

	if (!read_date(date, &date_ms))
		return err_set(err, ERR_PARSE,
		    "not signed: '%.40s': a date as 'Thu, 27 Apr 2017 00:51:12 GMT' wanted",
		    date);
	if (date_ms < wall_ms - apart_ms || date_ms > wall_ms + apart_ms)
		return err_set(
		    err, ERR_LIMIT, "not signed: '%s' is not within 5 minutes of now", date);
	return true;
}

bool
sign_guard_takes(const struct agent_conf *conf, const struct signer_ask *ask, int64_t wall_ms,
    struct err *err)
{
	if (strcmp(ask->verb, "GET") != 0)
		return err_set(err, ERR_LIMIT, "not signed: '%.10s', only GET is", ask->verb);
	if (!check_link(ask, err) || !check_date(ask->date, wall_ms, err))
		return false;
	if (!policy_names(conf, ask->account, ask->host, err))
		return err_in(err, "not signed");
	if (access_credential(access_find(conf, ask->account)) == CREDENTIAL_NONE)
		return err_set(err, ERR_USAGE,
		    "not signed: 'access' has no credential for the account %.60s",
		    ask->account);
	return true;
}

/* A bucket that leaks: empty_us is when it will be empty, and it is full when that is further
 * away than a burst takes to flow off. */
bool
sign_guard_count(struct sign_guard *guard, const char *account, int64_t now_us, struct err *err)
{
	int64_t *empty_us =
	    &guard->empty_us[crc32c(0, account, strlen(account)) % SIGN_BUCKETS];
	int64_t each_us = US_PER_S / SIGN_RATE_PER_S;

	if (*empty_us < now_us)
		*empty_us = now_us;
	if (*empty_us + each_us > now_us + SIGN_BURST * each_us)
		return err_set(err, ERR_LIMIT, "not signed: more than %d a second for %.60s",
		    SIGN_RATE_PER_S, account);
	*empty_us += each_us;
	return true;
}
