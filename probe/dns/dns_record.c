#include "probe/dns/dns_record.h"

#include "base/base64.h"

#include <string.h>

enum { HOPS_MAX = 16, ADDRESSES_MAX = 32 };

/* One answer, read from the asked name on. */
struct view {
	const char   *type; /* "A" */
	struct arena *arena;
	enum outcome  outcome;
	unsigned      rcode;
	const char   *end; /* where the chain ends */
	struct hop    hops[HOPS_MAX];
	size_t        hop_count;
	const char   *chain_fault; /* NULL: it ends */
	struct rdata  addresses[ADDRESSES_MAX];
	size_t        address_count;
	const char   *detail;
};

/* [rfc8914 4], as far as a resolver of an Azure network may say it. */
static const char *const extended_errors[] = { "Other", "Unsupported DNSKEY Algorithm",
	"Unsupported DS Digest Type", "Stale Answer", "Forged Answer", "DNSSEC Indeterminate",
	"DNSSEC Bogus", "Signature Expired", "Signature Not Yet Valid", "DNSKEY Missing",
	"RRSIGs Missing", "No Zone Key Bit Set", "NSEC Missing", "Cached Error", "Not Ready",
	"Blocked", "Censored", "Filtered", "Prohibited", "Stale NXDOMAIN Answer",
	"Not Authoritative", "Not Supported", "No Reachable Authority", "Network Error",
	"Invalid Data" };

static const struct dns_alias *
find_alias(const struct dns_answer *answer, const char *owner)
{
	for (size_t i = 0; i < answer->alias_count; i++) {
		if (strcmp(answer->aliases[i].owner, owner) == 0)
			return &answer->aliases[i];
	}
	return NULL;
}

static bool
is_in_chain(const struct view *view, const char *name)
{
	for (size_t i = 0; i < view->hop_count; i++) {
		if (strcmp(view->hops[i].owner, name) == 0)
			return true;
	}
	return false;
}

static void
follow_chain(struct view *view, const struct dns_answer *answer, const char *name)
{
	const struct dns_alias *alias;

	view->end = name;
	while ((alias = find_alias(answer, view->end)) != NULL) {
		if (view->hop_count == HOPS_MAX) {
			view->chain_fault = arena_printf(
			    view->arena, "more than %d aliases from %s on", HOPS_MAX, name);
			return;
		}
		view->hops[view->hop_count++] = (struct hop){
			.owner = alias->owner, .target = alias->target, .ttl_s = alias->ttl_s
		};
		view->end = alias->target;
		if (is_in_chain(view, alias->target)) {
			view->chain_fault = arena_printf(view->arena,
			    "the aliases run in a circle: %s points back at %s", alias->owner,
			    alias->target);
			return;
		}
	}
}

static bool
has_address(const struct view *view, const char *text)
{
	for (size_t i = 0; i < view->address_count; i++) {
		if (strcmp(view->addresses[i].address, text) == 0)
			return true;
	}
	return false;
}

static void
take_addresses(struct view *view, const struct dns_answer *answer)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < answer->address_count; i++) {
		const struct dns_address *address = &answer->addresses[i];

		addr_render(&address->addr, text, sizeof(text));
		if (strcmp(address->owner, view->end) != 0 || has_address(view, text) ||
		    view->address_count == ADDRESSES_MAX)
			continue;
		view->addresses[view->address_count++] = (struct rdata){
			.address = arena_strdup(view->arena, text), .ttl_s = address->ttl_s
		};
	}
}

static enum outcome
judge_rcode(const struct view *view)
{
	switch (view->rcode) {
	case DNS_RCODE_OK: break;
	case DNS_RCODE_NXDOMAIN: return OUTCOME_NXDOMAIN;
	case DNS_RCODE_SERVFAIL: return OUTCOME_SERVFAIL;
	case DNS_RCODE_REFUSED: return OUTCOME_DNS_REFUSED;
	default: return OUTCOME_DNS_OTHER;
	}
	if (view->chain_fault != NULL)
		return OUTCOME_CNAME_LOOP;
	return view->address_count > 0 ? OUTCOME_OK : OUTCOME_NODATA;
}

