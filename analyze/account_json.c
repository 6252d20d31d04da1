#include "analyze/account.h"

#include "analyze/region.h"
#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 512, LABEL_MAX = 64, CONNECTIONS_MAX = 256 };

/* What a reader of one document carries along. */
struct reader {
	struct arena *arena;
	const char   *source;
	struct err   *err;
};

/* Where in the document we are, for errors: "value[1].locations[0]". */
struct spot {
	const char   *path;
	const json_t *value;
};

static bool
refuse(const struct reader *in, const char *path, const char *member, const char *wanted)
{
	const char *dot = *path != '\0' && *member != '\0' ? "." : "";
	const char *colon = *path != '\0' || *member != '\0' ? ": " : "";

	return err_set(
	    in->err, ERR_PARSE, "%s: %s%s%s%s%s", in->source, path, dot, member, colon, wanted);
}

/* The member as the REST answer has it, below `properties`, or as the flattened `az` has it.
 * NULL when it is absent or null [cosmos-account]. */
static const json_t *
find_member(const struct spot *at, const char *member)
{
	const json_t *below = json_object_get(at->value, "properties");
	const json_t *value = json_object_get(below, member);

	if (value == NULL || json_is_null(value))
		value = json_object_get(at->value, member);
	return value == NULL || json_is_null(value) ? NULL : value;
}

/* Sets *text to the member, "" when it is absent. */
static bool
read_text(const struct reader *in, const struct spot *at, const char *member, const char **text)
{
	const json_t *value = find_member(at, member);

	*text = "";
	if (value == NULL)
		return true;
	if (!json_is_string(value))
		return refuse(in, at->path, member, "a text wanted");
	*text = text_sane(
	    in->arena, json_string_value(value), json_string_length(value), TEXT_MAX);
	return true;
}

static bool
read_array(
    const struct reader *in, const struct spot *at, const char *member, const json_t **array)
{
	*array = find_member(at, member);
	if (*array != NULL && !json_is_array(*array))
		return refuse(in, at->path, member, "an array wanted");
	return true;
}

static char *
copy_lower(struct arena *arena, const char *text, size_t count)
{
	char *copy = arena_strndup(arena, text, count);

	for (char *c = copy; *c != '\0'; c++)
		*c = text_lower(*c);
	return copy;
}

/* Letters, digits, '-' and '.', no empty label, at least one dot [rfc1034 3.5]. */
static bool
is_host(const char *host)
{
	size_t count = strlen(host), label = 0, dots = 0;

	if (count == 0 || count > 253)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (host[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			dots++;
		} else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-", host[i]) == NULL ||
		    ++label > 63) {
			return false;
		}
	}
	return label > 0 && dots > 0;
}

static bool
read_port(const char *text, uint16_t *port)
{
	char         *end;
	unsigned long number = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || number < 1 || number > 65535 ||
	    (*end != '\0' && *end != '/'))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* "https://host[:port][/...]" of member documentEndpoint; host "" when the member is absent. */
static bool
read_endpoint(const struct reader *in, const struct spot *at, const char **host, uint16_t *port)
{
	static const char scheme[] = "https://";
	const char       *text, *begin;
	size_t            count;

	if (!read_text(in, at, "documentEndpoint", &text))
		return false;
	*host = "";
	*port = ACCOUNT_PORT;
	if (*text == '\0')
		return true;
	begin = text + strlen(scheme);
	if (!text_starts_nocase(text, scheme))
		return refuse(in, at->path, "documentEndpoint",
		    arena_printf(in->arena, "'%s': 'https://host:port/' wanted", text));
	count = strcspn(begin, ":/");
	*host = copy_lower(in->arena, begin, count);
	if (!is_host(*host) || (begin[count] == ':' && !read_port(begin + count + 1, port)))
		return refuse(in, at->path, "documentEndpoint",
		    arena_printf(in->arena, "'%s': 'https://host:port/' wanted", text));
	return true;
}

/* The label of a location: its id is "<account>-<label>", a copy that needs no rule; else the
 * rule on its display name. */
static const char *
find_label(
    const struct reader *in, const struct account *account, const char *id, const char *name)
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
read_priority(const struct reader *in, const struct spot *at, int *priority)
{
	const json_t *value = find_member(at, "failoverPriority");

	*priority = -1;
	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > ACCOUNT_LOCATIONS_MAX)
		return refuse(in, at->path, "failoverPriority", "a number from 0 on wanted");
	*priority = (int)json_integer_value(value);
	return true;
}

