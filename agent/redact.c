#include "agent/redact.h"

#include "agent/redact_form.h"
#include "analyze/region.h"
#include "base/addr.h"
#include "base/text.h"
#include "base/wbuf.h"

#include <stdio.h>
#include <string.h>

enum { WORD_LEAST = 3, GUID_BYTES = 36 };

/* What was seen, and what stands for it. */
struct pair {
	const char  *word, *instead;
	bool         inside; /* of other words too */
	struct pair *next;
};

enum counter {
	COUNT_HOST = REDACT_KINDS,
	COUNT_GUID,
	COUNT_PRIVATE,
	COUNT_PUBLIC,
	COUNT_SHARED,
	COUNT_PRIVATE6,
	COUNT_PUBLIC6,
	COUNTERS
};

struct redact {
	struct arena *arena;
	struct pair  *words; /* longest first: those that were named */
	struct pair  *seen;  /* in no order: what was known by its form */
	unsigned      counts[COUNTERS];
};

static const char *const kind_words[REDACT_KINDS] = { [REDACT_ACCOUNT] = "account",
	[REDACT_NAME] = "name",
	[REDACT_MACHINE] = "machine",
	[REDACT_DOCUMENT] = "document",
	[REDACT_CERTIFICATE] = "certificate-name",
	[REDACT_DATABASE] = "database" };

/* They stand in everybody's texts, and in ours. */
static const char *const common_words[] = { "default", "localhost", "private", "endpoint",
	"public", "account", "none", "sql", NULL };

struct redact *
redact_new(struct arena *arena)
{
	struct redact *redact = arena_alloc(arena, sizeof(*redact));

	redact->arena = arena;
	return redact;
}

static bool
is_common(const char *word)
{
	for (size_t i = 0; common_words[i] != NULL; i++) {
		if (text_equal_nocase(common_words[i], word))
			return true;
	}
	return false;
}

static struct pair *
find_pair(struct pair *first, const char *word)
{
	while (first != NULL && !text_equal_nocase(first->word, word))
		first = first->next;
	return first;
}

void
redact_word(struct redact *redact, enum redact_kind kind, const char *word)
{
	struct pair **place = &redact->words;
	struct pair  *pair;

	if (word == NULL || strlen(word) < WORD_LEAST ||
	    find_pair(redact->words, word) != NULL ||
	    (kind != REDACT_ACCOUNT && is_common(word)))
		return;
	pair = arena_alloc(redact->arena, sizeof(*pair));
	pair->word = arena_strdup(redact->arena, word);
	pair->inside = kind == REDACT_ACCOUNT;
	pair->instead = arena_printf(
	    redact->arena, "%s-%u", kind_words[kind], ++redact->counts[kind]);
	while (*place != NULL && strlen((*place)->word) >= strlen(word))
		place = &(*place)->next;
	pair->next = *place;
	*place = pair;
}

/* The values of /subscriptions/S/resourceGroups/G/providers/P/type/N/type/N; what stands between
 * them are Azure's own words. */
void
redact_id(struct redact *redact, const char *id)
{
	const char *at = id;
	bool        value = false;

	while (at != NULL && (at = strchr(at, '/')) != NULL) {
		size_t length = strcspn(++at, "/");
		char  *part = arena_strndup(redact->arena, at, length);

		if (value && redact_form_guid(part) != GUID_BYTES)
			redact_word(redact, REDACT_NAME, part);
		value = !value && !text_equal_nocase(part, "providers");
		if (text_equal_nocase(part, "providers") && at[length] == '/') {
			at += length + 1; /* the provider's name */
			at += strcspn(at, "/");
			value = false;
		}
	}
}

/* The placeholder of what is known by its form, made when it is seen first. */
static const char *
find_instead(struct redact *redact, const char *word, const char *made)
{
	struct pair *pair = find_pair(redact->seen, word);

	if (pair == NULL) {
		pair = arena_alloc(redact->arena, sizeof(*pair));
		pair->word = arena_strdup(redact->arena, word);
		pair->instead = made;
		pair->next = redact->seen;
		redact->seen = pair;
	}
	return pair->instead;
}

static bool
is_seen(const struct redact *redact, const char *word)
{
	return find_pair(redact->seen, word) != NULL;
}

static const char *
make_address(struct redact *redact, enum addr_class class, unsigned family)
{
	unsigned *counts = redact->counts, count;

	switch (class) {
	case ADDR_PRIVATE:
		count = ++counts[family == 4 ? COUNT_PRIVATE : COUNT_PRIVATE6];
		return arena_printf(redact->arena, family == 4 ? "10.0.%u.%u" : "fd00::%x:%x",
		    count >> 8 & 255, count & 255);
	case ADDR_SHARED:
		count = ++counts[COUNT_SHARED];
		return arena_printf(
		    redact->arena, "100.64.%u.%u", count >> 8 & 255, count & 255);
	case ADDR_PUBLIC:
	case ADDR_RESERVED:
	case ADDR_LOOPBACK:
	case ADDR_LINK_LOCAL:
	case ADDR_MULTICAST: break;
	}
	count = ++counts[family == 4 ? COUNT_PUBLIC : COUNT_PUBLIC6];
	if (family ==
	    4) /* Of the networks for examples: nobody's, and not private [rfc5737]. */
		return arena_printf(redact->arena, "%s.%u",
		    count < 256       ? "203.0.113"
		        : count < 512 ? "198.51.100"
		                      : "192.0.2",
		    count & 255);
	return arena_printf(redact->arena, "2001:db8::%x:%x", count >> 8 & 0xffff, count & 255);
}

