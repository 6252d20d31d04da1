#include "tests/support/support_witness.h"

#include "analyze/apis.h"
#include "analyze/modes.h"
#include "analyze/names.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/support/support_documents.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WITNESS_MAX = 1 << 20 };

#define STARTED_MS INT64_C(1790000000000)
#define DAY_MS     INT64_C(86400000)

struct maker {
	struct arena           *arena;
	const char             *path;
	json_t                 *root;
	struct support_witness *witness;
	bool                    rest; /* documents in the shape of the Resource Manager */
};

static void
fail(const char *path, const char *what, const char *which)
{
	fprintf(stderr, "%s: %s %s\n", path, what, which);
	exit(1);
}

static json_t *merge(const json_t *base, const json_t *change);

static json_t *
merge_arrays(const json_t *base, const json_t *change)
{
	json_t *merged = json_array(), *element;
	size_t  index, count = json_array_size(base);

	json_array_foreach ((json_t *)change, index, element) {
		size_t at = count == 0 ? 0 : index < count ? index : count - 1;

		json_array_append_new(merged, merge(json_array_get(base, at), element));
	}
	return merged;
}

static json_t *
merge(const json_t *base, const json_t *change)
{
	json_t     *merged, *value;
	const char *name;

	if (json_is_array(change))
		return merge_arrays(base, change);
	if (!json_is_object(change))
		return json_deep_copy(change);
	merged = json_is_object(base) ? json_deep_copy(base) : json_object();
	json_object_foreach ((json_t *)change, name, value) {
		if (json_is_null(value))
			json_object_del(merged, name);
		else
			json_object_set_new(
			    merged, name, merge(json_object_get(merged, name), value));
	}
	return merged;
}

/* From here on: a measurement's JSON into its struct, by the descriptions. */

static void *read_message(
    const struct maker *maker, const struct message_desc *desc, const json_t *value);

static void
read_list(
    const struct maker *maker, const struct field_desc *field, const json_t *value, char *into)
{
	size_t count = json_array_size(value), bytes = field->element->bytes;
	char  *list = arena_array(maker->arena, count + 1, bytes);

	for (size_t i = 0; i < count; i++)
		memcpy(list + i * bytes,
		    read_message(maker, field->element, json_array_get(value, i)), bytes);
	memcpy(into + field->at, &list, sizeof(list));
	memcpy(into + field->count_at, &count, sizeof(count));
}

static void
read_field(
    const struct maker *maker, const struct field_desc *field, const json_t *value, char *into)
{
	uint64_t    wide = (uint64_t)json_integer_value(value);
	uint32_t    number = (uint32_t)wide;
	bool        yes = json_is_true(value);
	const char *text;
	void       *sub;

	switch (field->type) {
	case FIELD_TEXT:
		if (!json_is_string(value))
			fail(maker->path, "a text wanted for", field->name);
		text = arena_strdup(maker->arena, json_string_value(value));
		memcpy(into + field->at, &text, sizeof(text));
		break;
	case FIELD_BOOL: memcpy(into + field->at, &yes, sizeof(yes)); break;
	case FIELD_U32: memcpy(into + field->at, &number, sizeof(number)); break;
	case FIELD_U64:
	case FIELD_I64: memcpy(into + field->at, &wide, sizeof(wide)); break;
	case FIELD_LIST: read_list(maker, field, value, into); break;
	case FIELD_SUB:
		sub = read_message(maker, field->element, value);
		memcpy(into + field->at, &sub, sizeof(sub));
		break;
	default:
		if (!json_is_string(value) ||
		    !field_word_parse(field->type, json_string_value(value), &number))
			fail(maker->path, "no such word for", field->name);
		memcpy(into + field->at, &number, sizeof(number));
		break;
	}
}

/* Text that is not said is "", as in a decoded record. */
static void
preset_texts(const struct message_desc *desc, char *into)
{
	const char *empty = "";

	for (size_t i = 0; i < desc->field_count; i++) {
		if (desc->fields[i].type == FIELD_TEXT)
			memcpy(into + desc->fields[i].at, &empty, sizeof(empty));
	}
}