static bool
read_location(const struct reader *in, const struct spot *at, const struct account *account,
    struct location *location)
{
	const char *id;

	if (!json_is_object(at->value))
		return refuse(in, at->path, "", "an object wanted");
	if (!read_text(in, at, "locationName", &location->name) ||
	    !read_text(in, at, "id", &id) ||
	    !read_text(in, at, "provisioningState", &location->provisioning_state) ||
	    !read_endpoint(in, at, &location->host, &location->port) ||
	    !read_priority(in, at, &location->failover_priority))
		return false;
	location->label = find_label(in, account, id, location->name);
	if (!is_label(location->label))
		return refuse(in, at->path, "locationName",
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
read_location_array(const struct reader *in, const char *path, const char *member,
    const json_t *array, struct account *account, bool merge)
{
	size_t  index;
	json_t *value;

	json_array_foreach ((json_t *)array, index, value) {
		struct location *location = &account->locations[account->location_count];
		struct spot      at = { arena_printf(in->arena, "%s%s%s[%zu]", path,
                                       *path ? "." : "", member, index),
			     value };

		if (account->location_count == ACCOUNT_LOCATIONS_MAX)
			return refuse(in, path, member, "more than 128 regions");
		if (!read_location(in, &at, account, location))
			return false;
		if (!is_known_label(account, location->label))
			account->location_count++;
		else if (!merge)
			return refuse(in, at.path, "locationName",
			    arena_printf(
			        in->arena, "region '%s' is there twice", location->label));
	}
	return true;
}

/* `locations` holds all regions; where it is missing, the union of the two lists does. */
static bool
read_locations(const struct reader *in, const struct spot *at, struct account *account)
{
	static const char *const halves[] = { "writeLocations", "readLocations" };
	const json_t            *array;

	account->locations = arena_array(
	    in->arena, ACCOUNT_LOCATIONS_MAX + 1, sizeof(struct location));
	if (!read_array(in, at, "locations", &array))
		return false;
	if (array != NULL &&
	    !read_location_array(in, at->path, "locations", array, account, false))
		return false;
	for (size_t i = 0; array == NULL && i < 2; i++) {
		const json_t *half;

		if (!read_array(in, at, halves[i], &half))
			return false;
		if (half != NULL &&
		    !read_location_array(in, at->path, halves[i], half, account, true))
			return false;
	}
	if (account->location_count == 0)
		return refuse(in, at->path, "locations",
		    "at least one region wanted; is this the whole of `az cosmosdb show`?");
	qsort(account->locations, account->location_count, sizeof(struct location),
	    compare_locations);
	return true;
}

/* The resource's own name, behind the last '/' of its id. */
static const char *
last_segment(const char *id)
{
	const char *slash = strrchr(id, '/');

	return slash != NULL ? slash + 1 : id;
}

static bool
read_object(
    const struct reader *in, const struct spot *at, const char *member, struct spot *below)
{
	below->value = find_member(at, member);
	below->path = arena_printf(in->arena, "%s.%s", at->path, member);
	if (below->value != NULL && !json_is_object(below->value))
		return refuse(in, below->path, "", "an object wanted");
	return true;
}

static bool
read_connection(const struct reader *in, const struct spot *at, struct connection *connection)
{
	const char *id;
	struct spot endpoint, state;

	connection->endpoint = connection->status = "";
	if (!json_is_object(at->value))
		return refuse(in, at->path, "", "an object wanted");
	if (!read_text(in, at, "name", &connection->name) || !read_text(in, at, "id", &id) ||
	    !read_text(in, at, "groupId", &connection->group) ||
	    !read_object(in, at, "privateEndpoint", &endpoint) ||
	    !read_object(in, at, "privateLinkServiceConnectionState", &state))
		return false;
	if (endpoint.value != NULL && !read_text(in, &endpoint, "id", &connection->endpoint))
		return false;
	if (state.value != NULL && !read_text(in, &state, "status", &connection->status))
		return false;
	if (*connection->name == '\0')
		connection->name = last_segment(id);
	return true;
}

static bool
read_connections(const struct reader *in, const struct spot *at, struct account *account)
{
	static const char member[] = "privateEndpointConnections";
	const json_t     *array;
	size_t            index;
	json_t           *value;

	if (!read_array(in, at, member, &array))
		return false;
	if (json_array_size(array) > CONNECTIONS_MAX)
		return refuse(in, at->path, member, "more than 256 connections");
	account->connections = arena_array(
	    in->arena, json_array_size(array) + 1, sizeof(struct connection));
	json_array_foreach ((json_t *)array, index, value) {
		struct spot below = { arena_printf(in->arena, "%s%s%s[%zu]", at->path,
			                  *at->path ? "." : "", member, index),
			value };

		if (!read_connection(
		        in, &below, &account->connections[account->connection_count++]))
			return false;
	}
	return true;
}

/* Tells people who gave the wrong document which one they gave. */
static bool
check_type(const struct reader *in, const struct spot *at)
{
	const char *type;

	if (!json_is_object(at->value))
		return refuse(
		    in, at->path, "", "an account wanted, as `az cosmosdb show` prints it");
	if (!read_text(in, at, "type", &type))
		return false;
	if (text_ends_nocase(type, "/privateEndpoints") ||
	    find_member(at, "manualPrivateLinkServiceConnections") != NULL)
		return refuse(in, at->path, "",
		    "this looks like a private endpoint; `az cosmosdb show` of its account "
		    "wanted");
	if (*type != '\0' &&
	    !text_equal_nocase(type, "Microsoft.DocumentDB/databaseAccounts") &&
	    !text_equal_nocase(type, "Microsoft.AzureCosmosDB/databaseAccounts"))
		return refuse(in, at->path, "type",
		    arena_printf(in->arena,
		        "'%s' is not a Cosmos DB account; `az cosmosdb show` wanted", type));
	if (find_member(at, "documentEndpoint") == NULL && find_member(at, "locations") == NULL)
		return refuse(in, at->path, "documentEndpoint",
		    "missing: this is not an account; `az cosmosdb show` wanted");
	return true;
}

static bool
read_head(const struct reader *in, const struct spot *at, struct account *account)
{
	const char *name;

	if (!read_text(in, at, "id", &account->id) || !read_text(in, at, "name", &name) ||
	    !read_text(in, at, "kind", &account->kind) ||
	    !read_text(in, at, "provisioningState", &account->provisioning_state) ||
	    !read_text(in, at, "publicNetworkAccess", &account->public_network_access) ||
	    !read_endpoint(in, at, &account->host, &account->port))
		return false;
	if (*name == '\0')
		name = last_segment(account->id);
	account->name = copy_lower(in->arena, name, strlen(name));
	if (!account_name_is(account->name))
		return refuse(in, at->path, "name",
		    "an account name wanted: 3 to 50 of a-z, 0-9 and '-'");
	if (*account->host == '\0')
		return refuse(in, at->path, "documentEndpoint",
		    "missing: 'https://<account>.documents.azure.com:443/' wanted");
	return true;
}

static struct account *
read_account(const struct reader *in, const struct spot *at)
{
	struct account *account = arena_alloc(in->arena, sizeof(*account));

	if (!check_type(in, at) || !read_head(in, at, account) ||
	    !read_locations(in, at, account) || !read_connections(in, at, account))
		return NULL;
	/* Not from a table: so it is right in every cloud. */
	account->suffix = strchr(account->host, '.') + 1;
	account->zone = arena_printf(in->arena, "privatelink.%s", account->suffix);
	account->source = arena_strdup(in->arena, in->source);
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

static struct account_list *
read_list(const struct reader *in, const json_t *array, const char *path)
{
	struct account_list *list = arena_alloc(in->arena, sizeof(*list));
	size_t               index;
	json_t              *value;

	list->accounts = arena_array(in->arena, json_array_size(array) + 1, sizeof(void *));
	if (json_array_size(array) == 0) {
		refuse(in, path, "", "the list is empty; at least one account wanted");
		return NULL;
	}
	json_array_foreach ((json_t *)array, index, value) {
		struct spot     at = { arena_printf(in->arena, "%s[%zu]", path, index), value };
		struct account *account = read_account(in, &at);

		if (account == NULL)
			return NULL;
		if (is_listed(list, account->name)) {
			refuse(in, at.path, "name",
			    arena_printf(
			        in->arena, "account '%s' is there twice", account->name));
			return NULL;
		}
		list->accounts[list->count++] = account;
	}
	return list;
}

static struct account_list *
read_single(const struct reader *in, const json_t *value)
{
	struct account_list *list = arena_alloc(in->arena, sizeof(*list));
	struct spot          at = { "", value };

	list->accounts = arena_array(in->arena, 1, sizeof(void *));
	list->accounts[0] = read_account(in, &at);
	list->count = 1;
	return list->accounts[0] != NULL ? list : NULL;
}

struct account_list *
account_parse(
    struct arena *arena, const char *bytes, size_t count, const char *source, struct err *err)
{
	struct reader        in = { arena, source, err };
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
