#include "collector/sync.h"

#include "analyze/account.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"
#include "collector/sync_folder.h"
#include "collector/sync_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 200, FOLLOWED_MAX = 512 };

/* Which service answers, each with versions of its own: the newest first, and an older one for clouds
 * that do not have it yet.  Only the newest tells the resolution policy of a link. */
enum service { DATABASE, NETWORK, ZONES, SERVICES };

static const char *const versions[SERVICES][2] = {
	[DATABASE] = { "2025-10-15", "2023-11-15" },
	[NETWORK] = { "2024-05-01", "2022-01-01" },
	[ZONES] = { "2024-06-01", "2020-06-01" },
};

struct sync {
	const struct sync_options *options;
	struct sync_result        *result;
	struct sync_http          *http;  /* owned */
	struct token_answer        token; /* secret */
	bool                       token_is_fresh;
	unsigned                   version[SERVICES]; /* index of `versions` */
	bool                       hopeless; /* the token is refused, or the time is up */
	bool                       told;     /* that it is hopeless, once */
	struct err                 why;      /* of hopeless */
};

/* One account. */
struct visit {
	struct sync        *sync;
	struct arena       *arena; /* owned */
	const char         *account;
	struct sync_folder *folder;   /* owned */
	bool                all_seen; /* everything that names documents */
};

/* A document to fetch. */
struct wanted {
	enum service service;
	const char  *kind; /* of the file's name */
	const char  *id;   /* path of the question */
	bool         list; /* it comes in pages */
};

static void PRINTF_LIKE(2, 3) say(const struct visit *visit, const char *format, ...)
{
	struct err text;
	va_list    args;

	va_start(args, format);
	vsnprintf(text.text, sizeof(text.text), format, args);
	va_end(args);
	visit->sync->options->on_word(visit->sync->options->arg, visit->account, text.text);
}

/* Questions. */

static bool
give_up(struct sync *sync, const struct err *err)
{
	if (!sync->hopeless)
		sync->why = *err;
	sync->hopeless = true;
	return false;
}

static bool
is_unknown_version(const char *code)
{
	static const char *const codes[] = { "NoRegisteredProviderFound",
		"InvalidApiVersionParameter", "UnsupportedApiVersion", "InvalidResourceType" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (text_equal_nocase(code, codes[i]))
			return true;
	}
	return false;
}

/* One question with a token; a token that has just ended is asked for anew, once. */
static bool
ask_signed(struct sync *sync, const char *url, const char *etag, struct sync_answer *answer,
    struct err *err)
{
	struct sync_ask ask = { .url = url, .bearer = sync->token.text, .etag = etag };

	if (sync->hopeless)
		return err_set(err, ERR_PEER, "%s", sync->why.text);
	if (!sync_http_ask(sync->http, &ask, answer, err))
		return sync_http_is_over(sync->http) ? give_up(sync, err) : false;
	if (answer->status == 401 && !sync->token_is_fresh &&
	    sync_token_get(sync->http, &sync->options->token, &sync->token, err)) {
		sync->token_is_fresh = true;
		if (!sync_http_ask(sync->http, &ask, answer, err))
			return false;
	}
	if (answer->status == 401) {
		err_set(err, ERR_PEER, "%s: 401: the token is refused",
		    sync->options->resource_manager);
		return give_up(sync, err);
	}
	sync->token_is_fresh = false;
	return true;
}

/* A question below the resource manager, in the newest version that it knows. */
static bool
ask_path(struct sync *sync, struct arena *arena, const struct wanted *wanted, const char *etag,
    struct sync_answer *answer, struct err *err)
{
	for (;;) {
		unsigned   *version = &sync->version[wanted->service];
		const char *code;

		if (!ask_signed(sync,
		        arena_printf(arena, "%s%s?api-version=%s",
		            sync->options->resource_manager, wanted->id,
		            versions[wanted->service][*version]),
		        etag, answer, err))
			return false;
		if (answer->status != 400 || *version > 0)
			return true;
		sync_json_trouble(
		    arena, (const char *)answer->body.bytes, answer->body.count, &code);
		if (!is_unknown_version(code))
			return true;
		++*version;
	}
}

