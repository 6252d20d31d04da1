/* dns_skim: the short way between a host name, a question and its answer, for many of them.
 *
 * The structs are those of dns_wire.h and mean the same, but nothing is allocated: every answer is
 * read into the same buffers, by a reader of our own that knows the five record types a sweep
 * meets.  It is stricter than dns_wire.h in one point, a compression pointer has to point back,
 * and laxer in one: the data of types that are of no interest are not looked at.  What options
 * say, identifiers and extended errors, is left out: a question without EDNS gets none.
 */
#ifndef PROBE_DNS_SKIM_H
#define PROBE_DNS_SKIM_H

#include "probe/dns/dns_wire.h"

struct dns_skim;

struct dns_skim *dns_skim_new(void);
void             dns_skim_free(struct dns_skim *skim); /* NULL is fine */

/* A recursive question of class IN with id 0 and without EDNS.  A plain host name is wanted:
 * letters, digits, '-' and '_' in labels of 1 to 63 bytes, not more than 253 in all. */
bool dns_skim_query(
    struct dns_query *query, const char *host, uint16_t type, struct err *err) MUST_CHECK;
/* Upper or lower case for each letter of the name, as dns_query_shuffle() does, by given random
 * bits: one for each byte of query->question_bytes. */
void dns_skim_shuffle(struct dns_query *query, const uint8_t *bits);

/* Of bytes that match and are not truncated.  Valid until the next call; NULL with err. */
const struct dns_answer *dns_skim_parse(struct dns_skim *skim, const struct dns_query *query,
    const uint8_t *bytes, size_t count, struct err *err) MUST_CHECK;

#endif
