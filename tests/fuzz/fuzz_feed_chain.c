/* fuzz_feed_chain: answers in a row to the chain of requests, each with head and body.
 *
 * The first byte says what is asked for; answers stand apart by a line "====".  When they are used
 * up they come again: the chain must end by itself, ask only for what can be sent, and say why it
 * ended.
 */
#include "base/clock.h"
#include "base/text.h"
#include "probe/feed/feed_chain.h"
#include "probe/https/https_spec.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Pages of three lists and of the containers of each database, and ranges by the fifty. */
enum { REQUESTS_MAX = FEED_PAGES_MAX * (FEED_DATABASES_MAX + 2) + 40 };

static const char separator[] = "\n====\n";

static void
want(bool holds)
{
	if (!holds)
		abort();
}

static void
check_request(struct arena *arena, const struct feed_request *request)
{
	const struct addr peer = { .family = 4, .bytes = { 127, 0, 0, 1 }, .port = 443 };
	struct https_spec spec;
	struct err        err;

	want(https_spec_make(&spec, "a.b", &peer, request->target, arena, &err));
	want(request->type != NULL && request->link != NULL);
	want(strpbrk(request->link, "\r\n") == NULL);
	want(request->continuation == NULL || strpbrk(request->continuation, "\r\n") == NULL);
}

static void
check_text(struct arena *arena, const char *text, size_t most)
{
	want(text == NULL ||
	    (strlen(text) <= most &&
	        strcmp(text_sane(arena, text, strlen(text), most), text) == 0));
}

static void
check_feed(struct arena *arena, const struct feed *feed, const struct feed_found *found)
{
	want(feed->outcome == OUTCOME_OK || feed->outcome == OUTCOME_HTTP_OTHER ||
	    feed->outcome == OUTCOME_BROKE_PROTOCOL || feed->outcome == OUTCOME_TOO_LARGE);
	want(feed->outcome == OUTCOME_OK || feed->detail[0] != '\0');
	want(feed->outcome != OUTCOME_OK || (feed->admitted && feed->http_status == 200));
	want(feed->path == PATH_NOT_TOLD || feed->http_status == 403);
	want(found->count <= FEED_REPLICAS_MAX && found->count <= feed->replicas);
	check_text(arena, feed->error_code, 255);
	check_text(arena, feed->error_text, 1024);
	check_text(arena, feed->detail, 1024);
	check_text(arena, feed->activity_id, 255);
}

static struct https_answer
read_answer(struct arena *arena, const char *at, const char *end)
{
	struct https_answer answer = { 0 };

	while (at < end && *at != '\r' && *at != '\n') {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		https_answer_line(&answer, arena, at, (size_t)(next - at));
		at = next;
	}
	if (at < end && *at == '\r')
		at++;
	if (at < end && *at == '\n')
		at++;
	answer.body = at;
	answer.body_bytes = (size_t)(end - at);
	return answer;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static const struct signer signer = { .kind = CREDENTIAL_KEY };

	struct arena      *arena = arena_new();
	unsigned           what = count > 0 ? bytes[0] : 0, requests = 0;
	const char        *first = (const char *)bytes + (count > 0), *at = first;
	const char        *end = (const char *)bytes + count;
	struct feed        feed = { 0 };
	struct feed_found  found = { 0 };
	struct feed_ask    ask = { .signer = &signer,
		   .depth = what & 1 ? FEED_ADDRESSES : FEED_ACCOUNT,
		   .database = what & 2 ? "d b" : "",
		   .container = what & 4 ? "c\xc3\xa4" : NULL,
		   .refresh = what & 8,
		   .ranges_max = what & 16 ? 1000 : 0 };
	struct feed_chain *chain = feed_chain_new(&ask, &feed, &found, arena);
	enum feed_next     next = FEED_ASK;
	uint32_t           wait_ms;

	while (next != FEED_OVER) {
		const char *stop = memmem(
		    at, (size_t)(end - at), separator, sizeof(separator) - 1);
		struct https_answer answer = read_answer(arena, at, stop != NULL ? stop : end);

		want(requests++ < REQUESTS_MAX);
		check_request(arena, feed_chain_request(chain));
		next = feed_chain_hear(chain, &answer, 1493254272 * MS_PER_S, &wait_ms);
		at = stop != NULL ? stop + sizeof(separator) - 1 : first;
	}
	check_feed(arena, &feed, &found);
	arena_free(arena);
	return 0;
}
