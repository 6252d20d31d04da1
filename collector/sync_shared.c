#include "collector/sync_shared.h"

#include "base/text.h"
#include "collector/sync_json.h"

#include <stdlib.h>

struct kept {
	char                  *id;     /* owned */
	struct sync_ask_answer answer; /* a reference to its value is ours */
};

struct sync_shared {
	struct kept *rows; /* owned */
	size_t       count;
};

struct sync_shared *
sync_shared_new(void)
{
	return mem_alloc(sizeof(struct sync_shared));
}

void
sync_shared_free(struct sync_shared *shared)
{
	if (shared == NULL)
		return;
	for (size_t i = 0; i < shared->count; i++) {
		sync_json_free(shared->rows[i].answer.value);
		free(shared->rows[i].id);
	}
	free(shared->rows);
	free(shared);
}

void
sync_shared_keep(
    struct sync_shared *shared, const char *id, const struct sync_ask_answer *answer)
{
	struct kept *row;

	if (answer->value == NULL)
		return;
	shared->rows = mem_grow(shared->rows, shared->count + 1, sizeof(*shared->rows));
	row = &shared->rows[shared->count++];
	*row = (struct kept){ mem_strdup(id), *answer };
	row->answer.value = sync_json_share(answer->value);
}

bool
sync_shared_find(
    const struct sync_shared *shared, const char *id, struct sync_ask_answer *answer)
{
	for (size_t i = 0; i < shared->count; i++) {
		if (!text_equal_nocase(shared->rows[i].id, id))
			continue;
		*answer = shared->rows[i].answer;
		answer->value = sync_json_share(answer->value);
		return true;
	}
	return false;
}
