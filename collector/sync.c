#include "collector/sync.h"

#include "base/json.h"
#include "base/text.h"
#include "collector/sync_ask.h"
#include "collector/sync_choice.h"
#include "collector/sync_folder.h"
#include "collector/sync_json.h"
#include "collector/sync_shared.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FOLLOWED_MAX = 512 };

struct sync {
	const struct sync_options *options;
	struct sync_result        *result;
	struct sync_ask           *client; /* owned */
	struct sync_shared        *shared; /* owned */
	bool                       told;   /* that it is over, once */
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
	enum sync_service service;
	const char       *kind; /* of the file's name */
	const char       *id;   /* path of the question */
	bool              list; /* it comes in pages */
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
	visit->sync->told = sync_ask_is_over(visit->sync->client) != NULL;
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

/* Asks for the document, unless another account has led to it: only zones are so. */
static enum sync_ask_outcome
ask_once(struct visit *visit, const struct wanted *wanted, const char *etag,
    struct sync_ask_answer *answer, struct err *err)
{
	struct sync          *sync = visit->sync;
	bool                  shared = wanted->service == SYNC_ZONES;
	enum sync_ask_outcome outcome;

	if (shared && sync_shared_find(sync->shared, wanted->id, answer))
		return SYNC_ASK_GOT;
	outcome = wanted->list ? sync_ask_list(sync->client, visit->arena, wanted->service,
	                             wanted->id, answer, err)
	                       : sync_ask_get(sync->client, visit->arena, wanted->service,
	                             wanted->id, etag, answer, err);
	if (shared && outcome == SYNC_ASK_GOT)
		sync_shared_keep(sync->shared, wanted->id, answer);
	return outcome;
}

/* The document, of which its file is written; NULL when there is none, and when an empty list came:
 * that names nothing, and its file goes.  Told and counted. */
static struct json_t *
fetch(struct visit *visit, const struct wanted *wanted)
{
	const char            *file = name_file(visit, wanted);
	struct sync_ask_answer answer;
	struct err             err = { 0 };

	switch (ask_once(visit, wanted, sync_folder_etag(visit->folder, file), &answer, &err)) {
	case SYNC_ASK_GOT:
		if (!wanted->list || sync_json_count(answer.value) > 0)
			put(visit, wanted, file, answer.etag, answer.value);
		return answer.value;
	case SYNC_ASK_SAME: visit->sync->result->same++; return stay(visit, file);
	case SYNC_ASK_HIDDEN: return lose(visit, wanted, file, true, &err);
	case SYNC_ASK_FAILED: break;
	}
	return lose(visit, wanted, file, false, &err);
}

/* Adds what the document names at the path. */
static void
follow(struct visit *visit, const struct json_t *value, const char *path, const char *type,
    struct sync_ids *ids)
{
	struct sync_ids found = { NULL, 0 };

	sync_json_find(visit->arena, value, path, &found);
	for (size_t i = 0; i < found.count; i++) {
		if (!sync_choice_is_id(found.texts[i], type)) {
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
    struct visit *visit, enum sync_service service, const char *kind, const char *id, bool list)
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
	struct wanted   endpoint = { SYNC_NETWORK, "endpoint", id, false };
	struct wanted   groups = { SYNC_NETWORK, "zone-groups",
		  arena_printf(visit->arena, "%s/privateDnsZoneGroups", id), true };
	struct json_t  *value = fetch(visit, &endpoint);

	follow(visit, value, "networkInterfaces[].id", interface_type, &interfaces);
	sync_json_free(value);
	value = fetch(visit, &groups);
	follow(
	    visit, value, "value[].privateDnsZoneConfigs[].privateDnsZoneId", zone_type, zones);
	sync_json_free(value);
	for (size_t i = 0; i < interfaces.count; i++)
		fetch_and_drop(visit, SYNC_NETWORK, "interface", interfaces.texts[i], false);
}

static void
fetch_zone(struct visit *visit, const char *id)
{
	fetch_and_drop(visit, SYNC_ZONES, "zone", id, false);
	fetch_and_drop(
	    visit, SYNC_ZONES, "records", arena_printf(visit->arena, "%s/A", id), true);
	fetch_and_drop(visit, SYNC_ZONES, "links",
	    arena_printf(visit->arena, "%s/virtualNetworkLinks", id), true);
}

/* All that the account's document leads to. */
static void
fetch_rest(struct visit *visit, const char *id, const struct json_t *account)
{
	struct sync_ids endpoints = { NULL, 0 }, zones = { NULL, 0 };
	struct wanted   connections = { SYNC_DATABASE, "=connections.json",
		  arena_printf(visit->arena, "%s/privateEndpointConnections", id), true };
	struct json_t  *value = fetch(visit, &connections);

	follow(visit, account, "privateEndpointConnections[].privateEndpoint.id", endpoint_type,
	    &endpoints);
	follow(visit, value, "value[].privateEndpoint.id", endpoint_type, &endpoints);
	sync_json_free(value);
	fetch_and_drop(visit, SYNC_DATABASE, "=link-resources.json",
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
	struct wanted  wanted = { SYNC_DATABASE, "=account.json", id, false };
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

static void
visit_all(struct sync *sync, const struct sync_ids *chosen)
{
	for (size_t i = 0; i < chosen->count; i++) {
		if (sync_choice_is_account(chosen->texts[i])) {
			visit_account(sync, chosen->texts[i]);
			continue;
		}
		sync->result->failed++;
		sync->options->on_word(
		    sync->options->arg, "?", "an id in the list is not one of an account");
	}
}

bool
sync_run(const struct sync_options *options, struct sync_result *result, struct err *err)
{
	struct sync_ask_options ask = { options->resource_manager, options->token,
		options->ca_file, options->limit_ms };
	struct arena           *arena = arena_new();
	struct sync             sync = {
		            .options = options, .result = result, .shared = sync_shared_new()
	};
	struct sync_ids chosen = { NULL, 0 };
	bool            done;

	*result = (struct sync_result){ 0 };
	sync.client = sync_ask_open(&ask, err);
	done = sync.client != NULL &&
	    sync_choice_make(sync.client, arena, options, &chosen, result, err);
	if (done)
		visit_all(&sync, &chosen);
	if (done && sync_ask_is_over(sync.client) != NULL) {
		*err = *sync_ask_is_over(sync.client);
		done = false;
	}
	sync_ask_close(sync.client);
	sync_shared_free(sync.shared);
	arena_free(arena);
	return done;
}
