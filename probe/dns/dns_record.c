#include "probe/dns/dns_record.h"

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

/* "; it adds: No Reachable Authority (22), <text>", or nothing. */
static const char *
describe_ede(struct arena *arena, const struct dns_answer *answer)
{
	size_t known = sizeof(extended_errors) / sizeof(extended_errors[0]);

	if (!answer->has_ede)
		return "";
	return arena_printf(arena, "; extended error %u%s%s%s%s", answer->ede,
	    answer->ede < known ? " " : "",
	    answer->ede < known ? extended_errors[answer->ede] : "",
	    answer->ede_text[0] != '\0' ? ": " : "", answer->ede_text);
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

static bool
is_negative(const struct view *view)
{
	return view->outcome == OUTCOME_NXDOMAIN || view->outcome == OUTCOME_NODATA;
}

void
dns_record_fill(struct dns *dns, struct arena *arena, const char *name,
    const struct dns_heard *a, const struct dns_heard *aaaa)
{
	struct view four, six;

	read_view(&four, arena, name, "A", a);
	read_view(&six, arena, name, "AAAA", aaaa);
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
	dns->authoritative = a->answer != NULL && a->answer->authoritative;
	dns->negative_ttl_s = is_negative(&four) && a->answer->has_soa
	    ? a->answer->negative_ttl_s
	    : 0;
	copy_hops(dns, arena, a->answer != NULL ? &four : &six);
	copy_addresses(dns, arena, &four, &six);
}
