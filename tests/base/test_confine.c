/* In children: what a process gives up it does not get back. */
#include "base/confine.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
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

static int
look_at_core(void)
{
	struct rlimit limit;

	confine_memory();
	return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0 ? 0 : 1;
}

static void
test_memory(void **state)
{
	assert_int_equal(run_child(look_at_core), 0);
}

static void
test_daemon(void **state)
{
	assert_int_equal(run_child(look_at_limits), 0);
}

static char folder[] = "/tmp/plprobe-confine-XXXXXX";
static char file[64];

static bool
is_denied(int result)
{
	return result == -1 && (errno == EACCES || errno == EXDEV);
}

/* As which step it got through, 100 and more; 77 where the kernel cannot. */
static int
try_everything(void)
{
	static const char *const readable[] = { "/etc", "/not/there", "/dev/null", NULL };
	char *const              nothing[] = { NULL };
	char                     other[80];

	snprintf(other, sizeof(other), "%s/other", folder);
	confine_rights();
	if (!confine_files(readable))
		return 77;
	if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0)
		return 100;
	if (opendir("/etc") == NULL)
		return 110;
	if (!is_denied(open(file, O_RDONLY | O_CLOEXEC)))
		return 108;
	if (opendir(folder) != NULL || errno != EACCES)
		return 109;
	if (!is_denied(open(file, O_WRONLY | O_CLOEXEC)))
		return 101;
	if (!is_denied(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)))
		return 102;
	if (!is_denied(unlink(file)))
		return 103;
	if (!is_denied(rename(file, other)))
		return 104;
	if (!is_denied(mkdir(other, 0700)))
		return 105;
	if (!is_denied(execve("/bin/true", nothing, nothing)))
		return 106;
	if (ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) != -1)
		return 107;
	return 0;
}

/* What stays open to a process that hostile bytes have taken over. */
static void
test_files(void **state)
{
	int made, code;

	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/file", folder);
	made = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(made >= 0);
	close(made);
	code = run_child(try_everything);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
	if (code == 77)
		skip();
	assert_int_equal(code, 0);
}

/* errno of connecting there, 0 when it works or there is nobody. */
static int
try_port(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int                cause;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cause = connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 ? 0 : errno;
	close(fd);
	return cause == ECONNREFUSED ? 0 : cause;
}

static int
try_ports(void)
{
	static const uint16_t ports[] = { 443, 53 };

	confine_rights();
	if (!confine_ports(ports, 2))
		return 77;
	if (try_port(443) != 0 || try_port(53) != 0)
		return 100;
	return try_port(22) == EACCES && try_port(14001) == EACCES ? 0 : 101;
}

static void
test_ports(void **state)
{
	int code = run_child(try_ports);

	if (code == 77)
		skip();
	assert_int_equal(code, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_without_reader),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_daemon),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
