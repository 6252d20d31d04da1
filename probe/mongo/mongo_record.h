/* mongo_record: the kind "mongo": does the front end of the API for MongoDB answer as one?
 *
 * No credentials are sent.  A good answer to isMaster is ok, whether or not hello is refused:
 * many versions of the service take hello only behind a login.  A refusal by the account's
 * network rules, of either question, is refused-by-peer, with the way it tells.
 */
#ifndef PROBE_MONGO_MONGO_RECORD_H
#define PROBE_MONGO_MONGO_RECORD_H

struct arena;
struct conn_seen;
struct endpoint;
struct mongo_dialog;

extern const struct probe_kind probe_mongo;

/* Fills connection, handshake and greeting. */
void mongo_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct mongo_dialog *dialog, struct arena *arena);

#endif
