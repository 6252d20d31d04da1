#include "probe/cassandra/cassandra_wire.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

enum { REQUEST_VERSION = 4, LEAST_VERSION = 3, MOST_VERSION = 5, ANSWER_BIT = 0x80 };
enum { FLAG_WARNING = 0x08 };

static const char preset_version[] = "3.0.0";

/* A [string], or a piece of the bytes: not NUL-terminated. */
struct piece {
	const char *text;
	size_t      count;
};

static void
put_head(struct wbuf *out, int16_t stream, enum cassandra_opcode opcode, size_t count)
{
	wbuf_u8(out, REQUEST_VERSION);
	wbuf_u8(out, 0); /* flags */
	wbuf_u16be(out, (uint16_t)stream);
	wbuf_u8(out, (uint8_t)opcode);
	wbuf_u32be(out, (uint32_t)count);
}

static void
put_string(struct wbuf *out, const char *text)
{
	wbuf_u16be(out, (uint16_t)strlen(text));
	wbuf_puts(out, text);
}

void
cassandra_options_put(struct wbuf *out, int16_t stream)
{
	put_head(out, stream, CASSANDRA_OPTIONS, 0);
}

void
cassandra_startup_put(struct wbuf *out, int16_t stream, const char *version)
{
	static const char key[] = "CQL_VERSION";
	size_t            lengths_bytes = 3 * sizeof(uint16_t);

	assert(strlen(version) <= CASSANDRA_VERSION_MAX_BYTES);
	put_head(out, stream, CASSANDRA_STARTUP, lengths_bytes + strlen(key) + strlen(version));
	wbuf_u16be(out, 1); /* pairs */
	put_string(out, key);
	put_string(out, version);
}

static enum cassandra_parse
refuse_version(uint8_t version, const struct rcur *in, struct err *err)
{
	if (rcur_left(in) >= 4 && memcmp(in->at, "HTTP", 4) == 0)
		err_set(err, ERR_PARSE, "the peer speaks HTTP");
	else if ((version & ANSWER_BIT) == 0)
		err_set(err, ERR_PARSE, "a frame that begins with 0x%02x: no answer of CQL",
		    version);
	else
		err_set(err, ERR_PARSE, "an answer of protocol version %d, %d to %d wanted",
		    version & ~ANSWER_BIT, LEAST_VERSION, MOST_VERSION);
	return CASSANDRA_BAD;
}

static bool
is_version(uint8_t version)
{
	return version >= (ANSWER_BIT | LEAST_VERSION) &&
	    version <= (ANSWER_BIT | MOST_VERSION);
}

static bool
judge_head(uint8_t flags, int16_t heard, int16_t stream, uint32_t count, struct err *err)
{
	if ((flags & ~FLAG_WARNING) != 0)
		return err_set(
		    err, ERR_PARSE, "an answer with flags 0x%02x, none wanted", flags);
	if (heard != stream)
		return err_set(
		    err, ERR_PARSE, "an answer on stream %d, ours was %d", heard, stream);
	/* A negative one is larger than any, so. */
	if (count > CASSANDRA_BODY_MAX_BYTES)
		return err_set(err, ERR_LIMIT, "an answer of %lu bytes, at most %d wanted",
		    (unsigned long)count, CASSANDRA_BODY_MAX_BYTES);
	return true;
}

static struct piece
take_string(struct rcur *in)
{
	size_t      count = rcur_u16be(in);
	const char *text = (const char *)rcur_bytes(in, count);

	return (struct piece){ text, text != NULL ? count : 0 };
}

static bool
skip_warnings(struct rcur *body, struct err *err)
{
	for (unsigned left = rcur_u16be(body); left > 0 && rcur_ok(body); left--)
		take_string(body);
	return rcur_ok(body) || err_set(err, ERR_PARSE, "warnings that are cut short");
}

/* What is wrong is said as soon as the head shows it. */
enum cassandra_parse
cassandra_frame_parse(
    struct cassandra_frame *frame, int16_t stream, struct rcur *in, struct err *err)
{
	struct rcur    at = *in;
	uint8_t        version = rcur_u8(&at), flags = rcur_u8(&at);
	int16_t        heard = (int16_t)rcur_u16be(&at);
	const uint8_t *body;
	uint32_t       count;

