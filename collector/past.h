/* past: the documents as they were, version by version, while stored batches are gone through again.
 *
 * Each version comes into force behind the batch that the store says was judged before it.  When that
 * batch is no longer kept, the version was in force before all that are; and where an old store does
 * not say, the times of versions and of arrival decide.  Never looks at a file.
 */
#ifndef COLLECTOR_PAST_H
#define COLLECTOR_PAST_H

#include "collector/documents.h"
#include "collector/store/store.h"

struct past;

struct past *past_new(void);
void         past_free(struct past *past); /* NULL is fine */
/* Reads what versions there are; before anything else. */
bool past_load(struct past *past, struct store *store, struct err *err) MUST_CHECK;

/* What is in force; the same object all along. */
const struct documents *past_documents(const struct past *past);

/* Puts in force what one look at the folder found before the next batch was judged.  True: other
 * documents are in force, there may be more, and what the ones before said is valid until
 * past_release(). */
bool past_turn(struct past *past) MUST_CHECK;
void past_release(struct past *past);
/* A batch was judged, in the store's order. */
void past_step(struct past *past);
/* The last batch was judged: what is left came behind it. */
void past_end(struct past *past);

#endif
