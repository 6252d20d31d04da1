#include "analyze/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct wire_case {
	uint32_t    wire;
	const char *name; /* NULL: none */
	const char *text;
} wire_cases[] = {
	{ 0, NULL, "wire 0" },
	{ 1, NULL, "wire 1" },
	{ 2, "2.6", "wire 2 (2.6 generation)" },
	{ 6, "3.6", "wire 6 (3.6 generation)" },
	{ 9, "4.4", "wire 9 (4.4 generation)" },
	{ 10, NULL, "wire 10" },
	{ 13, "5.0", "wire 13 (5.0 generation)" },
	{ 17, "6.0", "wire 17 (6.0 generation)" },
	{ 18, "6.1", "wire 18 (6.1 generation)" },
	{ 21, "7.0", "wire 21 (7.0 generation)" },
	{ 22, NULL, "wire 22" },
	{ 25, "8.0", "wire 25 (8.0 generation)" },
	{ UINT32_MAX, NULL, "wire 4294967295" },
};

static void
test_wires(void **state)
{
	for (size_t i = 0; i < sizeof(wire_cases) / sizeof(wire_cases[0]); i++) {
		const struct wire_case *c = &wire_cases[i];
		char                    text[GENERATION_TEXT];

		assert_string_equal(generation_render(c->wire, text, sizeof(text)), c->text);
		if (c->name != NULL)
			assert_string_equal(generation_find(c->wire), c->name);
		else
			assert_null(generation_find(c->wire));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
