/* tcp_record: the kind "tcp": does the address take a connection?
 *
 * Nothing is said on it: the connection is closed as soon as it stands.
 */
#ifndef PROBE_TCP_TCP_RECORD_H
#define PROBE_TCP_TCP_RECORD_H

struct arena;
struct conn_seen;
struct endpoint;

extern const struct probe_kind probe_tcp;

/* Fills tcp, tcp_us, local, os_errno, and detail when connecting failed. */
void tcp_record(struct endpoint *endpoint, const struct conn_seen *seen, struct arena *arena);

#endif
