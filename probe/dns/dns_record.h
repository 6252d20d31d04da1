/* dns_record: what was heard of one resolver, to the struct that travels.
 *
 * Pure.  Follows the chain of aliases through the records of an answer, whatever their order, and
 * says in words what went wrong.
 */
#ifndef PROBE_DNS_DNS_RECORD_H
#define PROBE_DNS_DNS_RECORD_H

#include "probe/dns/dns_wire.h"
#include "proto/record.h"

enum { DNS_RAW_BYTES = 1024 };

/* How one question ended. */
struct dns_heard {
	/* OK: an answer was accepted, whatever it says.  Else why there is none. */
	enum outcome             how;
	const struct dns_answer *answer; /* NULL unless how is OK */
	enum transport           transport;
	bool                     truncated;    /* over UDP, so TCP was tried */
	bool                     edns_failed;  /* no answer with EDNS, but one without */
	bool                     case_changed; /* the server does not keep letter case */
	int64_t                  took_us;
	unsigned                 tries;  /* datagrams sent */
	unsigned                 strays; /* datagrams ignored */
	unsigned                 flags;  /* of the header of what came, also when malformed */
	size_t                   size;   /* of what came; 0: nothing */
	const uint8_t           *bytes;  /* the first DNS_RAW_BYTES of it; NULL: not kept */
	const char              *detail; /* NULL, or why there is no answer, in words */
};

/* name: as dns_query_name() gives it.  resolver and source are left to the caller, what was heard
 * over TCP alone to dns_record_compare(); all other members of *dns are written. */
void dns_record_fill(struct dns *dns, struct arena *arena, const char *name,
    const struct dns_heard *a, const struct dns_heard *aaaa);

/* The question for A a second time, over TCP: how it ended, and whether it says the same. */
void dns_record_compare(struct dns *dns, struct arena *arena, const char *name,
    const struct dns_heard *a, const struct dns_heard *tcp);

#endif
