/* nss_thread: getaddrinfo() in threads of its own, since it blocks.
 *
 * A few threads a process, however many mailboxes, for a name takes a round trip at least and the
 * names of an account should not wait for one another.  They are made when somebody asks and all
 * are busy, and end when nobody has asked for a while, so that an idle process has none.  Nobody
 * waits for them: a lookup that hangs is given up, and what it brings later is thrown away.  A
 * process may exit meanwhile.
 */
#ifndef PROBE_NSS_NSS_THREAD_H
#define PROBE_NSS_NSS_THREAD_H

#include "base/addr.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	NSS_THREADS_MAX = 4,
	NSS_WAITING_MAX = 512, /* lookups in line, all mailboxes together */
	NSS_ADDRESSES_MAX = 32,
	NSS_NAME_BYTES = 256
};

/* What getaddrinfo() said. */
struct nss_answer {
	int         code;                      /* 0 or EAI_* */
	int         cause;                     /* errno of EAI_SYSTEM */
	char        canonical[NSS_NAME_BYTES]; /* as it came, cut; "" for none */
	struct addr addresses[NSS_ADDRESSES_MAX];
	size_t      address_count;
	int64_t     took_us; /* the call alone, without waiting in line */
};

/* In the order of life. */
enum nss_stage { NSS_WAITING, NSS_RUNNING, NSS_OVER };

struct nss_lookup;
struct nss_mailbox;

/* Where answers arrive: a descriptor that is readable while some wait. */
struct nss_mailbox *nss_mailbox_open(struct err *err);
void nss_mailbox_close(struct nss_mailbox *mailbox); /* all its lookups are freed before */
int  nss_mailbox_fd(const struct nss_mailbox *mailbox);
/* The owner of a lookup that is over, which leaves the mailbox; NULL when there is none. */
void *nss_mailbox_take(struct nss_mailbox *mailbox);

/* Asks for the addresses of a name.  NULL with err when the line is full or there can be no
 * thread.  Whatever its stage, it ends with nss_lookup_free(). */
struct nss_lookup *nss_lookup_start(
    struct nss_mailbox *mailbox, const char *host, void *owner, struct err *err);
enum nss_stage           nss_lookup_stage(const struct nss_lookup *lookup);
const struct nss_answer *nss_lookup_answer(const struct nss_lookup *lookup); /* NSS_OVER */
void                     nss_lookup_free(struct nss_lookup *lookup);         /* NULL is fine */

#endif
