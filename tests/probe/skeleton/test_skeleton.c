#include "probe/skeleton/skeleton_record.h"

#include "probe/conn.h"
#include "probe/skeleton/skeleton_dialog.h"
#include "probe/skeleton/skeleton_wire.h"
#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct frame_case {
	const char         *name, *bytes;
	size_t              count;
	enum skeleton_parse parse;
	const char         *words;
} frame_cases[] = {
	{ "empty body", "\x01\0\0", 3, SKELETON_WHOLE, NULL },
	{ "hello", "\x01\0\x02hi", 5, SKELETON_WHOLE, NULL },
	{ "one behind", "\x02\0\x02hi\x01", 6, SKELETON_WHOLE, NULL },
	{ "nothing", "", 0, SKELETON_MORE, NULL },
	{ "half a head", "\x01\0", 2, SKELETON_MORE, NULL },
	{ "half a body", "\x01\0\x02h", 4, SKELETON_MORE, NULL },
	{ "longest", "\x01\x02\0", 3, SKELETON_MORE, NULL },
	{ "over our limit", "\x01\x02\x01", 3, SKELETON_BAD, "513 bytes, at most 512" },
	{ "type 0", "\0\0\0", 3, SKELETON_BAD, "type 0" },
	{ "type 3", "\x03\0\0", 3, SKELETON_BAD, "type 3" },
};

static void
test_frames(void **state)
{
	for (size_t i = 0; i < sizeof(frame_cases) / sizeof(frame_cases[0]); i++) {
		const struct frame_case *c = &frame_cases[i];
		struct rcur              in = rcur_of(c->bytes, c->count);
		struct skeleton_frame    frame;
		struct err               err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_int_equal(skeleton_frame_parse(&frame, &in, &err), c->parse);
		if (c->parse == SKELETON_WHOLE)
			assert_int_equal(
			    rcur_left(&in), c->count - SKELETON_HEAD_BYTES - frame.count);
		else
			assert_int_equal(rcur_left(&in), c->count);
		if (c->words != NULL)
			assert_non_null(strstr(err.text, c->words));
	}
}

static void
test_frame_round_trip(void **state)
{
	struct skeleton_frame frame;
	struct wbuf           out;
	struct rcur           in;
	struct err            err;

	wbuf_init(&out);
	skeleton_frame_put(&out, SKELETON_ECHO, "word", 4);
	in = rcur_of(out.bytes, out.count);
	assert_int_equal(skeleton_frame_parse(&frame, &in, &err), SKELETON_WHOLE);
	assert_int_equal(frame.type, SKELETON_ECHO);
	assert_int_equal(frame.count, 4);
	assert_memory_equal(frame.body, "word", 4);
	assert_int_equal(rcur_left(&in), 0);
	wbuf_fini(&out);
}

static void
test_spec(void **state)
{
	static const char longest[] =
	    "0123456789012345678901234567890123456789012345678901234567890-.";
	struct skeleton_spec spec;
	struct err           err;

	assert_int_equal(strlen(longest), SKELETON_WORD_MAX);
	assert_true(skeleton_spec_parse(&spec, longest, &err));
	assert_string_equal(spec.word, longest);
	assert_true(skeleton_spec_parse(&spec, "a", &err));
	assert_false(skeleton_spec_parse(&spec, "", &err));
	assert_non_null(strstr(err.text, "0 letters"));
	assert_false(skeleton_spec_parse(
	    &spec, "01234567890123456789012345678901234567890123456789012345678901234", &err));
	assert_non_null(strstr(err.text, "65 letters, 1 to 63"));
	assert_false(skeleton_spec_parse(&spec, "ab c", &err));
	assert_non_null(strstr(err.text, "letter 3"));
}

static const struct dialog_case {
	const char *name, *bytes; /* all that the peer says */
	size_t      count;
	enum next   end; /* NEXT_HEAR: it would go on waiting */
	const char *words;
} dialog_cases[] = {
	{ "as it should be", "\x01\0\x02hi\x02\0\x04word", 12, NEXT_DONE, NULL },
	{ "silent", "", 0, NEXT_HEAR, NULL },
	{ "greets only", "\x01\0\x02hi", 5, NEXT_HEAR, NULL },
	{ "cut short", "\x01\0\x02hi\x02\0\x04wor", 11, NEXT_HEAR, NULL },
	{ "no greeting", "\x02\0\x04word", 7, NEXT_BROKEN, "before the greeting" },
	{ "greets twice", "\x01\0\x02hi\x01\0\x02hi", 10, NEXT_BROKEN, "not the word" },
	{ "another word", "\x01\0\x02hi\x02\0\x04work", 12, NEXT_BROKEN, "not the word" },
	{ "a shorter word", "\x01\0\x02hi\x02\0\x03wor", 11, NEXT_BROKEN, "not the word" },
	{ "no frame", "HTTP/1.1", 8, NEXT_BROKEN, "type 72" },
};

