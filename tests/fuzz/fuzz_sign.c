/* Any bytes as what the prober asks to sign, and as what the shipper answers: what is taken is
 * within its bounds, is written again as the same bytes, and what passes the guard is a GET whose
 * string to sign has its five lines and no more. */
#include "agent/access.h"
#include "agent/agent_conf.h"
#include "agent/sign_guard.h"
#include "agent/sign_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* 27 Apr 2017 00:51:12: the seeds' now. */
static const int64_t now_ms = INT64_C(1493254272000);

static void
require(bool good)
{
	if (!good)
		abort();
}

static void
check_guarded(const struct signer_ask *ask)
{
	static struct access row = {
		.account = "*", .key_file = "/k", .token_file = "", .managed_identity = ""
	};
	const struct agent_conf conf = { .access = { &row, 1 } };
	struct err              err = { .text = "" };

	if (!sign_guard_takes(&conf, ask, now_ms, &err)) {
		require(err.text[0] != '\0');
		return;
	}
	require(strcmp(ask->verb, "GET") == 0);
	require(strpbrk(ask->type, "\r\n") == NULL && strpbrk(ask->link, "\r\n?#\\") == NULL);
	require(strstr(ask->link, "/docs/") == NULL || strncmp(ask->link, "dbs/", 4) == 0);
	require(strcmp(ask->type, "docs") != 0 || strchr(ask->link, '/') == NULL);
}

static void
fuzz_ask(const uint8_t *bytes, size_t count)
{
	struct arena     *arena = arena_new();
	struct signer_ask ask;
	struct wbuf       out;
	struct err        err = { .text = "" };
	uint32_t          id;

	wbuf_init(&out);
	if (!sign_ask_decode(&id, &ask, arena, bytes, count, &err)) {
		require(err.text[0] != '\0');
	} else {
		require(sign_ask_encode(id, &ask, &out));
		require(out.count == count && memcmp(out.bytes, bytes, count) == 0);
		check_guarded(&ask);
	}
	wbuf_fini(&out);
	arena_free(arena);
}

static void
fuzz_answer(const uint8_t *bytes, size_t count)
{
	struct arena      *arena = arena_new();
	struct sign_answer answer;
	struct err         err = { .text = "" };

	if (!sign_answer_decode(&answer, arena, bytes, count, &err))
		require(err.text[0] != '\0');
	else if (answer.header != NULL)
		require(answer.header[0] != '\0' && strlen(answer.header) <= SIGN_HEADER_MAX);
	else
		require(strlen(answer.why) <= SIGN_WHY_MAX);
	arena_free(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	fuzz_ask(bytes, count);
	fuzz_answer(bytes, count);
	return 0;
}
