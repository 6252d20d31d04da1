/* dns_alone: one question over TCP on its own, whatever UDP brought.
 *
 * Some networks let DNS through over UDP only; nobody notices until the first answer that does
 * not fit a datagram.  One connection, no repeat, the deadline of the probe.
 */
#ifndef PROBE_DNS_DNS_ALONE_H
#define PROBE_DNS_DNS_ALONE_H

#include "probe/dns/dns_record.h"
#include "probe/probe.h"

struct dns_alone;

/* on_over() may come from inside dns_alone_start(): then there was no way to ask. */
struct dns_alone *dns_alone_start(
    struct probe *probe, uint16_t type, void (*on_over)(void *arg), void *arg);
/* No callback after; NULL is fine.  Not from inside on_over(). */
void dns_alone_free(struct dns_alone *alone);

/* Valid once it is over, until it is freed; took_us counts from the start of connecting. */
const struct dns_heard *dns_alone_heard(const struct dns_alone *alone);

#endif
