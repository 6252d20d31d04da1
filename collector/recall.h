/* recall: what documents said last, from the store to the folder of documents: in force until their
 * files say otherwise.
 */
#ifndef COLLECTOR_RECALL_H
#define COLLECTOR_RECALL_H

#include "collector/documents.h"
#include "collector/store/store.h"

/* Before the first scan.  A store of an older version has kept none. */
bool recall_documents(
    struct documents *documents, struct store *store, struct err *err) MUST_CHECK;

#endif
