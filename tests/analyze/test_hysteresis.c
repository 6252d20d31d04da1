#include "analyze/hysteresis.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static const struct judge_case {
	const char       *name, *looks;
	struct hysteresis rule;
	bool              confirmed;
	enum life         life;
} judge_cases[] = {
	{ "first look decides", "!", { 0 }, false, LIFE_CONFIRMED },
	{ "first good look closes", "!.", { 0 }, true, LIFE_CLOSED },
	{ "one of three wanted twice", "!", { 2, 3, 2 }, false, LIFE_OPENED },
	{ "twice in a row", "!!", { 2, 3, 2 }, false, LIFE_CONFIRMED },
	{ "twice of three", "!.!", { 2, 3, 2 }, false, LIFE_CONFIRMED },
	{ "twice, but too long ago", "!..!", { 2, 3, 3 }, false, LIFE_OPENED },
	{ "one good look closes nothing", "!!.", { 2, 3, 2 }, true, LIFE_CONFIRMED },
	{ "what is confirmed stays so", "!!..!", { 3, 3, 3 }, true, LIFE_CONFIRMED },
	{ "two good looks close", "!!..", { 2, 3, 2 }, true, LIFE_CLOSED },
	{ "a blip that nobody confirmed closes too", "!..", { 2, 3, 2 }, false, LIFE_CLOSED },
	{ "three turns are no flapping", "!.!.", { 2, 3, 2 }, true, LIFE_CONFIRMED },
	{ "four turns are", "!.!.!", { 2, 3, 2 }, true, LIFE_FLAPPING },
	{ "flapping closes at no single turn", "!.!.!..", { 2, 3, 2 }, true, LIFE_FLAPPING },
	{ "steady and good again", "!.!.........", { 2, 3, 2 }, true, LIFE_CLOSED },
	{ "steady and bad again", ".!!!!!!!!!!!", { 2, 3, 2 }, true, LIFE_CONFIRMED },
	{ "without patience nothing flaps", "!.!.!.", { 1, 1, 1 }, true, LIFE_CLOSED },
	{ "three of five", "!.!", { 3, 5, 2 }, false, LIFE_OPENED },
	{ "three of five, got", "!!.!", { 3, 5, 2 }, false, LIFE_CONFIRMED },
};

static void
test_judge(void **state)
{
	for (size_t i = 0; i < sizeof(judge_cases) / sizeof(judge_cases[0]); i++) {
		const struct judge_case *c = &judge_cases[i];
		struct looks             looks = looks_of(c->looks);
		enum life life = hysteresis_judge(&c->rule, &looks, c->confirmed);

		if (life != c->life)
			fail_msg(
			    "%s: %s, want %s", c->name, life_name(life), life_name(c->life));
	}
}

static void
test_looks(void **state)
{
	struct looks looks = looks_of("!x.\n");

	assert_string_equal(looks.text, "!.");
	assert_false(looks_are_good(&looks));
	looks_replace(&looks, true);
	assert_string_equal(looks.text, "!!");
	for (int i = 0; i < HYSTERESIS_LOOKS; i++)
		looks_add(&looks, false);
	assert_int_equal(strlen(looks.text), HYSTERESIS_LOOKS);
	assert_true(looks_are_good(&looks));
	looks = looks_of("");
	looks_replace(&looks, true);
	assert_string_equal(looks.text, "!");
}

static const struct parse_case {
	const char *text;
	bool        good;
	unsigned    bad, of;
} parse_cases[] = {
	{ "2 of 3", true, 2, 3 },
	{ "1 of 1", true, 1, 1 },
	{ "12 of 12", true, 12, 12 },
	{ "0 of 3", false, 0, 0 },
	{ "4 of 3", false, 0, 0 },
	{ "2 of 13", false, 0, 0 },
	{ "2", false, 0, 0 },
	{ "2 of 3 x", false, 0, 0 },
	{ "-1 of 3", false, 0, 0 },
	{ "", false, 0, 0 },
};

static void
test_parse(void **state)
{
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *c = &parse_cases[i];
		struct hysteresis        rule = { 0 };
		struct err               err = { 0 };

		if (hysteresis_parse(&rule, c->text, &err) != c->good)
			fail_msg("%s: %s", c->text, err.text);
		assert_int_equal(rule.bad, c->bad);
		assert_int_equal(rule.of, c->of);
		if (!c->good)
			assert_non_null(strstr(err.text, "N of M"));
	}
}

static void
test_names(void **state)
{
	enum life life;

	for (int i = LIFE_OPENED; i <= LIFE_CLOSED; i++) {
		assert_true(life_parse(&life, life_name((enum life)i)));
		assert_int_equal(life, i);
	}
	assert_false(life_parse(&life, "open"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