static void *
read_message(const struct maker *maker, const struct message_desc *desc, const json_t *value)
{
	char       *into = arena_alloc(maker->arena, desc->bytes);
	const char *name;
	json_t     *member;

	preset_texts(desc, into);
	json_object_foreach ((json_t *)value, name, member) {
		size_t i = 0;

		while (i < desc->field_count && strcmp(desc->fields[i].name, name) != 0)
			i++;
		if (i == desc->field_count)
			fail(maker->path, "no such field:", name);
		read_field(maker, &desc->fields[i], member, into);
	}
	return into;
}

/* What is well. */

static json_t *
make_endpoint(const char *address, const struct target *target)
{
	return json_pack(
	    "{s:s s:i s:s s:s s:i s:s s:i s:s s:s s:s s:s s:I s:I s:s s:i s:i s:s}", "address",
	    address, "port", (int)target->port, "local", "10.2.0.9", "tcp", "ok", "tcp_us",
	    1200, "tls", "ok", "tls_us", 3100, "tls_version", "TLSv1.3", "subject",
	    "CN=*.documents.azure.com", "sans", "*.documents.azure.com", "issuer",
	    "CN=Test Issuing CA", "not_before_ms", (json_int_t)(STARTED_MS - 90 * DAY_MS),
	    "not_after_ms", (json_int_t)(STARTED_MS + 90 * DAY_MS), "http", "ok", "http_status",
	    401, "http_wait_us", 1300, "gateway_version", "version=2.14.0");
}

/* What each API says before anybody logs in, when it is well. */
static json_t *
make_greeting(const struct maker *maker, const struct target *target)
{
	json_t     *greeting = json_pack("{s:s s:i}", "outcome", "ok", "took_us", 1500);
	const char *hosts = "";

	switch ((enum api)target->api) {
	case API_MONGO:
		for (size_t i = 0; i < maker->witness->account->location_count; i++)
			hosts = arena_printf(maker->arena, "%s%scontoso-%s%s:10255", hosts,
			    i > 0 ? " " : "", maker->witness->account->locations[i].label,
			    strchr(target->host, '.'));
		json_object_set_new(greeting, "wire_most", json_integer(18));
		json_object_set_new(greeting, "hello_code", json_integer(115));
		json_object_set_new(greeting, "hosts", json_string(hosts));
		break;
	case API_CASSANDRA:
		json_object_set_new(greeting, "versions", json_string("3.4.4"));
		break;
	case API_GREMLIN:
	case API_TABLE: json_object_set_new(greeting, "status", json_integer(401)); break;
	case API_SQL:
	case API_COUNT: break;
	}
	json_object_set_new(greeting, "wants_login", json_true());
	return greeting;
}

static json_t *
make_front_end(const struct maker *maker, const char *address, const struct target *target)
{
	json_t     *end = make_endpoint(address, target);
	const char *of_sql[] = { "http", "http_status", "http_wait_us", "gateway_version" };

	for (size_t i = 0; i < sizeof(of_sql) / sizeof(of_sql[0]); i++)
		json_object_del(end, of_sql[i]);
	json_object_set_new(end, "greeting", make_greeting(maker, target));
	return end;
}

static json_t *
make_well(const struct maker *maker, const struct target *target, size_t number)
{
	const char *address = arena_printf(
	    maker->arena, "10.1.%u.%zu", target->api, 4 + number);
	int         first = (int)strcspn(target->host, ".");
	const char *alias = arena_printf(
	    maker->arena, "%.*s.privatelink%s", first, target->host, target->host + first);

	return json_pack(
	    "{s:I s:i s:[{s:s s:s s:s s:i s:s s:i s:[{s:s s:s s:i}] s:[{s:s s:i}]}] "
	    "s:[o]}",
	    "started_ms", (json_int_t)STARTED_MS, "took_us", 9000, "dns", "resolver",
	    "10.0.0.2", "outcome", "ok", "transport", "udp", "took_us", 1500, "aaaa_outcome",
	    "nodata", "tries", 1, "hops", "owner", target->host, "target", alias, "ttl_s", 300,
	    "addresses", "address", address, "ttl_s", 10, "endpoints",
	    target->api == API_SQL ? make_endpoint(address, target)
	                           : make_front_end(maker, address, target));
}

