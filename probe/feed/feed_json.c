#include "probe/feed/feed_json.h"

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* jansson takes some 250 bytes for an empty object, of two: what would become a forest is refused
 * as text.  A feed of FEED_REPLICAS_MAX entries of 20 members fits. */
enum { OBJECTS_MAX = 4 * FEED_REPLICAS_MAX, COMMAS_MAX = 20 * FEED_REPLICAS_MAX };

enum { RID_MAX = 64, RID_BYTES = 8, DATABASE_RID_BYTES = 4 };

static json_t *
read_object(const char *body, size_t count, struct err *err)
{
	size_t  objects = 0, commas = 0;
	json_t *root;

	if (count > FEED_BODY_MAX) {
		err_set(
		    err, ERR_LIMIT, "an answer of %zu bytes, at most %d", count, FEED_BODY_MAX);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		objects += body[i] == '{' || body[i] == '[';
		commas += body[i] == ',';
	}
	if (objects > OBJECTS_MAX || commas > COMMAS_MAX) {
		err_set(err, ERR_LIMIT, "an answer of more than %d objects or %d members",
		    OBJECTS_MAX, COMMAS_MAX);
		return NULL;
	}
	root = json_read(body, count, "answer", err);
	if (root != NULL && !json_is_object(root)) {
		json_decref(root);
		err_set(err, ERR_PEER, "the answer is JSON, but not an object");
		return NULL;
	}
	return root;
}

/* "" for what is no string. */
static const char *
take_text(const json_t *object, const char *member, size_t limit, struct arena *arena)
{
	const json_t *value = json_object_get(object, member);

	if (!json_is_string(value))
		return "";
	return text_sane(arena, json_string_value(value), json_string_length(value), limit);
}

/* A name goes back to the service, so that it must be what was written, or nothing. */
static const char *
take_name(const json_t *object, const char *member, size_t limit, struct arena *arena)
{
	const char *name = json_string_value(json_object_get(object, member));

	if (name == NULL || name[0] == '\0' || strlen(name) > limit ||
	    strpbrk(name, "/\\?#") != NULL)
		return NULL;
	return strcmp(text_sane(arena, name, strlen(name), limit), name) == 0
	    ? arena_strdup(arena, name)
	    : NULL;
}

