#include "probe/thin/thin_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct spec_case {
	const char *name, *host;
	uint16_t    port;
	const char *authority; /* NULL: refused */
	const char *words;
} spec_cases[] = {
	{ "the vendor's port", "acct-eastus.documents.azure.com", 10250,
	    "acct-eastus.documents.azure.com:10250", NULL },
	{ "the scheme's port", "acct-eastus.documents.azure.com", 443,
	    "acct-eastus.documents.azure.com", NULL },
	{ "final dot", "a.example.", 444, "a.example:444", NULL },
	{ "port 1", "a", 1, "a:1", NULL },
	{ "port 65535", "a", 65535, "a:65535", NULL },
	{ "no host", NULL, 10250, NULL, "no host name" },
	{ "empty host", "", 10250, NULL, "no host name" },
	{ "no port", "a", 0, NULL, "no port" },
	{ "user", "u@a", 10250, NULL, "character 2" },
	{ "port in the name", "a:1", 10250, NULL, "character 2" },
	{ "line end", "a\r\nb", 10250, NULL, "character 2" },
};

static void
test_spec(void **state)
{
	for (size_t i = 0; i < sizeof(spec_cases) / sizeof(spec_cases[0]); i++) {
		const struct spec_case *c = &spec_cases[i];
		struct arena           *arena = arena_new();
		struct thin_spec        spec;
		struct err              err = { ERR_NONE, "" };

		print_message("%s\n", c->name);
		assert_int_equal(
		    thin_spec_make(&spec, c->host, c->port, arena, &err), c->authority != NULL);
		if (c->authority != NULL)
			assert_string_equal(spec.authority, c->authority);
		else
			assert_non_null(strstr(err.text, c->words));
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
