#include "analyze/facet.h"
#include "analyze/verdict_table.h"

#include "analyze/region.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_ROOM = 160 };

enum table_ink
verdict_table_ink(enum state state)
{
	switch (state) {
	case STATE_OK: return TABLE_GREEN;
	case STATE_UNKNOWN: return TABLE_GREY;
	case STATE_WARNING: return TABLE_YELLOW;
	case STATE_CRITICAL: return TABLE_RED;
	}
	return TABLE_PLAIN;
}

static const char *
name_region(const struct place *place)
{
	const char *region = place->target->region;

	return *region == '\0' ? "(account)" : region_name(region);
}

/* "10.1.0.4", "10.1.0.4 +1". */
static const char *
describe_address(const struct place *place, char text[TEXT_ROOM])
{
	const struct measurement *seen = place->seen;

	for (size_t i = 0; seen != NULL && i < seen->dns_count; i++) {
		const struct dns *dns = &seen->dns[i];

		if (dns->addresses_count == 0)
			continue;
		snprintf(text, TEXT_ROOM, "%s", dns->addresses[0].address);
		if (dns->addresses_count > 1)
			snprintf(text + strlen(text), TEXT_ROOM - strlen(text), " +%zu",
			    dns->addresses_count - 1);
		return text;
	}
	return "-";
}

/* A stage in one cell: how long it took when it went well, else how it ended. */
static const char *
describe_stage(unsigned outcome, uint32_t took_us, char text[TEXT_ROOM])
{
	if (outcome == OUTCOME_NOT_RUN)
		return "-";
	if (outcome != OUTCOME_OK)
		return outcome_name(outcome);
	snprintf(text, TEXT_ROOM, "%.1f ms", took_us / 1000.0);
	return text;
}

/* The first resolver that failed, and how many did: "timeout (1 of 2)"; else how long it took. */
static const char *
describe_dns(const struct measurement *seen, char text[TEXT_ROOM])
{
	const struct dns *bad = NULL;
	size_t            bad_count = 0;

	for (size_t i = 0; i < seen->dns_count; i++) {
		if (seen->dns[i].outcome == OUTCOME_OK)
			continue;
		if (bad_count++ == 0)
			bad = &seen->dns[i];
	}
	if (bad == NULL)
		return describe_stage(OUTCOME_OK, seen->dns[0].took_us, text);
	if (seen->dns_count == 1)
		return outcome_name(bad->outcome);
	snprintf(text, TEXT_ROOM, "%s (%zu of %zu)", outcome_name(bad->outcome), bad_count,
	    seen->dns_count);
	return text;
}

/* The address that says most: the first that failed, else the first. */
static const struct endpoint *
find_telling(const struct measurement *seen)
{
	if (seen == NULL || seen->endpoints_count == 0)
		return NULL;
	for (size_t i = 0; i < seen->endpoints_count; i++) {
		const struct endpoint *end = &seen->endpoints[i];

		if (end->greeting != NULL ? end->greeting->outcome != OUTCOME_OK
		                          : end->http != OUTCOME_OK)
			return &seen->endpoints[i];
	}
	return &seen->endpoints[0];
}

/* The last column is that of the words; where only DNS was asked, there are none between. */
enum {
	COLUMN_REGION,
	COLUMN_STATE,
	COLUMN_ADDRESS,
	COLUMN_DNS,
	COLUMN_TCP,
	COLUMN_TLS,
	COLUMN_HTTP,
	COLUMN_WORDS,
	COLUMN_DNS_WORDS = COLUMN_TCP
};

/* What the gateway said; of other APIs than NoSQL, what their front end did. */
static const char *
describe_answer(const struct endpoint *end, char text[TEXT_ROOM])
{
	if (end->greeting != NULL)
		return describe_stage(end->greeting->outcome, end->greeting->took_us, text);
	return describe_stage(end->http, end->http_wait_us, text);
}

