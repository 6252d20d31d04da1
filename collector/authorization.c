#include "collector/authorization.h"

#include "base/base64.h"
#include "base/text.h"

#include <string.h>

/* What stands behind the scheme and its blanks; NULL: another scheme. */
static const char *
skip_scheme(const char *header, const char *scheme)
{
	size_t count = strlen(scheme);

	if (!text_starts_nocase(header, scheme) || header[count] != ' ')
		return NULL;
	return header + count + strspn(header + count, " ");
}

/* A name ends at the first colon; a password may hold more of them. */
static bool
split(struct authorization *authorization, size_t count)
{
	char *text = authorization->text, *colon;

	text[count] = '\0';
	colon = strchr(text, ':');
	if (strlen(text) != count || colon == NULL)
		return false;
	*colon = '\0';
	authorization->name = text;
	authorization->password = colon + 1;
	return strlen(authorization->name) <= READERS_NAME_MAX &&
	    strlen(authorization->password) <= PASSWORD_MOST;
}

static bool
take_basic(struct authorization *authorization, const char *coded)
{
	size_t chars = strlen(coded), count = base64_bytes(coded, chars);

	return count > 0 && count < sizeof(authorization->text) &&
	    base64_decode(coded, chars, (uint8_t *)authorization->text, count) &&
	    split(authorization, count);
}

void
authorization_parse(struct authorization *authorization, const char *header)
{
	const char *basic, *token;

	authorization->kind = AUTHORIZATION_NONE;
	authorization->token = authorization->name = authorization->password = "";
	if (header == NULL)
		return;
	token = skip_scheme(header, "Bearer");
	basic = skip_scheme(header, "Basic");
	if (token != NULL) {
		authorization->kind = AUTHORIZATION_BEARER;
		authorization->token = token;
	} else if (basic != NULL) {
		authorization->kind = take_basic(authorization, basic) ? AUTHORIZATION_BASIC
		                                                       : AUTHORIZATION_BROKEN;
	}
}
