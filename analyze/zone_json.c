#include "analyze/zone.h"

#include "analyze/arm.h"
#include "base/text.h"

#include <jansson.h>
#include <string.h>

/* By the end of the type, or by a member that no other document has. */
enum kind { KIND_NONE, KIND_ZONE, KIND_RECORD, KIND_LINK, KIND_OTHER_RECORD };

static const struct {
	enum kind   kind;
	const char *type, *member;
} marks[] = {
	{ KIND_RECORD, "/privateDnsZones/A", "aRecords" },
	{ KIND_RECORD, "/privateDnsZones/A", "arecords" },
	{ KIND_LINK, "/privateDnsZones/virtualNetworkLinks", "virtualNetworkLinkState" },
	{ KIND_LINK, "/privateDnsZones/virtualNetworkLinks", "registrationEnabled" },
	{ KIND_ZONE, "/privateDnsZones", "numberOfVirtualNetworkLinks" },
};

static const char zones_marker[] = "/privateDnsZones/";

static enum kind
find_kind(const struct arm_spot *at)
{
	const char *type = json_string_value(json_object_get(at->value, "type"));

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (type != NULL ? text_ends_nocase(type, marks[i].type)
		                 : arm_member(at, marks[i].member) != NULL)
			return marks[i].kind;
	}
	/* "Microsoft.Network/privateDnsZones/SOA" and the like. */
	return type != NULL && text_find_nocase(type, zones_marker) != NULL ? KIND_OTHER_RECORD
	                                                                    : KIND_NONE;
}

bool
zone_is_document(const struct arm_spot *at)
{
	return find_kind(at) != KIND_NONE;
}

/* Zone names and record names are looser than host names: "_x", "*", "@". */
static bool
is_name(const char *name)
{
	size_t count = strlen(name);

	return count > 0 && count <= 253 &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-._*@") == count;
}

/* ".../privateDnsZones/<zone>[/...]": the zone's own id is its front. */
static bool
read_zone_id(
    const struct arm_reader *in, const struct arm_spot *at, const char *id, struct zone *zone)
{
	const char *marker = text_find_nocase(id, zones_marker), *name;
	size_t      count;

	if (marker == NULL)
		return arm_refuse(in, at->path, "id", "'.../privateDnsZones/<zone>' wanted");
	name = marker + strlen(zones_marker);
	count = strcspn(name, "/");
	zone->id = arena_strndup(in->arena, id, (size_t)(name - id) + count);
	zone->name = arm_lower(in->arena, name, count);
	if (!is_name(zone->name))
		return arm_refuse(in, at->path, "id",
		    arena_printf(in->arena, "'%s': the name of a zone wanted", zone->name));
	return true;
}

/* "created by private endpoint <name> with resource guid <guid>", as a zone group writes it. */
static void
read_creator(struct arena *arena, struct zone_record *record)
{
	static const char begin[] = "created by private endpoint ";
	static const char between[] = " with resource guid ";
	const char       *name, *guid;

	record->endpoint = record->guid = "";
	if (!text_starts_nocase(record->creator, begin))
		return;
	name = record->creator + strlen(begin);
	guid = text_find_nocase(name, between);
	if (guid == NULL)
		return;
	record->endpoint = arena_strndup(arena, name, (size_t)(guid - name));
	guid += strlen(between);
	record->guid = arm_lower(arena, guid, strcspn(guid, " \t."));
}

static bool
read_ttl(const struct arm_reader *in, const struct arm_spot *at, int64_t *ttl_s)
{
	const json_t *value = arm_member(at, "ttl");

	*ttl_s = -1;
	if (value == NULL)
		value = arm_member(at, "TTL");
	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > INT32_MAX)
		return arm_refuse(in, at->path, "ttl", "seconds wanted, 0 to 2147483647");
	*ttl_s = json_integer_value(value);
	return true;
}

static bool
read_address(const struct arm_reader *in, const struct arm_spot *at, struct zone_record *record)
{
	const char *text;

	if (!json_is_object(at->value))
		return arm_refuse(in, at->path, "", "an object wanted");
	if (!arm_text(in, at, "ipv4Address", &text))
		return false;
	if (!addr_parse(&record->addrs[record->addr_count], text, 0, NULL) ||
	    record->addrs[record->addr_count].family != 4)
		return arm_refuse(in, at->path, "ipv4Address",
		    arena_printf(in->arena, "'%s': an IPv4 address wanted", text));
	record->addr_count++;
	return true;
}

/* Not all versions of `az` write aRecords alike. */
static bool
read_addresses(
    const struct arm_reader *in, const struct arm_spot *at, struct zone_record *record)
{
	const char   *member = "aRecords";
	const json_t *array;
	size_t        index;
	json_t       *value;

	if (!arm_array(in, at, member, &array))
		return false;
	if (array == NULL && !arm_array(in, at, member = "arecords", &array))
		return false;
	if (json_array_size(array) > ZONE_ADDRESSES_MAX)
		return arm_refuse(in, at->path, member, "more than 64 addresses");
	record->addrs = arena_array(
	    in->arena, json_array_size(array) + 1, sizeof(*record->addrs));
	json_array_foreach ((json_t *)array, index, value) {
		struct arm_spot below = arm_element(in, at->path, member, index, value);

		if (!read_address(in, &below, record))
			return false;
	}
	return true;
}

