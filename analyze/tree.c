#include "analyze/tree.h"

#include "analyze/ede.h"
#include "analyze/facet.h"
#include "analyze/generation.h"
#include "analyze/region.h"
#include "analyze/tree_draw.h"
#include "analyze/tree_modes.h"
#include "base/addr.h"
#include "base/clock.h"
#include "base/text.h"

#include <string.h>

struct tree {
	struct arena         *arena; /* owned */
	const struct place   *place;
	const struct verdict *verdict;
	/* What was met, inside or outside, whichever is being drawn. */
	const struct endpoint *ends;
	size_t                 end_count;
	bool                  *shown; /* by endpoint: stands under an earlier resolver */
	bool                   outside;
};

static const char *
text_or(const char *text, const char *otherwise)
{
	return text != NULL && *text != '\0' ? text : otherwise;
}

static struct node *
add_node(struct tree *tree, struct node *under, const char *before, enum table_ink ink,
    const char *mark, const char *after)
{
	return tree_draw_add(tree->arena, under, before, ink, mark, after);
}

static enum table_ink
ink_of_state(enum state state)
{
	switch (state) {
	case STATE_OK: return TABLE_GREEN;
	case STATE_UNKNOWN: return TABLE_GREY;
	case STATE_WARNING: return TABLE_YELLOW;
	case STATE_CRITICAL: return TABLE_RED;
	}
	return TABLE_PLAIN;
}

/* Behind the word of a stage that ended well stands how long it took, and why where it did not. */
static const char *
describe_time(struct tree *tree, uint32_t took_us)
{
	return took_us == 0 ? "" : arena_printf(tree->arena, " in %.1f ms", took_us / 1000.0);
}

static const char *
join(struct tree *tree, const char *text, const char *more)
{
	return *text_or(more, "") == '\0' ? text
	                                  : arena_printf(tree->arena, "%s, %s", text, more);
}

static const char *
name_source(const struct dns *dns)
{
	switch ((enum source)dns->source) {
	case SOURCE_RESOLV_CONF: return "of resolv.conf";
	case SOURCE_AZURE: return "Azure's own";
	case SOURCE_CONFIGURED: return "configured";
	case SOURCE_SYSTEM: return "getaddrinfo, as applications resolve";
	case SOURCE_OUTSIDE: return "outside of this network";
	case SOURCE_COUNT: break;
	}
	return "for a reason of a newer version";
}

/* "AA RD RA" [rfc1035 4.1.1]; "" when the answer was not kept. */
static const char *
describe_flags(struct tree *tree, const struct dns *dns)
{
	static const struct {
		unsigned    bit;
		const char *name;
	} bits[] = { { 0x0400, "AA" }, { 0x0200, "TC" }, { 0x0100, "RD" }, { 0x0080, "RA" },
		{ 0x0020, "AD" }, { 0x0010, "CD" } };
	const char *text = "";

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		if (dns->flags & bits[i].bit)
			text = arena_printf(tree->arena, "%s%s%s", text,
			    *text != '\0' ? " " : "", bits[i].name);
	}
	return text;
}

/* How the question went: latency, transport, repeats, flags. */
static const char *
describe_inquiry(struct tree *tree, const struct dns *dns)
{
	const char *text = describe_time(tree, dns->took_us);

	if (dns->transport != TRANSPORT_NONE && dns->source != SOURCE_SYSTEM)
		text = arena_printf(tree->arena, "%s over %s%s", text,
		    dns->transport == TRANSPORT_TCP ? "TCP" : "UDP",
		    dns->truncated ? ", truncated over UDP" : "");
	if (dns->tries > 1 && dns->transport != TRANSPORT_NONE)
		text = arena_printf(tree->arena, "%s, %u tries", text, dns->tries);
	if (dns->outcome == OUTCOME_DNS_OTHER)
		text = arena_printf(tree->arena, "%s, rcode %u", text, dns->rcode);
	return join(tree, join(tree, text, describe_flags(tree, dns)), dns->detail);
}

