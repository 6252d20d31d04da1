#include "analyze/account.h"

#include "analyze/account_apis.h"
#include "analyze/arm.h"
#include "analyze/region.h"
#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_MAX = 64, CONNECTIONS_MAX = 256 };

/* The label of a location: its id is "<account>-<label>", a copy that needs no rule; else the
 * rule on its display name. */
static const char *
find_label(const struct arm_reader *in, const struct account *account, const char *id,
    const char *name)
{
	size_t count = strlen(account->name);
	char   label[LABEL_MAX];

	if (text_starts_nocase(id, account->name) && id[count] == '-' && id[count + 1] != '\0')
		region_label(id + count + 1, label, sizeof(label));
	else
		region_label(name, label, sizeof(label));
	return arena_strdup(in->arena, label);
}

static bool
is_label(const char *label)
{
	size_t count = strlen(label);

	return count > 0 && count < LABEL_MAX - 1 &&
	    strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-") == count;
}

static bool
read_priority(const struct arm_reader *in, const struct arm_spot *at, int *priority)
{
	const json_t *value = arm_member(at, "failoverPriority");

	*priority = -1;
	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > ACCOUNT_LOCATIONS_MAX)
		return arm_refuse(
		    in, at->path, "failoverPriority", "a number from 0 on wanted");
	*priority = (int)json_integer_value(value);
	return true;
}

static bool
read_location(const struct arm_reader *in, const struct arm_spot *at,
    const struct account *account, struct location *location)
{
	const char *id;

	if (!json_is_object(at->value))
		return arm_refuse(in, at->path, "", "an object wanted");
	if (!arm_text(in, at, "locationName", &location->name) ||
	    !arm_text(in, at, "id", &id) ||
	    !arm_text(in, at, "provisioningState", &location->provisioning_state) ||
	    !arm_endpoint(in, at, "documentEndpoint", &location->host, &location->port) ||
	    !read_priority(in, at, &location->failover_priority))
		return false;
	location->label = find_label(in, account, id, location->name);
	if (!is_label(location->label))
		return arm_refuse(in, at->path, "locationName",
		    "the name of a region wanted, such as \"West Europe\"");
	if (*location->name == '\0' || strcmp(location->name, location->label) == 0)
		location->name = region_name(location->label);
	/* No endpoint, or a state other than Succeeded: the region comes or goes. */
	location->pending = *location->host == '\0' ||
	    (*location->provisioning_state != '\0' &&
	        !text_equal_nocase(location->provisioning_state, "Succeeded"));
	if (*location->host == '\0')
		location->port = account->port;
	return true;
}

static int
compare_locations(const void *left, const void *right)
{
	const struct location *a = left, *b = right;
	unsigned               first = (unsigned)a->failover_priority; /* -1 comes last */
	unsigned               second = (unsigned)b->failover_priority;

	if (first != second)
		return first < second ? -1 : 1;
	return strcmp(a->label, b->label);
}

static bool
is_known_label(const struct account *account, const char *label)
{
	for (size_t i = 0; i < account->location_count; i++) {
		if (strcmp(account->locations[i].label, label) == 0)
			return true;
	}
	return false;
}

static bool
read_location_array(const struct arm_reader *in, const char *path, const char *member,
    const json_t *array, struct account *account, bool merge)
{
	size_t  index;
	json_t *value;

	json_array_foreach ((json_t *)array, index, value) {
		struct location *location = &account->locations[account->location_count];
		struct arm_spot  at = arm_element(in, path, member, index, value);

		if (account->location_count == ACCOUNT_LOCATIONS_MAX)
			return arm_refuse(in, path, member, "more than 128 regions");
		if (!read_location(in, &at, account, location))
			return false;
		if (!is_known_label(account, location->label))
			account->location_count++;
		else if (!merge)
			return arm_refuse(in, at.path, "locationName",
			    arena_printf(
			        in->arena, "region '%s' is there twice", location->label));
	}
	return true;
}

