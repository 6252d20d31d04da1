/* documents: the folder of the documents of accounts and private endpoints, and what they say.
 *
 * A file that is malformed or cannot be read keeps what it said last; a file that is gone takes
 * its accounts with it.
 */
#ifndef COLLECTOR_DOCUMENTS_H
#define COLLECTOR_DOCUMENTS_H

#include "analyze/account.h"

struct documents;

/* folder "": there are none, ever. */
struct documents *documents_new(const char *folder);
void              documents_free(struct documents *documents); /* NULL is fine */

/* Looks at the folder and reads what is new or has changed.  True when accounts or endpoints are
 * others than before; the old ones are valid until documents_release().  Each trouble is told once for
 * each state of its file. */
bool documents_scan(struct documents *documents,
    void (*on_trouble)(void *arg, const struct err *err), void *arg);
void documents_release(struct documents *documents);

/* In the order of their names; each name once. */
size_t                documents_count(const struct documents *documents);
const struct account *documents_at(const struct documents *documents, size_t at);
const struct account *documents_find(const struct documents *documents, const char *name);
/* Those of all files; NULL when there are none. */
const struct endpoint_index *documents_endpoints(const struct documents *documents);
/* Files whose present content is not in force. */
size_t documents_broken(const struct documents *documents);

#endif
