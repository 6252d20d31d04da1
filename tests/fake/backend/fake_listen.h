/* fake_listen: the listeners of the fake back end, of several protocols, and a thread for each
 * connection: one that drips or is silent must not hold up the others.
 */
#ifndef TESTS_FAKE_LISTEN_H
#define TESTS_FAKE_LISTEN_H

#include "tests/fake/backend/fake_talk.h"

#include <stdio.h>

enum fake_protocol {
	FAKE_GATEWAY,
	FAKE_RNTBD,
	FAKE_THIN,
	FAKE_MONGO,
	FAKE_CASSANDRA,
	FAKE_GREMLIN,
	FAKE_TABLE,
	FAKE_PROTOCOLS
};

extern const char *const fake_protocol_names[FAKE_PROTOCOLS];

struct fake_listeners;

struct fake_listeners *fake_listeners_new(void);
/* "IP:PORT"; port 0 picks one.  plain: the line in `ready` does not name the protocol. */
bool fake_listeners_add(struct fake_listeners *all, enum fake_protocol protocol,
    const char *text, bool plain, struct err *err) MUST_CHECK;
/* The port of the number-th listener of a protocol; 0 when there are fewer. */
uint16_t fake_listeners_port(
    const struct fake_listeners *all, enum fake_protocol protocol, size_t number);
size_t fake_listeners_count(const struct fake_listeners *all, enum fake_protocol protocol);
/* A line "listening [PROTOCOL] IP:PORT" for each, in the order in which they were added. */
void fake_listeners_print(const struct fake_listeners *all, FILE *out);

/* Serves for ever: serve[protocol] is called in a thread of its own and keeps the talk. */
void fake_listeners_run(struct fake_listeners *all,
    void (*const serve[FAKE_PROTOCOLS])(struct fake_talk *talk)) __attribute__((__noreturn__));

#endif