/* `locations` holds all regions; where it is missing, the union of the two lists does. */
static bool
read_locations(const struct arm_reader *in, const struct arm_spot *at, struct account *account)
{
	static const char *const halves[] = { "writeLocations", "readLocations" };
	const json_t            *array;

	account->locations = arena_array(
	    in->arena, ACCOUNT_LOCATIONS_MAX + 1, sizeof(struct location));
	if (!arm_array(in, at, "locations", &array))
		return false;
	if (array != NULL &&
	    !read_location_array(in, at->path, "locations", array, account, false))
		return false;
	for (size_t i = 0; array == NULL && i < 2; i++) {
		const json_t *half;

		if (!arm_array(in, at, halves[i], &half))
			return false;
		if (half != NULL &&
		    !read_location_array(in, at->path, halves[i], half, account, true))
			return false;
	}
	if (account->location_count == 0)
		return arm_refuse(in, at->path, "locations",
		    "at least one region wanted; is this the whole of `az cosmosdb show`?");
	qsort(account->locations, account->location_count, sizeof(struct location),
	    compare_locations);
	return true;
}

static bool
read_connections(
    const struct arm_reader *in, const struct arm_spot *at, struct account *account)
{
	static const char member[] = "privateEndpointConnections";
	const json_t     *array;
	size_t            index;
	json_t           *value;

	if (!arm_array(in, at, member, &array))
		return false;
	if (json_array_size(array) > CONNECTIONS_MAX)
		return arm_refuse(in, at->path, member, "more than 256 connections");
	account->connections = arena_array(
	    in->arena, json_array_size(array) + 1, sizeof(struct connection));
	json_array_foreach ((json_t *)array, index, value) {
		struct arm_spot below = arm_element(in, at->path, member, index, value);

		if (!plink_read_connection(
		        in, &below, &account->connections[account->connection_count++]))
			return false;
	}
	return true;
}

/* Tells people who gave the wrong document which one they gave. */
static bool
check_type(const struct arm_reader *in, const struct arm_spot *at)
{
	const char *type;

	if (!json_is_object(at->value))
		return arm_refuse(
		    in, at->path, "", "an account wanted, as `az cosmosdb show` prints it");
	if (!arm_text(in, at, "type", &type))
		return false;
	if (*type != '\0' &&
	    !text_equal_nocase(type, "Microsoft.DocumentDB/databaseAccounts") &&
	    !text_equal_nocase(type, "Microsoft.AzureCosmosDB/databaseAccounts"))
		return arm_refuse(in, at->path, "type",
		    arena_printf(in->arena,
		        "'%s' is not a Cosmos DB account; `az cosmosdb show` wanted", type));
	if (arm_member(at, "documentEndpoint") == NULL && arm_member(at, "locations") == NULL)
		return arm_refuse(in, at->path, "documentEndpoint",
		    "missing: this is not an account; `az cosmosdb show` wanted");
	return true;
}

static bool
read_head(const struct arm_reader *in, const struct arm_spot *at, struct account *account)
{
	const char *name;

	if (!arm_text(in, at, "id", &account->id) || !arm_text(in, at, "name", &name) ||
	    !arm_text(in, at, "kind", &account->kind) ||
	    !arm_text(in, at, "provisioningState", &account->provisioning_state) ||
	    !arm_text(in, at, "publicNetworkAccess", &account->public_network_access) ||
	    !arm_endpoint(in, at, "documentEndpoint", &account->host, &account->port))
		return false;
	if (*name == '\0')
		name = arm_name(account->id);
	account->name = arm_lower(in->arena, name, strlen(name));
	if (!account_name_is(account->name))
		return arm_refuse(in, at->path, "name",
		    "an account name wanted: 3 to 50 of a-z, 0-9 and '-'");
	if (*account->host == '\0')
		return arm_refuse(in, at->path, "documentEndpoint",
		    "missing: 'https://<account>.documents.azure.com:443/' wanted");
	return true;
}

/* Rules by address and by subnet; older documents have one text for the former. */
static bool
read_rules(const struct arm_reader *in, const struct arm_spot *at, struct account *account)
{
	const json_t *addresses, *subnets;
	const char   *filter;

	if (!arm_array(in, at, "ipRules", &addresses) ||
	    !arm_array(in, at, "virtualNetworkRules", &subnets) ||
	    !arm_text(in, at, "ipRangeFilter", &filter))
		return false;
	account->ruleless = addresses != NULL && json_array_size(addresses) == 0 &&
	    subnets != NULL && json_array_size(subnets) == 0 && *filter == '\0';
	return true;
}