/* Why an answer holds no document, for people; true: it is not visible to us. */
static bool
explain(struct arena *arena, const struct sync_answer *answer, struct err *err)
{
	const char *code,
	    *trouble = sync_json_trouble(
	        arena, (const char *)answer->body.bytes, answer->body.count, &code);
	bool hidden = answer->status == 403 || answer->status == 404;

	if (answer->status >= 300 && answer->status < 400)
		trouble = "a redirect, which is not followed";
	err_set(err, ERR_PEER, "%s%u%s%s", hidden ? "not visible to us: " : "answered ",
	    answer->status, *trouble != '\0' ? " " : "", trouble);
	return hidden;
}

/* The pages of one list, as they come. */
struct pages {
	struct sync   *sync;
	struct arena  *arena;
	const char    *source;
	struct json_t *list;             /* owned until it is taken */
	const char    *links[PAGES_MAX]; /* followed */
	size_t         count, bytes;
};

/* The token goes with the question for the next page: so no other host gets it. */
static bool
check_link(const struct pages *pages, const char *next, struct err *err)
{
	if (!sync_http_same_origin(next, pages->sync->options->resource_manager))
		return err_set(err, ERR_PEER, "%s: nextLink leads to another host: %s",
		    pages->source, text_sane(pages->arena, next, strlen(next), 200));
	for (size_t i = 0; i < pages->count; i++) {
		if (strcmp(pages->links[i], next) == 0)
			return err_set(
			    err, ERR_PEER, "%s: nextLink leads in a circle", pages->source);
	}
	if (pages->count == PAGES_MAX || pages->bytes > ACCOUNT_DOCUMENT_MAX)
		return err_set(err, ERR_LIMIT, "%s: the list has no end", pages->source);
	return true;
}

/* Adds the page that is in the answer; next: of the page behind it, "" at the end. */
static bool
take_page(
    struct pages *pages, const struct sync_answer *answer, const char **next, struct err *err)
{
	struct json_t *page = NULL;
	struct err     why;
	bool           good;

	if (answer->status != 200) {
		explain(pages->arena, answer, &why);
		return err_set(err, ERR_PEER, "%s: a page: %s", pages->source, why.text);
	}
	page = sync_json_object(
	    (const char *)answer->body.bytes, answer->body.count, pages->source, err);
	good = page != NULL &&
	    sync_json_add_page(pages->arena, &pages->list, page, pages->source, next, err);
	pages->bytes += answer->body.count;
	sync_json_free(page);
	return good && (**next == '\0' || check_link(pages, *next, err));
}

/* All pages as one list, the first of which is in the answer; NULL with err. */
static struct json_t *
read_pages(struct sync *sync, struct arena *arena, const char *source,
    struct sync_answer *answer, struct err *err)
{
	struct pages *pages = arena_alloc(arena, sizeof(*pages));
	const char   *next = "";

	pages->sync = sync;
	pages->arena = arena;
	pages->source = source;
	while (take_page(pages, answer, &next, err)) {
		if (*next == '\0')
			return pages->list;
		pages->links[pages->count++] = next;
		if (!ask_signed(sync, next, NULL, answer, err))
			break;
	}
	sync_json_free(pages->list);
	return NULL;
}

/* Documents of an account. */

static const char *
name_file(struct visit *visit, const struct wanted *wanted)
{
	return wanted->kind[0] == '='
	    ? wanted->kind + 1
	    : sync_folder_name(visit->arena, wanted->kind, wanted->id);
}

/* What an earlier run has fetched stays, and names what it names. */
static struct json_t *
stay(struct visit *visit, const char *file)
{
	struct json_t *value = NULL;
	size_t         count;
	const char    *bytes = sync_folder_read(visit->folder, visit->arena, file, &count);

	sync_folder_stay(visit->folder, file);
	if (bytes != NULL)
		value = sync_json_object(bytes, count, file, NULL);
	return value;
}

static struct json_t *
lose(struct visit *visit, const struct wanted *wanted, const char *file, bool hidden,
    const struct err *err)
{
	if (hidden)
		visit->sync->result->hidden++;
	else
		visit->sync->result->failed++;
	visit->all_seen = false;
	if (!visit->sync->told)
		say(visit, "%s: %s", wanted->id, err->text);
	visit->sync->told = visit->sync->hopeless;
	return stay(visit, file);
}

