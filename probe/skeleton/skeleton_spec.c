#include "probe/skeleton/skeleton_spec.h"

#include <string.h>

static const char letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

bool
skeleton_spec_parse(struct skeleton_spec *spec, const char *text, struct err *err)
{
	size_t count = strlen(text);
	size_t good = strspn(text, letters);

	if (count < 1 || count > SKELETON_WORD_MAX)
		return err_set(err, ERR_LIMIT, "word of %zu letters, 1 to %d wanted", count,
		    SKELETON_WORD_MAX);
	if (good != count)
		return err_set(err, ERR_PARSE,
		    "letter %zu of the word: a letter, a digit, '-' or '.' wanted", good + 1);
	memcpy(spec->word, text, count + 1);
	return true;
}
