#include "analyze/verdict.h"

#include "analyze/region.h"
#include "base/clock.h"
#include "proto/render.h"

#include <jansson.h>
#include <string.h>

static json_t *
text_json(const char *text)
{
	json_t *value = json_string(text != NULL ? text : "");

	/* What is not UTF-8 cannot be in JSON; decoded text never is. */
	return value != NULL ? value : json_string("?");
}

static json_t *
time_json(int64_t at_ms)
{
	char text[CLOCK_TEXT];

	return at_ms == 0 ? json_null() : json_string(clock_render(at_ms, text, sizeof(text)));
}

static json_t *
hosts_json(const struct finding *finding)
{
	json_t *hosts = json_array();

	for (size_t i = 0; i < finding->host_count; i++)
		json_array_append_new(hosts, text_json(finding->hosts[i]));
	return hosts;
}

json_t *
finding_json(const struct finding *finding)
{
	const struct finding_desc *desc = &finding_table[finding->code];
	json_t                    *value = json_object();

	json_object_set_new(value, "code", text_json(desc->code));
	json_object_set_new(value, "severity", text_json(state_name(finding->severity)));
	json_object_set_new(value, "owner", text_json(owner_name(desc->owner)));
	json_object_set_new(value, "account", text_json(finding->account));
	json_object_set_new(value, "api", text_json(api_name(finding->api)));
	json_object_set_new(value, "region", text_json(finding->region));
	json_object_set_new(value, "host", text_json(finding->host));
	json_object_set_new(value, "hosts", hosts_json(finding));
	json_object_set_new(value, "sentence", text_json(finding->sentence));
	json_object_set_new(value, "evidence", text_json(finding->evidence));
	json_object_set_new(value, "fix", text_json(finding->fix));
	json_object_set_new(value, "seen", time_json(finding->seen_ms));
	return value;
}

static json_t *
addresses_json(const struct place *place)
{
	json_t *addresses = json_array();

	for (size_t i = 0; i < place->address_count; i++) {
		const struct place_address *address = &place->addresses[i];
		json_t                     *value = json_object();

		json_object_set_new(value, "address", text_json(address->address));
		json_object_set_new(value, "words", text_json(address->words));
		json_object_set_new(value, "told", json_boolean(address->told));
		json_object_set_new(value, "right", json_boolean(address->right));
		json_array_append_new(addresses, value);
	}
	return addresses;
}

static json_t *
place_json(const struct place *place)
{
	const struct target *target = place->target;
	json_t              *value = json_object();

	json_object_set_new(value, "region", text_json(target->region));
	json_object_set_new(value, "region_name", text_json(region_name(target->region)));
	json_object_set_new(value, "api", text_json(api_name(target->api)));
	json_object_set_new(value, "mode", text_json(mode_name(target->mode)));
	json_object_set_new(value, "host", text_json(target->host));
	json_object_set_new(value, "port", json_integer(target->port));
	json_object_set_new(value, "role", text_json(field_word(FIELD_ROLE, target->role)));
	json_object_set_new(value, "state", text_json(state_name(place->state)));
	json_object_set_new(value, "code",
	    place->worst < FINDING_COUNT ? text_json(finding_table[place->worst].code)
	                                 : json_null());
	json_object_set_new(value, "words", text_json(place->words));
	json_object_set_new(value, "public_address",
	    place->outside != OUTSIDE_UNASKED ? text_json(outside_kind_name(place->outside))
	                                      : json_null());
	json_object_set_new(value, "addresses", addresses_json(place));
	json_object_set_new(value, "seen",
	    place->seen != NULL ? render_json(&measurement_desc, place->seen, false)
	                        : json_null());
	return value;
}

json_t *
verdict_json(const struct account *account, const struct verdict *verdict)
{
	json_t *value = json_object(), *places = json_array();
	json_t *findings = json_array(), *unknowns = json_array();

	for (size_t i = 0; i < verdict->place_count; i++)
		json_array_append_new(places, place_json(&verdict->places[i]));
	for (size_t i = 0; i < verdict->finding_count; i++)
		json_array_append_new(findings, finding_json(&verdict->findings[i]));
	for (size_t i = 0; i < verdict->unknown_count; i++)
		json_array_append_new(unknowns, text_json(verdict->unknowns[i]));
	json_object_set_new(value, "account", text_json(account->name));
	json_object_set_new(value, "document", text_json(account->source));
	json_object_set_new(value, "state", text_json(state_name(verdict->state)));
	json_object_set_new(value, "dns_only", json_boolean(verdict->dns_only));
	json_object_set_new(value, "places", places);
	json_object_set_new(value, "findings", findings);
	json_object_set_new(value, "unknowns", unknowns);
	return value;
}
