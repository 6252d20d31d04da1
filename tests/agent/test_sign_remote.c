#include "agent/sign_remote.h"

#include "agent/sign_wire.h"
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { HEAD_BYTES = 5 };

static const struct signer_ask ask = { .account = "contoso",
	.host = "contoso.documents.azure.com",
	.verb = "GET",
	.type = "",
	.link = "",
	.date = "Thu, 27 Apr 2017 00:51:12 GMT" };

struct fixture {
	struct loop         *loop;
	struct channel      *channel;
	struct sign_remote  *remote;
	const struct signer *signer;
	int                  other; /* the shipper's end, raw */
	unsigned             overs, again;
	char                 header[64], why[512];
};

static void
on_message(void *arg, enum channel_type type, const uint8_t *bytes, size_t count)
{
	struct fixture *f = arg;
	struct err      err;

	assert_int_equal(type, CHANNEL_SIGNED);
	if (!sign_remote_take(f->remote, bytes, count, &err))
		snprintf(f->why, sizeof(f->why), "%s", err.text);
}

static void
on_closed(void *arg, const char *why)
{
	struct fixture *f = arg;

	sign_remote_close(f->remote);
}

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;
	int             ends[2];

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	assert_true(channel_pair(ends, &err));
	f->other = ends[1];
	f->channel = channel_new(f->loop, ends[0],
	    &(struct channel_ops){
	        .on_message = on_message, .on_closed = on_closed, .arg = f });
	f->remote = sign_remote_new(f->loop, f->channel);
	f->signer = sign_remote_signer(f->remote, CREDENTIAL_KEY);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	sign_remote_free(f->remote);
	channel_free(f->channel);
	if (f->other >= 0)
		close(f->other);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
turn(struct fixture *f)
{
	for (int i = 0; i < 5; i++)
		loop_run_once(f->loop, false);
}

static void
on_signed(void *arg, const char *header, const char *why)
{
	struct fixture *f = arg;

	assert_true((header == NULL) != (why == NULL));
	snprintf(f->header, sizeof(f->header), "%s", header != NULL ? header : "");
	snprintf(f->why, sizeof(f->why), "%s", why != NULL ? why : "");
	f->overs++;
	if (f->again > 0) {
		f->again--;
		assert_non_null(f->signer->start(f->signer->arg, &ask, on_signed, f));
	}
}

static void
on_never(void *arg, const char *header, const char *why)
{
	fail_msg("an answer after cancel");
}

static void *
start(struct fixture *f)
{
	return f->signer->start(f->signer->arg, &ask, on_signed, f);
}

/* The id of the question that came. */
static uint32_t
hear_ask(struct fixture *f)
{
	uint8_t           bytes[1024];
	struct arena     *arena = arena_new();
	struct signer_ask heard;
	struct err        err;
	uint32_t          id, count;

	turn(f);
	assert_int_equal(recv(f->other, bytes, HEAD_BYTES, 0), HEAD_BYTES);
	assert_int_equal(bytes[0], CHANNEL_SIGN);
	count = (uint32_t)bytes[3] << 8 | bytes[4];
	assert_int_equal(recv(f->other, bytes, count, 0), count);
	if (!sign_ask_decode(&id, &heard, arena, bytes, count, &err))
		fail_msg("%s", err.text);
	assert_string_equal(heard.account, ask.account);
	assert_string_equal(heard.date, ask.date);
	arena_free(arena);
	return id;
}

static void
answer(struct fixture *f, uint32_t id, const char *header, const char *why)
{
	struct wbuf out, body;

	wbuf_init(&out);
	wbuf_init(&body);
	sign_answer_encode(
	    &(struct sign_answer){ .id = id, .header = header, .why = why }, &body);
	wbuf_u8(&out, CHANNEL_SIGNED);
	wbuf_u32be(&out, (uint32_t)body.count);
	wbuf_put(&out, body.bytes, body.count);
	assert_int_equal(send(f->other, out.bytes, out.count, 0), out.count);
	wbuf_fini(&out);
	wbuf_fini(&body);
	turn(f);
}

