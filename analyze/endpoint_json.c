#include "analyze/endpoint.h"

#include "analyze/arm.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

/* The documents that tell addresses: by the end of their type, or by a member that no other has. */
enum kind { KIND_NONE, KIND_ENDPOINT, KIND_ZONE_GROUP, KIND_INTERFACE };

static const struct {
	enum kind   kind;
	const char *type, *member;
} marks[] = {
	{ KIND_ZONE_GROUP, "/privateDnsZoneGroups", "privateDnsZoneConfigs" },
	{ KIND_ENDPOINT, "/privateEndpoints", "customDnsConfigs" },
	{ KIND_ENDPOINT, "/privateEndpoints", "privateLinkServiceConnections" },
	{ KIND_ENDPOINT, "/privateEndpoints", "manualPrivateLinkServiceConnections" },
	{ KIND_INTERFACE, "/networkInterfaces", "ipConfigurations" },
};

static enum kind
find_kind(const struct arm_spot *at)
{
	const char *type = json_string_value(json_object_get(at->value, "type"));

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (type != NULL ? text_ends_nocase(type, marks[i].type)
		                 : arm_member(at, marks[i].member) != NULL)
			return marks[i].kind;
	}
	return KIND_NONE;
}

bool
endpoint_is_document(const struct arm_spot *at)
{
	return find_kind(at) != KIND_NONE;
}

/* "contoso.privatelink.documents.azure.com." -> "contoso.documents.azure.com"; NULL when it is no
 * host name. */
static const char *
read_fqdn(struct arena *arena, const char *text)
{
	static const char label[] = ".privatelink.";
	size_t            count = strlen(text);
	char             *fqdn;
	const char       *at;

	if (count > 0 && text[count - 1] == '.')
		count--;
	fqdn = arm_lower(arena, text, count);
	if (!arm_is_host(fqdn))
		return NULL;
	at = strstr(fqdn, label);
	return at == NULL
	    ? fqdn
	    : arena_printf(arena, "%.*s.%s", (int)(at - fqdn), fqdn, at + sizeof(label) - 1);
}

/* Doubles what is full: most endpoints have a few addresses. */
static struct endpoint_address *
make_room(struct arena *arena, struct private_endpoint *endpoint)
{
	size_t                   count = endpoint->address_count;
	struct endpoint_address *old = endpoint->addresses;

	if ((count & (count - 1)) == 0) {
		endpoint->addresses = arena_array(
		    arena, count == 0 ? 1 : 2 * count, sizeof(struct endpoint_address));
		if (count > 0)
			memcpy(endpoint->addresses, old, count * sizeof(*old));
	}
	return &endpoint->addresses[count];
}

static bool
add_address(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    struct private_endpoint *endpoint, const char *fqdn, const char *text)
{
	const char              *name = read_fqdn(in->arena, fqdn);
	struct endpoint_address *address;

	if (name == NULL)
		return arm_refuse(in, at->path, "fqdn",
		    arena_printf(in->arena, "'%s': a host name wanted", fqdn));
	if (endpoint->address_count == ENDPOINT_ADDRESSES_MAX)
		return arm_refuse(in, at->path, "", "more than 256 addresses");
	address = make_room(in->arena, endpoint);
	if (!addr_parse(&address->addr, text, 0, NULL))
		return arm_refuse(in, at->path, member,
		    arena_printf(in->arena, "'%s': an address wanted", text));
	address->fqdn = name;
	endpoint->address_count++;
	return true;
}

/* One {fqdn, ipAddresses}; without a name it tells nothing. */
static bool
read_addresses(const struct arm_reader *in, const struct arm_spot *at, const char *fqdn,
    struct private_endpoint *endpoint)
{
	const json_t *array;
	size_t        index;
	json_t       *value;

	if (!arm_array(in, at, "ipAddresses", &array))
		return false;
	json_array_foreach ((json_t *)array, index, value) {
		if (!json_is_string(value))
			return arm_refuse(in, at->path, "ipAddresses", "texts wanted");
		if (*fqdn != '\0' &&
		    !add_address(
		        in, at, "ipAddresses", endpoint, fqdn, json_string_value(value)))
			return false;
	}
	return true;
}

typedef bool read_element(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint);

/* Each object of the array that is the member. */
static bool
read_each(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    read_element *read, struct private_endpoint *endpoint)
{
	const json_t *array;
	size_t        index;
	json_t       *value;

	if (!arm_array(in, at, member, &array))
		return false;
	json_array_foreach ((json_t *)array, index, value) {
		struct arm_spot below = arm_element(in, at->path, member, index, value);

		if (!json_is_object(value))
			return arm_refuse(in, below.path, "", "an object wanted");
		if (!read(in, &below, endpoint))
			return false;
	}
	return true;
}

static bool
read_config(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	const char *fqdn;

	return arm_text(in, at, "fqdn", &fqdn) && read_addresses(in, at, fqdn, endpoint);
}

/* The first connection counts: an endpoint has one. */
static bool
read_link(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	static const char marker[] = "/databaseAccounts/";
	const json_t     *groups;
	struct arm_spot   state;
	const char       *service, *group;

	if (!arm_text(in, at, "privateLinkServiceId", &service) ||
	    !arm_array(in, at, "groupIds", &groups) ||
	    !arm_object(in, at, "privateLinkServiceConnectionState", &state))
		return false;
	if (*endpoint->service != '\0' || *service == '\0')
		return true;
	endpoint->service = service;
	if (text_find_nocase(service, marker) != NULL)
		endpoint->account = arm_lower(
		    in->arena, arm_name(service), strlen(arm_name(service)));
	group = json_string_value(json_array_get(groups, 0));
	if (group != NULL)
		endpoint->group = text_sane(in->arena, group, strlen(group), ARM_TEXT_MAX);
	if (state.value == NULL)
		return true;
	return arm_text(in, &state, "status", &endpoint->status) &&
	    arm_text(in, &state, "description", &endpoint->description) &&
	    arm_text(in, &state, "actionsRequired", &endpoint->actions_required);
}

