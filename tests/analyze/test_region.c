#include "analyze/region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct label_case {
	const char *name, *label;
} label_cases[] = {
	{ "West US 2", "westus2" },
	{ "WESTUS2", "westus2" },
	{ "WestUS 2", "westus2" },
	{ "westus2", "westus2" },
	{ " West\tUS\n2 ", "westus2" },
	{ "USGov Virginia", "usgovvirginia" },
	{ "", "" },
	{ "   ", "" },
	/* Not ASCII: left alone, whatever the locale. */
	{ "\xc3\x84 Nord", "\xc3\x84nord" },
};

static void
test_labels(void **state)
{
	for (size_t i = 0; i < sizeof(label_cases) / sizeof(label_cases[0]); i++) {
		char label[64];

		assert_ptr_equal(
		    region_label(label_cases[i].name, label, sizeof(label)), label);
		assert_string_equal(label, label_cases[i].label);
	}
}

static void
test_labels_are_cut(void **state)
{
	char label[5];

	assert_string_equal(region_label("West Europe", label, sizeof(label)), "west");
}

/* The rule makes each label of its name, labels are unique, and only names that look like a test
 * or a canary are hidden. */
static void
test_the_table_follows_the_rule(void **state)
{
	size_t count = 0;

	for (const struct region *region = region_table; region->label != NULL; region++) {
		char label[64];

		assert_string_equal(
		    region_label(region->name, label, sizeof(label)), region->label);
		assert_ptr_equal(region_find(region->label), region);
		assert_string_equal(region_name(region->label), region->name);
		assert_in_range(region->cloud, 0, CLOUD_COUNT - 1);
		assert_in_range(region->hidden, 0, 1);
		count++;
	}
	assert_int_equal(count, 107);
}

static void
test_known_and_unknown(void **state)
{
	assert_string_equal(region_name("westeurope"), "West Europe");
	assert_int_equal(region_find("centraluseuap")->hidden, 1);
	assert_int_equal(region_find("westeurope")->hidden, 0);
	assert_int_equal(region_find("usgovtexas")->cloud, CLOUD_USGOV);
	assert_int_equal(region_find("chinanorth3")->cloud, CLOUD_CHINA);
	/* New ones come every few months: never an error. */
	assert_null(region_find("atlantiscentral"));
	assert_string_equal(region_name("atlantiscentral"), "atlantiscentral");
}

static void
test_the_date(void **state)
{
	assert_int_equal(strlen(region_table_date), strlen("2026-11-23"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_labels_are_cut),
		cmocka_unit_test(test_the_table_follows_the_rule),
		cmocka_unit_test(test_known_and_unknown),
		cmocka_unit_test(test_the_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