/* "; extended error 22 No Reachable Authority: <text>" for each, or nothing. */
static const char *
describe_ede(struct arena *arena, const struct dns_answer *answer)
{
	const size_t known = sizeof(extended_errors) / sizeof(extended_errors[0]);
	const char  *text = "";

	for (size_t i = 0; i < answer->ede_count; i++) {
		const struct ede *ede = &answer->ede[i];

		text = arena_printf(arena, "%s; extended error %u%s%s%s%s", text, ede->code,
		    ede->code < known ? " " : "",
		    ede->code < known ? extended_errors[ede->code] : "",
		    ede->text[0] != '\0' ? ": " : "", ede->text);
	}
	return text;
}

static const char *
describe(const struct view *view, const struct dns_answer *answer)
{
	const char *ede = describe_ede(view->arena, answer);

	switch (view->outcome) {
	case OUTCOME_NXDOMAIN:
		return arena_printf(view->arena, "%s does not exist%s", view->end, ede);
	case OUTCOME_NODATA:
		return arena_printf(
		    view->arena, "%s has no %s record%s", view->end, view->type, ede);
	case OUTCOME_SERVFAIL:
		return arena_printf(view->arena, "the server answers SERVFAIL%s", ede);
	case OUTCOME_DNS_REFUSED:
		return arena_printf(view->arena, "the server answers REFUSED%s", ede);
	case OUTCOME_CNAME_LOOP: return view->chain_fault;
	case OUTCOME_OK: return "";
	default:
		return arena_printf(
		    view->arena, "the server answers rcode %u%s", view->rcode, ede);
	}
}

static void
add_remark(struct view *view, const char *remark)
{
	view->detail = arena_printf(
	    view->arena, "%s%s%s", view->detail, view->detail[0] != '\0' ? "; " : "", remark);
}

static void
read_view(struct view *view, struct arena *arena, const char *name, const char *type,
    const struct dns_heard *heard)
{
	*view = (struct view){ .type = type,
		.arena = arena,
		.outcome = heard->how,
		.end = name,
		.detail = heard->detail != NULL ? heard->detail : "" };
	if (heard->answer == NULL)
		return;
	view->rcode = heard->answer->rcode;
	follow_chain(view, heard->answer, name);
	if (view->rcode == DNS_RCODE_OK && view->chain_fault == NULL)
		take_addresses(view, heard->answer);
	view->outcome = judge_rcode(view);
	view->detail = describe(view, heard->answer);
	if (heard->edns_failed)
		add_remark(view, "answered only when asked without EDNS");
	if (heard->case_changed)
		add_remark(view, "the server changes letter case in the question");
}

/* A name without AAAA is the common case and not worth a word; neither is the same trouble told
 * twice. */
static const char *
join_details(struct arena *arena, const struct view *a, const struct view *aaaa)
{
	if (aaaa->outcome == OUTCOME_OK || aaaa->outcome == OUTCOME_NODATA ||
	    aaaa->outcome == a->outcome || aaaa->detail[0] == '\0')
		return a->detail;
	return arena_printf(
	    arena, "%s%sAAAA: %s", a->detail, a->detail[0] != '\0' ? "; " : "", aaaa->detail);
}

static void
copy_hops(struct dns *dns, struct arena *arena, const struct view *from)
{
	dns->hops_count = from->hop_count;
	dns->hops = arena_array(arena, from->hop_count, sizeof(*dns->hops));
	memcpy(dns->hops, from->hops, from->hop_count * sizeof(*dns->hops));
}

static void
copy_addresses(
    struct dns *dns, struct arena *arena, const struct view *a, const struct view *aaaa)
{
	size_t rest = ADDRESSES_MAX - a->address_count;
	size_t more = aaaa->address_count < rest ? aaaa->address_count : rest;

	dns->addresses_count = a->address_count + more;
	dns->addresses = arena_array(arena, dns->addresses_count, sizeof(*dns->addresses));
	memcpy(dns->addresses, a->addresses, a->address_count * sizeof(*dns->addresses));
	memcpy(
	    dns->addresses + a->address_count, aaaa->addresses, more * sizeof(*dns->addresses));
}

/* Whether the name is the one that was asked, or one that an alias of the chain leads to. */
static bool
is_of_chain(const struct view *view, const char *name)
{
	return is_in_chain(view, name) || strcmp(view->end, name) == 0;
}

/* Records beside the question: harmless here, since nobody follows them; to a resolver that keeps
 * them they are an attempt at poisoning [rfc5452 6]. */
