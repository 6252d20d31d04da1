#include "analyze/judge.h"

#include "analyze/findings_md.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <string.h>

static const char *const names[] = {
#define FINDING(                                                                       \
    name, code, words, severity, owner, stage, basis, sentence, fix, fix_all, explain) \
#name,
#include "analyze/findings.def"
#undef FINDING
};

/* PLP-, three digits that only grow, and the name with dashes. */
static void
test_codes(void **state)
{
	int last = 0;

	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const char *code = finding_table[i].code;
		int         number = 0;

		assert_memory_equal(code, "PLP-", 4);
		for (unsigned j = 4; j < 7; j++) {
			assert_true(isdigit((unsigned char)code[j]));
			number = number * 10 + code[j] - '0';
		}
		assert_true(number > last);
		last = number;
		assert_int_equal(code[7], '-');
		assert_int_equal(strlen(code + 8), strlen(names[i]));
		for (size_t j = 0; names[i][j] != '\0'; j++)
			assert_int_equal(code[8 + j], names[i][j] == '_' ? '-' : names[i][j]);
	}
}

/* A command may take public access away, and nothing else. */
static void
assert_never_opens(const char *fix)
{
	static const char access[] = "--public-network-access", off[] = " DISABLED";

	assert_null(strstr(fix, "--ip-range-filter"));
	for (const char *at = fix; (at = strstr(at, access)) != NULL;) {
		at += strlen(access);
		assert_int_equal(strncmp(at, off, strlen(off)), 0);
	}
}

/* What every row owes to a reader. */
static void
test_rows(void **state)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const struct finding_desc *desc = &finding_table[i];

		assert_memory_equal(desc->sentence, "{names}: ", strlen("{names}: "));
		assert_true(strlen(desc->explain) > 40);
		assert_in_range(strlen(desc->words), 4, 36);
		assert_true(desc->owner == OWNER_NOBODY || *desc->fix != '\0');
		assert_true(desc->severity != STATE_OK || desc->owner == OWNER_NOBODY);
		assert_never_opens(desc->fix);
		assert_never_opens(desc->fix_all);
	}
}

static void
test_find(void **state)
{
	static const struct {
		const char       *text;
		enum finding_code code;
	} cases[] = {
		{ "PLP-101-REGION-NAME-MISSING", FINDING_REGION_NAME_MISSING },
		{ "plp-101-region-name-missing", FINDING_REGION_NAME_MISSING },
		{ "101", FINDING_REGION_NAME_MISSING },
		{ "PLP-101", FINDING_REGION_NAME_MISSING },
		{ "REGION_NAME_MISSING", FINDING_REGION_NAME_MISSING },
		{ "region-name-missing", FINDING_REGION_NAME_MISSING },
		{ "region-name", FINDING_COUNT },
		{ "999", FINDING_COUNT },
		{ "", FINDING_COUNT },
		{ "PLP-", FINDING_COUNT },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(finding_find(cases[i].text), cases[i].code);
	for (unsigned i = 0; i < FINDING_COUNT; i++)
		assert_int_equal(finding_find(finding_table[i].code), i);
}

static void
test_nearest(void **state)
{
	assert_string_equal(
	    finding_nearest("PLP-101-REGION-NAME-MISING"), "PLP-101-REGION-NAME-MISSING");
	assert_string_equal(finding_nearest("CERT-EXPIERD"), "PLP-303-CERT-EXPIRED");
	assert_null(finding_nearest("weather"));
}

static void
test_explain(void **state)
{
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		struct wbuf out;
		const char *line;

		wbuf_init(&out);
		findings_explain((enum finding_code)i, &out);
		assert_non_null(strstr(wbuf_text(&out), finding_table[i].code));
		assert_non_null(strstr(wbuf_text(&out), "Whose fix: "));
		/* Wrapped for a terminal, but for commands. */
		for (line = wbuf_text(&out); *line != '\0'; line += strspn(line, "\n")) {
			size_t count = strcspn(line, "\n");

			if (*line != ' ' && strncmp(line, "Whose", 5) != 0)
				assert_in_range(count, 1, 80);
			line += count;
		}
		wbuf_fini(&out);
	}
}

static void
test_the_document_has_all(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	findings_md(&out);
	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		assert_non_null(strstr(wbuf_text(&out), finding_table[i].code));
		assert_non_null(strstr(wbuf_text(&out), finding_table[i].explain));
	}
	assert_int_equal(out.bytes[out.count - 1], '\n');
	wbuf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_the_document_has_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
