#include "probe/mongo/mongo_dialog.h"

#include "tests/fake/backend/bson.h"
#include "tests/support/support_dialog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

enum { ISMASTER_BYTES = 58, HELLO_BYTES = 52 };

/* What the peer says, in turn. */
enum answer {
	NOTHING,
	GOOD,        /* to isMaster */
	GOOD_OLD,    /* likewise, of a server without OP_MSG */
	NO_SERVER,   /* ok, and no more */
	EMPTY,       /* {} to isMaster */
	HELLO_EMPTY, /* {} to hello */
	REFUSED,     /* isMaster */
	HELLO,       /* to hello */
	HELLO_115,   /* hello, refused */
	HELLO_TWICE, /* the answer to isMaster again */
	LATE_BYTES   /* more than was asked for */
};

static size_t
open_message(struct wbuf *out, bool reply, uint32_t response_to)
{
	size_t at = out->count;

	wbuf_u32le(out, 0);
	wbuf_u32le(out, 7);
	wbuf_u32le(out, response_to);
	wbuf_u32le(out, reply ? 1 : 2013);
	support_hex_put(
	    out, reply ? "08000000 0000000000000000 00000000 01000000" : "00000000 00");
	return at;
}

static void
close_message(struct wbuf *out, size_t at)
{
	size_t length = out->count - at;

	assert_in_range(length, 1, 255);
	out->bytes[at] = (uint8_t)length;
}

static void
put_server(struct wbuf *out, bool reply, uint32_t response_to, int wire)
{
	size_t at = open_message(out, reply, response_to), document = bson_open(out, NULL);

	bson_put_bool(out, reply ? "ismaster" : "isWritablePrimary", true);
	bson_put_int(out, "maxWireVersion", wire);
	bson_put_double(out, "ok", 1);
	bson_close(out, document);
	close_message(out, at);
}

static void
put_error(struct wbuf *out, bool reply, uint32_t response_to, int code)
{
	size_t at = open_message(out, reply, response_to), document = bson_open(out, NULL);

	bson_put_double(out, "ok", 0);
	bson_put_text(out, "errmsg", "Command Hello not supported prior to authentication");
	bson_put_int(out, "code", code);
	bson_close(out, document);
	close_message(out, at);
}

static void
put_little(struct wbuf *out, bool reply, uint32_t response_to, bool ok)
{
	size_t at = open_message(out, reply, response_to), document = bson_open(out, NULL);

	if (ok)
		bson_put_double(out, "ok", 1);
	bson_close(out, document);
	close_message(out, at);
}

static void
put_answer(struct wbuf *out, enum answer answer)
{
	switch (answer) {
	case NOTHING: break;
	case GOOD: put_server(out, true, 1, 18); break;
	case GOOD_OLD: put_server(out, true, 1, MONGO_WIRE_OP_MSG - 1); break;
	case NO_SERVER: put_little(out, true, 1, true); break;
	case EMPTY: put_little(out, true, 1, false); break;
	case HELLO_EMPTY: put_little(out, false, 3, false); break;
	case REFUSED: put_error(out, true, 1, 13); break;
	case HELLO: put_server(out, false, 3, 18); break;
	case HELLO_115: put_error(out, false, 3, 115); break;
	case HELLO_TWICE: put_server(out, true, 1, 18); break;
	case LATE_BYTES: wbuf_u8(out, 'x'); break;
	}
}

static const struct dialog_case {
	const char *name;
	enum answer first, second;
	enum next   end; /* NEXT_HEAR: it would go on waiting */
	bool        knows, asked_hello, knows_hello;
	const char *words;
} dialog_cases[] = {
	{ "silent", NOTHING, NOTHING, NEXT_HEAR, false, false, false, NULL },
	{ "hello answered", GOOD, HELLO, NEXT_DONE, true, true, true, NULL },
	{ "hello refused", GOOD, HELLO_115, NEXT_DONE, true, true, true, NULL },
	{ "silent after isMaster", GOOD, NOTHING, NEXT_HEAR, true, true, false, NULL },
	{ "isMaster answered again", GOOD, HELLO_TWICE, NEXT_BROKEN, true, true, false,
	    "opcode 1, 2013 wanted" },
	{ "without OP_MSG", GOOD_OLD, NOTHING, NEXT_DONE, true, false, false, NULL },
	{ "isMaster refused", REFUSED, NOTHING, NEXT_DONE, true, false, false, NULL },
	{ "nothing said", EMPTY, NOTHING, NEXT_BROKEN, false, false, false,
	    "isMaster is neither ok nor an error" },
	{ "nothing said of hello", GOOD, HELLO_EMPTY, NEXT_BROKEN, true, true, false,
	    "hello is neither ok nor an error" },
	{ "ok alone", NO_SERVER, NOTHING, NEXT_BROKEN, false, false, false,
	    "does not say whether it is one" },
	{ "hello answered first", HELLO, NOTHING, NEXT_BROKEN, false, false, false,
	    "opcode 2013, 1 wanted" },
	{ "says more than asked", GOOD_OLD, LATE_BYTES, NEXT_DONE, true, false, false, NULL },
};

static void
check_dialog(const struct dialog_case *c, const struct wbuf *heard, size_t stride)
{
	struct mongo_dialog dialog = { .arena = arena_new() };
	struct wbuf         said;

	wbuf_init(&said);
	assert_int_equal(
	    support_dialog_run(&mongo_ops, &dialog, heard->bytes, heard->count, stride, &said),
	    c->end);
	assert_int_equal(dialog.knows, c->knows);
	assert_int_equal(dialog.asked_hello, c->asked_hello);
	assert_int_equal(dialog.knows_hello, c->knows_hello);
	assert_int_equal(said.count, ISMASTER_BYTES + (c->asked_hello ? HELLO_BYTES : 0));
	if (c->words != NULL)
		assert_non_null(strstr(dialog.broken.text, c->words));
	if (c->second == HELLO_115)
		assert_int_equal(dialog.hello.code, 115);
	wbuf_fini(&said);
	arena_free(dialog.arena);
}

/* In pieces of every size. */
static void
test_dialog(void **state)
{
	for (size_t i = 0; i < sizeof(dialog_cases) / sizeof(dialog_cases[0]); i++) {
		const struct dialog_case *c = &dialog_cases[i];
		struct wbuf               heard;

		print_message("%s\n", c->name);
		wbuf_init(&heard);
		wbuf_u8(&heard, 0);
		wbuf_clear(&heard);
		put_answer(&heard, c->first);
		put_answer(&heard, c->second);
		for (size_t stride = 1; stride <= heard.count + 1; stride++)
			check_dialog(c, &heard, stride);
		wbuf_fini(&heard);
	}
}

/* Cut anywhere it goes on waiting: there is no half an answer. */
static void
test_cut(void **state)
{
	struct wbuf heard;

	wbuf_init(&heard);
	put_answer(&heard, GOOD);
	put_answer(&heard, HELLO);
	for (size_t count = 0; count < heard.count; count++) {
		struct mongo_dialog dialog = { .arena = arena_new() };
		struct wbuf         said;

		wbuf_init(&said);
		assert_int_equal(support_dialog_run(
		                     &mongo_ops, &dialog, heard.bytes, count, count + 1, &said),
		    NEXT_HEAR);
		assert_false(dialog.knows_hello);
		wbuf_fini(&said);
		arena_free(dialog.arena);
	}
	wbuf_fini(&heard);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialog),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