/* Those mean the same to everybody. */
static bool
is_everybodys(const struct addr *addr)
{
	static const uint8_t wireserver[4] = { 168, 63, 129, 16 };
	enum addr_class class = addr_class(addr);

	return class == ADDR_LOOPBACK || class == ADDR_LINK_LOCAL || class == ADDR_MULTICAST ||
	    class == ADDR_RESERVED ||
	    (addr->family == 4 && memcmp(addr->bytes, wireserver, sizeof(wireserver)) == 0);
}

static const char *
place_address(struct redact *redact, const char *text)
{
	struct addr addr;
	char        name[ADDR_TEXT];

	if (!addr_parse(&addr, text, 0, NULL) || is_everybodys(&addr))
		return text;
	addr_render(&addr, name, sizeof(name));
	if (is_seen(redact, name))
		return find_instead(redact, name, NULL);
	return find_instead(redact, name, make_address(redact, addr_class(&addr), addr.family));
}

/* Names that were told before. */
static const char *
place_words(struct redact *redact, const char *text)
{
	struct wbuf out;
	const char *at = text, *placed;

	wbuf_init(&out);
	while (*at != '\0') {
		const struct pair *pair = redact->words;

		while (pair != NULL &&
		    !(text_starts_nocase(at, pair->word) &&
		        (pair->inside || redact_form_is_word(text, at, strlen(pair->word)))))
			pair = pair->next;
		if (pair != NULL)
			wbuf_puts(&out, pair->instead);
		else
			wbuf_u8(&out, (uint8_t)*at);
		at += pair != NULL ? strlen(pair->word) : 1;
	}
	placed = arena_strdup(redact->arena, wbuf_text(&out));
	wbuf_fini(&out);
	return placed;
}

/* "contoso" or "contoso-westeurope" of an account that was named; NULL for anything else. */
static const char *
place_account(struct redact *redact, const char *front)
{
	for (const struct pair *pair = redact->words; pair != NULL; pair = pair->next) {
		const char *rest = front + strlen(pair->word);

		if (!pair->inside || !text_starts_nocase(front, pair->word))
			continue;
		if (*rest == '\0' || (*rest == '-' && region_find(rest + 1) != NULL))
			return arena_printf(redact->arena, "%s%s", pair->instead, rest);
	}
	return NULL;
}

/* Accounts keep their region and suffix, others what is Azure's or its makers' own. */
static const char *
place_host(struct redact *redact, const char *host)
{
	size_t      own = redact_form_own(host); /* bytes before Azure's suffix */
	char       *front = arena_strndup(redact->arena, host, own);
	const char *placed = NULL;

	if (own == 0)
		return host;
	if (host[own] != '\0')
		placed = place_account(redact, front);
	if (placed == NULL) {
		if (!is_seen(redact, front))
			redact->counts[COUNT_HOST]++;
		placed = find_instead(redact, front,
		    arena_printf(redact->arena, "host-%u", redact->counts[COUNT_HOST]));
	}
	return arena_printf(
	    redact->arena, "%s%s", placed, host[own] == '\0' ? ".invalid" : host + own);
}

static const char *
place_guid(struct redact *redact, const char *guid)
{
	if (!is_seen(redact, guid))
		redact->counts[COUNT_GUID]++;
	return find_instead(redact, guid,
	    arena_printf(
	        redact->arena, "00000000-0000-0000-0000-%012u", redact->counts[COUNT_GUID]));
}

static const char *
place_token(struct redact *redact, enum redact_form form, const char *token)
{
	switch (form) {
	case REDACT_ADDRESS: return place_address(redact, token);
	case REDACT_GUID: return place_guid(redact, token);
	case REDACT_HOST: return place_host(redact, token);
	case REDACT_WORD: break;
	}
	return token;
}

/* Ids that nobody told of before. */
static void
find_ids(struct redact *redact, const char *text)
{
	while ((text = text_find_nocase(text, "/subscriptions/")) != NULL) {
		size_t length = strcspn(text, " \t\"'<>,;)");

		redact_id(redact, arena_strndup(redact->arena, text, length));
		text += length;
	}
}

/* What is known by its form first: a name within a host must not make a host of it that nobody
 * would know for one. */
const char *
redact_text(struct redact *redact, const char *text)
{
	struct wbuf out;
	const char *at = text, *placed;

	find_ids(redact, text);
	wbuf_init(&out);
	while (*at != '\0') {
		size_t           length;
		enum redact_form form = redact_form_next(text, at, &length);
		char            *token = arena_strndup(redact->arena, at, length);

		wbuf_puts(&out, place_token(redact, form, token));
		at += length;
	}
	placed = place_words(redact, wbuf_text(&out));
	wbuf_fini(&out);
	return placed;
}
