#include "probe/reply.h"

#include "base/text.h"

#include <assert.h>
#include <string.h>

/* A chunk's size line and trailers are framing, not content: nobody needs long ones. */
enum { CHUNK_LINE_MAX = 256, CHUNK_DIGITS_MAX = 8, LINE_END_BYTES = 2 };

static const struct {
	const char *name;
	size_t      at;
} kept[] = {
	{ "server", offsetof(struct reply, server) },
	{ "content-type", offsetof(struct reply, content_type) },
	{ "location", offsetof(struct reply, location) },
	{ "x-ms-request-id", offsetof(struct reply, request_id) },
	{ "x-ms-activity-id", offsetof(struct reply, activity_id) },
	{ "x-ms-gatewayversion", offsetof(struct reply, gateway_version) },
};

static void
keep_fields(struct reply *reply, const struct head *head)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char **to = (const char **)(void *)((char *)reply + kept[i].at);

		*to = head_text(head, kept[i].name, reply->arena, REPLY_TEXT_MAX);
	}
}

static bool
begin_body(struct reply *reply, const struct head *head, struct err *err)
{
	if (!head_framing(head, &reply->framing, &reply->left, err))
		return false;
	reply->body_room = REPLY_BODY_MAX;
	switch (reply->framing) {
	case HEAD_NO_BODY: reply->state = REPLY_WHOLE; return true;
	case HEAD_LENGTH:
		if (reply->left < reply->body_room)
			reply->body_room = reply->left;
		reply->state = reply->left > 0 ? REPLY_BODY : REPLY_WHOLE;
		break;
	case HEAD_CHUNKED: reply->state = REPLY_CHUNK_HEAD; break;
	case HEAD_TO_CLOSE:
		reply->left = UINT64_MAX;
		reply->state = REPLY_BODY;
		break;
	}
	if (reply->state != REPLY_WHOLE)
		reply->body = arena_alloc(reply->arena, reply->body_room);
	return true;
}

enum head_parse
reply_hear_head(struct reply *reply, struct head *head, struct rcur *in, struct err *err)
{
	enum head_parse parse;

	while ((parse = head_parse(head, in, err)) == HEAD_WHOLE && head->status < 200 &&
	    head->status != 101) {
		if (++reply->interims > REPLY_INTERIMS_MAX) {
			err_set(
			    err, ERR_LIMIT, "more than %d interim answers", REPLY_INTERIMS_MAX);
			return HEAD_BAD;
		}
	}
	if (parse != HEAD_WHOLE)
		return parse;
	reply->status = head->status;
	reply->minor = head->minor;
	keep_fields(reply, head);
	return begin_body(reply, head, err) ? HEAD_WHOLE : HEAD_BAD;
}

static size_t
least(size_t left, size_t right)
{
	return left < right ? left : right;
}

/* What does not fit is not waited for: the answer is over then. */
static enum head_parse
hear_body(struct reply *reply, struct rcur *in)
{
	size_t line_end = reply->framing == HEAD_CHUNKED ? LINE_END_BYTES : 0;
	size_t count = rcur_left(in);
	size_t room = reply->body_room - reply->body_bytes;

	assert(reply->left > line_end);
	if (count == 0)
		return HEAD_MORE;
	if (count > reply->left - line_end)
		count = (size_t)(reply->left - line_end);
	reply->cut = count > room;
	count = least(count, room);
	memcpy(reply->body + reply->body_bytes, in->at, count);
	reply->body_bytes += count;
	reply->left -= count;
	rcur_skip(in, count);
	if (reply->cut)
		reply->state = REPLY_WHOLE;
	else if (reply->left > line_end)
		return HEAD_MORE;
	else
		reply->state = line_end > 0 ? REPLY_CHUNK_HEAD : REPLY_WHOLE;
	return HEAD_WHOLE;
}

/* The line at in up to its CR LF, of which length says how long it is without. */
static enum head_parse
find_line(const struct rcur *in, size_t *length, struct err *err)
{
	size_t         left = least(rcur_left(in), CHUNK_LINE_MAX);
	const uint8_t *newline = memchr(in->at, '\n', left);

	if (newline == NULL && left < CHUNK_LINE_MAX)
		return HEAD_MORE;
	if (newline == NULL || newline == in->at || newline[-1] != '\r') {
		err_set(err, ERR_PARSE, "the chunks of the body are broken");
		return HEAD_BAD;
	}
	*length = (size_t)(newline - in->at) - 1;
	return HEAD_WHOLE;
}

/* Between two chunks: the end of the one before, if any, and the size of the next [rfc9112 7.1].
 * left is LINE_END_BYTES behind a chunk and 0 before the first. */