/* The whole dialogue with so many bytes at a time, as conn would lead it. */
static enum next
converse(struct skeleton_dialog *dialog, const char *bytes, size_t count, size_t stride,
    struct wbuf *said)
{
	size_t    taken = 0, offered = 0;
	enum next next = NEXT_HEAR;

	skeleton_ops.say(dialog, said);
	while (next == NEXT_HEAR || next == NEXT_SAY) {
		struct rcur in;

		if (next == NEXT_SAY)
			skeleton_ops.say(dialog, said);
		else if (offered == count)
			return NEXT_HEAR;
		else
			offered = count - offered > stride ? offered + stride : count;
		in = rcur_of(bytes + taken, offered - taken);
		next = skeleton_ops.hear(dialog, &in);
		if (rcur_ok(&in))
			taken = offered - rcur_left(&in);
	}
	return next;
}

static void
test_dialog(void **state)
{
	for (size_t i = 0; i < sizeof(dialog_cases) / sizeof(dialog_cases[0]); i++) {
		const struct dialog_case *c = &dialog_cases[i];

		print_message("%s\n", c->name);
		for (size_t stride = 1; stride <= c->count + 1; stride++) {
			struct skeleton_dialog dialog = { .arena = arena_new() };
			struct wbuf            said;

			wbuf_init(&said);
			assert_true(skeleton_spec_parse(&dialog.spec, "word", NULL));
			assert_int_equal(
			    converse(&dialog, c->bytes, c->count, stride, &said), c->end);
			if (c->words != NULL)
				assert_non_null(strstr(dialog.broken.text, c->words));
			if (dialog.greeted) {
				assert_string_equal(dialog.banner, "hi");
				assert_int_equal(said.count, 7);
				assert_memory_equal(said.bytes, "\x02\0\x04word", 7);
			} else {
				assert_int_equal(said.count, 0);
			}
			wbuf_fini(&said);
			arena_free(dialog.arena);
		}
	}
}

/* For serve(): greets, and sends back what it hears. */
static void
greet_and_echo(int fd, void *arg)
{
	const char *banner = arg;
	uint8_t     bytes[64] = { SKELETON_HELLO, 0, (uint8_t)strlen(banner) };
	ssize_t     count = 3 + (ssize_t)strlen(banner);

	memcpy(bytes + 3, banner, strlen(banner));
	while (count > 0 && send(fd, bytes, (size_t)count, MSG_NOSIGNAL) == count)
		count = recv(fd, bytes, sizeof(bytes), 0);
}

static struct support_probe *
ask_peer(const struct support_peer *peer, const char *word)
{
	static const struct probe_kind *const kinds[] = { &probe_skeleton, NULL };
	struct probe_options                  options = { .kinds = kinds };
	struct probe_ask                      ask = { .kind = "skeleton",
		                     .host = word,
		                     .peer = support_peer_addr(peer),
		                     .limit_ms = 5000 };

	return support_probe_run(&options, &ask);
}

static void
test_whole_probe(void **state)
{
	struct support_peer  *peer = support_peer_start(greet_and_echo, (void *)"me\n\x1b");
	struct support_probe *run = ask_peer(peer, "word");

	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_string_equal(run->endpoint.server, "me??");
	assert_null(run->endpoint.detail);
	support_probe_free(run);
	support_peer_stop(peer);

	peer = support_peer_start(support_peer_says, (void *)"SSH-2.0-OpenSSH_9.2p1\r\n");
	run = ask_peer(peer, "word");
	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_non_null(strstr(run->endpoint.detail, "type 83"));
	support_probe_free(run);
	support_peer_stop(peer);
}

/* Not even a connection is made for what cannot be asked. */
static void
test_refused_spec(void **state)
{
	struct support_peer  *peer = support_peer_start(support_peer_silent, NULL);
	struct support_probe *run = ask_peer(peer, "no word");

	assert_int_equal(run->endpoint.tcp, OUTCOME_LOCAL);
	assert_string_equal(run->endpoint.local, "");
	assert_non_null(strstr(run->endpoint.detail, "letter 3 of the word"));
	support_probe_free(run);
	support_peer_stop(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_frame_round_trip),
		cmocka_unit_test(test_spec),
		cmocka_unit_test(test_dialog),
		cmocka_unit_test(test_whole_probe),
		cmocka_unit_test(test_refused_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
