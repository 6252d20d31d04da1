#include "agent/status.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

static bool
fill_address(struct sockaddr_un *address, const char *path, struct err *err)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(address->sun_path))
		return err_set(err, ERR_LIMIT, "status_socket: %s: longer than %zu bytes", path,
		    sizeof(address->sun_path) - 1);
	strcpy(address->sun_path, path);
	return true;
}

/* Whoever was killed has left its socket: nobody answers there. */
static bool
is_in_use(const struct sockaddr_un *address)
{
	int  fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool in_use = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
	    errno == EAGAIN;

	if (fd >= 0)
		close(fd);
	return in_use;
}

static bool
listen_there(struct status *status, const struct sockaddr_un *address, struct err *err)
{
	struct stat seen;

	if (is_in_use(address))
		return err_set(err, ERR_USAGE, "status_socket: %s: another agent answers there",
		    address->sun_path);
	if (lstat(address->sun_path, &seen) == 0 && S_ISSOCK(seen.st_mode))
		unlink(address->sun_path);
	status->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (status->fd < 0 ||
	    bind(status->fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		return err_errno(err, "status_socket: %s", address->sun_path);
	/* From here on the path is ours to remove; the umask of a daemon would lock out the group. */
	status->path = mem_strdup(address->sun_path);
	if (chmod(address->sun_path, SOCKET_MODE) != 0 || listen(status->fd, BACKLOG) != 0)
		return err_errno(err, "status_socket: %s", address->sun_path);
	return true;
}

struct status *
status_open(struct loop *loop, const char *path, void (*fill)(void *arg, struct wbuf *out),
    void *arg, struct err *err)
{
	struct status     *status = mem_alloc(sizeof(*status));
	struct sockaddr_un address;

	*status = (struct status){ .fill = fill, .arg = arg, .fd = -1 };
	loop_watch_init(&status->watch, loop, on_caller, status);
	if (!fill_address(&address, path, err) || !listen_there(status, &address, err)) {
		status_close(status);
		return NULL;
	}
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