	if (rcur_left(in) > 0 && !is_version(version) && (version != 'H' || rcur_left(in) >= 4))
		return refuse_version(version, in, err);
	frame->version = version & (uint8_t)~ANSWER_BIT;
	frame->opcode = rcur_u8(&at);
	count = rcur_u32be(&at);
	if (!rcur_ok(&at))
		return CASSANDRA_MORE;
	if (!judge_head(flags, heard, stream, count, err))
		return CASSANDRA_BAD;
	body = rcur_bytes(&at, count);
	if (body == NULL)
		return CASSANDRA_MORE;
	frame->body = rcur_of(body, count);
	if ((flags & FLAG_WARNING) != 0 && !skip_warnings(&frame->body, err))
		return CASSANDRA_BAD;
	*in = at;
	return CASSANDRA_WHOLE;
}

/* A blank in it would make two of it. */
static void
join(struct wbuf *joined, struct piece piece)
{
	if (piece.count == 0 || joined->count + 1 + piece.count > CASSANDRA_LIST_MAX_BYTES)
		return;
	if (joined->count > 0)
		wbuf_u8(joined, ' ');
	for (size_t i = 0; i < piece.count; i++)
		wbuf_u8(joined, piece.text[i] == ' ' ? '?' : (uint8_t)piece.text[i]);
}

/* The list behind a key, joined; keeps the first piece. */
static const char *
take_list(struct rcur *body, struct piece *first, struct arena *arena)
{
	unsigned    count = rcur_u16be(body);
	struct wbuf joined;
	const char *text;

	*first = (struct piece){ "", 0 };
	wbuf_init(&joined);
	for (unsigned i = 0; i < count && rcur_ok(body); i++) {
		struct piece piece = take_string(body);

		if (i == 0)
			*first = piece;
		join(&joined, piece);
	}
	text = text_sane(arena, wbuf_text(&joined), joined.count, CASSANDRA_LIST_MAX_BYTES);
	wbuf_fini(&joined);
	return text;
}

static bool
is_key(struct piece key, const char *name)
{
	return key.count == strlen(name) && memcmp(key.text, name, key.count) == 0;
}

static void
keep_first(struct cassandra_supported *supported, struct piece first)
{
	if (first.count < 1 || first.count > CASSANDRA_VERSION_MAX_BYTES)
		return;
	for (size_t i = 0; i < first.count; i++) {
		if (first.text[i] != '.' && (first.text[i] < '0' || first.text[i] > '9'))
			return;
	}
	memcpy(supported->first, first.text, first.count);
	supported->first[first.count] = '\0';
}

bool
cassandra_supported_parse(struct cassandra_supported *supported, struct rcur body,
    struct arena *arena, struct err *err)
{
	unsigned pairs = rcur_u16be(&body);

	*supported = (struct cassandra_supported){ .versions = "", .compression = "" };
	memcpy(supported->first, preset_version, sizeof(preset_version));
	for (unsigned i = 0; i < pairs && rcur_ok(&body); i++) {
		struct piece key = take_string(&body), first;
		const char  *list = take_list(&body, &first, arena);

		if (is_key(key, "CQL_VERSION")) {
			supported->versions = list;
			keep_first(supported, first);
		} else if (is_key(key, "COMPRESSION")) {
			supported->compression = list;
		}
	}
	if (!rcur_ok(&body))
		return err_set(err, ERR_PARSE, "SUPPORTED is cut short");
	if (rcur_left(&body) != 0)
		return err_set(err, ERR_PARSE, "%zu bytes behind SUPPORTED", rcur_left(&body));
	return true;
}

bool
cassandra_authenticate_parse(
    const char **authenticator, struct rcur body, struct arena *arena, struct err *err)
{
	struct piece class = take_string(&body);

	*authenticator = text_sane(arena, class.text, class.count, CASSANDRA_CLASS_MAX_BYTES);
	if (!rcur_ok(&body) || rcur_left(&body) != 0)
		return err_set(err, ERR_PARSE, "AUTHENTICATE is not one string");
	return true;
}

/* Some codes have more behind the words. */
bool
cassandra_error_parse(
    struct cassandra_error *error, struct rcur body, struct arena *arena, struct err *err)
{
	struct piece words;

	error->code = rcur_u32be(&body);
	words = take_string(&body);
	error->words = text_sane(arena, words.text, words.count, CASSANDRA_WORDS_MAX_BYTES);
	return rcur_ok(&body) || err_set(err, ERR_PARSE, "ERROR is cut short");
}
