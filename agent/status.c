#include "agent/status.h"

#include "base/arena.h"
#include "base/local.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 8, AT_ONCE = 8, SOCKET_MODE = 0660 };

/* When there are no descriptors left to accept with, the loop must not go round for it. */
static const int64_t rest_us = 1000000;

struct status {
	struct loop_watch watch;
	void (*fill)(void *arg, struct wbuf *out);
	void *arg;
	char *path; /* owned */
	int   fd;
};

/* It fits into the buffer of a fresh socket, so that nobody has to be waited for. */
static void
answer(struct status *status, int fd)
{
	struct wbuf out;

	wbuf_init(&out);
	status->fill(status->arg, &out);
	if (out.count <= STATUS_BYTES_MAX)
		(void)send(fd, out.bytes, out.count, MSG_NOSIGNAL | MSG_DONTWAIT);
	wbuf_fini(&out);
	close(fd);
}

static void
on_caller(void *arg, unsigned what)
{
	struct status *status = arg;
	int            fd = -1;

	for (int i = 0; i < AT_ONCE; i++) {
		fd = accept4(status->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		answer(status, fd);
	}
	if (fd < 0 && errno != EAGAIN && errno != ECONNABORTED)
		loop_watch_set(&status->watch, -1, 0, rest_us);
	else
		loop_watch_set(&status->watch, status->fd, LOOP_READ, -1);
}

struct status *
status_open(struct loop *loop, const char *path, void (*fill)(void *arg, struct wbuf *out),
    void *arg, struct err *err)
{
	struct status *status = mem_alloc(sizeof(*status));

	*status = (struct status){ .fill = fill, .arg = arg };
	loop_watch_init(&status->watch, loop, on_caller, status);
	status->fd = local_listen(path, SOCKET_MODE, BACKLOG, err);
	if (status->fd < 0) {
		err_in(err, "status_socket");
		status_close(status);
		return NULL;
	}
	status->path = mem_strdup(path);
	loop_watch_set(&status->watch, status->fd, LOOP_READ, -1);
	return status;
}

void
status_close(struct status *status)
{
	if (status == NULL)
		return;
	loop_watch_fini(&status->watch);
	if (status->fd >= 0)
		close(status->fd);
	if (status->path != NULL)
		unlink(status->path);
	free(status->path);
	free(status);
}
