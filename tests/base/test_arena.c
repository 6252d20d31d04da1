#include "base/arena.h"

#include "tests/support/support_memory.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void
test_heap(void **state)
{
	char *text = mem_printf("%s-%d", "a", 7), *copy = mem_strdup(NULL);
	int  *numbers = mem_array(3, sizeof(*numbers));

	assert_string_equal(text, "a-7");
	assert_string_equal(copy, "");
	assert_int_equal(numbers[2], 0);
	numbers = mem_grow(numbers, 1000, sizeof(*numbers));
	assert_int_equal(numbers[0], 0);
	free(mem_alloc(0));
	free(text);
	free(copy);
	free(numbers);
}

/* How the child ends that asks for what nobody has. */
static int
ask_for(size_t count, size_t bytes_each)
{
	int   status, nowhere = open("/dev/null", O_WRONLY);
	pid_t child = fork();

	if (child == 0) {
		const struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		dup2(nowhere, STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		mem_array(count, bytes_each);
		_exit(0);
	}
	close(nowhere);
	waitpid(child, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* A product that wraps would be a short block for a long list. */
static void
test_no_memory_is_the_end(void **state)
{
	assert_int_equal(ask_for(10, 10), 0);
	assert_int_equal(ask_for(SIZE_MAX / 2, 4), SIGABRT);
	assert_int_equal(ask_for((size_t)1 << 33, (size_t)1 << 33), SIGABRT);
}

/* Found while it is there, so that not to be found means something. */
static void
test_wiped(void **state)
{
	uint8_t       masked[] = { 'o', 'p', 'e', 'n', ' ', 's', 'e', 's', 'a', 'm', 'e' };
	struct arena *arena = arena_new();
	char         *large = arena_alloc(arena, 100000), *small;

	support_memory_mask(masked, sizeof(masked));
	assert_int_equal(support_memory_count(masked, sizeof(masked)), 0);
	small = arena_strndup(arena, (const char *)masked, sizeof(masked));
	memcpy(large + 50000, masked, sizeof(masked));
	support_memory_mask(small, sizeof(masked));
	support_memory_mask(large + 50000, sizeof(masked));
	assert_int_equal(support_memory_count(masked, sizeof(masked)), 2);
	arena_free_wiped(arena);
	assert_int_equal(support_memory_count(masked, sizeof(masked)), 0);
	arena_free_wiped(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_is_zero_and_aligned),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_wiped),
		cmocka_unit_test(test_no_memory_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
