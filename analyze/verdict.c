#include "analyze/verdict.h"

#include "analyze/tree.h"
#include "analyze/verdict_table.h"

#include <string.h>

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

static void
put_state(struct wbuf *out, enum state state, bool colour)
{
	wbuf_printf(out, "%s%s%s", table_ink_on(verdict_table_ink(state), colour),
	    state_name(state), table_ink_off(verdict_table_ink(state), colour));
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
	verdict_table_print(verdict, look, out);
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

/* Of one API and mode; well: those that are ok, NULL when nobody asks. */
static size_t
count_places(const struct verdict *verdict, enum api api, enum mode mode, size_t *well)
{
	size_t count = 0, good = 0;

	for (size_t i = 0; i < verdict->place_count; i++) {
		const struct target *target = verdict->places[i].target;

		if (target->api != api || target->mode != mode)
			continue;
		count++;
		good += verdict->places[i].state == STATE_OK ? 1 : 0;
	}
	if (well != NULL)
		*well = good;
	return count;
}

static void
put_times(const struct verdict *verdict, struct wbuf *out)
{
	uint32_t dns_us = 0, tcp_us = 0, tls_us = 0, wait_us = 0;
	bool     http = count_places(verdict, API_SQL, MODE_GATEWAY, NULL) > 0, asked = http;

	for (int api = API_SQL + 1; api < API_COUNT; api++)
		asked |= count_places(verdict, (enum api)api, MODE_GATEWAY, NULL) > 0;

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
	if (verdict->dns_only) /* else 0 would pass for a time */
		return;
	if (asked)
		wbuf_printf(out, " tcp=%.6fs tls=%.6fs", tcp_us / 1e6, tls_us / 1e6);
	if (http)
		wbuf_printf(out, " http=%.6fs", wait_us / 1e6);
}

void
verdict_nagios(const struct account *account, const struct verdict *verdict, struct wbuf *out)
{
	static const struct {
		enum api    api;
		enum mode   mode;
		const char *name;
	} counts[] = { { API_SQL, MODE_GATEWAY, "names_ok" },
		{ API_SQL, MODE_DIRECT, "direct_ok" }, { API_SQL, MODE_GATEWAY_V2, "v2_ok" },
		{ API_MONGO, MODE_GATEWAY, "mongodb_ok" },
		{ API_CASSANDRA, MODE_GATEWAY, "cassandra_ok" },
		{ API_GREMLIN, MODE_GATEWAY, "gremlin_ok" },
		{ API_TABLE, MODE_GATEWAY, "table_ok" } };

	wbuf_printf(out, "%s - %s: ", nagios_word(verdict->state), account->name);
	put_summary(account, verdict, out);
	wbuf_puts(out, " |");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		size_t well,
		    count = count_places(verdict, counts[i].api, counts[i].mode, &well);

		if (count > 0)
			wbuf_printf(out, " %s=%zu;;;0;%zu", counts[i].name, well, count);
	}
	wbuf_printf(out, " findings=%zu;;;0", verdict->finding_count);
	put_times(verdict, out);
	wbuf_puts(out, "\n");
}
