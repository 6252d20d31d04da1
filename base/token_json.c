#include "base/token_json.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { TROUBLE_MAX = 200 };

/* Visible ASCII alone [rfc6750 2.1]: it will stand in a header. */
static bool
take_token(struct token_answer *token, const char *source, const char *text, size_t count,
    struct err *err)
{
	if (count == 0)
		return err_set(err, ERR_PARSE, "%s: no access_token", source);
	if (count >= sizeof(token->text))
		return err_set(err, ERR_LIMIT,
		    "%s: an access_token of %zu bytes, at most %zu wanted", source, count,
		    sizeof(token->text) - 1);
	for (size_t i = 0; i < count; i++) {
		if (text[i] <= ' ' || text[i] > '~')
			return err_set(err, ERR_PARSE, "%s: the access_token is none", source);
	}
	memcpy(token->text, text, count);
	token->text[count] = '\0';
	return true;
}

/* Seconds: a number, or its text, as the service writes it.  -1: not said, or not to be read. */
static int64_t
read_seconds(const json_t *root, const char *name)
{
	const json_t *value = json_object_get(root, name);
	const char   *text = json_string_value(value);
	char         *end;
	long long     number;

	if (json_is_integer(value))
		return json_integer_value(value) >= 0 ? json_integer_value(value) : -1;
	if (text == NULL || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	number = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0' ? number : -1;
}

static bool
read_token(struct token_answer *token, const char *source, const json_t *root, struct err *err)
{
	const json_t *text = json_object_get(root, "access_token");
	const char   *type = json_string_value(json_object_get(root, "token_type"));

	if (type != NULL && !text_equal_nocase(type, "Bearer"))
		return err_set(
		    err, ERR_PARSE, "%s: a token of another type than Bearer", source);
	token->expires_s = read_seconds(root, "expires_on");
	token->left_s = read_seconds(root, "expires_in");
	return take_token(token, source, json_is_string(text) ? json_string_value(text) : "",
	    json_is_string(text) ? json_string_length(text) : 0, err);
}

/* jansson frees its copy without wiping it. */
static void
wipe_member(json_t *root, const char *name)
{
	json_t *value = json_object_get(root, name);

	if (json_is_string(value))
		digest_wipe((char *)json_string_value(value), json_string_length(value));
}

bool
token_json_read(struct token_answer *token, const char *source, const char *bytes, size_t count,
    struct err *err)
{
	struct err why;
	json_t    *root = json_read(bytes, count, source, &why);
	bool       done = false;

	*token = (struct token_answer){ .expires_s = -1, .left_s = -1 };
	if (!json_is_object(root))
		/* Not in the words of the reader, which may quote what it met. */
		err_set(err, ERR_PARSE, "%s: no JSON object", source);
	else
		done = read_token(token, source, root, err);
	if (!done)
		digest_wipe(token->text, sizeof(token->text));
	wipe_member(root, "access_token");
	wipe_member(root, "refresh_token");
	json_decref(root);
	return done;
}

const char *
token_json_trouble(struct arena *arena, const char *bytes, size_t count)
{
	json_t     *root = json_read(bytes, count, "answer", NULL);
	const char *code = json_string_value(json_object_get(root, "error"));
	const char *words = json_string_value(json_object_get(root, "error_description"));
	const char *both = arena_printf(arena, "%s%s%s", code != NULL ? code : "",
	    code != NULL && words != NULL ? ": " : "", words != NULL ? words : "");

	json_decref(root);
	return text_sane(arena, both, strlen(both), TROUBLE_MAX);
}