/* Its name, or the end of its id; its fqdn, or both names together. */
static bool
read_record_names(const struct arm_reader *in, const struct arm_spot *at,
    const struct zone *zone, struct zone_record *record, const char *id)
{
	const char *name, *fqdn;
	size_t      count;

	if (!arm_text(in, at, "name", &name) || !arm_text(in, at, "fqdn", &fqdn))
		return false;
	if (*name == '\0')
		name = arm_name(id);
	record->name = arm_lower(in->arena, name, strlen(name));
	if (!is_name(record->name))
		return arm_refuse(in, at->path, "name",
		    arena_printf(in->arena, "'%s': the name of a record set wanted", name));
	count = strlen(fqdn);
	if (count > 0 && fqdn[count - 1] == '.')
		count--;
	record->fqdn = arm_lower(in->arena, fqdn, count);
	if (*record->fqdn == '\0')
		record->fqdn = strcmp(record->name, "@") == 0
		    ? zone->name
		    : arena_printf(in->arena, "%s.%s", record->name, zone->name);
	return true;
}

static bool
read_record(const struct arm_reader *in, const struct arm_spot *at, struct zone *zone)
{
	struct zone_record *record = arena_alloc(in->arena, sizeof(*record));
	struct arm_spot     metadata;
	const char         *id;

	if (!arm_text(in, at, "id", &id) || !read_zone_id(in, at, id, zone) ||
	    !read_record_names(in, at, zone, record, id) || !read_ttl(in, at, &record->ttl_s) ||
	    !arm_object(in, at, "metadata", &metadata) || !read_addresses(in, at, record))
		return false;
	record->creator = "";
	if (metadata.value != NULL && !arm_text(in, &metadata, "creator", &record->creator))
		return false;
	read_creator(in->arena, record);
	record->source = zone->source;
	zone->records = record;
	zone->record_count = 1;
	return true;
}

static bool
read_flag(const struct arm_reader *in, const struct arm_spot *at, const char *member,
    enum zone_told *told)
{
	const json_t *value = arm_member(at, member);

	*told = ZONE_UNTOLD;
	if (value == NULL)
		return true;
	if (!json_is_boolean(value))
		return arm_refuse(in, at->path, member, "true or false wanted");
	*told = json_is_true(value) ? ZONE_YES : ZONE_NO;
	return true;
}

static bool
read_link(const struct arm_reader *in, const struct arm_spot *at, struct zone *zone)
{
	struct zone_link *link = arena_alloc(in->arena, sizeof(*link));
	struct arm_spot   network;
	const char       *id;

	link->vnet = "";
	if (!arm_text(in, at, "id", &id) || !read_zone_id(in, at, id, zone) ||
	    !arm_text(in, at, "name", &link->name) ||
	    !arm_object(in, at, "virtualNetwork", &network) ||
	    !read_flag(in, at, "registrationEnabled", &link->registers) ||
	    !arm_text(in, at, "resolutionPolicy", &link->policy) ||
	    !arm_text(in, at, "virtualNetworkLinkState", &link->state) ||
	    !arm_text(in, at, "provisioningState", &link->provisioning_state))
		return false;
	if (network.value != NULL && !arm_text(in, &network, "id", &link->vnet))
		return false;
	if (*link->name == '\0')
		link->name = arm_name(id);
	link->source = zone->source;
	zone->links = link;
	zone->link_count = 1;
	return true;
}

static bool
read_total(
    const struct arm_reader *in, const struct arm_spot *at, const char *member, int64_t *total)
{
	const json_t *value = arm_member(at, member);

	*total = -1;
	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return arm_refuse(in, at->path, member, "a number from 0 on wanted");
	*total = json_integer_value(value);
	return true;
}

static bool
read_zone(const struct arm_reader *in, const struct arm_spot *at, struct zone *zone)
{
	const char *id;

	return arm_text(in, at, "id", &id) && read_zone_id(in, at, id, zone) &&
	    read_total(in, at, "numberOfRecordSets", &zone->set_total) &&
	    read_total(in, at, "numberOfVirtualNetworkLinks", &zone->link_total);
}

static bool
read_id_alone(const struct arm_reader *in, const struct arm_spot *at, struct zone *zone)
{
	const char *id;

	return arm_text(in, at, "id", &id) && read_zone_id(in, at, id, zone);
}

struct zone *
zone_parse(const struct arm_reader *in, const struct arm_spot *at)
{
	struct zone *zone = arena_alloc(in->arena, sizeof(*zone));
	bool         read = false;

	*zone = (struct zone){ .name = "",
		.id = "",
		.set_total = -1,
		.link_total = -1,
		.source = arena_strdup(in->arena, in->source) };
	switch (find_kind(at)) {
	case KIND_ZONE: read = read_zone(in, at, zone); break;
	case KIND_RECORD: read = read_record(in, at, zone); break;
	case KIND_LINK: read = read_link(in, at, zone); break;
	case KIND_OTHER_RECORD: read = read_id_alone(in, at, zone); break;
	case KIND_NONE: break;
	}
	return read ? zone : NULL;
}