static void
add_extended(struct tree *tree, struct node *under, const struct dns *dns)
{
	for (size_t i = 0; i < dns->ede_count; i++) {
		const char *text = text_or(dns->ede[i].text, NULL);

		add_node(tree, under, "extended error ", TABLE_YELLOW,
		    arena_printf(
		        tree->arena, "%u %s", dns->ede[i].code, ede_name(dns->ede[i].code)),
		    text == NULL ? "" : arena_printf(tree->arena, ": \"%s\"", text));
	}
}

/* The server said something about the name. */
static bool
is_answer(unsigned outcome)
{
	switch (outcome) {
	case OUTCOME_OK:
	case OUTCOME_NXDOMAIN:
	case OUTCOME_NODATA:
	case OUTCOME_SERVFAIL:
	case OUTCOME_DNS_REFUSED:
	case OUTCOME_DNS_OTHER: return true;
	default: return false;
	}
}

static void
add_tcp(struct tree *tree, struct node *under, const struct dns *dns)
{
	const char *time = describe_time(tree, dns->tcp_us);

	if (dns->tcp_outcome == OUTCOME_NOT_RUN)
		return;
	if (dns->tcp_differs)
		add_node(tree, under, "over TCP: ", TABLE_RED, "another answer", time);
	else if (dns->tcp_outcome == dns->outcome && is_answer(dns->outcome))
		add_node(tree, under, "over TCP: ", TABLE_GREEN, "the same answer", time);
	else
		add_node(tree, under, "over TCP: ", tree_draw_ink(dns->tcp_outcome),
		    outcome_name(dns->tcp_outcome), time);
}

static void
add_note(struct tree *tree, struct node *under, enum table_ink ink, const char *text)
{
	add_node(tree, under, "", ink, text, "");
}

/* What is odd about the answer, or worth knowing. */
static void
add_notes(struct tree *tree, struct node *under, const struct dns *dns)
{
	bool told = dns->aaaa_outcome == OUTCOME_NOT_RUN || dns->aaaa_outcome == OUTCOME_OK ||
	    dns->aaaa_outcome == OUTCOME_NODATA || dns->aaaa_outcome == dns->outcome;

	if (!told)
		add_node(tree, under, "AAAA: ", tree_draw_ink(dns->aaaa_outcome),
		    outcome_name(dns->aaaa_outcome), "");
	add_extended(tree, under, dns);
	add_tcp(tree, under, dns);
	if (*text_or(dns->canonical, "") != '\0')
		add_node(tree, under, "ends at the name ", TABLE_BOLD, dns->canonical, "");
	if (*text_or(dns->nsid, "") != '\0')
		add_node(tree, under, "the server calls itself ", TABLE_PLAIN, dns->nsid, "");
	if (dns->edns_dropped)
		add_note(tree, under, TABLE_YELLOW, "answers only without EDNS");
	if (dns->case_lost)
		add_note(tree, under, TABLE_YELLOW, "does not keep letter case");
	if (dns->strays > 0)
		add_note(tree, under, TABLE_YELLOW,
		    arena_printf(tree->arena, "%u stray datagram%s ignored", dns->strays,
		        dns->strays == 1 ? "" : "s"));
	if (dns->foreign > 0)
		add_note(tree, under, TABLE_YELLOW,
		    arena_printf(tree->arena, "%u record%s of other names ignored",
		        dns->foreign, dns->foreign == 1 ? "" : "s"));
}

static const char *
describe_certificate(struct tree *tree, const struct endpoint *end)
{
	const char *text = text_or(end->subject, "");
	char        stop[CLOCK_TEXT];

	if (*text == '\0')
		return "";
	text = arena_printf(
	    tree->arena, "%s by %s", text, text_or(end->issuer, "an unnamed issuer"));
	if (end->not_after_ms != 0)
		text = arena_printf(tree->arena, "%s, to %.10s", text,
		    clock_render(end->not_after_ms, stop, sizeof(stop)));
	return text;
}

