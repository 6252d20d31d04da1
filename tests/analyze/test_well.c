/* An account that is well gives no finding, in whatever form it comes: regions, APIs, clouds, which
 * documents there are and in which shape, modes, resolvers. The forms are made here, and judged one
 * by one; what they are made of is a witness (tests/support/support_witness.h). */
#include "analyze/judge.h"

#include "analyze/region.h"
#include "analyze/support.h"
#include "tests/support/support_verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Each has what those before it have. */
enum documents { NO_DOCUMENT, ACCOUNT, ENDPOINTS, ZONES, ALL_DOCUMENTS, DOCUMENTS_COUNT };

static const char *const documents_words[] = { "no document", "account", "endpoints", "zones",
	"all documents" };

enum modes {
	MODES_GATEWAY,
	MODES_SIGNED, /* the gateways were asked with a credential */
	MODES_DIRECT, /* and Direct mode, of which they told */
	MODES_DIRECT_ALONE,
	MODES_ALL, /* and Gateway V2 */
	MODES_COUNT
};

static const char *const modes_words[] = { "gateway", "signed", "direct", "direct alone",
	"all modes" };

/* Changes to what resolvers answered, beside the one that is asked for A and AAAA over UDP. */
static const struct {
	const char *words;
	const char *dns; /* elements of the array */
} resolvers[] = {
	{ "one resolver", "{}" },
	{ "three resolvers", "{}, {\"resolver\": \"10.0.0.3\"}, {\"resolver\": \"fd00::53\"}" },
	{ "no IPv6", "{\"aaaa_outcome\": \"not-run\"}" },
	{ "over TCP", "{\"transport\": \"tcp\"}" },
	{ "Azure's alone", "{\"resolver\": \"168.63.129.16\"}" },
	{ "Azure's beside, and the system",
	    "{}, {\"resolver\": \"168.63.129.16\", \"source\": \"azure\"}, "
	    "{\"resolver\": \"system\", \"source\": \"system\", \"hops\": []}" },
};

enum { RESOLVERS_COUNT = sizeof(resolvers) / sizeof(resolvers[0]) };

enum { REGIONS_MAX = 10 };

/* What a document says of an API, and what measures it in a witness. */
static const struct {
	const char *type, *capability;
} apis[API_COUNT] = {
	[API_SQL] = { "Sql", "" },
	[API_MONGO] = { "MongoDB", "" },
	[API_CASSANDRA] = { "Cassandra", "EnableCassandra" },
	[API_GREMLIN] = { "Gremlin", "EnableGremlin" },
	[API_TABLE] = { "Table", "EnableTable" },
};

#define BIT(api) (1u << (api))

enum {
	SQL = BIT(API_SQL),
	MONGO = BIT(API_MONGO),
	CASSANDRA = BIT(API_CASSANDRA),
	GREMLIN = BIT(API_GREMLIN) | SQL, /* which such an account has too */
	TABLE = BIT(API_TABLE) | SQL,
	ALL = (1 << API_COUNT) - 1
};

static const unsigned api_sets[] = { SQL, MONGO, CASSANDRA, GREMLIN, TABLE, SQL | MONGO,
	SQL | CASSANDRA, GREMLIN | TABLE, ALL };

enum { API_SETS_COUNT = sizeof(api_sets) / sizeof(api_sets[0]) };

struct form {
	enum cloud     cloud;
	const char    *suffix; /* of NoSQL */
	size_t         regions;
	bool           multi_write;
	unsigned       apis;
	enum documents documents;
	enum modes     modes;
	size_t         resolvers;
	bool           swept;
	bool           rest;
};

/* Text that grows. */
struct text {
	struct arena *arena;
	const char   *text;
};

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	char    piece[4096];
	va_list args;

	va_start(args, format);
	assert_in_range(vsnprintf(piece, sizeof(piece), format, args), 0, sizeof(piece) - 1);
	va_end(args);
	text->text = arena_printf(text->arena, "%s%s", text->text, piece);
}

/* A comma, but before the first. */
static const char *
comma(bool first)
{
	return first ? "" : ", ";
}

