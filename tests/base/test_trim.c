#include "base/trim.h"

#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Resident kB of program text that is mapped from files. */
static unsigned long
read_text_kb(void)
{
	FILE         *file = fopen("/proc/self/smaps", "r");
	char          line[512], rights[8];
	unsigned long kb, sum_kb = 0;
	bool          text = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "%*x-%*x %7s %*x", rights) == 1)
			text = strcmp(rights, "r-xp") == 0 && strchr(line, '/') != NULL;
		else if (text && sscanf(line, "Rss: %lu", &kb) == 1)
			sum_kb += kb;
	}
	fclose(file);
	return sum_kb;
}

/* Text that was run once is given back, and comes back when it is needed. */
static void
test_gives_back(void **state)
{
	uint8_t       before[DIGEST_BYTES], after[DIGEST_BYTES];
	unsigned long before_kb, after_kb;

	digest_sha256("abc", 3, before);
	before_kb = read_text_kb();
	trim_memory();
	after_kb = read_text_kb();
	assert_true(before_kb > 0);
	assert_in_range(after_kb, 0, before_kb - before_kb / 10);
	digest_sha256("abc", 3, after);
	assert_memory_equal(before, after, sizeof(before));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