static void
add_gateway(struct table *table, const struct place *place, bool dns_only)
{
	const struct measurement *seen = place->seen;
	const struct endpoint    *end = find_telling(seen);
	size_t                    row = table_row(table);
	enum table_ink            ink = verdict_table_ink(place->state);
	char                      text[TEXT_ROOM];

	table_cell(table, row, COLUMN_REGION, TABLE_PLAIN, name_region(place));
	table_cell(table, row, COLUMN_STATE, ink, state_name(place->state));
	table_cell(table, row, COLUMN_ADDRESS, TABLE_PLAIN, describe_address(place, text));
	if (seen != NULL && seen->dns_count > 0)
		table_cell(table, row, COLUMN_DNS, TABLE_PLAIN, describe_dns(seen, text));
	if (end != NULL && !dns_only) {
		table_cell(table, row, COLUMN_TCP, TABLE_PLAIN,
		    describe_stage(end->tcp, end->tcp_us, text));
		table_cell(table, row, COLUMN_TLS, TABLE_PLAIN,
		    describe_stage(end->tls, end->tls_us, text));
		table_cell(table, row, COLUMN_HTTP, TABLE_PLAIN, describe_answer(end, text));
	}
	table_cell(table, row, dns_only ? COLUMN_DNS_WORDS : COLUMN_WORDS, ink, place->words);
}

/* Region, state and address stand first in every table. */
static size_t
add_row(struct table *table, const struct place *place)
{
	size_t row = table_row(table);
	char   text[TEXT_ROOM];

	table_cell(table, row, COLUMN_REGION, TABLE_PLAIN, name_region(place));
	table_cell(table, row, COLUMN_STATE, verdict_table_ink(place->state),
	    state_name(place->state));
	table_cell(table, row, COLUMN_ADDRESS, TABLE_PLAIN, describe_address(place, text));
	return row;
}

static bool
is_well(const struct replica *replica)
{
	return replica->context == OUTCOME_OK && replica->status < 400;
}

/* "3 of 4"; guessed ports are no replicas. */
static const char *
describe_replicas(const struct measurement *seen, char text[TEXT_ROOM])
{
	size_t well = 0;

	for (size_t i = 0; i < seen->replicas_count; i++)
		well += is_well(&seen->replicas[i]) ? 1 : 0;
	if (seen->replicas_count == 0)
		return "-";
	if (seen->origin == ORIGIN_SAMPLE)
		snprintf(text, TEXT_ROOM, "%zu guessed", seen->replicas_count);
	else
		snprintf(text, TEXT_ROOM, "%zu of %zu", well, seen->replicas_count);
	return text;
}

/* "14031", "14031-40511": from the lowest to the highest. */
static const char *
describe_ports(const struct measurement *seen, char text[TEXT_ROOM])
{
	unsigned low = UINT32_MAX, high = 0;

	for (size_t i = 0; i < seen->replicas_count; i++) {
		unsigned port = seen->replicas[i].port;

		low = port < low ? port : low;
		high = port > high ? port : high;
	}
	if (seen->replicas_count == 0)
		return "-";
	snprintf(text, TEXT_ROOM, low == high ? "%u" : "%u-%u", low, high);
	return text;
}

/* The first that failed, else the first. */
static const struct replica *
find_telling_replica(const struct measurement *seen)
{
	for (size_t i = 0; i < seen->replicas_count; i++) {
		if (!is_well(&seen->replicas[i]))
			return &seen->replicas[i];
	}
	return seen->replicas_count > 0 ? &seen->replicas[0] : NULL;
}

/* A refusal is no failure of the dialogue, and no good end. */
static const char *
describe_context(const struct replica *replica, char text[TEXT_ROOM])
{
	if (replica->status < 400)
		return describe_stage(replica->context, replica->context_us, text);
	snprintf(text, TEXT_ROOM, "status %u", replica->status);
	return text;
}

static void
add_connection(struct table *table, size_t row, size_t column, const struct endpoint *end)
{
	char text[TEXT_ROOM];

	if (end == NULL)
		return;
	table_cell(
	    table, row, column, TABLE_PLAIN, describe_stage(end->tcp, end->tcp_us, text));
	table_cell(
	    table, row, column + 1, TABLE_PLAIN, describe_stage(end->tls, end->tls_us, text));
}

