/* dns_tcp: one question over one fresh TCP connection [rfc7766].
 *
 * For answers that do not fit a datagram.  It has no deadline of its own: whoever started it
 * frees it when time is up.  The bytes of the answer are handed over unread.
 */
#ifndef PROBE_DNS_DNS_TCP_H
#define PROBE_DNS_DNS_TCP_H

#include "base/addr.h"
#include "base/loop.h"
#include "probe/dns/dns_wire.h"
#include "proto/outcome.h"

struct dns_tcp;

struct dns_tcp_ask {
	struct loop            *loop;   /* borrowed */
	struct addr             source; /* family 0: the kernel's choice */
	struct addr             peer;
	const struct dns_query *query; /* copied */
	/* OK: a whole message is there (dns_tcp_answer).  Else cause is the errno, or 0. */
	void (*on_over)(void *arg, enum outcome how, int cause);
	void *arg;
};

/* on_over() comes once, from the loop or from dns_tcp_hear(). */
struct dns_tcp *dns_tcp_start(const struct dns_tcp_ask *ask);
/* Goes on as far as it can without waiting. */
void dns_tcp_hear(struct dns_tcp *tcp);
/* No callback after; NULL is fine.  Not from inside on_over(). */
void dns_tcp_free(struct dns_tcp *tcp);

/* "connecting", "sending", "waiting for the answer": where it stands. */
const char    *dns_tcp_doing(const struct dns_tcp *tcp);
const uint8_t *dns_tcp_answer(const struct dns_tcp *tcp, size_t *count);

#endif