static struct account *
read_account(const struct arm_reader *in, const struct arm_spot *at)
{
	struct account *account = arena_alloc(in->arena, sizeof(*account));

	if (!check_type(in, at) || !read_head(in, at, account) ||
	    !account_apis_read(in, at, account) || !read_locations(in, at, account) ||
	    !read_connections(in, at, account) || !read_rules(in, at, account))
		return NULL;
	account->multi_write = json_is_true(arm_member(at, "enableMultipleWriteLocations"));
	account->automatic_failover = json_is_true(arm_member(at, "enableAutomaticFailover"));
	/* Not from a table: so it is right in every cloud. */
	account->suffix = strchr(account->host, '.') + 1;
	account->zone = arena_printf(in->arena, "privatelink.%s", account->suffix);
	account->source = arena_strdup(in->arena, in->source);
	account->warning = account->given = "";
	return account;
}

static bool
is_listed(const struct account_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->accounts[i]->name, name) == 0)
			return true;
	}
	return false;
}

static bool
read_element(const struct arm_reader *in, const struct arm_spot *at, struct account_list *list)
{
	struct account *account;

	if (endpoint_is_document(at)) {
		struct private_endpoint *endpoint = endpoint_parse(in, at);

		list->endpoints.endpoints[list->endpoints.count++] = endpoint;
		return endpoint != NULL;
	}
	if (zone_is_document(at)) {
		struct zone *zone = zone_parse(in, at);

		list->zones.zones[list->zones.count++] = zone;
		return zone != NULL;
	}
	if (plink_is_document(at))
		return plink_parse(in, at, &list->plinks);
	account = read_account(in, at);
	if (account == NULL)
		return false;
	if (is_listed(list, account->name))
		return arm_refuse(in, at->path, "name",
		    arena_printf(in->arena, "account '%s' is there twice", account->name));
	list->accounts[list->count++] = account;
	return true;
}

static struct account_list *
new_list(struct arena *arena, size_t room)
{
	struct account_list *list = arena_alloc(arena, sizeof(*list));

	list->accounts = arena_array(arena, room + 1, sizeof(void *));
	list->endpoints.endpoints = arena_array(arena, room + 1, sizeof(void *));
	list->zones.zones = arena_array(arena, room + 1, sizeof(void *));
	list->plinks.resources = arena_array(arena, room + 1, sizeof(void *));
	list->plinks.connections = arena_array(
	    arena, room + 1, sizeof(struct plink_connection));
	return list;
}

static struct account_list *
read_list(const struct arm_reader *in, const json_t *array, const char *path)
{
	struct account_list *list = new_list(in->arena, json_array_size(array));
	size_t               index;
	json_t              *value;

	if (json_array_size(array) == 0 &&
	    !arm_refuse(in, path, "", "the list is empty; at least one account wanted"))
		return NULL;
	json_array_foreach ((json_t *)array, index, value) {
		struct arm_spot at = arm_element(in, path, "", index, value);

		if (!read_element(in, &at, list))
			return NULL;
	}
	return list;
}

static struct account_list *
read_single(const struct arm_reader *in, const json_t *value)
{
	struct account_list *list = new_list(in->arena, 1);
	struct arm_spot      at = { "", value };

	return read_element(in, &at, list) ? list : NULL;
}

struct account_list *
account_parse(
    struct arena *arena, const char *bytes, size_t count, const char *source, struct err *err)
{
	struct arm_reader    in = { arena, source, err };
	json_t              *root = json_read(bytes, count, source, err);
	const json_t        *value = json_object_get(root, "value");
	struct account_list *list;

	if (root == NULL)
		return NULL;
	if (json_is_array(root))
		list = read_list(&in, root, "");
	else if (json_is_array(value))
		list = read_list(&in, value, "value");
	else
		list = read_single(&in, root);
	json_decref(root);
	return list;
}