static void
add_direct(struct table *table, const struct place *place)
{
	enum { REPLICAS = COLUMN_ADDRESS + 1, PORTS, TCP, TLS, CONTEXT, WORDS };
	size_t                row = add_row(table, place);
	const struct replica *replica;
	char                  text[TEXT_ROOM];

	table_cell(table, row, WORDS, verdict_table_ink(place->state), place->words);
	if (place->seen == NULL)
		return;
	table_cell(table, row, REPLICAS, TABLE_PLAIN, describe_replicas(place->seen, text));
	table_cell(table, row, PORTS, TABLE_PLAIN, describe_ports(place->seen, text));
	replica = find_telling_replica(place->seen);
	if (replica == NULL)
		return;
	add_connection(table, row, TCP, replica->end);
	table_cell(table, row, CONTEXT, TABLE_PLAIN, describe_context(replica, text));
}

/* The first that is not ready, else the first. */
static const struct thin *
find_telling_thin(const struct measurement *seen)
{
	for (size_t i = 0; i < seen->thins_count; i++) {
		if (seen->thins[i].outcome != OUTCOME_OK)
			return &seen->thins[i];
	}
	return seen->thins_count > 0 ? &seen->thins[0] : NULL;
}

static const char *
describe_http2(const struct thin *thin, char text[TEXT_ROOM])
{
	if (thin->end == NULL || thin->end->tls != OUTCOME_OK)
		return "-";
	if (thin->alpn == NULL || strcmp(thin->alpn, "h2") != 0)
		return "no h2";
	if (thin->outcome == OUTCOME_OK || thin->status == 0)
		return describe_stage(thin->outcome, thin->wait_us, text);
	snprintf(text, TEXT_ROOM, "status %u", thin->status);
	return text;
}

static void
add_thin(struct table *table, const struct place *place)
{
	enum { TCP = COLUMN_ADDRESS + 1, TLS, HTTP2, WORDS };
	const struct thin *thin = place->seen != NULL ? find_telling_thin(place->seen) : NULL;
	size_t             row = add_row(table, place);
	char               text[TEXT_ROOM];

	table_cell(table, row, WORDS, verdict_table_ink(place->state), place->words);
	if (thin == NULL)
		return;
	add_connection(table, row, TCP, thin->end);
	table_cell(table, row, HTTP2, TABLE_PLAIN, describe_http2(thin, text));
}

/* The places of one API in one mode. */
struct tally {
	enum api            api;
	enum mode           mode;
	const struct place *first; /* of those in the worst state */
	size_t              count, worst_count;
	bool                alike; /* all of these say the same */
};

static bool
is_of(const struct place *place, enum api api, enum mode mode)
{
	return place->target->api == api && place->target->mode == mode;
}

static struct tally
tally_mode(const struct verdict *verdict, enum api api, enum mode mode)
{
	struct tally tally = { .api = api, .mode = mode, .alike = true };

	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (!is_of(place, api, mode))
			continue;
		tally.count++;
		if (tally.first == NULL || place->state > tally.first->state) {
			tally.first = place;
			tally.worst_count = 0;
			tally.alike = true;
		}
		if (place->state != tally.first->state)
			continue;
		tally.worst_count++;
		tally.alike = tally.alike && strcmp(place->words, tally.first->words) == 0;
	}
	return tally;
}

/* "4 of 4 names", "North Europe: Direct ports silent", "all 3 names: ...", "both regions: ...",
 * "...; and 1 more". */
static const char *
describe_mode(const struct tally *tally, char text[TEXT_ROOM])
{
	const char *noun = tally->mode == MODE_GATEWAY ? "name" : "region";
	const char *more = tally->count == 1 ? "" : "s";

	if (tally->first->state == STATE_OK)
		snprintf(
		    text, TEXT_ROOM, "%zu of %zu %s%s", tally->count, tally->count, noun, more);
	else if (tally->alike && tally->worst_count == tally->count && tally->count == 2)
		snprintf(text, TEXT_ROOM, "both %s%s: %s", noun, more, tally->first->words);
	else if (tally->alike && tally->worst_count == tally->count && tally->count > 2)
		snprintf(text, TEXT_ROOM, "all %zu %s%s: %s", tally->count, noun, more,
		    tally->first->words);
	else if (tally->worst_count > 1)
		snprintf(text, TEXT_ROOM, "%s: %s; and %zu more", name_region(tally->first),
		    tally->first->words, tally->worst_count - 1);
	else
		snprintf(
		    text, TEXT_ROOM, "%s: %s", name_region(tally->first), tally->first->words);
	return text;
}