/* What a gateway tells to signed requests; `account` of the measurement that holds it. */
static json_t *
make_feed(const struct maker *maker, const char *address, const char *step)
{
	const struct account *account = maker->witness->account;
	json_t               *regions = json_array();

	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];

		if (*location->host != '\0')
			json_array_append_new(regions,
			    json_pack("{s:s s:s s:i s:b s:s s:i}", "name", location->name,
			        "host", location->host, "port", (int)location->port, "writable",
			        i == 0, "v2_host", location->host, "v2_port", 10250));
	}
	return json_pack("{s:s s:s s:s s:s s:i s:i s:b s:I s:b s:s s:o}", "address", address,
	    "credential", "key", "outcome", "ok", "step", step, "took_us", 5000, "http_status",
	    200, "dated", 1, "clock_ahead_s", (json_int_t)1, "admitted", 1, "account",
	    account->name, "regions", regions);
}

/* As it should be where public network access is Disabled. */
static json_t *
make_outside(const struct maker *maker, const struct target *target, size_t number)
{
	const json_t *change = json_object_get(maker->root, "outside");
	const char   *address = arena_printf(maker->arena, "20.61.0.%zu", 1 + number);
	json_t       *end = make_endpoint(address, target);
	json_t       *outside;

	json_object_set_new(end, "http", json_string("http-other"));
	json_object_set_new(end, "http_status", json_integer(403));
	json_object_set_new(end, "path", json_string("public-internet"));
	json_object_set_new(end, "error_text",
	    json_string("Request originated from IP 20.0.0.9 through public internet."));
	outside = json_pack("{s:[{s:s s:s s:s s:s s:i s:s s:[{s:s s:i}]}] s:[o]}", "dns",
	    "resolver", "9.9.9.9", "source", "outside", "outcome", "ok", "transport", "udp",
	    "took_us", 9000, "aaaa_outcome", "nodata", "addresses", "address", address, "ttl_s",
	    10, "endpoints", end);
	if (json_object_get(change, "feed") != NULL)
		json_object_set_new(outside, "feed", make_feed(maker, address, "account"));
	return outside;
}

static const char *
find_address(const json_t *measurement)
{
	json_t *dns = json_array_get(json_object_get(measurement, "dns"), 0);
	json_t *address = json_array_get(json_object_get(dns, "addresses"), 0);

	return json_string_value(json_object_get(address, "address"));
}

/* Ports inside and outside the range of the public path. */
static json_t *
make_replica(const struct target *target, const char *address, size_t number)
{
	static const int ports[] = { 21226, 14031, 40511, 14184 };
	json_t *end = json_pack("{s:s s:i s:s s:i s:s s:i s:s}", "address", address, "port",
	    ports[number], "tcp", "ok", "tcp_us", 1300, "tls", "ok", "tls_us", 3300, "issuer",
	    "CN=Test Issuing CA");

	return json_pack("{s:s s:i s:s s:s s:b s:i s:o s:s s:i s:i s:s s:s}", "host",
	    target->host, "port", ports[number], "origin", "feed", "partitions", "0", "primary",
	    number == 0, "replicas", 1, "end", end, "context", "ok", "context_us", 1400,
	    "status", 200, "server_agent", "DocumentDB Server", "server_version",
	    "version=2.14.0.0");
}

static void
add_direct(const struct maker *maker, const struct target *target, json_t *into)
{
	json_t     *replicas = json_array();
	const char *address = arena_strdup(maker->arena, find_address(into));

	for (size_t i = 0; i < 4; i++)
		json_array_append_new(replicas, make_replica(target, address, i));
	json_object_del(into, "endpoints");
	json_object_set_new(into, "origin", json_string("feed"));
	json_object_set_new(into, "feed", make_feed(maker, address, "addresses"));
	json_object_set_new(into, "replicas", replicas);
}

