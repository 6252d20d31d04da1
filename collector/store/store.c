#include "collector/store/store.h"

#include "collector/store/store_memory.h"
#include "collector/store/store_sqlite.h"

#include <string.h>

const struct store_ops *const store_backends[] = { &store_sqlite, &store_memory, NULL };

struct store *
store_open(const char *url, bool read_only, struct err *err)
{
	for (size_t i = 0; store_backends[i] != NULL; i++) {
		size_t count = strlen(store_backends[i]->scheme);

		if (strncmp(url, store_backends[i]->scheme, count) == 0 && url[count] == ':')
			return store_backends[i]->open(url + count + 1, read_only, err);
	}
	err_set(err, ERR_USAGE, "store %s: want sqlite:PATH or memory:", url);
	return NULL;
}

void
store_close(struct store *store)
{
	if (store != NULL)
		store->ops->close(store);
}

bool
store_append(struct store *store, const struct store_batch *const *batches, size_t count,
    enum store_answer *answers, struct err *err)
{
	return store->ops->append(store, batches, count, answers, err);
}

bool
store_put(
    struct store *store, const struct store_finding *findings, size_t count, struct err *err)
{
	return store->ops->put(store, findings, count, err);
}

bool
store_keep(
    struct store *store, const struct store_document *documents, size_t count, struct err *err)
{
	return store->ops->keep(store, documents, count, err);
}

bool
store_expire(
    struct store *store, int64_t before_ms, size_t most, size_t *removed, struct err *err)
{
	return store->ops->expire(store, before_ms, most, removed, err);
}

bool
store_load(struct store *store, const struct store_reader *to, struct err *err)
{
	return store->ops->load(store, to, err);
}

bool
store_check(struct store *store, struct err *err)
{
	return store->ops->check(store, err);
}
