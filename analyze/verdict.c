#include "analyze/verdict.h"

#include "analyze/region.h"
#include "analyze/tree.h"
#include "base/table.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_ROOM = 160 };

int
verdict_exit(enum state state)
{
	switch (state) {
	case STATE_OK: return 0;
	case STATE_WARNING: return 1;
	case STATE_CRITICAL: return 2;
	case STATE_UNKNOWN: return 3;
	}
	return 3;
}

static enum table_ink
ink_of(enum state state)
{
	switch (state) {
	case STATE_OK: return TABLE_GREEN;
	case STATE_UNKNOWN: return TABLE_GREY;
	case STATE_WARNING: return TABLE_YELLOW;
	case STATE_CRITICAL: return TABLE_RED;
	}
	return TABLE_PLAIN;
}

static void
put_state(struct wbuf *out, enum state state, bool colour)
{
	wbuf_printf(out, "%s%s%s", table_ink_on(ink_of(state), colour), state_name(state),
	    table_ink_off(ink_of(state), colour));
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
		if (seen->endpoints[i].http != OUTCOME_OK)
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

static void
add_row(struct table *table, const struct place *place, bool dns_only)
{
	const struct measurement *seen = place->seen;
	const struct endpoint    *end = find_telling(seen);
	const char               *region = place->target->region;
	size_t                    row = table_row(table);
	enum table_ink            ink = ink_of(place->state);
	char                      text[TEXT_ROOM];

	table_cell(table, row, COLUMN_REGION, TABLE_PLAIN,
	    *region == '\0' ? "(account)" : region_name(region));
	table_cell(table, row, COLUMN_STATE, ink, state_name(place->state));
	table_cell(table, row, COLUMN_ADDRESS, TABLE_PLAIN, describe_address(place, text));
	if (seen != NULL && seen->dns_count > 0)
		table_cell(table, row, COLUMN_DNS, TABLE_PLAIN, describe_dns(seen, text));
	if (end != NULL && !dns_only) {
		table_cell(table, row, COLUMN_TCP, TABLE_PLAIN,
		    describe_stage(end->tcp, end->tcp_us, text));
		table_cell(table, row, COLUMN_TLS, TABLE_PLAIN,
		    describe_stage(end->tls, end->tls_us, text));
		table_cell(table, row, COLUMN_HTTP, TABLE_PLAIN,
		    describe_stage(end->http, end->http_wait_us, text));
	}
	table_cell(table, row, dns_only ? COLUMN_DNS_WORDS : COLUMN_WORDS, ink, place->words);
}

static void
print_places(const struct verdict *verdict, const struct verdict_look *look, struct wbuf *out)
{
	static const char *const all[] = { "region", "state", "address", "dns", "tcp", "tls",
		"gateway", "verdict", NULL };
	static const char *const of_dns[] = { "region", "state", "address", "dns", "verdict",
		NULL };
	bool                     dns_only = verdict->dns_only;
	struct table *table = table_new(dns_only ? of_dns : all, look->width, look->colour);

	table_wrap(table, dns_only ? COLUMN_DNS_WORDS : COLUMN_WORDS);
	for (size_t i = 0; i < verdict->place_count; i++)
		add_row(table, &verdict->places[i], dns_only);
	table_print(table, out);
	table_free(table);
}

/* Each line of text behind the lead, the first behind the label. */
static void
print_block(struct wbuf *out, const char *label, const char *text)
{
	const char *lead = label;

	while (*text != '\0') {
		int count = (int)strcspn(text, "\n");

		wbuf_printf(out, "  %-9s %.*s\n", lead, count, text);
		text += count + (text[count] == '\n' ? 1 : 0);
		lead = "";
	}
}

static void
print_finding(const struct finding *finding, bool colour, struct wbuf *out)
{
	const struct finding_desc *desc = &finding_table[finding->code];

	wbuf_puts(out, "\n");
	put_state(out, finding->severity, colour);
	wbuf_printf(out, " %s\n", desc->code);
	print_block(out, "what", finding->sentence);
	print_block(out, "seen", finding->evidence);
	print_block(out, "whose", owner_name(desc->owner));
	print_block(out, "fix", finding->fix);
}

static void
print_trees(const struct verdict *verdict, const struct verdict_look *look, struct wbuf *out)
{
	struct tree_look tree = {
		.width = look->width, .colour = look->colour, .utf8 = look->utf8
	};

	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct place *place = &verdict->places[i];

		if (look->trees == VERDICT_NO_TREES ||
		    (look->trees == VERDICT_ODD_TREES && place->worst == FINDING_COUNT))
			continue;
		wbuf_puts(out, "\n");
		tree_print(place, verdict, &tree, out);
	}
}