static void
print_summary(const struct tally *tallies, size_t count, const struct verdict_look *look,
    struct wbuf *out)
{
	static const char *const columns[] = { "api", "mode", "state", "words", NULL };
	struct table            *table = table_new(columns, look->width, look->colour);
	char                     text[TEXT_ROOM];

	table_wrap(table, 3);
	for (size_t i = 0; i < count; i++) {
		const struct tally *tally = &tallies[i];
		enum table_ink      ink;
		size_t              row;

		ink = verdict_table_ink(tally->first->state);
		row = table_row(table);
		table_cell(table, row, 0, TABLE_PLAIN, facet_title(tally->api));
		table_cell(table, row, 1, TABLE_PLAIN, mode_name(tally->mode));
		table_cell(table, row, 2, ink, state_name(tally->first->state));
		table_cell(table, row, 3, ink, describe_mode(tally, text));
	}
	table_print(table, out);
	table_free(table);
}

static void
print_mode(const struct verdict *verdict, enum api api, enum mode mode,
    const struct verdict_look *look, struct wbuf *out)
{
	static const char *const of_gateway[] = { "region", "state", "address", "dns", "tcp",
		"tls", "gateway", "verdict", NULL };
	static const char *const of_front_end[] = { "region", "state", "address", "dns", "tcp",
		"tls", "front end", "verdict", NULL };
	static const char *const of_dns[] = { "region", "state", "address", "dns", "verdict",
		NULL };
	static const char *const of_direct[] = { "region", "state", "address", "replicas",
		"ports", "tcp", "tls", "context", "verdict", NULL };
	static const char *const of_thin[] = { "region", "state", "address", "tcp", "tls", "h2",
		"verdict", NULL };
	bool                     dns_only = verdict->dns_only && mode == MODE_GATEWAY;
	const char *const       *columns = mode == MODE_DIRECT ? of_direct
	          : mode == MODE_GATEWAY_V2                    ? of_thin
	          : dns_only                                   ? of_dns
	          : api != API_SQL                             ? of_front_end
	                                                       : of_gateway;
	struct table            *table = table_new(columns, look->width, look->colour);
	size_t                   count = 0;

	while (columns[count] != NULL)
		count++;
	table_wrap(table, count - 1);
	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (!is_of(place, api, mode))
			continue;
		if (mode == MODE_DIRECT)
			add_direct(table, place);
		else if (mode == MODE_GATEWAY_V2)
			add_thin(table, place);
		else
			add_gateway(table, place, dns_only);
	}
	table_print(table, out);
	table_free(table);
}

static size_t
list_tallies(const struct verdict *verdict, struct tally *tallies)
{
	size_t count = 0;

	for (int api = 0; api < API_COUNT; api++) {
		for (int mode = 0; mode < MODE_COUNT; mode++) {
			tallies[count] = tally_mode(verdict, (enum api)api, (enum mode)mode);
			count += tallies[count].count > 0 ? 1 : 0;
		}
	}
	return count;
}

void
verdict_table_print(
    const struct verdict *verdict, const struct verdict_look *look, struct wbuf *out)
{
	struct tally tallies[API_COUNT * MODE_COUNT];
	size_t       count = list_tallies(verdict, tallies);
	bool         several = count > 0 && tallies[0].api != tallies[count - 1].api;

	if (count > 1)
		print_summary(tallies, count, look, out);
	if (count == 0)
		print_mode(verdict, API_SQL, MODE_GATEWAY, look, out);
	for (size_t i = 0; i < count; i++) {
		const struct tally *tally = &tallies[i];

		if (several)
			wbuf_printf(
			    out, "\n%s, %s\n", facet_title(tally->api), mode_name(tally->mode));
		else if (count > 1)
			wbuf_printf(out, "\n%s\n", mode_name(tally->mode));
		print_mode(verdict, tally->api, tally->mode, look, out);
	}
}
