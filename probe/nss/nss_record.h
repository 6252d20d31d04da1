/* nss_record: what getaddrinfo() said, to the struct that travels.
 *
 * Pure.  It has no records and no time to live, and one word for many troubles: what cannot be
 * known is not guessed.
 */
#ifndef PROBE_NSS_NSS_RECORD_H
#define PROBE_NSS_NSS_RECORD_H

#include "base/arena.h"
#include "probe/nss/nss_thread.h"
#include "proto/record.h"

#define NSS_RESOLVER "system"

/* host: the name that was asked.  All members of *dns but the source are written. */
void nss_record_fill(
    struct dns *dns, struct arena *arena, const char *host, const struct nss_answer *answer);

/* There is no answer, because of that. */
void nss_record_fail(struct dns *dns, enum outcome how, const char *detail);

#endif
