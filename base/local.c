#include "base/local.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ALL_MODES = 0777, OWNER_ONLY = 0600 };

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

/* Whatever the umask of a daemon would take from the mode. */
static bool
bind_there(int fd, const struct sockaddr_un *address, unsigned mode)
{
	mode_t before = umask(ALL_MODES & ~OWNER_ONLY);
	bool   bound = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;

	umask(before);
	return bound && (mode == OWNER_ONLY || chmod(address->sun_path, mode) == 0);
}

int
local_listen(const char *path, unsigned mode, int backlog, struct err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat        seen;
	int                fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		err_set(err, ERR_LIMIT, "%s: longer than %zu bytes", path,
		    sizeof(address.sun_path) - 1);
		return -1;
	}
	strcpy(address.sun_path, path);
	if (is_in_use(&address)) {
		err_set(err, ERR_USAGE, "%s: another program answers there", path);
		return -1;
	}
	if (lstat(path, &seen) == 0 && S_ISSOCK(seen.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind_there(fd, &address, mode) && listen(fd, backlog) == 0)
		return fd;
	err_errno(err, "%s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}
