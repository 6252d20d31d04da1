#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

static void
test_memory_is_zero_and_aligned(void **state)
{
	struct arena *arena = arena_new();

	for (size_t bytes = 1; bytes < 100000; bytes = bytes * 3 + 1) {
		char *memory = arena_alloc(arena, bytes);

		assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(memory[i], 0);
		memset(memory, 0xff, bytes);
	}
	assert_true(arena_bytes(arena) >= 100000);
	arena_free(arena);
}

static void
test_strings(void **state)
{
	struct arena *arena = arena_new();

	assert_string_equal(arena_strdup(arena, NULL), "");
	assert_string_equal(arena_strndup(arena, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
	arena_free(arena);
	arena_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zero_and_aligned),
		cmocka_unit_test(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