static void
add_tls(struct tree *tree, struct node *under, const struct endpoint *end)
{
	const char *text = join(tree, describe_time(tree, end->tls_us), end->tls_version);

	if (end->tls == OUTCOME_NOT_RUN)
		return;
	if (end->tls != OUTCOME_OK && *text_or(end->detail, "") != '\0')
		text = join(tree, text, end->detail);
	else if (end->tls != OUTCOME_OK)
		text = join(tree, text, end->verify_text);
	add_node(tree, under, "tls: ", tree_draw_ink(end->tls), outcome_name(end->tls),
	    join(tree, text, describe_certificate(tree, end)));
}

static void
add_gateway(struct tree *tree, struct node *under, const struct endpoint *end)
{
	const char *text = describe_time(tree, end->http_wait_us);

	if (end->http == OUTCOME_NOT_RUN)
		return;
	if (end->http_status != 0)
		text = arena_printf(tree->arena, "%s, HTTP %u", text, end->http_status);
	if (end->http != OUTCOME_OK)
		text = join(tree, join(tree, text, end->error_code), end->error_text);
	add_node(tree, under, "gateway: ", tree_draw_ink(end->http), outcome_name(end->http),
	    join(tree, text, end->http_detail));
}

/* In the words of the API's own protocol. */
static void
add_front_end(struct tree *tree, struct node *under, const struct greeting *greeting)
{
	const char *text;
	char        wire[GENERATION_TEXT];

	if (greeting == NULL || greeting->outcome == OUTCOME_NOT_RUN)
		return;
	text = describe_time(tree, greeting->took_us);
	if (greeting->status != 0)
		text = arena_printf(tree->arena, "%s, status %u", text, greeting->status);
	if (greeting->wants_login)
		text = join(tree, text, "asks for login");
	if (greeting->wire_most != 0)
		text = join(
		    tree, text, generation_render(greeting->wire_most, wire, sizeof(wire)));
	if (*text_or(greeting->versions, "") != '\0')
		text = arena_printf(tree->arena, "%s, CQL %s", text, greeting->versions);
	text = join(tree, join(tree, text, greeting->error_code), greeting->error_text);
	text = join(tree, join(tree, text, greeting->server), greeting->detail);
	if (*text_or(greeting->hosts, "") != '\0')
		text = arena_printf(tree->arena, "%s, hands out %s", text, greeting->hosts);
	add_node(tree, under, "front end: ", tree_draw_ink(greeting->outcome),
	    outcome_name(greeting->outcome), text);
}

static const struct endpoint *
find_endpoint(const struct tree *tree, const char *address, size_t *at)
{
	for (size_t i = 0; i < tree->end_count; i++) {
		if (strcmp(text_or(tree->ends[i].address, ""), address) == 0) {
			*at = i;
			return &tree->ends[i];
		}
	}
	return NULL;
}

/* Outside in, as it was tried.  The same address may stand under several resolvers; what was met
 * there is said once. */
static void
add_stages(struct tree *tree, struct node *under, const char *address)
{
	size_t                 at = 0;
	const struct endpoint *end = find_endpoint(tree, address, &at);
	const char            *text;

	if (end == NULL)
		return;
	if (tree->shown[at]) {
		add_note(tree, under, TABLE_GREY, "tried: see above");
		return;
	}
	tree->shown[at] = true;
	text = describe_time(tree, end->tcp_us);
	if (end->tcp != OUTCOME_OK)
		text = join(tree, text, end->detail);
	add_node(tree, under, "tcp: ", tree_draw_ink(end->tcp), outcome_name(end->tcp),
	    *text_or(end->local, "") == '\0'
	        ? text
	        : arena_printf(tree->arena, "%s, from %s", text, end->local));
	add_tls(tree, under, end);
	add_gateway(tree, under, end);
	add_front_end(tree, under, end->greeting);
}

/* The chain leads through the private zone. */
static bool
is_private_alias(const char *name)
{
	return text_find_nocase(name, ".privatelink.") != NULL;
}

static bool
has_private_alias(const struct dns *dns)
{
	for (size_t i = 0; i < dns->hops_count; i++) {
		if (is_private_alias(text_or(dns->hops[i].target, "")))
			return true;
	}
	return false;
}