static uint32_t
count_foreign(const struct view *view, const struct dns_answer *answer)
{
	uint32_t count = 0;

	if (answer == NULL)
		return 0;
	for (size_t i = 0; i < answer->alias_count; i++)
		count += !is_of_chain(view, answer->aliases[i].owner);
	for (size_t i = 0; i < answer->address_count; i++)
		count += !is_of_chain(view, answer->addresses[i].owner);
	return count;
}

static void
copy_ede(struct dns *dns, struct arena *arena, const struct dns_answer *answer)
{
	dns->ede_count = answer->ede_count;
	dns->ede = arena_array(arena, answer->ede_count, sizeof(*dns->ede));
	memcpy(dns->ede, answer->ede, answer->ede_count * sizeof(*dns->ede));
}

static const char *
render_raw(struct arena *arena, const struct dns_heard *heard)
{
	size_t count = heard->size < DNS_RAW_BYTES ? heard->size : DNS_RAW_BYTES;

	if (heard->bytes == NULL)
		return "";
	return base64_encode(heard->bytes, count, arena_alloc(arena, BASE64_ROOM(count)));
}

static bool
is_negative(const struct view *view)
{
	return view->outcome == OUTCOME_NXDOMAIN || view->outcome == OUTCOME_NODATA;
}

/* What only the answer for A has to say. */
static void
fill_answer(struct dns *dns, struct arena *arena, const struct view *view,
    const struct dns_answer *answer)
{
	dns->authoritative = answer->authoritative;
	dns->nsid = answer->nsid;
	dns->udp_payload = answer->udp_payload;
	copy_ede(dns, arena, answer);
	if (is_negative(view) && answer->has_soa) {
		dns->negative_ttl_s = answer->negative_ttl_s;
		dns->soa = answer->soa;
	}
}

void
dns_record_fill(struct dns *dns, struct arena *arena, const char *name,
    const struct dns_heard *a, const struct dns_heard *aaaa)
{
	struct view four, six;

	read_view(&four, arena, name, "A", a);
	read_view(&six, arena, name, "AAAA", aaaa);
	*dns = (struct dns){ .resolver = dns->resolver, .source = dns->source };
	dns->outcome = four.outcome;
	dns->rcode = four.rcode;
	dns->transport = a->transport;
	dns->truncated = a->truncated || aaaa->truncated;
	dns->took_us = (uint32_t)a->took_us;
	dns->aaaa_outcome = six.outcome;
	dns->aaaa_rcode = six.rcode;
	dns->strays = a->strays + aaaa->strays;
	dns->tries = a->tries;
	dns->detail = join_details(arena, &four, &six);
	dns->flags = a->flags;
	dns->size = (uint32_t)a->size;
	dns->edns_dropped = a->edns_failed || aaaa->edns_failed;
	dns->case_lost = a->case_changed || aaaa->case_changed;
	dns->foreign = count_foreign(&four, a->answer) + count_foreign(&six, aaaa->answer);
	dns->raw = render_raw(arena, a);
	if (a->answer != NULL)
		fill_answer(dns, arena, &four, a->answer);
	copy_hops(dns, arena, a->answer != NULL ? &four : &six);
	copy_addresses(dns, arena, &four, &six);
}

static bool
have_same_addresses(const struct view *left, const struct view *right)
{
	if (left->address_count != right->address_count)
		return false;
	for (size_t i = 0; i < left->address_count; i++) {
		if (!has_address(right, left->addresses[i].address))
			return false;
	}
	return true;
}

void
dns_record_compare(struct dns *dns, struct arena *arena, const char *name,
    const struct dns_heard *a, const struct dns_heard *tcp)
{
	struct view udp_view, tcp_view;

	read_view(&udp_view, arena, name, "A", a);
	read_view(&tcp_view, arena, name, "A", tcp);
	dns->tcp_outcome = tcp_view.outcome;
	dns->tcp_us = (uint32_t)tcp->took_us;
	dns->tcp_differs = a->answer != NULL && tcp->answer != NULL &&
	    (udp_view.rcode != tcp_view.rcode || !have_same_addresses(&udp_view, &tcp_view));
	if (tcp->answer == NULL && tcp->detail != NULL)
		dns->detail = arena_printf(arena, "%s%sasked over TCP: %s", dns->detail,
		    dns->detail[0] != '\0' ? "; " : "", tcp->detail);
}