/* One of the cloud's, which are as many at least. */
static const struct region *
region_of(const struct form *form, size_t number)
{
	const struct region *region = region_table;

	for (; region->label != NULL; region++) {
		if (region->cloud == form->cloud && !region->hidden && number-- == 0)
			break;
	}
	assert_non_null(region->label);
	return region;
}

/* Of the account's own name when number is 0. */
static const char *
host_of(struct arena *arena, const struct form *form, enum api api, size_t number)
{
	return support_host(arena, "contoso", support_service_of_api(api),
	    number == 0 ? "" : region_of(form, number - 1)->label, form->suffix);
}

static bool
is_first_api(const struct form *form, enum api api)
{
	return (form->apis & (BIT(api) - 1)) == 0;
}

static bool
serves(const struct form *form, unsigned api)
{
	return (form->apis & BIT(api)) != 0;
}

static void
add_locations(struct text *text, const struct form *form)
{
	add(text, "\"locations\": [");
	for (size_t i = 0; i < form->regions; i++)
		add(text,
		    "%s{\"id\": \"contoso-%s\", \"locationName\": \"%s\", "
		    "\"failoverPriority\": "
		    "%zu, \"documentEndpoint\": \"https://%s:443/\"}",
		    comma(i == 0), region_of(form, i)->label, region_of(form, i)->name, i,
		    host_of(text->arena, form, API_SQL, i + 1));
	add(text, "]");
}

static void
add_api_members(struct text *text, const struct form *form)
{
	bool first = true;

	add(text, ", \"kind\": \"%s\", \"apiProperties\": {\"serverVersion\": \"4.2\"}",
	    form->apis == MONGO ? "MongoDB" : "GlobalDocumentDB");
	add(text, ", \"EnabledApiTypes\": \"");
	for (unsigned api = 0; api < API_COUNT; api++) {
		if (serves(form, api))
			add(text, "%s%s", comma(is_first_api(form, (enum api)api)),
			    apis[api].type);
	}
	add(text, "\", \"capabilities\": [");
	for (unsigned api = 0; api < API_COUNT; api++) {
		if (!serves(form, api) || *apis[api].capability == '\0')
			continue;
		add(text, "%s{\"name\": \"%s\"}", comma(first), apis[api].capability);
		first = false;
	}
	add(text, "], \"privateEndpointConnections\": [");
	for (unsigned api = 0; api < API_COUNT; api++) {
		if (serves(form, api))
			add(text,
			    "%s{\"name\": \"pe-%s\", \"groupId\": \"%s\", \"privateEndpoint\": "
			    "{\"id\": \"/pe-%s\"}}",
			    comma(is_first_api(form, (enum api)api)), api_name(api),
			    support_group(support_service_of_api(api)), api_name(api));
	}
	add(text, "]");
}

static void
add_account(struct text *text, const struct form *form)
{
	if (form->documents == NO_DOCUMENT) {
		add(text, "\"document\": null, \"named\": \"%s\"",
		    host_of(text->arena, form, API_SQL, 0));
		return;
	}
	add(text, "\"document\": {\"documentEndpoint\": \"https://%s:443/\", ",
	    host_of(text->arena, form, API_SQL, 0));
	add(text, "\"enableMultipleWriteLocations\": %s, ",
	    form->multi_write ? "true" : "false");
	add_locations(text, form);
	add_api_members(text, form);
	add(text, "}");
}

static const char *
guid_of(struct arena *arena, unsigned api)
{
	return arena_printf(arena, "00000000-0000-0000-0000-00000000000%u", api);
}

static void
add_endpoints(struct text *text, const struct form *form)
{
	add(text, ", \"endpoints\": [");
	for (unsigned api = 0; api < API_COUNT; api++) {
		if (!serves(form, api))
			continue;
		add(text,
		    "%s{\"id\": \"/pe-%s\", \"name\": \"pe-%s\", \"resourceGuid\": \"%s\", "
		    "\"privateLinkServiceConnections\": [{\"groupIds\": [\"%s\"]}], "
		    "\"customDnsConfigs\": [",
		    comma(is_first_api(form, (enum api)api)), api_name(api), api_name(api),
		    guid_of(text->arena, api), support_group(support_service_of_api(api)));
		for (size_t i = 0; i <= form->regions; i++)
			add(text, "%s{\"fqdn\": \"%s\", \"ipAddresses\": [\"10.1.%u.%zu\"]}",
			    comma(i == 0), host_of(text->arena, form, (enum api)api, i), api,
			    4 + i);
		add(text, "]}");
	}
	add(text, "]");
}