static const struct place_address *
find_address(const struct tree *tree, const char *text)
{
	for (size_t i = 0; i < tree->place->address_count; i++) {
		if (strcmp(tree->place->addresses[i].address, text) == 0)
			return &tree->place->addresses[i];
	}
	return NULL;
}

/* A range proves nothing good; but a public address behind the private alias is what the alias is
 * there to prevent. */
static enum table_ink
ink_of_address(const struct place_address *address, bool alias)
{
	struct addr addr;

	if (address == NULL || !addr_parse(&addr, address->address, 0, NULL))
		return TABLE_RED;
	if (address->told)
		return address->right ? TABLE_GREEN : TABLE_RED;
	switch (addr_class(&addr)) {
	case ADDR_PRIVATE:
	case ADDR_SHARED: return TABLE_BOLD;
	case ADDR_PUBLIC: return alias ? TABLE_RED : TABLE_YELLOW;
	default: return TABLE_RED;
	}
}

/* Of an address that somebody outside gave: to be public is all that is wanted of it. */
static struct node *
add_outer_address(struct tree *tree, struct node *under, const struct rdata *record)
{
	const char *text = text_or(record->address, "");
	struct addr addr;
	bool        known = addr_parse(&addr, text, 0, NULL);

	return add_node(tree, under, "",
	    known && addr_is_public(&addr) ? TABLE_PLAIN : TABLE_RED, text,
	    arena_printf(tree->arena, ", %s, TTL %u s",
	        known ? addr_class_name(addr_class(&addr)) : "not an address", record->ttl_s));
}

static struct node *
add_address(
    struct tree *tree, struct node *under, const struct dns *dns, const struct rdata *record)
{
	const char                 *text = text_or(record->address, "");
	const struct place_address *address = find_address(tree, text);
	const char                 *words = address != NULL ? address->words : "not an address";

	words = arena_printf(tree->arena, ", %s", words);
	if (dns->source != SOURCE_SYSTEM) /* which tells no TTL */
		words = arena_printf(tree->arena, "%s, TTL %u s", words, record->ttl_s);
	return add_node(
	    tree, under, "", ink_of_address(address, has_private_alias(dns)), text, words);
}

static void
add_addresses(struct tree *tree, struct node *under, const struct dns *dns)
{
	for (size_t i = 0; i < dns->addresses_count; i++) {
		const struct rdata *record = &dns->addresses[i];
		struct node *node = tree->outside ? add_outer_address(tree, under, record)
		                                  : add_address(tree, under, dns, record);

		add_stages(tree, node, text_or(record->address, ""));
	}
}

/* Where the chain ends without an address. */
static void
add_dead_end(struct tree *tree, struct node *under, const struct dns *dns)
{
	const char *text = "";

	if (dns->addresses_count > 0 ||
	    (dns->outcome != OUTCOME_NXDOMAIN && dns->outcome != OUTCOME_NODATA))
		return;
	if (*text_or(dns->soa, "") != '\0')
		text = arena_printf(tree->arena, ", says the zone %s", dns->soa);
	if (dns->negative_ttl_s > 0)
		text = arena_printf(
		    tree->arena, "%s; may be kept for %u s", text, dns->negative_ttl_s);
	add_node(tree, under, "", TABLE_RED,
	    dns->outcome == OUTCOME_NXDOMAIN ? "does not exist" : "exists, but has no address",
	    text);
}

static void
add_resolver(struct tree *tree, struct node *root, const struct dns *dns)
{
	struct node *resolver = add_node(tree, root,
	    arena_printf(
	        tree->arena, "%s, %s: ", text_or(dns->resolver, "?"), name_source(dns)),
	    tree_draw_ink(dns->outcome), outcome_name(dns->outcome),
	    describe_inquiry(tree, dns));
	struct node *end = resolver;

	for (size_t i = 0; i < dns->hops_count; i++) {
		const char *target = text_or(dns->hops[i].target, "?");

		end = add_node(tree, end, "alias of ",
		    is_private_alias(target) ? TABLE_BOLD : TABLE_PLAIN, target,
		    arena_printf(tree->arena, ", TTL %u s", dns->hops[i].ttl_s));
	}
	add_addresses(tree, end, dns);
	add_dead_end(tree, end, dns);
	add_notes(tree, resolver, dns);
}

