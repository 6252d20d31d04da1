#include "analyze/plink.h"

#include "analyze/account.h"
#include "analyze/arm.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

enum kind { KIND_NONE, KIND_CONNECTION, KIND_RESOURCE };

static const struct {
	enum kind   kind;
	const char *type, *member;
} marks[] = {
	{ KIND_CONNECTION, "/databaseAccounts/privateEndpointConnections",
	    "privateLinkServiceConnectionState" },
	{ KIND_RESOURCE, "/databaseAccounts/privateLinkResources", "requiredMembers" },
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
plink_is_document(const struct arm_spot *at)
{
	return find_kind(at) != KIND_NONE;
}

/* ".../databaseAccounts/<account>/...". */
static bool
read_account_name(const struct arm_reader *in, const struct arm_spot *at, const char *id,
    const char **account)
{
	static const char marker[] = "/databaseAccounts/";
	const char       *found = text_find_nocase(id, marker);

	if (found != NULL)
		*account = arm_lower(
		    in->arena, found + strlen(marker), strcspn(found + strlen(marker), "/"));
	if (found == NULL || !account_name_is(*account))
		return arm_refuse(
		    in, at->path, "id", "'.../databaseAccounts/<account>/...' wanted");
	return true;
}

bool
plink_read_connection(
    const struct arm_reader *in, const struct arm_spot *at, struct connection *connection)
{
	const char     *id;
	struct arm_spot endpoint, state;

	*connection = (struct connection){ "", "", "", "", in->source, "", "", "" };
	if (!json_is_object(at->value))
		return arm_refuse(in, at->path, "", "an object wanted");
	if (!arm_text(in, at, "name", &connection->name) || !arm_text(in, at, "id", &id) ||
	    !arm_text(in, at, "groupId", &connection->group) ||
	    !arm_text(in, at, "provisioningState", &connection->provisioning_state) ||
	    !arm_object(in, at, "privateEndpoint", &endpoint) ||
	    !arm_object(in, at, "privateLinkServiceConnectionState", &state))
		return false;
	if (endpoint.value != NULL && !arm_text(in, &endpoint, "id", &connection->endpoint))
		return false;
	if (state.value != NULL &&
	    (!arm_text(in, &state, "status", &connection->status) ||
	        !arm_text(in, &state, "description", &connection->description) ||
	        !arm_text(in, &state, "actionsRequired", &connection->actions_required)))
		return false;
	if (*connection->name == '\0')
		connection->name = arm_name(id);
	return true;
}

static bool
read_names(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    const char ***names, size_t *count)
{
	const json_t *array;
	size_t        index;
	json_t       *value;

	if (!arm_array(in, at, member, &array))
		return false;
	if (json_array_size(array) > PLINK_MEMBERS_MAX)
		return arm_refuse(in, at->path, member, "more than 512 names");
	*names = arena_array(in->arena, json_array_size(array) + 1, sizeof(**names));
	json_array_foreach ((json_t *)array, index, value) {
		char *text;

		if (!json_is_string(value))
			return arm_refuse(in, at->path, member, "texts wanted");
		text = text_sane(in->arena, json_string_value(value), json_string_length(value),
		    ARM_TEXT_MAX);
		(*names)[(*count)++] = arm_lower(in->arena, text, strlen(text));
	}
	return true;
}

static bool
read_resource(
    const struct arm_reader *in, const struct arm_spot *at, struct plink_resource *resource)
{
	const char *id;

	resource->source = arena_strdup(in->arena, in->source);
	if (!arm_text(in, at, "id", &id) ||
	    !read_account_name(in, at, id, &resource->account) ||
	    !arm_text(in, at, "groupId", &resource->group))
		return false;
	if (*resource->group == '\0')
		resource->group = arm_name(id);
	return read_names(
	           in, at, "requiredMembers", &resource->members, &resource->member_count) &&
	    read_names(in, at, "requiredZoneNames", &resource->zones, &resource->zone_count);
}

static bool
read_connection_document(
    const struct arm_reader *in, const struct arm_spot *at, struct plink_connection *connection)
{
	const char *id;

	if (!arm_text(in, at, "id", &id) ||
	    !read_account_name(in, at, id, &connection->account) ||
	    !plink_read_connection(in, at, &connection->connection))
		return false;
	connection->connection.source = arena_strdup(in->arena, in->source);
	return true;
}

bool
plink_parse(const struct arm_reader *in, const struct arm_spot *at, struct plink_list *list)
{
	struct plink_resource *resource;

	switch (find_kind(at)) {
	case KIND_CONNECTION:
		return read_connection_document(
		    in, at, &list->connections[list->connection_count++]);
	case KIND_RESOURCE:
		resource = arena_alloc(in->arena, sizeof(*resource));
		list->resources[list->resource_count++] = resource;
		return read_resource(in, at, resource);
	case KIND_NONE: break;
	}
	return false;
}