static void
add_thin(const struct maker *maker, const struct target *target, json_t *into)
{
	const char *address = arena_strdup(maker->arena, find_address(into));

	json_object_del(into, "endpoints");
	json_object_set_new(into, "thins",
	    json_pack("[{s:s s:i s:b s:{s:s s:i s:s s:i s:s s:i} s:s s:s s:i s:i}]", "host",
	        target->host, "port", (int)target->port, "advertised", 1, "end", "address",
	        address, "port", (int)target->port, "tcp", "ok", "tcp_us", 1200, "tls", "ok",
	        "tls_us", 3200, "alpn", "h2", "outcome", "ok", "status", 200, "wait_us", 900));
}

static json_t *
make_absent(void)
{
	return json_pack("{s:I s:i s:[{s:s s:s s:i s:s s:i s:i}]}", "started_ms",
	    (json_int_t)STARTED_MS, "took_us", 1500, "dns", "resolver", "10.0.0.2", "outcome",
	    "nxdomain", "rcode", 3, "transport", "udp", "took_us", 1500, "tries", 1);
}

/* The place of the name in the document, which its address follows. */
static size_t
find_number(const struct maker *maker, const struct target *target, size_t at)
{
	const struct account *account = maker->witness->account;

	for (size_t i = 0; i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, target->region) == 0)
			return i + 1;
	}
	if (target->api != API_SQL)
		return at;
	/* Swept names stand behind those of the other modes. */
	return *target->region == '\0'
	    ? 0
	    : at - 2 * (account->location_count > 0 ? account->location_count : 1);
}

static json_t *
make_base(const struct maker *maker, const struct target *target, size_t at, json_t *change)
{
	const char *as = json_string_value(json_object_get(change, "as"));
	bool        well = target->role == ROLE_CONFIGURED;
	json_t     *base;

	if (as != NULL)
		well = strcmp(as, "well") == 0;
	if (json_is_object(change))
		json_object_del(change, "as");
	if (!well)
		return make_absent();
	base = make_well(maker, target, find_number(maker, target, at));
	if (target->mode == MODE_DIRECT)
		add_direct(maker, target, base);
	else if (target->mode == MODE_GATEWAY_V2)
		add_thin(maker, target, base);
	else if (json_object_get(maker->root, "feed") != NULL)
		json_object_set_new(
		    base, "feed", make_feed(maker, find_address(base), "account"));
	return base;
}

static json_t *
merge_into(json_t *base, const json_t *change)
{
	json_t *merged = json_is_object(change) ? merge(base, change) : json_incref(base);

	json_decref(base);
	return merged;
}

static struct measurement *
make_measurement(
    const struct maker *maker, const struct target *target, size_t at, json_t *change)
{
	json_t             *value = make_base(maker, target, at, change), *feed;
	json_t             *outside = json_object_get(maker->root, "outside");
	struct measurement *seen;

	if (target->role == ROLE_CONFIGURED && target->mode == MODE_GATEWAY &&
	    target->api == API_SQL) {
		value = merge_into(value, json_object_get(maker->root, "every"));
		feed = json_object_get(value, "feed");
		if (feed != NULL)
			json_object_set_new(
			    value, "feed", merge(feed, json_object_get(maker->root, "feed")));
	}
	if (outside != NULL && target->role == ROLE_CONFIGURED && target->mode == MODE_GATEWAY)
		json_object_set_new(value, "outside",
		    merge_into(
		        make_outside(maker, target, find_number(maker, target, at)), outside));
	value = merge_into(value, change);
	seen = read_message(maker, &measurement_desc, value);
	seen->target = arena_alloc(maker->arena, sizeof(*target));
	*seen->target = *target;
	json_decref(value);
	return seen;
}

/* Both changes of a mode: that of every region, and that of this one. */
static json_t *
find_change(const json_t *changes, const struct target *target)
{
	json_t *change = json_object_get(changes, target->region);
	json_t *every = json_object_get(changes, "*");
	bool    alone = target->mode == MODE_GATEWAY && target->api == API_SQL;

	if (alone || target->role == ROLE_SWEEP || every == NULL || json_is_null(change))
		return json_incref(change);
	return change == NULL ? json_deep_copy(every) : merge(every, change);
}