static enum head_parse
hear_chunk_head(struct reply *reply, struct rcur *in, struct err *err)
{
	struct rcur     at = *in;
	size_t          length, digits = 0;
	uint64_t        size = 0;
	enum head_parse parse;

	if (reply->left > 0) {
		if (rcur_left(&at) < LINE_END_BYTES)
			return HEAD_MORE;
		if (memcmp(rcur_bytes(&at, LINE_END_BYTES), "\r\n", LINE_END_BYTES) != 0) {
			err_set(err, ERR_PARSE, "a chunk of the body is longer than it says");
			return HEAD_BAD;
		}
	}
	parse = find_line(&at, &length, err);
	if (parse != HEAD_WHOLE)
		return parse;
	while (
	    digits < length && text_hex((char)at.at[digits]) >= 0 && digits <= CHUNK_DIGITS_MAX)
		size = size << 4 | (uint64_t)text_hex((char)at.at[digits++]);
	if (digits < 1 || digits > CHUNK_DIGITS_MAX ||
	    (digits < length && strchr("; \t", at.at[digits]) == NULL)) {
		err_set(err, ERR_PARSE, "the size of a chunk is no number");
		return HEAD_BAD;
	}
	rcur_skip(&at, length + LINE_END_BYTES);
	reply->left = size > 0 ? size + LINE_END_BYTES : 0;
	reply->state = size > 0 ? REPLY_BODY : REPLY_TRAILER;
	*in = at;
	return HEAD_WHOLE;
}

static enum head_parse
hear_trailer(struct reply *reply, struct rcur *in, struct err *err)
{
	size_t          length;
	enum head_parse parse = find_line(in, &length, err);

	if (parse != HEAD_WHOLE)
		return parse;
	rcur_skip(in, length + LINE_END_BYTES);
	if (length == 0)
		reply->state = REPLY_WHOLE;
	return HEAD_WHOLE;
}

enum head_parse
reply_hear(struct reply *reply, struct rcur *in, struct err *err)
{
	enum head_parse parse = HEAD_WHOLE;
	struct head     head;

	while (parse == HEAD_WHOLE && reply->state != REPLY_WHOLE) {
		switch (reply->state) {
		case REPLY_HEAD: parse = reply_hear_head(reply, &head, in, err); break;
		case REPLY_BODY: parse = hear_body(reply, in); break;
		case REPLY_CHUNK_HEAD: parse = hear_chunk_head(reply, in, err); break;
		case REPLY_TRAILER: parse = hear_trailer(reply, in, err); break;
		case REPLY_WHOLE: break;
		}
	}
	return parse;
}

bool
reply_is_ended(const struct reply *reply)
{
	return reply->state == REPLY_WHOLE ||
	    (reply->state == REPLY_BODY && reply->framing == HEAD_TO_CLOSE);
}

static const char *
skip_blanks(const struct reply *reply, size_t *left)
{
	size_t at = 0;

	/* A byte order mark may stand in front. */
	if (reply->body_bytes >= 3 && memcmp(reply->body, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < reply->body_bytes && reply->body[at] != '\0' &&
	    strchr(" \t\r\n", reply->body[at]) != NULL)
		at++;
	*left = reply->body_bytes - at;
	return reply->body + at;
}

static bool
begins_with(const struct reply *reply, const char *word)
{
	size_t      left, length = strlen(word);
	const char *at;

	if (reply->body == NULL)
		return false;
	at = skip_blanks(reply, &left);
	if (left < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text_lower(at[i]) != word[i])
			return false;
	}
	return true;
}

bool
reply_is_html(const struct reply *reply)
{
	return text_starts_nocase(reply->content_type, "text/html") ||
	    text_starts_nocase(reply->content_type, "application/xhtml") ||
	    begins_with(reply, "<!doctype html") || begins_with(reply, "<html");
}

bool
reply_is_xml(const struct reply *reply)
{
	if (reply_is_html(reply))
		return false;
	return text_starts_nocase(reply->content_type, "application/xml") ||
	    text_starts_nocase(reply->content_type, "text/xml") ||
	    text_starts_nocase(reply->content_type, "application/atom+xml") ||
	    begins_with(reply, "<?xml") || begins_with(reply, "<error");
}

const char *
reply_stranger(const struct reply *reply)
{
	struct arena *arena = reply->arena;
	unsigned      status = reply->status;

	if (status >= 300 && status < 400)
		return arena_printf(arena,
		    "status %u redirects to %s: a portal or proxy stands in between", status,
		    reply->location[0] != '\0' ? reply->location : "nowhere");
	if (status == 407 || status == 511)
		return arena_printf(
		    arena, "HTTP status %u: a proxy or network wants authentication", status);
	if (status == 404 && reply->body_bytes == 0)
		return "a 404 without a body: another server, or an old firewall's refusal";
	if (reply_is_html(reply))
		return arena_printf(arena,
		    "status %u with an HTML page: a portal, proxy or other server", status);
	if (reply->minor == 0)
		return arena_printf(
		    arena, "status %u in HTTP/1.0: a proxy or other server", status);
	if (status == 429)
		return "status 429: throttled";
	if (status >= 500)
		return arena_printf(arena, "status %u without a body of the service", status);
	return arena_printf(arena, "status %u, and nothing that the service would say", status);
}

void
reply_record(const struct reply *reply, struct greeting *greeting)
{
	if (reply->status == 0)
		return;
	greeting->status = reply->status;
	greeting->server = reply->server;
	if (greeting->outcome != OUTCOME_OK && reply->status != 101)
		greeting->detail = arena_printf(
		    reply->arena, "status %u, then: %s", reply->status, greeting->detail);
	greeting->request_id = reply->request_id[0] != '\0' ? reply->request_id
	                                                    : reply->activity_id;
}