static void
add_zone(struct text *text, const struct form *form, enum api api)
{
	const char *zone = support_zone(text->arena, support_service_of_api(api), form->suffix);
	const char *id = arena_printf(text->arena,
	    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/%s",
	    zone);

	add(text,
	    "%s{\"id\": \"%s\", \"name\": \"%s\", \"type\": "
	    "\"Microsoft.Network/privateDnsZones\", \"numberOfRecordSets\": %zu, "
	    "\"numberOfVirtualNetworkLinks\": 1}",
	    comma(is_first_api(form, api)), id, zone, form->regions + 2);
	for (size_t i = 0; i <= form->regions; i++) {
		const char *host = host_of(text->arena, form, api, i);
		int         length = (int)strcspn(host, ".");

		add(text,
		    ", {\"id\": \"%s/A/%.*s\", \"name\": \"%.*s\", \"type\": "
		    "\"Microsoft.Network/privateDnsZones/A\", \"fqdn\": \"%.*s.%s.\", \"ttl\": "
		    "10, "
		    "\"metadata\": {\"creator\": \"created by private endpoint pe-%s with "
		    "resource guid %s\"}, \"aRecords\": [{\"ipv4Address\": \"10.1.%u.%zu\"}]",
		    id, length, host, length, host, length, host, zone, api_name(api),
		    guid_of(text->arena, api), api, 4 + i);
		/* Of the element that it changes, when that is another kind of document. */
		add(text,
		    ", \"numberOfRecordSets\": null, \"numberOfVirtualNetworkLinks\": null, "
		    "\"resolutionPolicy\": null, \"virtualNetwork\": null}");
	}
	add(text,
	    ", {\"id\": \"%s/virtualNetworkLinks/to-vnet-a\", \"name\": \"to-vnet-a\", "
	    "\"type\": "
	    "\"Microsoft.Network/privateDnsZones/virtualNetworkLinks\", \"resolutionPolicy\": "
	    "\"Default\", \"virtualNetwork\": {\"id\": \"/vnet-a\"}, \"fqdn\": null, \"ttl\": "
	    "null, \"metadata\": null, \"aRecords\": null}",
	    id);
}

static void
add_zones(struct text *text, const struct form *form)
{
	add(text, ", \"zones\": [");
	for (unsigned api = 0; api < API_COUNT; api++) {
		if (serves(form, api))
			add_zone(text, form, (enum api)api);
	}
	add(text, "]");
}

static void
add_required(struct text *text, const struct form *form)
{
	add(text, ", \"plinks\": [");
	for (unsigned api = 0; api < API_COUNT; api++) {
		const char *group = support_group(support_service_of_api(api));

		if (!serves(form, api))
			continue;
		add(text,
		    "%s{\"id\": \"/subscriptions/s/resourceGroups/rg/providers/"
		    "Microsoft.DocumentDB/databaseAccounts/contoso/privateLinkResources/%s\", "
		    "\"name\": \"%s\", \"groupId\": \"%s\", \"requiredZoneNames\": [\"%s\"], "
		    "\"requiredMembers\": [\"contoso\"",
		    comma(is_first_api(form, (enum api)api)), group, group, group,
		    support_zone(text->arena, support_service_of_api(api), form->suffix));
		for (size_t i = 0; i < form->regions; i++)
			add(text, ", \"contoso-%s\"", region_of(form, i)->label);
		add(text, "]}");
	}
	add(text, "]");
}

static void
add_feed(struct text *text, const struct form *form)
{
	add(text, ", \"feed\": {\"regions\": [");
	for (size_t i = 0; i < form->regions; i++)
		add(text, "%s{\"writable\": %s}", comma(i == 0),
		    i == 0 || form->multi_write ? "true" : "false");
	add(text, "]}");
}

