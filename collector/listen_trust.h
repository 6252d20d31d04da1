/* listen_trust: whose certificates a server takes from its peers, and which of them were revoked by
 * who signed them.
 *
 * Ours are those of the collector's own authority, whose revocations are in the roster and not here;
 * the operator's are those of an authority that the settings name, with its revocation lists.
 */
#ifndef COLLECTOR_LISTEN_TRUST_H
#define COLLECTOR_LISTEN_TRUST_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct listen_trust;
struct ssl_ctx_st;
struct ssl_st;

/* Paths of PEM files; "" for none. */
struct listen_trust_files {
	const char *own;       /* certificates of our authority */
	const char *operators; /* of the operator's */
	const char *revoked; /* revocation lists of the latter, also of authorities below it */
};

/* NULL with err, also where a revocation list is of the operator's authority by its name, and not
 * by its signature.  The paths are copied. */
struct listen_trust *listen_trust_new(const struct listen_trust_files *files, struct err *err);
void                 listen_trust_free(struct listen_trust *trust); /* NULL is fine */

/* Makes a server ask for a certificate, and take any; whose it is, is asked later. */
void listen_trust_ask(const struct listen_trust *trust, struct ssl_ctx_st *context);

enum listen_trust_verdict {
	LISTEN_TRUST_OURS,
	LISTEN_TRUST_OPERATORS,
	LISTEN_TRUST_NOBODYS,
	LISTEN_TRUST_REVOKED, /* of the operator's authority, which has revoked it */
	LISTEN_TRUST_UNLISTED /* of an authority below it without a revocation list here */
};

/* What the peer has shown, which is a certificate.  One that has ended is no worse for it here.
 * Where there is a file of revocation lists, each certificate has to be of an authority with one;
 * lists that are overdue count all the same. */
enum listen_trust_verdict listen_trust_judge(
    const struct listen_trust *trust, const struct ssl_st *ssl);

/* Whether the file of revocation lists is another one than the one that was read. */
bool listen_trust_is_stale(const struct listen_trust *trust);
/* When the first of its lists is overdue, Unix ms; 0: there are none. */
int64_t listen_trust_due_ms(const struct listen_trust *trust);
/* What a person should be told of them at that time, in the arena; NULL: nothing. */
const char *listen_trust_warning(
    const struct listen_trust *trust, struct arena *arena, int64_t now_ms);

#endif
