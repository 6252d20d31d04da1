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
struct reply;
struct reply_error;

/* Fills the endpoint, and gives it a greeting with outcome, took_us and detail; returns that.
 * broken: why, when the outcome is BROKE_PROTOCOL; in any memory. */
struct greeting *greeting_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const char *broken, struct arena *arena);

/* The peer refuses, in its protocol: REFUSED_BY_PEER, and what its words tell of the account's
 * network rules.  words are sane and in the arena; code too, "13" or "0x000A". */
void greeting_record_refusal(
    struct greeting *greeting, const char *code, const char *words, struct arena *arena);

/* Of the dialogues that speak HTTP: whether an answer came whole, so that it says something. */
bool greeting_record_has_answer(const struct conn_seen *seen, const struct reply *reply);
/* Its error is a 403 of the account's network rules: as refusal, and true. */
bool greeting_record_rules(
    struct greeting *greeting, const struct reply *reply, const struct reply_error *error);
/* Code and words of any other error. */
void greeting_record_error(
    struct greeting *greeting, const struct reply_error *error, struct arena *arena);

#endif
