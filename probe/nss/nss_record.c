#include "probe/nss/nss_record.h"

#include "base/text.h"

#include <netdb.h>
#include <string.h>

enum { CANONICAL_BYTES = 255 };

/* The C library tells silence from SERVFAIL as little as refusal from a broken answer. */
static enum outcome
judge_code(int code)
{
	switch (code) {
	case 0: return OUTCOME_OK;
	case EAI_NONAME: return OUTCOME_NXDOMAIN;
	case EAI_NODATA:
	case EAI_ADDRFAMILY: return OUTCOME_NODATA;
	case EAI_AGAIN:
	case EAI_FAIL: return OUTCOME_SERVFAIL;
	default: return OUTCOME_LOCAL;
	}
}

static bool
has_family(const struct nss_answer *answer, unsigned family)
{
	for (size_t i = 0; i < answer->address_count; i++) {
		if (answer->addresses[i].family == family)
			return true;
	}
	return false;
}

/* IPv4 first, as from the wire; the order of getaddrinfo() follows the routes of the machine. */
static void
take_family(
    struct dns *dns, struct arena *arena, const struct nss_answer *answer, unsigned family)
{
	char text[ADDR_TEXT];

	for (size_t i = 0; i < answer->address_count; i++) {
		bool known = false;

		if (answer->addresses[i].family != family)
			continue;
		addr_render(&answer->addresses[i], text, sizeof(text));
		for (size_t j = 0; j < dns->addresses_count; j++)
			known |= strcmp(dns->addresses[j].address, text) == 0;
		if (!known)
			dns->addresses[dns->addresses_count++].address = arena_strdup(
			    arena, text);
	}
}

/* In lower case and without the last dot, as all names. */
static const char *
render_canonical(struct arena *arena, const char *host, const char *canonical)
{
	char  *text = text_sane(arena, canonical, strlen(canonical), CANONICAL_BYTES);
	size_t bytes = strlen(text);

	for (size_t i = 0; i < bytes; i++)
		text[i] = text_lower(text[i]);
	if (bytes > 1 && text[bytes - 1] == '.')
		text[bytes - 1] = '\0';
	return text_equal_nocase(text, host) ? "" : text;
}

static const char *
describe(struct arena *arena, const struct nss_answer *answer)
{
	if (answer->code == EAI_SYSTEM)
		return arena_printf(arena, "getaddrinfo: %s", strerror(answer->cause));
	return arena_printf(arena, "getaddrinfo: %s", gai_strerror(answer->code));
}

void
nss_record_fill(
    struct dns *dns, struct arena *arena, const char *host, const struct nss_answer *answer)
{
	*dns = (struct dns){ .resolver = NSS_RESOLVER, .source = dns->source };
	dns->outcome = dns->aaaa_outcome = judge_code(answer->code);
	dns->took_us = answer->took_us > UINT32_MAX ? UINT32_MAX : (uint32_t)answer->took_us;
	dns->tries = 1;
	dns->canonical = "";
	dns->detail = "";
	if (answer->code != 0) {
		dns->detail = describe(arena, answer);
		return;
	}
	if (!has_family(answer, 4)) {
		dns->outcome = OUTCOME_NODATA;
		dns->detail = "getaddrinfo: no IPv4 address";
	}
	if (!has_family(answer, 6))
		dns->aaaa_outcome = OUTCOME_NODATA;
	dns->addresses = arena_array(arena, answer->address_count, sizeof(*dns->addresses));
	take_family(dns, arena, answer, 4);
	take_family(dns, arena, answer, 6);
	dns->canonical = render_canonical(arena, host, answer->canonical);
}

void
nss_record_fail(struct dns *dns, enum outcome how, const char *detail)
{
	*dns = (struct dns){ .resolver = NSS_RESOLVER, .source = dns->source };
	dns->outcome = dns->aaaa_outcome = how;
	dns->detail = detail;
}
