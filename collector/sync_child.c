#include "collector/sync_child.h"

#include "base/arena.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A second does not matter to what runs every few minutes, and asking is simpler than SIGCHLD. */
static const int64_t look_us = US_PER_S;

struct sync_child {
	struct sync_child_options options;
	struct loop_watch         timer;
	pid_t                     pid; /* 0: none is out */
	struct sync_child_counts  counts;
};

static void
wait_for_next(struct sync_child *child)
{
	child->pid = 0;
	loop_watch_set(&child->timer, -1, 0, child->options.interval_ms * US_PER_MS);
}

/* Its words go where ours go; of our descriptors it gets no other. */
static int
spawn(struct sync_child *child)
{
	char *words[] = { (char[]){ "plprobe-collector" }, (char[]){ "accounts" },
		(char[]){ "sync" }, NULL, NULL };
	char *config = NULL;
	int   cause;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t          attributes;
	sigset_t                   signals;

	if (child->options.conf_path != NULL)
		words[3] = config = mem_printf("--config=%s", child->options.conf_path);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	posix_spawnattr_init(&attributes);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	cause = posix_spawn(
	    &child->pid, "/proc/self/exe", &actions, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(config);
	return cause;
}

static void
start(struct sync_child *child)
{
	int cause = spawn(child);

	child->counts.runs++;
	if (cause == 0) {
		loop_watch_set(&child->timer, -1, 0, look_us);
		return;
	}
	child->counts.failures++;
	log_warn(
	    "sync", "accounts sync cannot be started: %s; it is tried again", strerror(cause));
	wait_for_next(child);
}

static void
judge(struct sync_child *child, int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		child->counts.well_ms = clock_wall_ms(child->options.clock);
		log_debug("sync", "accounts sync ended well");
		return;
	}
	child->counts.failures++;
	if (WIFEXITED(status))
		log_warn("sync",
		    "accounts sync ended with %d, its words are above; what it fetched before "
		    "stays in force",
		    WEXITSTATUS(status));
	else
		log_warn("sync", "accounts sync was ended by signal %d", WTERMSIG(status));
}

static void
look(struct sync_child *child)
{
	int   status = 0;
	pid_t ended = waitpid(child->pid, &status, WNOHANG);

	if (ended == 0 || (ended < 0 && errno == EINTR)) {
		loop_watch_set(&child->timer, -1, 0, look_us);
		return;
	}
	judge(child, status);
	wait_for_next(child);
}

static void
on_timer(void *arg, unsigned what)
{
	struct sync_child *child = arg;

	if (child->pid > 0)
		look(child);
	else
		start(child);
}

struct sync_child *
sync_child_new(const struct sync_child_options *options)
{
	struct sync_child *child = mem_alloc(sizeof(*child));

	child->options = *options;
	loop_watch_init(&child->timer, options->loop, on_timer, child);
	loop_watch_set(&child->timer, -1, 0, 0);
	return child;
}

void
sync_child_free(struct sync_child *child)
{
	if (child == NULL)
		return;
	if (child->pid > 0) {
		kill(child->pid, SIGTERM);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	loop_watch_fini(&child->timer);
	free(child);
}

struct sync_child_counts
sync_child_counts(const struct sync_child *child)
{
	return child->counts;
}