static void
put(struct visit *visit, const struct wanted *wanted, const char *file, const char *etag,
    const struct json_t *value)
{
	char              seen[CLOCK_TEXT];
	struct sync_entry entry = { file, wanted->id, etag,
		clock_render(clock_wall_ms(clock_system()), seen, sizeof(seen)) };
	struct wbuf       out;
	struct err        err;

	wbuf_init(&out);
	json_write(&out, value, 2);
	wbuf_puts(&out, "\n");
	switch (sync_folder_put(visit->folder, &entry, out.bytes, out.count, &err)) {
	case SYNC_PUT_NEW:
		visit->sync->result->written++;
		say(visit, "%s written", file);
		break;
	case SYNC_PUT_SAME: visit->sync->result->same++; break;
	case SYNC_PUT_FAILED:
		visit->sync->result->failed++;
		say(visit, "%s; what was there stays", err.text);
		break;
	}
	wbuf_fini(&out);
}

/* The document, of which its file is written; NULL when there is none, and when an empty list came:
 * that names nothing, and takes its file away.  Told and counted. */
static struct json_t *
fetch(struct visit *visit, const struct wanted *wanted)
{
	const char        *file = name_file(visit, wanted);
	struct sync_answer answer = { .status = 0 };
	struct json_t     *value = NULL;
	struct err         err = { 0 };
	bool               hidden = false;
	char               etag[SYNC_ETAG_ROOM];

	wbuf_init(&answer.body);
	if (!ask_path(visit->sync, visit->arena, wanted,
	        wanted->list ? "" : sync_folder_etag(visit->folder, file), &answer, &err)) {
		value = lose(visit, wanted, file, false, &err);
	} else if (answer.status == 304) {
		visit->sync->result->same++;
		value = stay(visit, file);
	} else if (answer.status != 200) {
		hidden = explain(visit->arena, &answer, &err);
		value = lose(visit, wanted, file, hidden, &err);
	} else {
		memcpy(etag, answer.etag, sizeof(etag));
		value = wanted->list
		    ? read_pages(visit->sync, visit->arena, wanted->id, &answer, &err)
		    : sync_json_object(
		          (const char *)answer.body.bytes, answer.body.count, wanted->id, &err);
		if (value == NULL)
			value = lose(visit, wanted, file, false, &err);
		else if (!wanted->list || sync_json_count(value) > 0)
			put(visit, wanted, file, wanted->list ? "" : etag, value);
	}
	wbuf_fini(&answer.body);
	return value;
}

/* "/subscriptions/.../<type>/<name>": it becomes part of a URL that our token goes to. */
static bool
is_id(const char *id, const char *type)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                           "0123456789-._()/";
	const char       *found = text_find_nocase(id, type);

	return text_starts_nocase(id, "/subscriptions/") && strspn(id, good) == strlen(id) &&
	    strstr(id, "..") == NULL && strstr(id, "//") == NULL && found != NULL &&
	    found[strlen(type)] != '\0' && strchr(found + strlen(type), '/') == NULL;
}

/* Adds what the document names at the path. */
static void
follow(struct visit *visit, const struct json_t *value, const char *path, const char *type,
    struct sync_ids *ids)
{
	struct sync_ids found = { NULL, 0 };

	sync_json_find(visit->arena, value, path, &found);
	for (size_t i = 0; i < found.count; i++) {
		if (!is_id(found.texts[i], type)) {
			say(visit, "%s: not followed: '...%s<name>' wanted", found.texts[i],
			    type);
			visit->all_seen = false;
		} else if (ids->count == FOLLOWED_MAX) {
			say(visit, "%s: not followed: more than %d", found.texts[i],
			    FOLLOWED_MAX);
			visit->all_seen = false;
		} else {
			sync_ids_add(visit->arena, ids, found.texts[i]);
		}
	}
}

static void
fetch_and_drop(
    struct visit *visit, enum service service, const char *kind, const char *id, bool list)
{
	struct wanted wanted = { service, kind, id, list };

	sync_json_free(fetch(visit, &wanted));
}

