#include "analyze/modes.h"

#include "analyze/names.h"
#include "base/text.h"

#include <string.h>

static const struct {
	const char *word;
	unsigned    flags;
} words_of_modes[] = {
	{ "gateway", NAMES_GATEWAY },
	{ "direct", NAMES_DIRECT },
	{ "gateway-v2", NAMES_V2 },
	{ "all", NAMES_GATEWAY | NAMES_DIRECT | NAMES_V2 },
};

enum { MODE_WORDS = sizeof(words_of_modes) / sizeof(words_of_modes[0]), WORD_MAX = 20 };

/* A person may ask for it still, and is told. */
static const char gone[] = "direct-https";

static bool
refuse(const char *word, struct err *err)
{
	const char *words[MODE_WORDS + 1] = { NULL };
	const char *near;

	for (size_t i = 0; i < MODE_WORDS; i++)
		words[i] = words_of_modes[i].word;
	near = text_nearest(word, words);
	if (near != NULL)
		return err_set(err, ERR_USAGE, "'%s'; did you mean '%s'?", word, near);
	return err_set(
	    err, ERR_USAGE, "'%.80s': gateway, direct, gateway-v2 or all wanted", word);
}

bool
modes_add(unsigned *flags, const char *word, struct err *err)
{
	for (size_t i = 0; i < MODE_WORDS; i++) {
		if (strcmp(word, words_of_modes[i].word) == 0) {
			*flags |= words_of_modes[i].flags;
			return true;
		}
	}
	return refuse(word, err);
}

bool
modes_parse(unsigned *flags, const char *text, struct err *err)
{
	*flags = 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		char   word[WORD_MAX];

		if (length >= sizeof(word))
			return refuse(text, err);
		memcpy(word, text, length);
		word[length] = '\0';
		if (strcmp(word, gone) == 0)
			*flags |= NAMES_DIRECT_HTTPS;
		else if (!modes_add(flags, word, err))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}
