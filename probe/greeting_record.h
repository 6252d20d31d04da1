/* greeting_record: what the dialogues of all APIs record alike.
 *
 * Connection and handshake go to the endpoint as the kind "tls" writes them; how the dialogue
 * ended, and why, to its greeting.  What was said in it is the kind's own matter.
 */
#ifndef PROBE_GREETING_RECORD_H
#define PROBE_GREETING_RECORD_H

#include "base/arena.h"
#include "proto/record.h"

struct conn_seen;

/* Fills the endpoint, and gives it a greeting with outcome, took_us and detail; returns that.
 * broken: why, when the outcome is BROKE_PROTOCOL; in any memory. */
struct greeting *greeting_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const char *broken, struct arena *arena);

/* The peer refuses, in its protocol: REFUSED_BY_PEER, and what its words tell of the account's
 * network rules.  words are sane and in the arena; code too, "13" or "0x000A". */
void greeting_record_refusal(
    struct greeting *greeting, const char *code, const char *words, struct arena *arena);

#endif
