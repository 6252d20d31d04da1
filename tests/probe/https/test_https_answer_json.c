#include "probe/https/https_answer_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct body_case {
	const char *name;
	const char *body;
	bool        ok;
	const char *code, *message;
} body_cases[] = {
	{ "as the service writes it",
	    "{\"code\":\"Unauthorized\",\"message\":\"Denied.\\r\\nActivityId: 4f5c\"}", true,
	    "Unauthorized", "Denied. ActivityId: 4f5c" },
	{ "what it signed itself",
	    "{\"message\":\"sign: 'get\\n\\n\\nthu, 27 apr 2017 00:51:12 gmt\\n\\n'\"}", true,
	    "", "sign: 'get thu, 27 apr 2017 00:51:12 gmt '" },
	{ "a list", "{\"Errors\":[\"first\\nline\",\"second\"]}", true, "", "first line" },
	{ "lines alone", "{\"message\":\"\\r\\n\\r\\n\"}", true, "", "" },
	{ "other controls", "{\"message\":\"a\\u001b[31mb\"}", true, "", "a?[31mb" },
	{ "no text", "{\"code\":401,\"message\":{}}", true, "", "" },
	{ "no members", "{}", true, "", "" },
	{ "no object", "[]", false, NULL, NULL },
	{ "no JSON", "<html>", false, NULL, NULL },
};

static void
test_bodies(void **state)
{
	for (size_t i = 0; i < sizeof(body_cases) / sizeof(body_cases[0]); i++) {
		const struct body_case *row = &body_cases[i];
		struct arena           *arena = arena_new();
		struct https_error      error;

		print_message("%s\n", row->name);
		assert_int_equal(
		    https_error_read(&error, row->body, strlen(row->body), arena), row->ok);
		if (row->ok) {
			assert_string_equal(error.code, row->code);
			assert_string_equal(error.message, row->message);
		}
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
