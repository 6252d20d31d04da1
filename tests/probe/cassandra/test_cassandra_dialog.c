#include "probe/cassandra/cassandra_dialog.h"

#include "tests/support/support_dialog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* The example of the specification: COMPRESSION lz4, snappy; CQL_VERSION 3.4.4. */
#define SUPPORTED                                                                            \
	"8400000006000000340002000b434f4d5052455353494f4e000200036c7a340006736e61707079000b" \
	"43514c5f56455253494f4e00010005332e342e34 "
#define AUTHENTICATE  "84 00 0001 03 00000005 0003 612e62 "
#define READY         "84 00 0001 02 00000000 "
#define ERROR(stream) "84 00 " stream " 00 00000009 0000000a 0003 6e6f21 "

enum { OPTIONS_BYTES = 9, STARTUP_BYTES = 31 };

static const struct dialog_case {
	const char *name, *hex; /* all that the peer says */
	enum next   end;        /* NEXT_HEAR: it would go on waiting */
	bool        supported, refused;
	const char *authenticator; /* NULL: credentials were not asked for */
	const char *words;
} dialog_cases[] = {
	{ "asks for credentials", SUPPORTED AUTHENTICATE, NEXT_DONE, true, false, "a.b", NULL },
	{ "lets in", SUPPORTED READY, NEXT_DONE, true, false, NULL, NULL },
	{ "silent", "", NEXT_HEAR, false, false, NULL, NULL },
	{ "silent after SUPPORTED", SUPPORTED, NEXT_HEAR, true, false, NULL, NULL },
	{ "refuses OPTIONS", ERROR("0000"), NEXT_DONE, false, true, NULL, NULL },
	{ "refuses STARTUP", SUPPORTED ERROR("0001"), NEXT_DONE, true, true, NULL, NULL },
	{ "ready at once", "84 00 0000 02 00000000", NEXT_BROKEN, false, false, NULL,
	    "opcode 0x02 is no answer to OPTIONS" },
	{ "SUPPORTED twice", SUPPORTED "84 00 0001 06 00000002 0000", NEXT_BROKEN, true, false,
	    NULL, "opcode 0x06 is no answer to STARTUP" },
	{ "an event", SUPPORTED "84 00 0001 0c 00000000", NEXT_BROKEN, true, false, NULL,
	    "opcode 0x0c is no answer" },
	{ "answers OPTIONS again", SUPPORTED SUPPORTED, NEXT_BROKEN, true, false, NULL,
	    "stream 0, ours was 1" },
	{ "bad SUPPORTED", "84 00 0000 06 00000001 00", NEXT_BROKEN, false, false, NULL,
	    "SUPPORTED is cut short" },
	{ "bad AUTHENTICATE", SUPPORTED "84 00 0001 03 00000001 00", NEXT_BROKEN, true, false,
	    NULL, "AUTHENTICATE is not one string" },
	{ "bad ERROR", "84 00 0000 00 00000004 0000000a", NEXT_BROKEN, false, false, NULL,
	    "ERROR is cut short" },
	{ "says more than asked", SUPPORTED READY "00", NEXT_DONE, true, false, NULL, NULL },
};

static void
check_dialog(const struct dialog_case *c, const struct wbuf *heard, size_t stride)
{
	struct cassandra_dialog dialog = { .arena = arena_new() };
	struct wbuf             said;

	wbuf_init(&said);
	assert_int_equal(support_dialog_run(&cassandra_ops, &dialog, heard->bytes, heard->count,
	                     stride, &said),
	    c->end);
	assert_int_equal(dialog.supported_heard, c->supported);
	assert_int_equal(dialog.refused, c->refused);
	assert_int_equal(said.count, OPTIONS_BYTES + (c->supported ? STARTUP_BYTES : 0));
	if (c->supported) /* the version that was offered is what we say */
		assert_memory_equal(said.bytes + said.count - 5, "3.4.4", 5);
	if (c->refused) {
		assert_int_equal(dialog.error.code, 10);
		assert_string_equal(dialog.error.words, "no!");
	}
	if (c->authenticator != NULL)
		assert_string_equal(dialog.authenticator, c->authenticator);
	else
		assert_null(dialog.authenticator);
	if (c->words != NULL)
		assert_non_null(strstr(dialog.broken.text, c->words));
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
		wbuf_space(&heard, 1);
		wbuf_clear(&heard);
		support_hex_put(&heard, c->hex);
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
	support_hex_put(&heard, SUPPORTED AUTHENTICATE);
	for (size_t count = 0; count < heard.count; count++) {
		struct cassandra_dialog dialog = { .arena = arena_new() };
		struct wbuf             said;

		wbuf_init(&said);
		assert_int_equal(support_dialog_run(&cassandra_ops, &dialog, heard.bytes, count,
		                     count + 1, &said),
		    NEXT_HEAR);
		assert_null(dialog.authenticator);
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
