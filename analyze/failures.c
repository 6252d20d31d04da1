#include "analyze/failures.h"

#include "base/text.h"

#include <string.h>

/* No code is FINDING_COUNT but the one behind the last. */
#define FAILURE(label, words, ...) { label, words, { __VA_ARGS__, FINDING_COUNT } },

const struct failure failure_table[] = {
#include "analyze/failures.def"
	{ NULL, NULL, { FINDING_COUNT } },
};

#undef FAILURE

#define UNSEEN(label, what, why, hint) { label, what, why, hint },

const struct unseen unseen_table[] = {
#include "analyze/unseen.def"
	{ NULL, NULL, NULL, NULL },
};

#undef UNSEEN

const struct failure *
failure_find(const char *label)
{
	for (const struct failure *failure = failure_table; failure->label != NULL; failure++) {
		if (text_equal_nocase(failure->label, label))
			return failure;
	}
	return NULL;
}

const struct unseen *
failure_unseen(const char *label)
{
	for (const struct unseen *unseen = unseen_table; unseen->label != NULL; unseen++) {
		if (*label != '\0' && text_equal_nocase(unseen->label, label))
			return unseen;
	}
	return NULL;
}

static bool
shows_as(const struct failure *failure, enum finding_code code)
{
	for (size_t i = 0; failure->codes[i] != FINDING_COUNT; i++) {
		if (failure->codes[i] == code)
			return true;
	}
	return false;
}

const char *
failure_labels(struct arena *arena, enum finding_code code)
{
	const char *text = "";

	for (const struct failure *failure = failure_table; failure->label != NULL; failure++) {
		if (shows_as(failure, code))
			text = arena_printf(
			    arena, "%s%s%s", text, *text != '\0' ? ", " : "", failure->label);
	}
	return text;
}