static const char endpoint_type[] = "/providers/Microsoft.Network/privateEndpoints/";
static const char interface_type[] = "/providers/Microsoft.Network/networkInterfaces/";
static const char zone_type[] = "/providers/Microsoft.Network/privateDnsZones/";

static void
fetch_endpoint(struct visit *visit, const char *id, struct sync_ids *zones)
{
	struct sync_ids interfaces = { NULL, 0 };
	struct wanted   endpoint = { NETWORK, "endpoint", id, false };
	struct wanted   groups = { NETWORK, "zone-groups",
		  arena_printf(visit->arena, "%s/privateDnsZoneGroups", id), true };
	struct json_t  *value = fetch(visit, &endpoint);

	follow(visit, value, "networkInterfaces[].id", interface_type, &interfaces);
	sync_json_free(value);
	value = fetch(visit, &groups);
	follow(
	    visit, value, "value[].privateDnsZoneConfigs[].privateDnsZoneId", zone_type, zones);
	sync_json_free(value);
	for (size_t i = 0; i < interfaces.count; i++)
		fetch_and_drop(visit, NETWORK, "interface", interfaces.texts[i], false);
}

static void
fetch_zone(struct visit *visit, const char *id)
{
	fetch_and_drop(visit, ZONES, "zone", id, false);
	fetch_and_drop(visit, ZONES, "records", arena_printf(visit->arena, "%s/A", id), true);
	fetch_and_drop(visit, ZONES, "links",
	    arena_printf(visit->arena, "%s/virtualNetworkLinks", id), true);
}

/* All that the account's document leads to. */
static void
fetch_rest(struct visit *visit, const char *id, const struct json_t *account)
{
	struct sync_ids endpoints = { NULL, 0 }, zones = { NULL, 0 };
	struct wanted   connections = { DATABASE, "=connections.json",
		  arena_printf(visit->arena, "%s/privateEndpointConnections", id), true };
	struct json_t  *value = fetch(visit, &connections);

	follow(visit, account, "privateEndpointConnections[].privateEndpoint.id", endpoint_type,
	    &endpoints);
	follow(visit, value, "value[].privateEndpoint.id", endpoint_type, &endpoints);
	sync_json_free(value);
	fetch_and_drop(visit, DATABASE, "=link-resources.json",
	    arena_printf(visit->arena, "%s/privateLinkResources", id), true);
	for (size_t i = 0; i < endpoints.count; i++)
		fetch_endpoint(visit, endpoints.texts[i], &zones);
	for (size_t i = 0; i < zones.count; i++)
		fetch_zone(visit, zones.texts[i]);
}

static void
visit_account(struct sync *sync, const char *id)
{
	struct visit   visit = { .sync = sync, .arena = arena_new(), .all_seen = true };
	struct wanted  wanted = { DATABASE, "=account.json", id, false };
	char          *name = arena_strdup(visit.arena, strrchr(id, '/') + 1);
	struct json_t *account;
	struct err     err;
	size_t         removed = 0;

	for (char *c = name; *c != '\0'; c++)
		*c = text_lower(*c);
	visit.account = name;
	visit.folder = sync_folder_open(sync->options->accounts_dir, name, &err);
	if (visit.folder == NULL) {
		sync->result->failed++;
		say(&visit, "%s", err.text);
		arena_free(visit.arena);
		return;
	}
	account = fetch(&visit, &wanted);
	sync->result->accounts += visit.all_seen;
	if (account != NULL)
		fetch_rest(&visit, id, account);
	else
		visit.all_seen = false;
	if (!sync_folder_close(visit.folder, visit.all_seen, &removed, &err)) {
		sync->result->failed++;
		say(&visit, "%s", err.text);
	}
	if (removed > 0)
		say(&visit, "%zu files taken away: nothing names their documents any more",
		    removed);
	sync->result->removed += (unsigned)removed;
	sync_json_free(account);
	sync_folder_free(visit.folder);
	arena_free(visit.arena);
}

/* Which accounts. */

static const char account_type[] = "/providers/Microsoft.DocumentDB/databaseAccounts/";

static bool
is_account_id(const char *id)
{
	struct arena *arena = arena_new();
	bool          good = is_id(id, account_type);

	if (good) {
		char *name = arena_strdup(arena, strrchr(id, '/') + 1);

		for (char *c = name; *c != '\0'; c++)
			*c = text_lower(*c);
		good = account_name_is(name);
	}
	arena_free(arena);
	return good;
}