void
verdict_print(const struct account *account, const struct verdict *verdict,
    const struct verdict_look *look, struct wbuf *out)
{
	wbuf_printf(out, "%s: ", account->name);
	put_state(out, verdict->state, look->colour);
	wbuf_puts(out, verdict->dns_only ? " (DNS only)\n" : "\n");
	print_places(verdict, look, out);
	print_trees(verdict, look, out);
	for (size_t i = 0; i < verdict->finding_count; i++)
		print_finding(&verdict->findings[i], look->colour, out);
	if (verdict->unknown_count > 0)
		wbuf_puts(out, "\nnot known\n");
	for (size_t i = 0; i < verdict->unknown_count; i++)
		print_block(out, "-", verdict->unknowns[i]);
}

static const char *
nagios_word(enum state state)
{
	switch (state) {
	case STATE_OK: return "OK";
	case STATE_WARNING: return "WARNING";
	case STATE_CRITICAL: return "CRITICAL";
	case STATE_UNKNOWN: return "UNKNOWN";
	}
	return "UNKNOWN";
}

/* '|' begins the performance data [nagios-plugins]. */
static void
put_nagios_text(struct wbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		wbuf_u8(out, (uint8_t)(*text == '|' || *text == '\n' ? ' ' : *text));
}

static void
put_summary(const struct account *account, const struct verdict *verdict, struct wbuf *out)
{
	const struct finding *worst = verdict->findings;

	if (verdict->finding_count == 0 || worst->severity < verdict->state) {
		for (size_t i = 0; i < verdict->place_count; i++) {
			if (verdict->places[i].state != verdict->state)
				continue;
			put_nagios_text(out, verdict->places[i].words);
			return;
		}
		wbuf_puts(out, "nothing measured");
		return;
	}
	wbuf_printf(out, "%s: ", finding_table[worst->code].code);
	put_nagios_text(out, worst->sentence);
	if (verdict->finding_count > 1)
		wbuf_printf(out, " (and %zu more)", verdict->finding_count - 1);
}

static void
put_times(const struct verdict *verdict, struct wbuf *out)
{
	uint32_t dns_us = 0, tcp_us = 0, tls_us = 0, wait_us = 0;

	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct measurement *seen = verdict->places[i].seen;

		for (size_t j = 0; seen != NULL && j < seen->dns_count; j++) {
			if (seen->dns[j].took_us > dns_us)
				dns_us = seen->dns[j].took_us;
		}
		for (size_t j = 0; seen != NULL && j < seen->endpoints_count; j++) {
			const struct endpoint *end = &seen->endpoints[j];

			if (end->tcp_us > tcp_us)
				tcp_us = end->tcp_us;
			if (end->tls_us > tls_us)
				tls_us = end->tls_us;
			if (end->http_wait_us > wait_us)
				wait_us = end->http_wait_us;
		}
	}
	wbuf_printf(out, " dns=%.6fs", dns_us / 1e6);
	if (!verdict->dns_only) /* else 0 would pass for a time */
		wbuf_printf(out, " tcp=%.6fs tls=%.6fs http=%.6fs", tcp_us / 1e6, tls_us / 1e6,
		    wait_us / 1e6);
}

void
verdict_nagios(const struct account *account, const struct verdict *verdict, struct wbuf *out)
{
	size_t well = 0;

	for (size_t i = 0; i < verdict->place_count; i++)
		well += verdict->places[i].state == STATE_OK ? 1 : 0;
	wbuf_printf(out, "%s - %s: ", nagios_word(verdict->state), account->name);
	put_summary(account, verdict, out);
	wbuf_printf(out, " | names_ok=%zu;;;0;%zu findings=%zu;;;0", well, verdict->place_count,
	    verdict->finding_count);
	put_times(verdict, out);
	wbuf_puts(out, "\n");
}