/* The measurements of one mode; the changes that were used are counted. */
static void
make_mode(const struct maker *maker, const struct name_list *names, enum mode mode,
    const char *member)
{
	struct support_witness *witness = maker->witness;
	json_t                 *changes = json_object_get(maker->root, member);
	bool                    swept = json_is_true(json_object_get(maker->root, "swept"));
	size_t                  used = json_object_get(changes, "*") != NULL ? 1 : 0;

	for (size_t i = 0; i < names->count; i++) {
		const struct target *target = &names->targets[i];
		json_t              *change;

		if (target->mode != mode)
			continue;
		used += json_object_get(changes, target->region) != NULL ? 1 : 0;
		change = find_change(changes, target);
		if (!json_is_null(change) &&
		    (change != NULL || target->role != ROLE_SWEEP || swept))
			witness->seen[witness->seen_count++] = make_measurement(
			    maker, target, i, change);
		json_decref(change);
	}
	if (used != json_object_size(changes))
		fail(maker->path, member, "a region that is neither configured nor known");
}

static void
make_seen(const struct maker *maker)
{
	struct support_witness *witness = maker->witness;
	struct name_list       *names = names_targets(maker->arena, witness->account,
	          NAMES_API(API_SQL) | NAMES_SWEEP | NAMES_GATEWAY | NAMES_DIRECT | NAMES_V2);

	witness->seen = arena_array(maker->arena, names->count * API_COUNT + 1, sizeof(void *));
	if (!json_is_false(json_object_get(maker->root, "gateway")))
		make_mode(maker, names, MODE_GATEWAY, "seen");
	if (json_object_get(maker->root, "direct") != NULL)
		make_mode(maker, names, MODE_DIRECT, "direct");
	if (json_object_get(maker->root, "thin") != NULL)
		make_mode(maker, names, MODE_GATEWAY_V2, "thin");
	for (uint32_t api = API_SQL + 1; api < API_COUNT; api++) {
		if (json_object_get(maker->root, api_name(api)) == NULL)
			continue;
		names = names_targets(maker->arena, witness->account,
		    NAMES_API(api) | NAMES_SWEEP | NAMES_GATEWAY);
		make_mode(maker, names, MODE_GATEWAY, api_name(api));
	}
}

static void
make_wanted(const struct maker *maker)
{
	const char *apis = json_string_value(json_object_get(maker->root, "apis"));
	const char *modes = json_string_value(json_object_get(maker->root, "modes"));
	unsigned    flags;
	struct err  err;

	if (apis != NULL) {
		if (!apis_parse(&flags, apis, &err))
			fail(maker->path, "apis:", err.text);
		maker->witness->wanted |= flags;
	}
	if (modes != NULL) {
		if (!modes_parse(&flags, modes, &err))
			fail(maker->path, "modes:", err.text);
		maker->witness->wanted |= flags;
	}
}

/* Takes the document. */
static json_t *
shape(const struct maker *maker, json_t *document)
{
	json_t *rest = maker->rest ? support_documents_rest(document) : json_incref(document);

	json_decref(document);
	return rest;
}

static void
make_account(const struct maker *maker)
{
	struct support_witness *witness = maker->witness;
	const json_t           *change = json_object_get(maker->root, "document");
	const json_t           *named = json_object_get(maker->root, "named");
	json_t                 *base = support_documents_account(), *document;
	struct account_list    *list;
	struct wbuf             text;
	struct err              err;

	witness->has_document = !json_is_null(change);
	if (!witness->has_document) {
		witness->account = account_named(
		    maker->arena, named != NULL ? json_string_value(named) : "contoso", &err);
		if (witness->account == NULL)
			fail(maker->path, "named:", err.text);
		json_decref(base);
		return;
	}
	document = shape(maker, change != NULL ? merge(base, change) : json_incref(base));
	wbuf_init(&text);
	json_write(&text, document, 0);
	list = account_parse(
	    maker->arena, (const char *)text.bytes, text.count, "contoso.json", &err);
	if (list == NULL)
		fail(maker->path, "document:", err.text);
	witness->account = list->accounts[0];
	wbuf_fini(&text);
	json_decref(document);
	json_decref(base);
}

