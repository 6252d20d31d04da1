/* What the limit of open files leaves for connections. */
#include "collector/descriptors.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *name;
	rlim_t      soft, hard;
	unsigned    wanted, room, soft_after;
} cases[] = {
	{ "enough", 1024, 1024, 100, 100, 1024 },
	{ "just enough", 1024, 1024, 896, 896, 1024 },
	{ "one too many", 1024, 1024, 897, 896, 1024 },
	{ "raised as far as is needed", 256, 1024, 500, 500, 628 },
	{ "raised as far as it goes", 256, 1024, 2000, 896, 1024 },
	{ "next to nothing", 64, 64, 2000, 32, 64 },
};

/* In a process of its own, since what is given up is not given back. */
static int
try(size_t at)
{
	struct rlimit limit = { cases[at].soft, cases[at].hard };

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1;
	if (descriptors_room(cases[at].wanted) != cases[at].room)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur != cases[at].soft_after)
		return 3;
	return 0;
}

static void
test_room(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pid_t child = fork();
		int   status;

		if (child == 0)
			_exit(try(i));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (status != 0)
			fail_msg("%s: %d", cases[i].name, WEXITSTATUS(status));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_room) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
