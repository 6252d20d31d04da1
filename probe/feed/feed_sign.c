#include "probe/feed/feed_sign.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/wbuf.h"
#include "probe/feed/feed_percent.h"

#include <string.h>

static const char blanks[] = " \t\r\n";

/* The text without the white space around it. */
static size_t
trim_blanks(const char **text)
{
	size_t count;

	*text += strspn(*text, blanks);
	count = strlen(*text);
	while (count > 0 && strchr(blanks, (*text)[count - 1]) != NULL)
		count--;
	return count;
}

bool
feed_key_parse(struct feed_key *key, const char *text, struct err *err)
{
	size_t chars = trim_blanks(&text);
	size_t count = chars / 4 * 3;

	*key = (struct feed_key){ .count = 0 };
	if (chars == 0)
		return err_set(
		    err, ERR_PARSE, "an account key is wanted, and there is nothing");
	if (chars % 4 == 0 && text[chars - 1] == '=')
		count -= text[chars - 2] == '=' ? 2 : 1;
	if (count < FEED_KEY_LEAST || count > FEED_KEY_MOST)
		return err_set(err, ERR_LIMIT,
		    "an account key is base64 of %d to %d bytes, this has %zu characters",
		    FEED_KEY_LEAST, FEED_KEY_MOST, chars);
	if (!base64_decode(text, chars, key->bytes, count)) {
		digest_wipe(key, sizeof(*key));
		return err_set(err, ERR_PARSE,
		    "an account key is base64 with its padding, these %zu characters are not",
		    chars);
	}
	key->count = count;
	return true;
}

/* Written straight into the arena, so that no other copy of the signature is left. */
static const char *
make_header(struct arena *arena, const char *kind, const char *signature, size_t count)
{
	size_t kind_count = strlen(kind);
	char  *header = arena_alloc(arena, 3 * (kind_count + count) + 1);
	char  *end = feed_percent_put(header, kind, kind_count);

	*feed_percent_put(end, signature, count) = '\0';
	return header;
}

static void
put_lower(struct wbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		wbuf_u8(out, (uint8_t)text_lower(*text));
	wbuf_u8(out, '\n');
}

const char *
feed_sign_key(struct arena *arena, const struct feed_key *key, const struct signer_ask *ask)
{
	char        base64[BASE64_ROOM(DIGEST_BYTES)];
	uint8_t     digest[DIGEST_BYTES];
	const char *header;
	struct wbuf text;

	wbuf_init(&text);
	put_lower(&text, ask->verb);
	put_lower(&text, ask->type);
	wbuf_printf(&text, "%s\n", ask->link); /* names keep their case */
	put_lower(&text, ask->date);
	put_lower(&text, ""); /* the Date header, which is not sent */
	digest_hmac(key->bytes, key->count, text.bytes, text.count, digest);
	wbuf_fini(&text);
	base64_encode(digest, sizeof(digest), base64);
	header = make_header(arena, "type=master&ver=1.0&sig=", base64, strlen(base64));
	digest_wipe(digest, sizeof(digest));
	digest_wipe(base64, sizeof(base64));
	return header;
}

const char *
feed_sign_token(struct arena *arena, const char *token)
{
	size_t count = trim_blanks(&token);

	return make_header(arena, "type=aad&ver=1.0&sig=", token, count);
}
