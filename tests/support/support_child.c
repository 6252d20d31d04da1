#include "tests/support/support_child.h"

#include "base/arena.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGS_MAX = 32, LISTENERS_MAX = 16 };

struct support_child {
	pid_t       pid;
	struct addr addrs[LISTENERS_MAX];
	size_t      addr_count;
};

static void __attribute__((__noreturn__)) die(const char *what, const char *which)
{
	fprintf(stderr, "support_child: %s: %s\n", which, what);
	exit(1);
}

/* The program of that name in the folder of this one. */
static void
find_program(char *path, size_t room, const char *program)
{
	ssize_t length = readlink("/proc/self/exe", path, room - 1);
	char   *slash;

	if (length < 0)
		die("cannot find the folder of the tests", program);
	path[length] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash + 1, room - (size_t)(slash + 1 - path), "%s", program);
}

static void __attribute__((__noreturn__))
become(const char *path, const char *const *args, int out)
{
	const char *argv[ARGS_MAX + 2] = { path };
	size_t      count = 0;

	while (args[count] != NULL && count < ARGS_MAX) {
		argv[count + 1] = args[count];
		count++;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	execv(path, (char *const *)(void *)argv);
	_exit(127);
}

static void
hear_listeners(struct support_child *child, const char *program, FILE *in, size_t listeners)
{
	char line[256];

	while (child->addr_count < listeners && fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "listening ", 10) != 0)
			continue;
		/* Some name a protocol in front of the address. */
		if (!addr_parse(
		        &child->addrs[child->addr_count], strrchr(line, ' ') + 1, 0, NULL))
			die("says no address", program);
		child->addr_count++;
	}
	if (child->addr_count < listeners)
		die("ended before it listened", program);
}

struct support_child *
support_child_start(const char *program, const char *const *args, size_t listeners)
{
	struct support_child *child = mem_alloc(sizeof(*child));
	char                  path[4096];
	FILE                 *in;
	int                   ends[2];

	assert(listeners <= LISTENERS_MAX);
	find_program(path, sizeof(path), program);
	if (pipe(ends) != 0)
		die("no pipe", program);
	child->pid = fork();
	if (child->pid < 0)
		die("no process", program);
	if (child->pid == 0) {
		close(ends[0]);
		become(path, args, ends[1]);
	}
	close(ends[1]);
	in = fdopen(ends[0], "r");
	hear_listeners(child, program, in, listeners);
	fclose(in);
	return child;
}

void
support_child_stop(struct support_child *child)
{
	if (child == NULL)
		return;
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	free(child);
}

struct addr
support_child_addr(const struct support_child *child, size_t index)
{
	assert(index < child->addr_count);
	return child->addrs[index];
}

int
support_child_pid(const struct support_child *child)
{
	return child->pid;
}
