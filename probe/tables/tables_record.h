/* tables_record: the kind "table": is there a Table front end of Azure Cosmos DB?
 *
 * OK is said of a JSON body with an odata.error, and of an answer with x-ms-request-id that is
 * nobody else's: not HTML, not a redirect, not XML, and not Azure Storage, which has that header
 * too and speaks the same protocol.  A 403 with the words of the account's network rules is
 * REFUSED_BY_PEER; every other answer is HTTP_OTHER.
 */
#ifndef PROBE_TABLES_TABLES_RECORD_H
#define PROBE_TABLES_TABLES_RECORD_H

struct arena;
struct conn_seen;
struct endpoint;
struct tables_dialog;

extern const struct probe_kind probe_tables;

/* Connection and handshake as the kind "tls", and endpoint->greeting.  dialog is NULL when the
 * spec was refused. */
void tables_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct tables_dialog *dialog, struct arena *arena);

#endif