/* Without a document the regions that exist are swept names. */
static void
add_seen_without_document(struct text *text, const struct form *form)
{
	add(text, ", \"seen\": {\"\": {\"dns\": [%s]}", resolvers[form->resolvers].dns);
	for (size_t i = 0; i < form->regions; i++)
		add(text, ", \"%s\": {\"as\": \"well\", \"dns\": [%s]}",
		    region_of(form, i)->label, resolvers[form->resolvers].dns);
	add(text, "}");
}

static void
add_seen(struct text *text, const struct form *form)
{
	const char *dns = resolvers[form->resolvers].dns;

	if (!serves(form, API_SQL) || form->modes == MODES_DIRECT_ALONE)
		add(text, ", \"gateway\": false");
	else if (form->documents == NO_DOCUMENT)
		add_seen_without_document(text, form);
	else
		add(text, ", \"every\": {\"dns\": [%s]}", dns);
	for (unsigned api = API_SQL + 1; api < API_COUNT; api++) {
		if (serves(form, api))
			add(text, ", \"%s\": {\"*\": {\"dns\": [%s]}}", api_name(api), dns);
	}
	if (!serves(form, API_SQL))
		return;
	if (form->modes >= MODES_SIGNED && form->documents != NO_DOCUMENT)
		add_feed(text, form);
	if (form->modes >= MODES_DIRECT)
		add(text, ", \"direct\": {\"*\": {\"dns\": [%s]}}", dns);
	if (form->modes == MODES_ALL)
		add(text, ", \"thin\": {\"*\": {\"dns\": [%s]}}", dns);
}

static const char *
write_form(struct arena *arena, const struct form *form)
{
	struct text text = { arena, "{" };

	add_account(&text, form);
	if (form->documents >= ENDPOINTS)
		add_endpoints(&text, form);
	if (form->documents >= ZONES)
		add_zones(&text, form);
	if (form->documents >= ALL_DOCUMENTS)
		add_required(&text, form);
	add_seen(&text, form);
	if (form->swept)
		add(&text, ", \"swept\": true");
	add(&text, ", \"state\": \"ok\", \"expect\": []}");
	return text.text;
}

static const char *
name_form(struct arena *arena, const struct form *form)
{
	return arena_printf(arena, "%s, %zu regions%s, APIs %x, %s, %s, %s%s%s", form->suffix,
	    form->regions, form->multi_write ? " that all write" : "", form->apis,
	    documents_words[form->documents], modes_words[form->modes],
	    resolvers[form->resolvers].words, form->swept ? ", swept" : "",
	    form->rest ? ", REST" : "");
}

/* Each name, in each mode and API that was measured, is a place that is ok. */
static void
assert_all_ok(const char *name, const struct form *form, const struct verdict *verdict)
{
	size_t sql = 0, others = 0;

	for (unsigned api = 1; api < API_COUNT; api++)
		others += serves(form, api) ? form->regions + 1 : 0;
	if (serves(form, API_SQL)) {
		sql += form->modes == MODES_DIRECT_ALONE ? 0 : form->regions + 1;
		sql += form->modes >= MODES_DIRECT ? form->regions : 0;
		sql += form->modes == MODES_ALL ? form->regions : 0;
	}
	if (verdict->place_count != sql + others)
		fail_msg("%s: %zu places, want %zu", name, verdict->place_count, sql + others);
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (place->state != STATE_OK)
			fail_msg("%s: %s is %s: %s", name, place->target->host,
			    state_name(place->state), place->words);
	}
}

static void
assert_well(const struct form *form)
{
	struct arena           *arena = arena_new();
	const char             *name = name_form(arena, form);
	struct support_witness *witness = support_witness_parse(
	    arena, write_form(arena, form), name, form->rest);
	struct verdict *verdict = support_witness_judge(arena, witness);
	const char     *words = support_verdict_differs(arena, witness, verdict);

	if (words != NULL)
		fail_msg("%s: %s", name, words);
	assert_all_ok(name, form, verdict);
	arena_free(arena);
}

static const struct form plain = {
	.suffix = "documents.azure.com", .regions = 2, .apis = SQL, .documents = ACCOUNT
};

