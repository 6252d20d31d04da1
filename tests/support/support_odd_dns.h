/* support_odd_dns: a name server that is wrong in named ways.
 *
 * The first label of the asked name says in which: "wrong-id.x" is answered with a wrong id.  The
 * rows of support_odd_dns.c are the list.  It runs in a thread of its own on 127.0.0.1, for UDP
 * and TCP.  A right answer is 10.9.0.1 for A and nothing for AAAA.
 */
#ifndef TESTS_SUPPORT_ODD_DNS_H
#define TESTS_SUPPORT_ODD_DNS_H

#include <stdbool.h>
#include <stdint.h>

struct support_odd_dns;

/* Without TCP nothing listens on the port there. */
struct support_odd_dns *support_odd_dns_new(bool with_tcp);
void                    support_odd_dns_free(struct support_odd_dns *odd); /* NULL is fine */
uint16_t                support_odd_dns_port(const struct support_odd_dns *odd);

#endif
