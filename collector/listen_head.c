#include "collector/listen_head.h"

#include "base/text.h"

#include <string.h>

/* What may stand there once: two of them are two requests in one. */
static const char *const singles[] = { "Host", "Content-Length", "Transfer-Encoding",
	"Content-Type", "Content-Encoding", "Content-Digest", "Authorization", "Batch-Age",
	"Cookie", NULL };

static unsigned
refuse(unsigned status, const char **why, const char *words)
{
	*why = words;
	return status;
}

/* [rfc9110 5.6.2] */
static bool
is_token(const char *text)
{
	static const char wanted[] =
	    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return *text != '\0' && text[strspn(text, wanted)] == '\0';
}

static bool
is_value(const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* A name or an address and a port: no user, no path [rfc9110 7.2]. */
static bool
is_host(const char *text)
{
	static const char wanted[] =
	    "-._~!$&'()*+,;=:[]%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	return *text != '\0' && text[strspn(text, wanted)] == '\0';
}

static bool
is_number(const char *text)
{
	return *text != '\0' && strlen(text) <= 18 && text[strspn(text, "0123456789")] == '\0';
}

/* Only a path of this server: no other form [rfc9112 3.2.2] is needed without a proxy. */
static unsigned
check_target(const char *target, const char **why)
{
	if (strlen(target) > LISTEN_TARGET_MAX)
		return refuse(414, why, "the target is too long");
	if (target[0] != '/')
		return refuse(400, why, "the target is no path");
	for (const char *at = target; *at != '\0'; at++) {
		if (*at <= ' ' || *at > '~' || *at == '#')
			return refuse(400, why, "a character that a target has not");
	}
	if (strstr(target, "%00") != NULL)
		return refuse(400, why, "a NUL in the target");
	return 0;
}

static const struct listen_head_line *
find_line(const struct listen_head *head, const char *name, size_t *count)
{
	const struct listen_head_line *found = NULL;

	*count = 0;
	for (size_t i = 0; i < head->count; i++) {
		if (!text_equal_nocase(head->lines[i].name, name))
			continue;
		found = &head->lines[i];
		++*count;
	}
	return found;
}

static unsigned
check_lines(const struct listen_head *head, const char **why)
{
	size_t count;

	for (size_t i = 0; i < head->count; i++) {
		if (!is_token(head->lines[i].name) || !is_value(head->lines[i].value))
			return refuse(400, why, "a header that is none");
	}
	for (size_t i = 0; singles[i] != NULL; i++) {
		if (find_line(head, singles[i], &count) != NULL && count > 1)
			return refuse(400, why, "a header twice that may stand there once");
	}
	return 0;
}

/* [rfc9112 6.3] */
static unsigned
check_end(const struct listen_head *head, const char **why)
{
	size_t                         lengths, codings;
	const struct listen_head_line *length = find_line(head, "Content-Length", &lengths);
	const struct listen_head_line *coding = find_line(head, "Transfer-Encoding", &codings);

	if (length != NULL && coding != NULL)
		return refuse(400, why, "two ways to say where the request ends");
	if (length != NULL && !is_number(length->value))
		return refuse(400, why, "Content-Length is no number");
	if (coding != NULL &&
	    (head->minor == 0 || !text_equal_nocase(coding->value, "chunked")))
		return refuse(
		    400, why, "Transfer-Encoding: chunked is known, and nothing else");
	return 0;
}

unsigned
listen_head_check(const struct listen_head *head, const char **why)
{
	size_t                         count;
	const struct listen_head_line *host = find_line(head, "Host", &count);
	unsigned                       status;

	*why = "";
	status = check_target(head->target, why);
	if (status == 0)
		status = check_lines(head, why);
	if (status == 0)
		status = check_end(head, why);
	if (status == 0 && (host == NULL ? head->minor > 0 : !is_host(host->value)))
		status = refuse(400, why, "Host: of this server wanted");
	return status;
}
