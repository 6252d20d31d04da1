#include "collector/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* The cheapest that is taken: this is no test of how slow it is. */
static const struct digest_cost cheap = { 14, 8, 1 };

static void
test_right_and_wrong(void **state)
{
	struct password one, other;
	char            text[PASSWORD_ROOM];
	struct err      err = { 0 };

	assert_true(password_make(&one, "correct horse battery", &cheap, &err));
	assert_true(password_is(&one, "correct horse battery"));
	assert_false(password_is(&one, "correct horse batterz"));
	assert_false(password_is(&one, "correct horse battery "));
	assert_false(password_is(&one, ""));
	assert_true(password_make(&other, "correct horse battery", &cheap, &err));
	assert_memory_not_equal(one.salt, other.salt, sizeof(one.salt));
	assert_memory_not_equal(one.digest, other.digest, sizeof(one.digest));
	password_render(&one, text);
	assert_null(strstr(text, "horse"));
	if (!password_parse(&other, text, &err))
		fail_msg("%s: %s", text, err.text);
	assert_true(password_is(&other, "correct horse battery"));
	assert_false(password_is(&other, "wrong horse battery"));
}

/* What a new one costs is what is meant to be, and what the file says is what it costs. */
static void
test_cost(void **state)
{
	struct password one;
	char            text[PASSWORD_ROOM];

	assert_true(password_make(&one, "correct horse battery", &password_cost, NULL));
	assert_non_null(strstr(password_render(&one, text), "scrypt:15:8:3:"));
	one.cost = cheap;
	assert_false(password_is(&one, "correct horse battery"));
}

#define SALT   "00112233445566778899aabbccddeeff"
#define DIGEST "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void
test_parse(void **state)
{
	static const struct {
		const char *text;
		bool        good;
	} cases[] = {
		{ "scrypt:14:8:1:" SALT ":" DIGEST, true },
		{ "scrypt:17:16:16:" SALT ":" DIGEST, true },
		{ "scrypt:13:8:1:" SALT ":" DIGEST, false }, /* too cheap */
		{ "scrypt:14:7:1:" SALT ":" DIGEST, false },
		{ "scrypt:14:8:0:" SALT ":" DIGEST, false },
		{ "scrypt:18:8:1:" SALT ":" DIGEST, false }, /* would stop us */
		{ "scrypt:14:17:1:" SALT ":" DIGEST, false },
		{ "scrypt:14:8:17:" SALT ":" DIGEST, false },
		{ "scrypt:99999999999999999999:8:1:" SALT ":" DIGEST, false },
		{ "scrypt:-14:8:1:" SALT ":" DIGEST, false },
		{ "scrypt:14:8:1:" SALT ":" DIGEST "0", false },
		{ "scrypt:14:8:1:" SALT "0:" DIGEST, false },
		{ "scrypt:14:8:1:" SALT ":", false },
		{ "scrypt:14:8:1:" SALT, false },
		{ "scrypt:14:8:", false },
		{ "scrypt:14", false },
		{ "scrypt:", false },
		{ "bcrypt:14:8:1:" SALT ":" DIGEST, false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct password password;
		struct err      err = { 0 };
		char            text[PASSWORD_ROOM];

		if (password_parse(&password, cases[i].text, &err) != cases[i].good)
			fail_msg("'%s': %s", cases[i].text, err.text);
		if (cases[i].good)
			assert_string_equal(password_render(&password, text), cases[i].text);
		else
			assert_true(err.text[0] != '\0');
	}
}

static void
test_what_is_taken(void **state)
{
	char most[PASSWORD_MOST + 2];

	memset(most, 'x', sizeof(most));
	most[PASSWORD_MOST + 1] = '\0';
	assert_false(password_check(most, NULL));
	most[PASSWORD_MOST] = '\0';
	assert_true(password_check(most, NULL));
	assert_true(password_check("twelve chars", NULL));
	assert_true(password_check("zw\xc3\xb6lf Zeichen: \xe2\x82\xac", NULL));
	assert_false(password_check("eleven char", NULL));
	assert_false(password_check("", NULL));
	assert_false(password_check("a tab is a\tcontrol", NULL));
	assert_false(password_check("so is \x7f that here", NULL));
	assert_false(password_check("and this \xc2\x80 of C1", NULL));
	assert_false(password_check("no UTF-8: \xff\xff\xff", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_and_wrong),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_what_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
