#include "analyze/apis.h"

#include "analyze/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct apis_case {
	const char *text;
	unsigned    apis;  /* 0: refused */
	const char *words; /* of the refusal */
} apis_cases[] = {
	{ "sql", NAMES_API(API_SQL), "" },
	{ "nosql", NAMES_API(API_SQL), "" },
	{ "MongoDB", NAMES_API(API_MONGO), "" },
	{ "mongo", NAMES_API(API_MONGO), "" },
	{ "cassandra,gremlin", NAMES_API(API_CASSANDRA) | NAMES_API(API_GREMLIN), "" },
	{ "table,table", NAMES_API(API_TABLE), "" },
	{ "all", NAMES_APIS, "" },
	{ "", 0, "table or all wanted" },
	{ "sql,", 0, "table or all wanted" },
	{ "casandra", 0, "did you mean 'cassandra'?" },
	{ "vcore", 0, "wanted" },     /* a cluster, with names of its own */
	{ "dedicated", 0, "wanted" }, /* another endpoint of NoSQL */
	{ "a-word-that-is-far-too-long-for-an-api", 0, "wanted" },
};

static void
reads_apis(void **state)
{
	for (size_t i = 0; i < sizeof(apis_cases) / sizeof(apis_cases[0]); i++) {
		const struct apis_case *test = &apis_cases[i];
		struct err              err = { ERR_NONE, "" };
		unsigned                apis;
		bool                    done = apis_parse(&apis, test->text, &err);

		print_message("'%s': %s\n", test->text, err.text);
		assert_int_equal(done, test->apis != 0);
		if (done)
			assert_int_equal(apis, test->apis);
		else
			assert_non_null(strstr(err.text, test->words));
	}
}

/* No flag of an API is one of a mode. */
static void
flags_are_apart(void **state)
{
	assert_int_equal(NAMES_APIS &
	        (NAMES_SWEEP | NAMES_DNS_ONLY | NAMES_GATEWAY | NAMES_DIRECT | NAMES_V2 |
	            NAMES_DIRECT_HTTPS),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_apis),
		cmocka_unit_test(flags_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