/* The documents that the member's changes make of the base, which it takes; NULL when the witness
 * does not have it. */
static struct account_list *
make_list(const struct maker *maker, const char *member, json_t *base)
{
	const json_t        *change = json_object_get(maker->root, member);
	struct account_list *list = NULL;
	json_t              *documents;
	struct wbuf          text;
	struct err           err;

	if (change != NULL) {
		documents = shape(maker, merge(base, change));
		wbuf_init(&text);
		json_write(&text, documents, 0);
		list = account_parse(maker->arena, (const char *)text.bytes, text.count,
		    arena_printf(maker->arena, "%s.json", member), &err);
		if (list == NULL)
			fail(maker->path, member, err.text);
		wbuf_fini(&text);
		json_decref(documents);
	}
	json_decref(base);
	return list;
}

static void
make_more_documents(const struct maker *maker)
{
	struct support_witness *witness = maker->witness;
	struct account_list    *list;

	list = make_list(maker, "endpoints", json_pack("[o]", support_documents_endpoint()));
	if (list != NULL)
		witness->endpoints = endpoint_index_new(maker->arena, &list->endpoints);
	list = make_list(maker, "zones", support_documents_zones());
	if (list != NULL)
		witness->zones = zone_index_new(maker->arena, &list->zones);
	list = make_list(maker, "plinks", support_documents_plinks());
	if (list != NULL) {
		witness->plinks = &list->plinks;
		witness->account = plink_join(maker->arena, witness->account, &list->plinks);
	}
}

/* A name alone is that of a network in the group of the well documents. */
static void
make_vnet(const struct maker *maker)
{
	const char *text = json_string_value(json_object_get(maker->root, "vnet"));
	struct err  err;

	if (text != NULL && strchr(text, '/') == NULL)
		text = arena_printf(maker->arena,
		    SUPPORT_DOCUMENTS_GROUP "/providers/Microsoft.Network/virtualNetworks/%s",
		    text);
	if (!vnet_parse(&maker->witness->vnet, maker->arena, text != NULL ? text : "", &err))
		fail(maker->path, "vnet:", err.text);
}

static const char *
copy_text(const struct maker *maker, const json_t *object, const char *name)
{
	return arena_strdup(maker->arena, json_string_value(json_object_get(object, name)));
}

static void
make_folds(const struct maker *maker, const json_t *value, struct support_expected *expected)
{
	const json_t *list = json_object_get(value, "folds");

	if (list == NULL)
		return;
	expected->fold_count = json_array_size(list);
	expected->folds = arena_array(maker->arena, expected->fold_count + 1, sizeof(char *));
	for (size_t i = 0; i < expected->fold_count; i++)
		expected->folds[i] = arena_strdup(
		    maker->arena, json_string_value(json_array_get(list, i)));
}

/* Of a word that may be absent: then 0, the first. */
static uint32_t
read_word(
    const struct maker *maker, const json_t *object, const char *name, enum field_type type)
{
	const char *word = json_string_value(json_object_get(object, name));
	uint32_t    number = 0;

	if (word != NULL && !field_word_parse(type, word, &number))
		fail(maker->path, "no such word for", name);
	return number;
}

static void
make_places(const struct maker *maker)
{
	struct support_witness *witness = maker->witness;
	const json_t           *list = json_object_get(maker->root, "places");
	size_t                  index;
	json_t                 *value;

	witness->places = arena_array(
	    maker->arena, json_array_size(list) + 1, sizeof(*witness->places));
	json_array_foreach ((json_t *)list, index, value) {
		struct support_pinned *place = &witness->places[witness->place_count++];

		place->region = copy_text(maker, value, "region");
		place->state = copy_text(maker, value, "state");
		place->code = copy_text(maker, value, "code");
		place->api = read_word(maker, value, "api", FIELD_API);
		place->mode = read_word(maker, value, "mode", FIELD_MODE);
	}
}

