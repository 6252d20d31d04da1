/* In children: what a process gives up it does not get back. */
#include "base/confine.h"

#include "base/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static int
run_child(int (*body)(void))
{
	pid_t child = fork();
	int   status = 0;

	assert_true(child >= 0);
	if (child == 0)
		_exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
log_to_nobody(void)
{
	int ends[2];

	if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return 1;
	close(ends[0]);
	close(ends[1]);
	confine_daemon();
	log_error("test", "nobody reads this");
	return 0;
}

/* A daemon outlives whoever reads its log. */
static void
test_log_without_reader(void **state)
{
	assert_int_equal(run_child(log_to_nobody), 0);
}

static int
look_at_limits(void)
{
	struct rlimit limit;

	confine_daemon();
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max != 0)
		return 1;
	return umask(0) == 077 ? 0 : 2;
}

static void
test_daemon(void **state)
{
	assert_int_equal(run_child(look_at_limits), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_without_reader),
		cmocka_unit_test(test_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