static void
test_answers_find_their_askers(void **state)
{
	struct fixture *f = *state;
	uint32_t        first, second;

	assert_int_equal(f->signer->kind, CREDENTIAL_KEY);
	assert_int_equal(
	    sign_remote_signer(f->remote, CREDENTIAL_ENTRA)->kind, CREDENTIAL_ENTRA);
	start(f);
	start(f);
	first = hear_ask(f);
	second = hear_ask(f);
	assert_int_not_equal(first, second);
	assert_int_equal(f->overs, 0);
	answer(f, second, "second", "");
	assert_string_equal(f->header, "second");
	answer(f, first, NULL, "no key");
	assert_string_equal(f->why, "no key");
	assert_int_equal(f->overs, 2);
	answer(f, first, "late", ""); /* twice */
	answer(f, 4711, "never asked", "");
	assert_int_equal(f->overs, 2);
}

static void
test_cancel(void **state)
{
	struct fixture *f = *state;
	void           *run = f->signer->start(f->signer->arg, &ask, on_never, f);
	uint32_t        id = hear_ask(f);

	f->signer->cancel(run);
	answer(f, id, "header", "");
	/* And one that would fail in the next round. */
	sign_remote_close(f->remote);
	f->signer->cancel(f->signer->start(f->signer->arg, &ask, on_never, f));
	turn(f);
}

static void
test_garbage(void **state)
{
	static const uint8_t garbage[] = { CHANNEL_SIGNED, 0, 0, 0, 3, 1, 2, 3 };
	struct fixture      *f = *state;

	start(f);
	assert_int_equal(send(f->other, garbage, sizeof(garbage), 0), sizeof(garbage));
	turn(f);
	assert_non_null(strstr(f->why, "answer cut short"));
	assert_int_equal(f->overs, 0);
	answer(f, hear_ask(f), "header", "");
	assert_int_equal(f->overs, 1);
}

static void
test_channel_ends(void **state)
{
	struct fixture *f = *state;

	start(f);
	start(f);
	turn(f);
	close(f->other);
	f->other = -1;
	turn(f);
	assert_int_equal(f->overs, 2);
	assert_string_equal(f->why, "the process that signs has ended");
	start(f); /* and who comes after */
	assert_int_equal(f->overs, 2);
	turn(f);
	assert_int_equal(f->overs, 3);
}

/* Who asks again from inside a refusal gets it in another round, and the loop goes on. */
static void
test_asks_again(void **state)
{
	struct fixture *f = *state;

	sign_remote_close(f->remote);
	f->again = 1000000;
	start(f);
	loop_run_once(f->loop, true);
	assert_in_range(f->overs, 1, 2);
	f->again = 1;
	turn(f);
	assert_in_range(f->overs, 2, 4);
}

static void
test_too_many(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < SIGN_REMOTE_MAX; i++)
		start(f);
	turn(f);
	assert_int_equal(f->overs, 0);
	start(f);
	assert_int_equal(f->overs, 0);
	turn(f);
	assert_int_equal(f->overs, 1);
	assert_non_null(strstr(f->why, "too many"));
}

static void
test_cannot_be_said(void **state)
{
	struct fixture   *f = *state;
	struct signer_ask odd = ask;

	odd.link = "dbs/a\nb";
	assert_non_null(f->signer->start(f->signer->arg, &odd, on_signed, f));
	assert_int_equal(f->overs, 0);
	turn(f);
	assert_int_equal(f->overs, 1);
	assert_non_null(strstr(f->why, "has a control"));
}

static void
test_free_while_waiting(void **state)
{
	struct fixture *f = *state;

	f->signer->start(f->signer->arg, &ask, on_never, f);
	turn(f);
	sign_remote_free(f->remote);
	sign_remote_free(NULL);
	f->remote = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_answers_find_their_askers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_channel_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_asks_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_be_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_while_waiting, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
