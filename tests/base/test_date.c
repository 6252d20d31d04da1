#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <string.h>
#include <time.h>

static const struct date_case {
	const char *text;
	int64_t     wall_s; /* -1: refused */
} date_cases[] = {
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "Thu, 27 Apr 2017 00:51:12 GMT", 1493254272 },
	{ "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
	{ "Wed, 01 Mar 2000 00:00:00 GMT", 951868800 },
	{ "Mon, 01 Mar 2100 00:00:00 GMT", INT64_C(4107542400) },
	{ "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799) },
	{ "Xxx, 27 Apr 2017 00:51:12 GMT", 1493254272 },
	{ "", -1 },
	{ "Thu, 27 Apr 2017 00:51:12 GMT ", -1 },
	{ "Thu, 27 Apr 2017 00:51:12", -1 },
	{ "Thu, 27 Apr 2017 00:51:12 UTC", -1 },
	{ "Thu, 27 apr 2017 00:51:12 GMT", -1 },
	{ "Thu, 00 Apr 2017 00:51:12 GMT", -1 },
	{ "Thu, 32 Apr 2017 00:51:12 GMT", -1 },
	{ "Thu, 27 Apr 1969 00:51:12 GMT", -1 },
	{ "Thu, 27 Apr 2017 24:51:12 GMT", -1 },
	{ "Thu, 27 Apr 2017 00:60:12 GMT", -1 },
	{ "Thu, 27 Apr 2017 00:51:61 GMT", -1 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", -1 },
	{ "Sun Nov  6 08:49:37 1994", -1 },
};

static void
test_dates(void **state)
{
	for (size_t i = 0; i < sizeof(date_cases) / sizeof(date_cases[0]); i++) {
		int64_t wall_s = -1;
		bool    good = date_parse(&wall_s, date_cases[i].text);

		if (good != (date_cases[i].wall_s >= 0) || wall_s != date_cases[i].wall_s)
			fail_msg("%s: %lld", date_cases[i].text, (long long)wall_s);
	}
	assert_false(date_parse(&(int64_t){ 0 }, NULL));
}

/* Each day of four centuries, as the C library counts them. */
static void
test_each_day(void **state)
{
	for (int64_t at = 12345; at < INT64_C(12622780800); at += 86400) {
		char      text[32];
		time_t    now = at;
		struct tm tm;
		int64_t   wall_s = 0;

		gmtime_r(&now, &tm);
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_true(date_parse(&wall_s, text));
		assert_int_equal(wall_s, at);
	}
}

static void
test_render(void **state)
{
	static const struct {
		int64_t     wall_ms;
		const char *text;
	} cases[] = {
		{ INT64_C(1493254272000), "Thu, 27 Apr 2017 00:51:12 GMT" },
		{ INT64_C(1493254272999), "Thu, 27 Apr 2017 00:51:12 GMT" },
		{ 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
		{ INT64_C(951782400000), "Tue, 29 Feb 2000 00:00:00 GMT" },
		{ INT64_C(1798761599000), "Thu, 31 Dec 2026 23:59:59 GMT" },
		{ INT64_C(253402300799000), "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },
		{ INT64_MIN, "Thu, 01 Jan 1970 00:00:00 GMT" },
	};

	/* Where the machine has it, a locale that names days otherwise. */
	setlocale(LC_ALL, "de_DE.UTF-8");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[DATE_TEXT];

		date_render(text, cases[i].wall_ms);
		assert_string_equal(text, cases[i].text);
	}
	setlocale(LC_ALL, "C");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_each_day),
		cmocka_unit_test(test_render),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
