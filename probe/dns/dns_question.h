/* dns_question: one question to one resolver, from the first datagram to an accepted answer or
 * the deadline.
 *
 * Asks again with a new socket and id when nothing comes, the last time in the plainest form:
 * without EDNS, in lower case.  Earlier sockets go on listening, since a slow resolver's answer
 * to the first is as good.  A datagram that does not match is counted and changes nothing.  A
 * truncated answer leads to TCP.
 */
#ifndef PROBE_DNS_DNS_QUESTION_H
#define PROBE_DNS_DNS_QUESTION_H

#include "probe/dns/dns_record.h"
#include "probe/probe.h"

struct dns_question;

/* on_over() may come from inside dns_question_start(): then there was no way to ask. */
struct dns_question *dns_question_start(
    struct probe *probe, uint16_t type, void (*on_over)(void *arg), void *arg);
/* No callback after; NULL is fine.  Not from inside on_over(). */
void dns_question_free(struct dns_question *question);

/* Valid once it is over, until it is freed; texts and answer are in the arena of the ask. */
const struct dns_heard *dns_question_heard(const struct dns_question *question);
/* The asked name as text, NULL when it was none. */
const char *dns_question_name(const struct dns_question *question);

#endif