/* "https://host:443/" to host, in lower case, and port; false, and nothing, for anything else. */
static bool
read_endpoint(const char *url, const char **host, uint32_t *port, struct arena *arena)
{
	static const char scheme[] = "https://";
	static const char good[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";

	char         *name;
	size_t        length;
	unsigned long number = 443;

	if (!text_starts_nocase(url, scheme))
		return false;
	name = arena_strdup(arena, url + strlen(scheme));
	for (char *at = name; *at != '\0'; at++)
		*at = text_lower(*at);
	length = strspn(name, good);
	if (length == 0 || length > 253)
		return false;
	if (name[length] == ':') {
		char *digits = name + length + 1;

		number = strspn(digits, "0123456789") <= 5 ? strtoul(digits, NULL, 10) : 0;
		if (digits[strspn(digits, "0123456789")] != '/' &&
		    digits[strspn(digits, "0123456789")] != '\0')
			return false;
	} else if (name[length] != '/' && name[length] != '\0') {
		return false;
	}
	if (number < 1 || number > UINT16_MAX)
		return false;
	name[length] = '\0';
	*host = name;
	*port = (uint32_t)number;
	return true;
}

static struct gateway_region *
find_region(struct feed *feed, const char *name)
{
	for (size_t i = 0; i < feed->regions_count; i++) {
		if (text_equal_nocase(feed->regions[i].name, name))
			return &feed->regions[i];
	}
	if (feed->regions_count == FEED_REGIONS_MAX)
		return NULL;
	feed->regions[feed->regions_count].name = name;
	return &feed->regions[feed->regions_count++];
}

/* What the locations of one member say of the regions. */
static void
take_locations(struct feed *feed, const json_t *root, const char *member, struct arena *arena)
{
	bool    thin = strncmp(member, "thinClient", strlen("thinClient")) == 0;
	bool    writable = text_find_nocase(member, "writable") != NULL;
	json_t *locations = json_object_get(root, member);

	for (size_t i = 0; i < json_array_size(locations); i++) {
		const json_t          *location = json_array_get(locations, i);
		const char            *name = take_text(location, "name", 64, arena);
		const char            *url;
		struct gateway_region *region;

		region = name[0] != '\0' ? find_region(feed, name) : NULL;
		if (region == NULL)
			continue;
		url = take_text(location, "databaseAccountEndpoint", 512, arena);
		region->writable |= writable && !thin;
		if (thin && region->v2_host == NULL)
			read_endpoint(url, &region->v2_host, &region->v2_port, arena);
		else if (!thin && region->host == NULL)
			read_endpoint(url, &region->host, &region->port, arena);
	}
}

bool
feed_json_account(
    struct feed *feed, const char *body, size_t count, struct arena *arena, struct err *err)
{
	static const char *const members[] = { "readableLocations", "writableLocations",
		"thinClientReadableLocations", "thinClientWritableLocations" };

	json_t *root = read_object(body, count, err);

	if (root == NULL)
		return false;
	if (!json_is_array(json_object_get(root, members[0])) &&
	    !json_is_array(json_object_get(root, members[1]))) {
		json_decref(root);
		return err_set(
		    err, ERR_PEER, "the answer is JSON, but not the document of an account");
	}
	feed->account = take_text(root, "id", FEED_NAME_MAX, arena);
	feed->multi_write = json_is_true(json_object_get(root, "enableMultipleWriteLocations"));
	feed->regions = arena_array(arena, FEED_REGIONS_MAX, sizeof(*feed->regions));
	feed->regions_count = 0;
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		take_locations(feed, root, members[i], arena);
	json_decref(root);
	return true;
}

/* The arena frees nothing before its end: what grows doubles. */
static void *
grow(struct arena *arena, const void *old, size_t count, size_t room, size_t bytes_each)
{
	void *grown = arena_array(arena, room, bytes_each);

	if (count != 0)
		memcpy(grown, old, count * bytes_each);
	return grown;
}

static void
append_item(struct feed_list *list, const json_t *element, struct arena *arena)
{
	const char *id = take_name(
	    element, "id", list->id_max != 0 ? list->id_max : FEED_NAME_MAX, arena);

	if (id == NULL)
		return;
	if (list->count == list->room) {
		list->room = list->room != 0 ? 2 * list->room : 16;
		list->items = grow(
		    arena, list->items, list->count, list->room, sizeof(*list->items));
	}
	list->items[list->count++] = (struct feed_item){ .id = id,
		.rid = take_text(element, "_rid", RID_MAX, arena) };
}

bool
feed_json_list(struct feed_list *list, const char *member, size_t most, const char *body,
    size_t count, struct arena *arena, struct err *err)
{
	json_t *root = read_object(body, count, err), *array;

	if (root == NULL)
		return false;
	array = json_object_get(root, member);
	if (!json_is_array(array)) {
		json_decref(root);
		return err_set(err, ERR_PEER, "the answer is JSON, but without %s", member);
	}
	list->told += json_array_size(array);
	for (size_t i = 0; i < json_array_size(array) && list->count < most; i++)
		append_item(list, json_array_get(array, i), arena);
	json_decref(root);
	return true;
}

const char *
feed_json_database_rid(const char *rid, struct arena *arena)
{
	char    text[BASE64_ROOM(RID_BYTES)];
	uint8_t bytes[RID_BYTES];

	if (strlen(rid) != sizeof(text) - 1)
		return NULL;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = rid[i] == '-' ? '/' : rid[i];
	if (!base64_decode(text, sizeof(text) - 1, bytes, RID_BYTES))
		return NULL;
	base64_encode(bytes, DATABASE_RID_BYTES, text);
	for (char *at = text; *at != '\0'; at++)
		*at = *at == '/' ? '-' : *at;
	return arena_strdup(arena, text);
}

bool
feed_json_container(
    const char **rid, const char *body, size_t count, struct arena *arena, struct err *err)
{
	json_t *root = read_object(body, count, err);

	if (root == NULL)
		return false;
	*rid = take_text(root, "_rid", RID_MAX, arena);
	json_decref(root);
	if (feed_json_database_rid(*rid, arena) == NULL)
		return err_set(
		    err, ERR_PEER, "the answer is JSON, but without the _rid of a container");
	return true;
}

/* One entry for rntbd. */
static void
append_address(struct feed_addresses *addresses, const json_t *entry, struct arena *arena)
{
	const json_t       *target = json_object_get(entry, "partitionTargetReplicaSetSize");
	json_int_t          size = json_integer_value(target);
	const json_t       *uri = json_object_get(entry, "physcialUri"); /* sic */
	struct feed_replica replica = { .partition = NULL };
	struct err          why = { .kind = ERR_NONE };

	if (uri == NULL)
		uri = json_object_get(entry, "physicalUri");
	if (!json_is_string(uri))
		err_set(&why, ERR_PARSE, "an entry without physcialUri");
	else if (rntbd_uri_parse(&replica.uri, json_string_value(uri), json_string_length(uri),
	             arena, &why))
		why.kind = ERR_NONE;
	if (why.kind != ERR_NONE) {
		if (addresses->bad++ == 0)
			addresses->why = arena_strdup(arena, why.text);
		return;
	}
	replica.partition = take_text(entry, "partitionKeyRangeId", FEED_RANGE_MAX, arena);
	if (addresses->count == addresses->room) {
		size_t room = addresses->room != 0 ? 2 * addresses->room : 64;

		addresses->replicas = grow(arena, addresses->replicas, addresses->count, room,
		    sizeof(*addresses->replicas));
		addresses->targets = grow(arena, addresses->targets, addresses->count, room,
		    sizeof(*addresses->targets));
		addresses->room = room;
	}
	addresses->targets[addresses->count] = size > 0 && size <= 1000 ? (uint32_t)size : 0;
	addresses->replicas[addresses->count++] = replica;
}

bool
feed_json_addresses(struct feed_addresses *addresses, const char *body, size_t count,
    struct arena *arena, struct err *err)
{
	json_t *root = read_object(body, count, err), *array;

	if (root == NULL)
		return false;
	array = json_object_get(root, "Addresss"); /* sic */
	if (array == NULL)
		array = json_object_get(root, "Addresses");
	if (!json_is_array(array)) {
		json_decref(root);
		return err_set(err, ERR_PEER, "the answer is JSON, but no address feed");
	}
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_t *entry = json_array_get(array, i);

		if (!text_equal_nocase(take_text(entry, "protocol", 16, arena), "rntbd"))
			continue;
		if (addresses->told++ == FEED_REPLICAS_MAX) {
			json_decref(root);
			return err_set(
			    err, ERR_LIMIT, "more than %d replicas", FEED_REPLICAS_MAX);
		}
		append_address(addresses, entry, arena);
	}
	json_decref(root);
	return true;
}
