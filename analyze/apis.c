#include "analyze/apis.h"

#include "analyze/names.h"
#include "analyze/support.h"
#include "base/text.h"

#include <string.h>

enum { WORD_MAX = 20 };

static bool
refuse(const char *word, struct err *err)
{
	const char *words[API_COUNT + 2] = { NULL };
	const char *near;

	for (uint32_t api = 0; api < API_COUNT; api++)
		words[api] = api_name(api);
	words[API_COUNT] = "all";
	near = text_nearest(word, words);
	if (near != NULL)
		return err_set(err, ERR_USAGE, "'%s'; did you mean '%s'?", word, near);
	return err_set(err, ERR_USAGE,
	    "'%.80s': sql, mongodb, cassandra, gremlin, table or all wanted", word);
}

bool
apis_add(unsigned *flags, const char *word, struct err *err)
{
	enum support_service service = support_service_find(word);

	if (strcmp(word, "all") == 0) {
		*flags |= NAMES_APIS;
		return true;
	}
	if (service == SUPPORT_SERVICE_COUNT || support_services[service].api >= API_COUNT)
		return refuse(word, err);
	*flags |= NAMES_API(support_services[service].api);
	return true;
}

bool
apis_parse(unsigned *flags, const char *text, struct err *err)
{
	*flags = 0;
	for (;;) {
		size_t length = strcspn(text, ",");
		char   word[WORD_MAX];

		if (length >= sizeof(word))
			return refuse(text, err);
		memcpy(word, text, length);
		word[length] = '\0';
		if (!apis_add(flags, word, err))
			return false;
		if (text[length] == '\0')
			return true;
		text += length + 1;
	}
}