static bool
read_endpoint(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	struct arm_spot subnet;
	const char     *guid;

	if (!arm_text(in, at, "id", &endpoint->id) ||
	    !arm_text(in, at, "resourceGuid", &guid) ||
	    !arm_text(in, at, "name", &endpoint->name) ||
	    !arm_text(in, at, "provisioningState", &endpoint->provisioning_state) ||
	    !arm_object(in, at, "subnet", &subnet) ||
	    !read_each(in, at, "privateLinkServiceConnections", read_link, endpoint) ||
	    !read_each(in, at, "manualPrivateLinkServiceConnections", read_link, endpoint))
		return false;
	if (subnet.value != NULL && !arm_text(in, &subnet, "id", &endpoint->subnet))
		return false;
	endpoint->guid = arm_lower(in->arena, guid, strlen(guid));
	return read_each(in, at, "customDnsConfigs", read_config, endpoint);
}

static bool
read_record(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	const char *type, *fqdn;

	if (!arm_text(in, at, "recordType", &type) || !arm_text(in, at, "fqdn", &fqdn))
		return false;
	if (*type != '\0' && !text_equal_nocase(type, "A") && !text_equal_nocase(type, "AAAA"))
		return true;
	return read_addresses(in, at, fqdn, endpoint);
}

/* A zone group holds five at most. */
static bool
add_zone(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	const char *id;

	if (!arm_text(in, at, "privateDnsZoneId", &id))
		return false;
	if (*id != '\0' && endpoint->zone_count < ENDPOINT_ZONES_MAX) {
		if (endpoint->zones == NULL)
			endpoint->zones = arena_array(
			    in->arena, ENDPOINT_ZONES_MAX, sizeof(*endpoint->zones));
		endpoint->zones[endpoint->zone_count++] = id;
	}
	return true;
}

static bool
read_zone(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	return add_zone(in, at, endpoint) &&
	    read_each(in, at, "recordSets", read_record, endpoint);
}

/* ".../privateEndpoints/pe/privateDnsZoneGroups/default": the endpoint's own id is its front. */
static bool
read_zone_group(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	const char *id, *end;

	if (!arm_text(in, at, "id", &id))
		return false;
	end = text_find_nocase(id, "/privateDnsZoneGroups/");
	if (end == NULL)
		return arm_refuse(in, at->path, "id",
		    "'.../privateEndpoints/<name>/privateDnsZoneGroups/<name>' wanted");
	endpoint->id = arena_strndup(in->arena, id, (size_t)(end - id));
	return read_each(in, at, "privateDnsZoneConfigs", read_zone, endpoint);
}

/* One address of an interface, with the public names that lead to it.  Not all versions of `az`
 * write privateIPAddress alike. */
static bool
read_interface_address(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	struct arm_spot link;
	const json_t   *fqdns;
	const char     *text;
	size_t          index;
	json_t         *value;

	if (!arm_text(in, at, "privateIPAddress", &text) ||
	    (*text == '\0' && !arm_text(in, at, "privateIpAddress", &text)) ||
	    !arm_object(in, at, "privateLinkConnectionProperties", &link))
		return false;
	if (link.value == NULL || *text == '\0')
		return true;
	if (!arm_array(in, &link, "fqdns", &fqdns))
		return false;
	json_array_foreach ((json_t *)fqdns, index, value) {
		if (!json_is_string(value))
			return arm_refuse(in, link.path, "fqdns", "texts wanted");
		if (!add_address(
		        in, at, "privateIPAddress", endpoint, json_string_value(value), text))
			return false;
	}
	return true;
}

static bool
read_interface(
    const struct arm_reader *in, const struct arm_spot *at, struct private_endpoint *endpoint)
{
	struct arm_spot owner;

	if (!arm_object(in, at, "privateEndpoint", &owner) ||
	    (owner.value != NULL && !arm_text(in, &owner, "id", &endpoint->id)))
		return false;
	endpoint->has_interface = true;
	return read_each(in, at, "ipConfigurations", read_interface_address, endpoint);
}

struct private_endpoint *
endpoint_parse(const struct arm_reader *in, const struct arm_spot *at)
{
	struct private_endpoint *endpoint = arena_alloc(in->arena, sizeof(*endpoint));
	bool                     read = false;

	*endpoint = (struct private_endpoint){ "", "", "", "", "", "", "", "", NULL, 0,
		arena_strdup(in->arena, in->source), "", "", "", NULL, 0, false };
	switch (find_kind(at)) {
	case KIND_ENDPOINT: read = read_endpoint(in, at, endpoint); break;
	case KIND_ZONE_GROUP: read = read_zone_group(in, at, endpoint); break;
	case KIND_INTERFACE: read = read_interface(in, at, endpoint); break;
	case KIND_NONE: break;
	}
	if (!read)
		return NULL;
	if (*endpoint->name == '\0')
		endpoint->name = arm_name(endpoint->id);
	return endpoint;
}
