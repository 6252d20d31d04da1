#include "agent/check_means.h"
#include "analyze/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct proxy_case {
	const char *text;
	bool        good;
} proxy_cases[] = {
	{ "http://proxy.example:3128", true },
	{ "HTTP://10.0.0.9:8080", true },
	{ "proxy.example:3128", false },
	{ "https://proxy.example:3128", false },
	{ "http://proxy.example", false },
	{ "http://user:secret@proxy.example:3128", false },
	{ "http://proxy.example:3128/path", false },
};

static void
reads_proxies(void **state)
{
	for (size_t i = 0; i < sizeof(proxy_cases) / sizeof(proxy_cases[0]); i++) {
		struct err  err = { ERR_NONE, "" };
		const char *proxy;

		print_message("%s\n", proxy_cases[i].text);
		assert_int_equal(
		    check_proxy_parse(&proxy, proxy_cases[i].text, &err), proxy_cases[i].good);
		assert_null(strstr(err.text, "secret"));
	}
}

static void
goes_deeper_where_there_is_a_way(void **state)
{
	struct rntbd_uri   uri = { .host = "a.b", .port = 1 };
	struct check_means none = { 0 }, key = { .key_file = "k" },
	                   sample = { .sample_ports = 4 };
	struct check_means pasted = { .pasted = { &uri, 1 } };
	struct check_means gateway = { .key_file = "k", .modes = NAMES_GATEWAY };
	struct err         err;

	assert_true(check_means_settle(&none, &err));
	assert_int_equal(none.modes, NAMES_GATEWAY);
	assert_true(check_means_settle(&key, &err));
	assert_int_equal(key.modes, NAMES_GATEWAY | NAMES_DIRECT);
	assert_true(check_means_settle(&sample, &err));
	assert_int_equal(sample.modes, NAMES_GATEWAY | NAMES_DIRECT);
	assert_true(check_means_settle(&pasted, &err));
	assert_int_equal(pasted.modes, NAMES_GATEWAY | NAMES_DIRECT);
	assert_true(check_means_settle(&gateway, &err));
	assert_int_equal(gateway.modes, NAMES_GATEWAY);
}

static void
refuses_what_does_not_go_together(void **state)
{
	struct check_means two = { .key_file = "k", .token_file = "t" };
	struct check_means all = { .key_file = "k", .managed_identity = true };
	struct check_means alone = { .database = "d" };
	struct check_means half = { .key_file = "k", .container = "c" };
	struct check_means path = { .key_file = "k", .database = "a/b" };
	struct check_means aside = { .sample_ports = 4, .modes = NAMES_GATEWAY };
	struct err         err;

	assert_false(check_means_settle(&two, &err));
	assert_non_null(strstr(err.text, "one of --key-file"));
	assert_false(check_means_settle(&all, &err));
	assert_false(check_means_settle(&alone, &err));
	assert_non_null(strstr(err.text, "--key-file, --token-file or --managed-identity"));
	assert_false(check_means_settle(&half, &err));
	assert_non_null(strstr(err.text, "--database"));
	assert_false(check_means_settle(&path, &err));
	assert_non_null(strstr(err.text, "--database: 'a/b'"));
	assert_false(check_means_settle(&aside, &err));
	assert_non_null(strstr(err.text, "'direct' in --mode"));
}

static void
reads_identities(void **state)
{
	static const struct {
		const char *text;
		bool        good;
	} cases[] = {
		{ NULL, true },
		{ "system", true },
		{ "01234567-89ab-cdef-0123-456789abcdef", true },
		{ "", false },
		{ "foo", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct check_means means = { 0 };
		struct err         err = { ERR_NONE, "" };

		assert_int_equal(
		    check_identity_parse(&means, cases[i].text, &err), cases[i].good);
		assert_int_equal(
		    cases[i].good, strstr(err.text, "--managed-identity: ") == NULL);
	}
}

static void
doubts_one_key_for_several_accounts(void **state)
{
	struct check_means key = { .key_file = "k" }, token = { .token_file = "t" };

	assert_null(check_means_doubt(&key, 1));
	assert_non_null(strstr(check_means_doubt(&key, 2), "of one account"));
	assert_null(check_means_doubt(&token, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_proxies),
		cmocka_unit_test(goes_deeper_where_there_is_a_way),
		cmocka_unit_test(refuses_what_does_not_go_together),
		cmocka_unit_test(reads_identities),
		cmocka_unit_test(doubts_one_key_for_several_accounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
