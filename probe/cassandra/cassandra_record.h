/* cassandra_record: the kind "cassandra": does the front end of the API for Cassandra answer as
 * one?
 *
 * No credentials are sent.  Being asked for them is ok, and so is being let in without; an error
 * in its protocol is refused-by-peer.
 */
#ifndef PROBE_CASSANDRA_CASSANDRA_RECORD_H
#define PROBE_CASSANDRA_CASSANDRA_RECORD_H

struct arena;
struct cassandra_dialog;
struct conn_seen;
struct endpoint;

extern const struct probe_kind probe_cassandra;

/* Fills connection, handshake and greeting. */
void cassandra_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct cassandra_dialog *dialog, struct arena *arena);

#endif
