/* fuzz_head: the head and the body of an HTTP/1 answer: what is taken whole is taken the same when
 * it comes in two parts. */
#include "base/text.h"
#include "probe/reply.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static enum head_parse
hear_parts(struct reply *reply, const uint8_t *bytes, size_t first, size_t count)
{
	struct rcur     in = rcur_of(bytes, first);
	struct err      err = { ERR_NONE, "" };
	enum head_parse parse = reply_hear(reply, &in, &err);
	size_t          taken = first - rcur_left(&in);

	if (parse == HEAD_MORE && first < count) {
		in = rcur_of(bytes + taken, count - taken);
		parse = reply_hear(reply, &in, &err);
	}
	if (!rcur_ok(&in) || (parse == HEAD_BAD) != (err.kind != ERR_NONE))
		abort();
	return parse;
}

static void
check_text(const char *text)
{
	struct arena *arena = arena_new();

	if (strlen(text) > REPLY_TEXT_MAX ||
	    strcmp(text_sane(arena, text, strlen(text), REPLY_TEXT_MAX), text) != 0)
		abort();
	arena_free(arena);
}

static void
check_reply(const struct reply *reply)
{
	if (reply->status == 0)
		return;
	if (reply->status < 100 || reply->status > 599 || reply->body_bytes > REPLY_BODY_MAX)
		abort();
	check_text(reply->server);
	check_text(reply->location);
	check_text(reply->request_id);
	if (reply_stranger(reply)[0] == '\0' || (reply_is_html(reply) && reply_is_xml(reply)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct reply    whole = { .arena = arena_new() }, parts = { .arena = arena_new() };
	enum head_parse parse = hear_parts(&whole, bytes, count, count);

	check_reply(&whole);
	if (hear_parts(&parts, bytes, count / 2, count) != parse ||
	    (parse == HEAD_WHOLE &&
	        (parts.status != whole.status || parts.body_bytes != whole.body_bytes)))
		abort();
	arena_free(whole.arena);
	arena_free(parts.arena);
	return 0;
}
