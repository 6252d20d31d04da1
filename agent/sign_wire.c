#include "agent/sign_wire.h"

#include "base/rcur.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>

static const struct sign_text {
	const char *name;
	size_t      at, limit;
} ask_texts[] = {
	{ "account", offsetof(struct signer_ask, account), SIGN_ACCOUNT_MAX },
	{ "host", offsetof(struct signer_ask, host), SIGN_HOST_MAX },
	{ "verb", offsetof(struct signer_ask, verb), SIGN_VERB_MAX },
	{ "resource type", offsetof(struct signer_ask, type), SIGN_TYPE_MAX },
	{ "link", offsetof(struct signer_ask, link), SIGN_LINK_MAX },
	{ "date", offsetof(struct signer_ask, date), SIGN_DATE_MAX },
};

enum { ASK_TEXTS = sizeof(ask_texts) / sizeof(ask_texts[0]) };

static const char **
find_text(const struct signer_ask *ask, size_t i)
{
	return (const char **)((char *)ask + ask_texts[i].at);
}

/* UTF-8 without controls: a line feed would be a second line of what is signed. */
static bool
is_clean(const char *text, size_t count)
{
	uint32_t point;

	while (count > 0) {
		size_t width = text_point(text, count, &point);

		if (width == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0))
			return false;
		text += width;
		count -= width;
	}
	return true;
}

static void
put_text(struct wbuf *out, const char *text)
{
	wbuf_u16be(out, (uint16_t)strlen(text));
	wbuf_puts(out, text);
}

static const char *
take_text(struct rcur *in, struct arena *arena, size_t limit, const char *name, struct err *err)
{
	size_t         count = rcur_u16be(in);
	const uint8_t *bytes = count <= limit ? rcur_bytes(in, count) : NULL;

	if (count > limit)
		err_set(
		    err, ERR_LIMIT, "%s of %zu bytes, at most %zu wanted", name, count, limit);
	else if (!rcur_ok(in))
		err_set(err, ERR_PARSE, "%s cut short", name);
	else if (!is_clean((const char *)bytes, count))
		err_set(err, ERR_PARSE, "%s with a control, or no UTF-8", name);
	else
		return arena_strndup(arena, (const char *)bytes, count);
	return NULL;
}

static bool
check_end(const struct rcur *in, struct err *err)
{
	if (rcur_left(in) > 0)
		return err_set(err, ERR_PARSE, "%zu bytes too many", rcur_left(in));
	return true;
}

bool
sign_ask_encode(uint32_t id, const struct signer_ask *ask, struct wbuf *out)
{
	for (size_t i = 0; i < ASK_TEXTS; i++) {
		const char *text = *find_text(ask, i);

		if (strlen(text) > ask_texts[i].limit || !is_clean(text, strlen(text)))
			return false;
	}
	wbuf_u32be(out, id);
	for (size_t i = 0; i < ASK_TEXTS; i++)
		put_text(out, *find_text(ask, i));
	return true;
}

bool
sign_ask_decode(uint32_t *id, struct signer_ask *ask, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err)
{
	struct rcur in = rcur_of(bytes, count);

	*id = rcur_u32be(&in);
	if (!rcur_ok(&in))
		return err_set(err, ERR_PARSE, "id cut short");
	for (size_t i = 0; i < ASK_TEXTS; i++) {
		const char *text = take_text(
		    &in, arena, ask_texts[i].limit, ask_texts[i].name, err);

		if (text == NULL)
			return false;
		*find_text(ask, i) = text;
	}
	return check_end(&in, err);
}

void
sign_answer_encode(const struct sign_answer *answer, struct wbuf *out)
{
	const char   *header = answer->header, *why = answer->why;
	struct arena *arena = arena_new();

	if (header != NULL &&
	    (header[0] == '\0' || strlen(header) > SIGN_HEADER_MAX ||
	        !is_clean(header, strlen(header)))) {
		header = NULL;
		why = "the credential makes no header that could be sent";
	}
	wbuf_u32be(out, answer->id);
	wbuf_u8(out, header != NULL);
	put_text(
	    out, header != NULL ? header : text_sane(arena, why, strlen(why), SIGN_WHY_MAX));
	arena_free(arena);
}

bool
sign_answer_decode(struct sign_answer *answer, struct arena *arena, const uint8_t *bytes,
    size_t count, struct err *err)
{
	struct rcur in = rcur_of(bytes, count);
	uint8_t     good;
	const char *text;

	*answer = (struct sign_answer){ .id = rcur_u32be(&in), .why = "" };
	good = rcur_u8(&in);
	if (!rcur_ok(&in) || good > 1)
		return err_set(err, ERR_PARSE, "answer cut short, or of an unknown kind");
	text = take_text(
	    &in, arena, good ? SIGN_HEADER_MAX : SIGN_WHY_MAX, good ? "header" : "reason", err);
	if (text == NULL || !check_end(&in, err))
		return false;
	if (good && text[0] == '\0')
		return err_set(err, ERR_PARSE, "empty header");
	if (good)
		answer->header = text;
	else
		answer->why = text;
	return true;
}
