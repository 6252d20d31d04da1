#include "analyze/support.h"

#include "base/text.h"
#include "proto/record.h"

#include <string.h>

const char support_date[] = "2026-11-24";
const char support_article_date[] = "2020";

enum { VERSION_STEP = 100, VERSION_PART_MAX = 99 };

#define CLOUD(name, word, aliases, standing, words)
#define SERVICE(name, word, title, api, label, group, also, port, source)
#define SUFFIX(cloud, service, suffix, source)
#define OLD(cloud, suffix, today, words)
#define ROW(name, service, mode, from, before, then, now, date, source, note, hint)

#undef CLOUD
#define CLOUD(name, word, aliases, standing, words) \
	[CLOUD_##name] = { word, aliases, SUPPORT_##standing, words },
const struct support_cloud support_clouds[CLOUD_COUNT] = {
#include "analyze/support.def"
};
#undef CLOUD
#define CLOUD(name, word, aliases, standing, words)

#undef SERVICE
#define SERVICE(name, word, title, api, label, group, also, port, source) \
	{ word, title, api, label, group, also, port, source },
const struct support_desc support_services[SUPPORT_SERVICE_COUNT] = {
#include "analyze/support.def"
};
#undef SERVICE
#define SERVICE(name, word, title, api, label, group, also, port, source)

#undef SUFFIX
#define SUFFIX(cloud, service, suffix, source) \
	{ CLOUD_##cloud, SUPPORT_##service, suffix, source },
const struct support_suffix support_suffixes[] = {
#include "analyze/support.def"
	{ CLOUD_COUNT, SUPPORT_SERVICE_COUNT, NULL, NULL },
};
#undef SUFFIX
#define SUFFIX(cloud, service, suffix, source)

#undef OLD
#define OLD(cloud, suffix, today, words) { CLOUD_##cloud, suffix, today, words },
static const struct old_suffix {
	enum cloud  cloud;
	const char *suffix, *today, *words;
} old_suffixes[] = {
#include "analyze/support.def"
};
#undef OLD
#define OLD(cloud, suffix, today, words)

#undef ROW
#define ROW(name, service, mode, from, before, then, now, date, source, note, hint)       \
	{ SUPPORT_##service, SUPPORT_##mode, from, before, SUPPORT_##then, SUPPORT_##now, \
		date, source, note, hint },
const struct support_row support_rows[] = {
#include "analyze/support.def"
	{ .source = NULL },
};
#undef ROW

static const char document_label[] = "documents.";

/* The service whose label stands in front of a suffix, in whatever cloud. */
static enum support_service
service_of_label(const char *suffix)
{
	for (size_t i = 0; i < SUPPORT_SERVICE_COUNT; i++) {
		const char *label = support_services[i].label;

		if (label[0] != '\0' && text_starts_nocase(suffix, label) &&
		    suffix[strlen(label)] == '.')
			return (enum support_service)i;
	}
	return SUPPORT_SERVICE_COUNT;
}

static bool
find_old(struct support_place *place, const char *suffix)
{
	for (size_t i = 0; i < sizeof(old_suffixes) / sizeof(old_suffixes[0]); i++) {
		const struct old_suffix *old = &old_suffixes[i];

		if (!text_equal_nocase(suffix, old->suffix))
			continue;
		place->kind = old->today[0] != '\0' ? SUPPORT_OLD : SUPPORT_DEAD;
		place->cloud = old->cloud;
		place->service = SUPPORT_SQL;
		place->suffix = old->today;
		place->words = old->words;
		return true;
	}
	return false;
}

static bool
find_own(struct support_place *place, const char *suffix, const struct support_more *more)
{
	for (size_t i = 0; more != NULL && i < more->count; i++) {
		const char *own = more->suffixes[i];

		own += own[0] == '.';
		if (!text_equal_nocase(suffix, own))
			continue;
		place->kind = SUPPORT_OWN;
		place->service = service_of_label(own);
		place->suffix = own;
		return true;
	}
	return false;
}

struct support_place
support_place_of(const char *suffix, const struct support_more *more)
{
	struct support_place place = { SUPPORT_STRANGE, CLOUD_COUNT, SUPPORT_SERVICE_COUNT, "",
		"" };

	for (const struct support_suffix *row = support_suffixes; row->suffix != NULL; row++) {
		if (text_equal_nocase(suffix, row->suffix))
			return (struct support_place){ SUPPORT_KNOWN, row->cloud, row->service,
				row->suffix, "" };
	}
	if (!find_old(&place, suffix))
		find_own(&place, suffix, more);
	return place;
}

enum cloud
support_cloud_of_suffix(const char *suffix)
{
	struct support_place place = support_place_of(suffix, NULL);

	return place.cloud != CLOUD_COUNT ? place.cloud : CLOUD_PUBLIC;
}

static bool
has_alias(const char *aliases, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = aliases; *at != '\0'; at += strspn(at, " ")) {
		if (strcspn(at, " ") == length && text_starts_nocase(at, word))
			return true;
		at += strcspn(at, " ");
	}
	return false;
}

enum cloud
support_cloud_find(const char *word)
{
	size_t i = 0;

	while (i < CLOUD_COUNT && !text_equal_nocase(support_clouds[i].word, word) &&
	    !has_alias(support_clouds[i].aliases, word))
		i++;
	return (enum cloud)i;
}

enum support_service
support_service_find(const char *word)
{
	enum support_service found = SUPPORT_SERVICE_COUNT;
	unsigned             fits = 0;

	for (size_t i = 0; i < SUPPORT_SERVICE_COUNT; i++) {
		if (text_equal_nocase(support_services[i].word, word) ||
		    text_equal_nocase(support_services[i].title, word))
			return (enum support_service)i;
		if (word[0] != '\0' && text_starts_nocase(support_services[i].word, word)) {
			found = (enum support_service)i;
			fits++;
		}
	}
	return fits == 1 ? found : SUPPORT_SERVICE_COUNT;
}

enum support_service
support_service_of_api(uint32_t api)
{
	size_t i = 0;

	while (
	    i < SUPPORT_SERVICE_COUNT && (support_services[i].api != api || api >= API_COUNT))
		i++;
	return (enum support_service)i;
}

const char *
support_suffix(struct arena *arena, enum support_service service, const char *document_suffix)
{
	const char *label = support_services[service].label;

	if (label[0] == '\0' || !text_starts_nocase(document_suffix, document_label))
		return NULL;
	return arena_printf(arena, "%s.%s", label, document_suffix + strlen(document_label));
}

const char *
support_host(struct arena *arena, const char *account, enum support_service service,
    const char *label, const char *document_suffix)
{
	const char *suffix = support_suffix(arena, service, document_suffix);

	if (suffix == NULL)
		return NULL;
	return arena_printf(
	    arena, "%s%s%s.%s", account, label[0] != '\0' ? "-" : "", label, suffix);
}

const char *
support_zone(struct arena *arena, enum support_service service, const char *document_suffix)
{
	const char *suffix = support_suffix(arena, service, document_suffix);

	return suffix != NULL ? arena_printf(arena, "privatelink.%s", suffix) : NULL;
}

const char *
support_group(enum support_service service)
{
	return support_services[service].group;
}

struct support_ports
support_ports(enum support_service service, bool private_endpoint)
{
	struct support_ports ports = { .gateway = support_services[service].port };

	/* [cosmos-connection-modes] */
	if (support_find(service, SUPPORT_DIRECT_TCP, NULL) != NULL) {
		ports.direct_first = private_endpoint ? 0 : 10000;
		ports.direct_last = private_endpoint ? UINT16_MAX : 20000;
	}
	return ports;
}

static bool
read_part(const char **at, unsigned *part)
{
	const char *start = *at;

	for (*part = 0; **at >= '0' && **at <= '9'; (*at)++) {
		*part = *part * 10 + (unsigned)(**at - '0');
		if (*part > VERSION_PART_MAX)
			return false;
	}
	return *at != start;
}

/* "3.6", "4", "7.0.12": as far as it counts. */
static bool
read_version(const char *text, unsigned *version)
{
	unsigned major, minor = 0;

	if (!read_part(&text, &major))
		return false;
	if (*text == '.') {
		text++;
		if (!read_part(&text, &minor))
			return false;
	}
	*version = major * VERSION_STEP + minor;
	return *text == '\0' || *text == '.';
}

const struct support_row *
support_find(enum support_service service, enum support_mode mode, const char *version)
{
	unsigned number = UINT16_MAX;

	if (version != NULL && version[0] != '\0' && !read_version(version, &number))
		return NULL;
	for (const struct support_row *row = support_rows; row->source != NULL; row++) {
		if (row->service == service && row->mode == mode && number >= row->from &&
		    (row->before == 0 || number < row->before))
			return row;
	}
	return NULL;
}

const char *
support_mode_word(enum support_mode mode)
{
	switch (mode) {
	case SUPPORT_GATEWAY: return "gateway";
	case SUPPORT_DIRECT_TCP: return "direct-tcp";
	case SUPPORT_DIRECT_HTTPS: return "direct-https";
	case SUPPORT_GATEWAY_V2: return "gateway-v2";
	case SUPPORT_MODE_COUNT: break;
	}
	return "";
}

const char *
support_state_word(enum support_state state)
{
	switch (state) {
	case SUPPORT_NOT_NAMED: return "not named";
	case SUPPORT_PREVIEW: return "preview";
	case SUPPORT_SUPPORTED: return "supported";
	case SUPPORT_UNSUPPORTED: return "unsupported";
	case SUPPORT_GONE: return "gone";
	case SUPPORT_UNKNOWN: return "unknown";
	case SUPPORT_STATE_COUNT: break;
	}
	return "";
}

const char *
support_standing_word(enum support_standing standing)
{
	switch (standing) {
	case SUPPORT_OPEN: return "open";
	case SUPPORT_NOT_PUBLIC: return "not-public";
	case SUPPORT_CLOSED: return "closed";
	}
	return "";
}

const char *
support_versions(struct arena *arena, const struct support_row *row)
{
	unsigned from = row->from, before = row->before;

	if (from == 0 && before == 0)
		return "";
	if (before == 0)
		return arena_printf(
		    arena, "%u.%u and later", from / VERSION_STEP, from % VERSION_STEP);
	return arena_printf(arena, "below %u.%u", before / VERSION_STEP, before % VERSION_STEP);
}
