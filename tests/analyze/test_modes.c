#include "analyze/modes.h"

#include "analyze/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct modes_case {
	const char *text;
	unsigned    modes; /* 0: refused */
	const char *words; /* of the refusal */
} modes_cases[] = {
	{ "gateway", NAMES_GATEWAY, "" },
	{ "direct", NAMES_DIRECT, "" },
	{ "gateway-v2", NAMES_V2, "" },
	{ "gateway,direct", NAMES_GATEWAY | NAMES_DIRECT, "" },
	{ "direct,direct", NAMES_DIRECT, "" },
	{ "all", NAMES_GATEWAY | NAMES_DIRECT | NAMES_V2, "" },
	{ "gateway,direct-https", NAMES_GATEWAY | NAMES_DIRECT_HTTPS, "" },
	{ "", 0, "gateway, direct, gateway-v2 or all wanted" },
	{ "gateway,", 0, "gateway, direct, gateway-v2 or all wanted" },
	{ "gatway", 0, "did you mean 'gateway'?" },
	{ "direkt", 0, "did you mean 'direct'?" },
	{ "a-word-that-is-far-too-long-for-a-mode", 0, "wanted" },
};

static void
reads_modes(void **state)
{
	for (size_t i = 0; i < sizeof(modes_cases) / sizeof(modes_cases[0]); i++) {
		const struct modes_case *test = &modes_cases[i];
		struct err               err = { ERR_NONE, "" };
		unsigned                 modes;
		bool                     done = modes_parse(&modes, test->text, &err);

		print_message("'%s': %s\n", test->text, err.text);
		assert_int_equal(done, test->modes != 0);
		if (done)
			assert_int_equal(modes, test->modes);
		else
			assert_non_null(strstr(err.text, test->words));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_modes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
