/* fuzz_https_answer: a whole HTTP answer, head and body, through the door that libcurl feeds. */
#include "base/text.h"
#include "probe/https/https_answer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Words of ours around one header. */
enum { TEXT_MAX = 255, DETAIL_MAX = 400 };

static void
check_words(const char *text, size_t most)
{
	struct arena *arena;

	if (text == NULL)
		return;
	arena = arena_new();
	if (strlen(text) > most ||
	    strcmp(text_sane(arena, text, strlen(text), most), text) != 0)
		abort();
	arena_free(arena);
}

static void
check_text(const char *text)
{
	check_words(text, TEXT_MAX);
}

static void
check_endpoint(const struct endpoint *endpoint)
{
	check_text(endpoint->content_type);
	check_text(endpoint->server);
	check_text(endpoint->gateway_version);
	check_text(endpoint->activity_id);
	check_text(endpoint->location);
	check_text(endpoint->error_code);
	check_text(endpoint->error_text);
	check_text(endpoint->seen_as);
	check_words(endpoint->http_detail, DETAIL_MAX);
	if ((endpoint->http == OUTCOME_OK) != (endpoint->http_detail == NULL))
		abort();
	if (endpoint->http != OUTCOME_OK && endpoint->http != OUTCOME_HTTP_OTHER)
		abort();
	if (endpoint->path != PATH_NOT_TOLD && endpoint->http_status != 403)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct arena       *arena = arena_new();
	struct https_answer answer = { 0 };
	struct endpoint     endpoint = { 0 };
	const char         *at = (const char *)bytes, *end = at + count;

	/* Lines up to an empty one, as libcurl hands them over; the rest is the body. */
	while (at < end && *at != '\r' && *at != '\n') {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		https_answer_line(&answer, arena, at, (size_t)(next - at));
		at = next;
	}
	answer.body = at;
	answer.body_bytes = (size_t)(end - at);
	https_answer_judge(&answer, arena, &endpoint);
	check_endpoint(&endpoint);
	arena_free(arena);
	return 0;
}