static bool
list_accounts(struct sync *sync, struct arena *arena, struct sync_ids *ids, struct err *err)
{
	const struct sync_options *options = sync->options;
	struct wanted              wanted = { DATABASE, "",
		             arena_printf(arena,
		                 "/subscriptions/%s%s%s/providers/Microsoft.DocumentDB/databaseAccounts",
		                 options->subscription, *options->group != '\0' ? "/resourceGroups/" : "",
		                 options->group),
		             true };
	struct sync_answer         answer = { .status = 0 };
	struct json_t             *list = NULL;

	wbuf_init(&answer.body);
	if (ask_path(sync, arena, &wanted, "", &answer, err)) {
		if (answer.status == 200) {
			list = read_pages(sync, arena, wanted.id, &answer, err);
		} else {
			explain(arena, &answer, err);
			err_in(err, "%s", wanted.id);
		}
	}
	wbuf_fini(&answer.body);
	if (list != NULL)
		sync_json_find(arena, list, "value[].id", ids);
	sync_json_free(list);
	return list != NULL;
}

/* The id of the listed account with the name; NULL when there is none. */
static const char *
find_listed(const struct sync_ids *listed, const char *name)
{
	for (size_t i = 0; i < listed->count; i++) {
		const char *slash = strrchr(listed->texts[i], '/');

		if (slash != NULL && text_equal_nocase(slash + 1, name))
			return listed->texts[i];
	}
	return NULL;
}

static bool
choose_accounts(
    struct sync *sync, struct arena *arena, struct sync_ids *chosen, struct err *err)
{
	const struct sync_options *options = sync->options;
	struct sync_ids            listed = { NULL, 0 };

	if (*options->subscription != '\0' && !list_accounts(sync, arena, &listed, err))
		return false;
	if (options->account_count == 0)
		*chosen = listed;
	for (size_t i = 0; i < options->account_count; i++) {
		const char *text = options->accounts[i];
		const char *id = *text == '/' ? text : find_listed(&listed, text);

		if (id == NULL && *options->subscription == '\0')
			return err_set(err, ERR_USAGE,
			    "%s: a resource id wanted, or --subscription with it", text);
		if (id == NULL) {
			sync->result->hidden++;
			options->on_word(options->arg, text,
			    "not visible to us: not in the list of the subscription's "
			    "accounts");
			continue;
		}
		sync_ids_add(arena, chosen, id);
	}
	return true;
}

static bool
run(struct sync *sync, struct arena *arena, struct err *err)
{
	struct sync_ids chosen = { NULL, 0 };

	if (!sync_token_get(sync->http, &sync->options->token, &sync->token, err))
		return false;
	sync->token_is_fresh = true;
	if (!choose_accounts(sync, arena, &chosen, err))
		return false;
	for (size_t i = 0; i < chosen.count; i++) {
		if (is_account_id(chosen.texts[i])) {
			visit_account(sync, chosen.texts[i]);
			continue;
		}
		if (sync->options->account_count > 0)
			return err_set(err, ERR_USAGE,
			    "%s: the resource id of an account wanted, "
			    "/subscriptions/.../databaseAccounts/<name>",
			    chosen.texts[i]);
		sync->result->failed++;
		sync->options->on_word(
		    sync->options->arg, "?", "an id in the list is not one of an account");
	}
	if (sync->hopeless)
		*err = sync->why;
	return !sync->hopeless;
}

bool
sync_run(const struct sync_options *options, struct sync_result *result, struct err *err)
{
	struct sync_http_options http = { .ca_file = options->ca_file,
		.limit_ms = options->limit_ms };
	struct arena            *arena = arena_new();
	struct sync             *sync = mem_alloc(sizeof(*sync));
	bool                     done;

	*result = (struct sync_result){ 0 };
	sync->options = options;
	sync->result = result;
	sync->http = sync_http_new(&http);
	done = run(sync, arena, err);
	sync_http_free(sync->http);
	digest_wipe(sync, sizeof(*sync));
	free(sync);
	arena_free(arena);
	return done;
}
