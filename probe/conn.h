/* conn: one TCP connection, with TLS and a dialogue on it when asked for, under one deadline.
 *
 * It waits, stamps each stage with one clock in one place (so that the times of all kinds can be
 * compared), and tells apart how a stage ends.  It neither retries nor resolves nor judges, and
 * fills no record: what it saw stands in a struct conn_seen.
 */
#ifndef PROBE_CONN_H
#define PROBE_CONN_H

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/loop.h"
#include "probe/conn_tls.h"
#include "probe/dialog.h"
#include "proto/outcome.h"

struct conn;

/* A peer's words end here, whatever their protocol would take. */
enum { CONN_HEARD_MAX_BYTES = 256 * 1024 };

/* What to do.  All that is pointed at is borrowed and outlives the connection. */
struct conn_ask {
	struct loop        *loop;
	const struct clock *clock;
	struct arena       *arena;    /* for the texts of conn_seen */
	struct addr         peer;     /* with port */
	struct addr         source;   /* local address to bind; family 0: the kernel's choice */
	int64_t             limit_ms; /* from conn_start() to the end, > 0 */
	const char *refused; /* why nothing is to be asked: ends as LOCAL; NULL: all is well */
	struct tls_roots *roots; /* NULL: no TLS */
	const char       *host;  /* with TLS: name to send and to verify */
	/* With TLS: the one protocol to offer [rfc7301]; NULL: none.  Where it is not agreed on, the
	 * dialogue is not begun, and ends as BROKE_PROTOCOL. */
	const char              *alpn;
	const struct dialog_ops *dialog; /* NULL: none; after TLS where there is TLS */
	void                    *dialog_self;
	/* Asked with the very address that goes to connect(); NULL allows all. */
	bool (*allows)(void *arg, const struct addr *peer);
	void *allows_arg;
	void (*on_over)(void *arg); /* may call conn_free() */
	void *arg;
};

/* What was seen.  A stage that was not reached is NOT_RUN. */
struct conn_seen {
	enum outcome          tcp;        /* OK, or how connecting ended */
	enum outcome          tls;        /* OK, TLS_REJECTED, or how the handshake ended */
	enum outcome          dialog;     /* OK after NEXT_DONE */
	uint32_t              connect_us; /* SYN sent to connected */
	uint32_t              tls_us;     /* ClientHello sent to handshake finished */
	uint32_t              dialog_us;  /* first say() to NEXT_DONE */
	int                   os_errno;   /* of a connection that failed, else 0 */
	struct addr           local;      /* family 0 when the kernel chose none */
	const char           *detail;     /* what went wrong, in words; never NULL */
	struct conn_tls_facts facts;      /* with TLS; also when the handshake failed */
};

/* Returns at once; on_over() is called from the loop, once. */
struct conn *conn_start(const struct conn_ask *ask);
/* Closes and frees, in any state, also from on_over(); no callback after.  NULL is fine. */
void conn_free(struct conn *conn);

/* Valid from on_over() until conn_free(). */
const struct conn_seen *conn_seen(const struct conn *conn);

#endif