/* What there is of regions, documents, modes and shapes, of NoSQL. */
static void
test_regions_documents_modes(void **state)
{
	static const size_t counts[] = { 1, 2, REGIONS_MAX };

	for (unsigned at = 0; at < 3 * 2 * DOCUMENTS_COUNT * MODES_COUNT * 2; at++) {
		struct form form = plain;
		unsigned    rest = at;

		form.regions = counts[rest % 3];
		form.multi_write = (rest /= 3) % 2 == 1;
		form.documents = (enum documents)((rest /= 2) % DOCUMENTS_COUNT);
		form.modes = (enum modes)((rest /= DOCUMENTS_COUNT) % MODES_COUNT);
		form.rest = (rest / MODES_COUNT) % 2 == 1;
		/* Without a document other modes are of the account's own name. */
		if (form.documents != NO_DOCUMENT || form.modes == MODES_GATEWAY)
			assert_well(&form);
	}
}

static void
test_apis(void **state)
{
	for (unsigned at = 0; at < API_SETS_COUNT * DOCUMENTS_COUNT * 2 * 2; at++) {
		struct form form = plain;
		unsigned    rest = at;

		form.apis = api_sets[rest % API_SETS_COUNT];
		form.documents = (enum documents)((rest /= API_SETS_COUNT) % DOCUMENTS_COUNT);
		form.regions = (rest /= DOCUMENTS_COUNT) % 2 == 1 ? 3 : 1;
		form.rest = (rest / 2) % 2 == 1;
		if (form.documents != NO_DOCUMENT)
			assert_well(&form);
	}
}

/* The suffix of NoSQL in the cloud: where it is not public, any that a document may tell; NULL:
 * there are no accounts any more. */
static const char *
find_suffix(struct arena *arena, enum cloud cloud)
{
	for (const struct support_suffix *row = support_suffixes; row->suffix != NULL; row++) {
		if (row->cloud == cloud && row->service == SUPPORT_SQL)
			return row->suffix;
	}
	return support_clouds[cloud].standing == SUPPORT_CLOSED
	    ? NULL
	    : arena_printf(arena, "documents.%s.example", support_clouds[cloud].word);
}

static void
test_clouds(void **state)
{
	struct arena *arena = arena_new();

	for (unsigned at = 0; at < CLOUD_COUNT * API_SETS_COUNT * DOCUMENTS_COUNT; at++) {
		enum cloud  cloud = (enum cloud)(at % CLOUD_COUNT);
		struct form form = plain;

		form.cloud = cloud;
		form.suffix = find_suffix(arena, cloud);
		form.apis = api_sets[at / CLOUD_COUNT % API_SETS_COUNT];
		form.documents = (enum documents)(at / CLOUD_COUNT / API_SETS_COUNT);
		/* A name alone tells no suffix that is not public, and no API but its own. */
		if (form.suffix == NULL ||
		    (form.documents == NO_DOCUMENT &&
		        (form.apis != SQL || support_clouds[cloud].standing != SUPPORT_OPEN)))
			continue;
		form.modes = serves(&form, API_SQL) && form.documents != NO_DOCUMENT
		    ? MODES_ALL
		    : MODES_GATEWAY;
		form.swept = support_clouds[cloud].standing == SUPPORT_OPEN;
		assert_well(&form);
	}
	arena_free(arena);
}

static void
test_resolvers(void **state)
{
	for (unsigned at = 0; at < RESOLVERS_COUNT * DOCUMENTS_COUNT * API_SETS_COUNT; at++) {
		struct form form = plain;

		form.resolvers = at % RESOLVERS_COUNT;
		form.documents = (enum documents)(at / RESOLVERS_COUNT % DOCUMENTS_COUNT);
		form.apis = api_sets[at / RESOLVERS_COUNT / DOCUMENTS_COUNT];
		form.modes = serves(&form, API_SQL) && form.documents != NO_DOCUMENT
		    ? MODES_ALL
		    : MODES_GATEWAY;
		if (form.documents != NO_DOCUMENT || form.apis == SQL)
			assert_well(&form);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_regions_documents_modes),
		cmocka_unit_test(test_apis),
		cmocka_unit_test(test_clouds),
		cmocka_unit_test(test_resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
