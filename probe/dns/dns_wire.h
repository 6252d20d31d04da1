/* dns_wire: a DNS question to bytes, and the bytes of its answer to a struct.
 *
 * Pure: no socket, no clock, no judgement.  It says what stands in an answer, record by record;
 * which of it belongs to the name that was asked is dns_record.h's matter.  Every name is text in
 * lower case without the last dot, escaped as in a zone file [rfc4343 2.1], so that two names are
 * equal when their texts are.
 */
#ifndef PROBE_DNS_DNS_WIRE_H
#define PROBE_DNS_DNS_WIRE_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/err.h"
#include "proto/record.h"

#include <stddef.h>
#include <stdint.h>

enum { DNS_TYPE_A = 1, DNS_TYPE_AAAA = 28 };
enum {
	DNS_RCODE_OK,
	DNS_RCODE_FORMERR,
	DNS_RCODE_SERVFAIL,
	DNS_RCODE_NXDOMAIN,
	DNS_RCODE_NOTIMP,
	DNS_RCODE_REFUSED
};

enum {
	DNS_HEAD_BYTES = 12,
	DNS_NAME_BYTES = 255, /* [rfc1035 2.3.4] */
	DNS_OPT_BYTES = 15,   /* with an empty option NSID [rfc6891 6.1.2] [rfc5001 2.1] */
	DNS_QUERY_BYTES = DNS_HEAD_BYTES + DNS_NAME_BYTES + 4 + DNS_OPT_BYTES,
	DNS_PAYLOAD_BYTES = 1232, /* what we say that we take: fits every path unfragmented */
	DNS_UDP_BYTES = 4096,     /* what we really take */
	DNS_TCP_BYTES = 65535,
	DNS_RECORDS_MAX = 64, /* of all sections together */
	DNS_ERRORS_MAX = 4    /* extended errors kept */
};

struct dns_query {
	uint16_t type;
	bool     edns;
	size_t   question_bytes; /* name, type and class, behind the header */
	size_t   count;
	uint8_t  bytes[DNS_QUERY_BYTES];
};

/* A recursive question for one record type of class IN, with id 0 and EDNS, which asks who
 * answers [rfc5001]. */
bool dns_query_build(
    struct dns_query *query, const char *name, uint16_t type, struct err *err) MUST_CHECK;
void dns_query_stamp(struct dns_query *query, uint16_t id, bool edns);
/* Draws upper or lower case for each letter of the name: a forger has to guess it too, since a
 * server copies the question into its answer as it came. */
void dns_query_shuffle(struct dns_query *query);
/* The name that is asked. */
const char *dns_query_name(const struct dns_query *query, struct arena *arena);

enum dns_match {
	DNS_MATCH_STRAY,  /* not an answer to this question: ignore it, go on waiting */
	DNS_MATCH_ANSWER, /* id, flags and question are right [rfc5452 9.1] */
	/* All is right but upper and lower case in the name: from a server that does not keep it. */
	DNS_MATCH_OTHER_CASE,
	/* A bare header with the right id and an error that is not about the name: what a server
	 * sends that did not look at the question, since it does not understand it (EDNS) or does
	 * not serve us: Unbound's access list does so. */
	DNS_MATCH_BARE
};
enum dns_match dns_answer_match(
    const struct dns_query *query, const uint8_t *bytes, size_t count);
/* Of bytes that match.  The flags are the second 16 bits of the header [rfc1035 4.1.1]. */
bool     dns_answer_is_truncated(const uint8_t *bytes);
unsigned dns_answer_flags(const uint8_t *bytes);

struct dns_alias {
	const char *owner, *target;
	uint32_t    ttl_s;
};

struct dns_address {
	const char *owner;
	struct addr addr; /* port 0 */
	uint32_t    ttl_s;
};

/* What stands in an answer, in its order. */
struct dns_answer {
	unsigned            rcode; /* with the extended part [rfc6891 6.1.3] */
	bool                authoritative;
	bool                edns;        /* the peer sent an OPT record */
	uint32_t            udp_payload; /* what it takes [rfc6891 6.2.3]; 0 without EDNS */
	const char         *nsid;        /* sane text, or 0x and hex; "" for none */
	struct dns_alias   *aliases;     /* CNAME records of the answer section */
	size_t              alias_count;
	struct dns_address *addresses; /* records of the asked type in the answer section */
	size_t              address_count;
	bool                has_soa;             /* in the authority section */
	const char         *soa;                 /* the zone that it heads; "" for none */
	uint32_t            negative_ttl_s;      /* of that SOA [rfc2308 5] */
	struct ede          ede[DNS_ERRORS_MAX]; /* [rfc8914 2]; texts are sane */
	size_t              ede_count;
};

/* Of bytes that match and are not truncated.  What it points at is in the arena. */
bool dns_answer_parse(struct dns_answer *answer, struct arena *arena,
    const struct dns_query *query, const uint8_t *bytes, size_t count,
    struct err *err) MUST_CHECK;

#endif
