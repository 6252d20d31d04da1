#include "collector/sync_choice.h"

#include "analyze/account.h"
#include "base/text.h"

#include <string.h>

bool
sync_choice_is_id(const char *id, const char *type)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                           "0123456789-._()/";
	const char       *found = text_find_nocase(id, type);

	return text_starts_nocase(id, "/subscriptions/") && strspn(id, good) == strlen(id) &&
	    strstr(id, "..") == NULL && strstr(id, "//") == NULL && found != NULL &&
	    found[strlen(type)] != '\0' && strchr(found + strlen(type), '/') == NULL;
}

static const char account_type[] = "/providers/Microsoft.DocumentDB/databaseAccounts/";

bool
sync_choice_is_account(const char *id)
{
	struct arena *arena = arena_new();
	bool          good = sync_choice_is_id(id, account_type);

	if (good) {
		char *name = arena_strdup(arena, strrchr(id, '/') + 1);

		for (char *c = name; *c != '\0'; c++)
			*c = text_lower(*c);
		good = account_name_is(name);
	}
	arena_free(arena);
	return good;
}

static bool
list_accounts(struct sync_ask *client, struct arena *arena, const struct sync_options *options,
    struct sync_ids *ids, struct err *err)
{
	const char            *path = arena_printf(arena,
	               "/subscriptions/%s%s%s/providers/Microsoft.DocumentDB/databaseAccounts",
	               options->subscription, *options->group != '\0' ? "/resourceGroups/" : "",
	               options->group);
	struct sync_ask_answer answer;

	if (sync_ask_list(client, arena, SYNC_DATABASE, path, &answer, err) != SYNC_ASK_GOT)
		return err_in(err, "%s", path);
	sync_json_find(arena, answer.value, "value[].id", ids);
	sync_json_free(answer.value);
	return true;
}

/* The id of the listed account with the name; NULL when there is none. */
static const char *
find_listed(const struct sync_ids *listed, const char *name)
{
	for (size_t i = 0; i < listed->count; i++) {
		const char *slash = strrchr(listed->texts[i], '/');

		if (slash != NULL && text_equal_nocase(slash + 1, name))
			return listed->texts[i];
	}
	return NULL;
}

/* One that was named: by its id, or by its name among those of the subscription. */
static bool
choose_named(struct arena *arena, const struct sync_options *options,
    const struct sync_ids *listed, const char *text, struct sync_ids *chosen,
    struct sync_result *result, struct err *err)
{
	const char *id = *text == '/' ? text : find_listed(listed, text);

	if (*text == '/' && !sync_choice_is_account(text))
		return err_set(err, ERR_USAGE,
		    "%s: the resource id of an account wanted, "
		    "/subscriptions/.../databaseAccounts/<name>",
		    text);
	if (id == NULL && *options->subscription == '\0')
		return err_set(err, ERR_USAGE,
		    "%s: a resource id wanted, or --subscription with it", text);
	if (id != NULL) {
		sync_ids_add(arena, chosen, id);
		return true;
	}
	result->hidden++;
	options->on_word(options->arg, text,
	    "not visible to us: not in the list of the subscription's accounts");
	return true;
}

bool
sync_choice_make(struct sync_ask *client, struct arena *arena,
    const struct sync_options *options, struct sync_ids *chosen, struct sync_result *result,
    struct err *err)
{
	struct sync_ids listed = { NULL, 0 };

	if (*options->subscription != '\0' &&
	    !list_accounts(client, arena, options, &listed, err))
		return false;
	if (options->account_count == 0)
		*chosen = listed;
	for (size_t i = 0; i < options->account_count; i++) {
		if (!choose_named(
		        arena, options, &listed, options->accounts[i], chosen, result, err))
			return false;
	}
	return true;
}
