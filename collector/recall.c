#include "collector/recall.h"

/* In the order of their versions: the last of an id counts. */
static void
on_document(void *arg, const struct store_document *document)
{
	documents_recall(arg, document->id, document->bytes, document->count);
}

bool
recall_documents(struct documents *documents, struct store *store, struct err *err)
{
	struct store_reader reader = { .on_document = on_document, .arg = documents };

	bool done = store_load(store, &reader, err);

	documents_release(
	    documents); /* nobody has seen what was in force between the versions */
	return done;
}
