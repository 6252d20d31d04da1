/* Every known failure mode shows as a finding, or stands among what is out of sight with the
 * reason; and what is told of them is told in full. */
#include "analyze/failures.h"

#include "analyze/findings_md.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of the tables. */
static const struct {
	char     family;
	unsigned count;
} families[] = { { 'D', 23 }, { 'N', 13 }, { 'T', 5 }, { 'A', 18 }, { 'P', 4 } };

enum { FAMILY_COUNT = sizeof(families) / sizeof(families[0]) };

static void
test_every_label_is_there(void **state)
{
	for (size_t i = 0; i < FAMILY_COUNT; i++) {
		for (unsigned number = 1; number <= families[i].count; number++) {
			char label[16];

			snprintf(label, sizeof(label), "%c%u", families[i].family, number);
			if (failure_find(label) == NULL && failure_unseen(label) == NULL)
				fail_msg(
				    "%s: no finding, and not said to be out of sight", label);
		}
	}
}

/* The place of the family, and the number in it; a label that is none fails. */
static size_t
read_label(const char *label, unsigned *number)
{
	char  *end;
	size_t family = 0;

	while (family < FAMILY_COUNT && families[family].family != label[0])
		family++;
	if (family == FAMILY_COUNT || !isdigit((unsigned char)label[1]))
		fail_msg("'%s' is of no family", label);
	*number = (unsigned)strtoul(label + 1, &end, 10);
	if (*end != '\0' || *number == 0 || *number > families[family].count)
		fail_msg("'%s' is not among them", label);
	return family;
}

/* Once each, in order, no code twice; the words are a sentence's end. */
static void
test_rows(void **state)
{
	size_t   last_family = 0;
	unsigned last_number = 0;

	for (const struct failure *failure = failure_table; failure->label != NULL; failure++) {
		unsigned number;
		size_t   family = read_label(failure->label, &number);

		assert_true(
		    family > last_family || (family == last_family && number > last_number));
		last_family = family;
		last_number = number;
		assert_in_range(strlen(failure->words), 10, 100);
		assert_true(failure->codes[0] != FINDING_COUNT);
		for (size_t i = 0; failure->codes[i] != FINDING_COUNT; i++) {
			for (size_t j = 0; j < i; j++)
				assert_int_not_equal(failure->codes[i], failure->codes[j]);
		}
		assert_ptr_equal(failure_find(failure->label), failure);
	}
}

static void
test_out_of_sight(void **state)
{
	for (const struct unseen *unseen = unseen_table; unseen->label != NULL; unseen++) {
		unsigned number;

		assert_true(strlen(unseen->what) > 10 && strlen(unseen->why) > 10);
		if (*unseen->label == '\0')
			continue;
		read_label(unseen->label, &number);
		assert_ptr_equal(failure_unseen(unseen->label), unseen); /* once each */
	}
	assert_null(failure_unseen(""));
	assert_null(failure_unseen("D1"));
}

static bool
is_shown(enum finding_code code)
{
	for (const struct failure *failure = failure_table; failure->label != NULL; failure++) {
		for (size_t i = 0; failure->codes[i] != FINDING_COUNT; i++) {
			if (failure->codes[i] == code)
				return true;
		}
	}
	return false;
}

/* What people are sent to is what the table says. */
static void
test_findings_name_their_modes(void **state)
{
	struct arena *arena = arena_new();

	for (unsigned i = 0; i < FINDING_COUNT; i++) {
		const char *labels = failure_labels(arena, (enum finding_code)i);
		struct wbuf out;

		wbuf_init(&out);
		findings_explain((enum finding_code)i, &out);
		assert_int_equal(is_shown((enum finding_code)i), *labels != '\0');
		if (*labels != '\0')
			assert_non_null(strstr(wbuf_text(&out),
			    arena_printf(arena, "Failure modes: %s\n", labels)));
		wbuf_fini(&out);
	}
	assert_string_equal(failure_labels(arena, FINDING_ZONE_NOT_LINKED), "D1, D2, D3");
	assert_string_equal(failure_labels(arena, FINDING_KEY_WRONG), "");
	arena_free(arena);
}

static void
test_explain(void **state)
{
	struct wbuf out;

	wbuf_init(&out);
	assert_true(findings_explain_failure("d13", &out));
	assert_non_null(strstr(wbuf_text(&out), "PLP-134-TWO-ZONES"));
	assert_null(strstr(wbuf_text(&out), "Out of sight"));
	wbuf_fini(&out);

	wbuf_init(&out);
	assert_true(findings_explain_failure("N13", &out));
	assert_non_null(strstr(wbuf_text(&out), "Out of sight:"));
	wbuf_fini(&out);

	wbuf_init(&out);
	assert_true(findings_explain_failure("N5", &out));
	assert_non_null(strstr(wbuf_text(&out), "PLP-406-HTTP-TIMEOUT"));
	assert_non_null(strstr(wbuf_text(&out), "Out of sight in part:"));
	wbuf_fini(&out);

	wbuf_init(&out);
	assert_false(findings_explain_failure("D24", &out));
	assert_false(findings_explain_failure("", &out));
	assert_int_equal(out.count, 0);
	wbuf_fini(&out);
}

static void
test_the_document_has_all(void **state)
{
	struct arena *arena = arena_new();
	struct wbuf   out;

	wbuf_init(&out);
	findings_md(&out);
	for (const struct failure *failure = failure_table; failure->label != NULL; failure++)
		assert_non_null(strstr(wbuf_text(&out),
		    arena_printf(arena, "| %s | %s | [%s](#", failure->label, failure->words,
		        finding_table[failure->codes[0]].code)));
	for (const struct unseen *unseen = unseen_table; unseen->label != NULL; unseen++)
		assert_non_null(strstr(wbuf_text(&out),
		    arena_printf(arena, "- %s%s%s: ", unseen->label,
		        *unseen->label != '\0' ? ". " : "", unseen->what)));
	wbuf_fini(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_label_is_there),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_out_of_sight),
		cmocka_unit_test(test_findings_name_their_modes),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_the_document_has_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