static void
begin_ends(struct tree *tree, const struct endpoint *ends, size_t count)
{
	tree->ends = ends;
	tree->end_count = count;
	tree->shown = arena_array(tree->arena, count + 1, sizeof(bool));
}

static void
add_outer_feed(struct tree *tree, struct node *under, const struct feed *feed)
{
	const char *text = feed->http_status != 0
	    ? arena_printf(tree->arena, ", HTTP %u", feed->http_status)
	    : "";

	add_node(tree, under,
	    arena_printf(tree->arena, "signed request at %s: ", text_or(feed->address, "?")),
	    feed->admitted ? TABLE_RED : TABLE_PLAIN,
	    feed->admitted ? "admitted" : outcome_name(feed->outcome),
	    join(tree, join(tree, text, feed->error_text), feed->detail));
}

/* Apart from the rest: no client of this network goes there. */
static void
add_outside(struct tree *tree, struct node *root, const struct outside *outside)
{
	struct node *under = add_node(tree, root, "public address: ", TABLE_BOLD,
	    outside_kind_name(tree->place->outside), "");

	tree->outside = true;
	begin_ends(tree, outside->endpoints, outside->endpoints_count);
	if (*text_or(outside->detail, "") != '\0')
		add_note(tree, under, TABLE_YELLOW, outside->detail);
	for (size_t i = 0; i < outside->dns_count; i++)
		add_resolver(tree, under, &outside->dns[i]);
	if (outside->feed != NULL)
		add_outer_feed(tree, under, outside->feed);
}

static void
add_verdict(struct tree *tree, struct node *root)
{
	const struct place *place = tree->place;
	bool                any = false;

	for (size_t i = 0; i < tree->verdict->finding_count; i++) {
		const struct finding *finding = &tree->verdict->findings[i];

		if (!finding_concerns(finding, place))
			continue;
		any = true;
		add_node(tree, root, "verdict: ", ink_of_state(finding->severity),
		    state_name(finding->severity),
		    arena_printf(tree->arena, ", %s (%s)", finding_table[finding->code].words,
		        finding_table[finding->code].code));
	}
	if (!any)
		add_node(tree, root, "verdict: ", ink_of_state(place->state),
		    state_name(place->state), arena_printf(tree->arena, ", %s", place->words));
}

static struct node *
plant(struct tree *tree)
{
	const struct place       *place = tree->place;
	const struct measurement *seen = place->seen;
	const char               *region = place->target->region;
	struct node              *root;

	root = add_node(tree, NULL, "", TABLE_BOLD, place->target->host,
	    arena_printf(tree->arena, " (%s%s%s%s)",
	        *region == '\0' ? "the account" : region_name(region),
	        place->target->api == API_SQL ? "" : ", ",
	        place->target->api == API_SQL ? "" : facet_title((enum api)place->target->api),
	        place->target->mode == MODE_DIRECT           ? ", Direct mode"
	            : place->target->mode == MODE_GATEWAY_V2 ? ", Gateway V2"
	                                                     : ""));
	if (seen != NULL) {
		begin_ends(tree, seen->endpoints, seen->endpoints_count);
		if (*text_or(seen->detail, "") != '\0')
			add_note(tree, root, TABLE_YELLOW, seen->detail);
		for (size_t i = 0; i < seen->dns_count; i++)
			add_resolver(tree, root, &seen->dns[i]);
		tree_modes_add(tree->arena, root, seen);
		if (seen->outside != NULL)
			add_outside(tree, root, seen->outside);
	}
	add_verdict(tree, root);
	return root;
}

void
tree_print(const struct place *place, const struct verdict *verdict,
    const struct tree_look *look, struct wbuf *out)
{
	struct tree tree = { .arena = arena_new(), .place = place, .verdict = verdict };

	tree_draw_print(tree.arena, plant(&tree), look, out);
	arena_free(tree.arena);
}