static void
make_expected(const struct maker *maker)
{
	struct support_witness *witness = maker->witness;
	const json_t           *list = json_object_get(maker->root, "expect");
	size_t                  index;
	json_t                 *value;

	if (!json_is_array(list))
		fail(maker->path, "expect:", "an array wanted");
	witness->expected = arena_array(
	    maker->arena, json_array_size(list) + 1, sizeof(*witness->expected));
	json_array_foreach ((json_t *)list, index, value) {
		struct support_expected *expected =
		    &witness->expected[witness->expected_count++];

		expected->code = copy_text(maker, value, "code");
		expected->region = copy_text(maker, value, "region");
		expected->severity = copy_text(maker, value, "severity");
		expected->evidence = copy_text(maker, value, "evidence");
		expected->fix = copy_text(maker, value, "fix");
		make_folds(maker, value, expected);
		if (finding_find(expected->code) == FINDING_COUNT)
			fail(maker->path, "expect: no such code:", expected->code);
	}
}

static void
check_members(const struct maker *maker)
{
	static const char known[] =
	    " title document endpoints zones plinks every seen swept "
	    "gateway direct thin feed outside expect places vnet "
	    "state named mongodb cassandra gremlin table apis modes given ";
	const char *name;
	json_t     *value;

	json_object_foreach (maker->root, name, value) {
		if (strstr(known, arena_printf(maker->arena, " %s ", name)) == NULL)
			fail(maker->path, "no such member:", name);
	}
}

struct support_witness *
support_witness_parse(struct arena *arena, const char *text, const char *name, bool rest)
{
	struct maker maker = { arena, name, NULL, arena_alloc(arena, sizeof(*maker.witness)),
		rest };
	struct err   err;

	maker.root = json_read(text, strlen(text), name, &err);
	if (maker.root == NULL)
		fail(name, "cannot be read:", err.text);
	check_members(&maker);
	maker.witness->title = copy_text(&maker, maker.root, "title");
	maker.witness->state = copy_text(&maker, maker.root, "state");
	make_account(&maker);
	make_more_documents(&maker);
	make_vnet(&maker);
	if (json_object_get(maker.root, "given") != NULL)
		maker.witness->account->given = copy_text(&maker, maker.root, "given");
	make_seen(&maker);
	make_wanted(&maker);
	make_expected(&maker);
	make_places(&maker);
	json_decref(maker.root);
	return maker.witness;
}

static struct support_witness *
read_file(struct arena *arena, const char *path, bool rest)
{
	size_t     count;
	struct err err;
	char      *bytes = file_read(arena, path, WITNESS_MAX, &count, &err);

	if (bytes == NULL)
		fail(path, "cannot be read:", err.text);
	return support_witness_parse(arena, arena_strndup(arena, bytes, count), path, rest);
}

struct support_witness *
support_witness_read(struct arena *arena, const char *path)
{
	return read_file(arena, path, false);
}

struct support_witness *
support_witness_read_rest(struct arena *arena, const char *path)
{
	return read_file(arena, path, true);
}

size_t
support_witness_walk(const char *folder, void (*see)(const char *path))
{
	struct arena  *arena = arena_new();
	DIR           *dir = opendir(folder);
	struct dirent *entry;
	size_t         count = 0;

	if (dir == NULL)
		fail(folder, "cannot be", "read");
	while ((entry = readdir(dir)) != NULL) {
		const char *path = arena_printf(arena, "%s/%s", folder, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		if (strstr(entry->d_name, ".json") != NULL) {
			see(path);
			count++;
		} else {
			count += support_witness_walk(path, see);
		}
	}
	closedir(dir);
	arena_free(arena);
	return count;
}

struct verdict *
support_witness_judge(struct arena *arena, const struct support_witness *witness)
{
	const struct judge_ask ask = { witness->account, witness->has_document,
		(const struct measurement *const *)witness->seen, witness->seen_count,
		witness->endpoints, witness->wanted, witness->zones, witness->plinks,
		&witness->vnet, NULL, 0 };

	/* The verdict borrows from the ask only until it is made, but for what it points at. */
	return judge_run(arena, &ask);
}
