/* gremlin_record: the kind "gremlin": is there a Gremlin front end, and does it want a login?
 *
 * OK is said of a status that came in band, over a WebSocket that was opened by the rules; 407 and
 * 401 are its asking for credentials, so that the whole path stands.  A refusal that carries the
 * words of the account's network rules is REFUSED_BY_PEER, over HTTP or in band; every other HTTP
 * answer is HTTP_OTHER.
 */
#ifndef PROBE_GREMLIN_GREMLIN_RECORD_H
#define PROBE_GREMLIN_GREMLIN_RECORD_H

struct arena;
struct conn_seen;
struct endpoint;
struct gremlin_dialog;

extern const struct probe_kind probe_gremlin;

/* Connection and handshake as the kind "tls", and endpoint->greeting.  dialog is NULL when the
 * spec was refused. */
void gremlin_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct gremlin_dialog *dialog, struct arena *arena);

#endif
