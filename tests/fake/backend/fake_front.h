/* fake_front: the front ends of the other APIs in the fake back end: MongoDB, Cassandra, Gremlin
 * and Table, over TLS.  Each is good, or wrong in one named way, at all of its listeners.
 */
#ifndef TESTS_FAKE_FRONT_H
#define TESTS_FAKE_FRONT_H

#include "tests/fake/backend/fake_listen.h"

/* Of FAKE_MONGO and what follows it. */
bool fake_front_does(enum fake_protocol protocol, const char *name, struct err *err) MUST_CHECK;
void fake_front_list(enum fake_protocol protocol, FILE *out); /* of the names */
/* What that of MongoDB hands out, "HOST:PORT", space between; borrowed for ever.  Without it, the
 * name by which it was reached. */
void fake_front_hand_out(const char *hosts);
void fake_front_setup(enum fake_protocol protocol, struct ssl_ctx_st *tls);

void fake_mongo_serve(struct fake_talk *talk);
void fake_cassandra_serve(struct fake_talk *talk);
void fake_gremlin_serve(struct fake_talk *talk);
void fake_table_serve(struct fake_talk *talk);

#endif
