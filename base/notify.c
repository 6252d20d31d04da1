#include "base/notify.h"

#include "base/arena.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void
send_lines(const char *lines)
{
	const char        *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t             count = path != NULL ? strlen(path) : 0;
	int                fd;

	if (count == 0 || count >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, count);
	if (path[0] == '@') /* the abstract name space is written so */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count));
	close(fd);
}

void
notify_ready(const char *status)
{
	char *lines = mem_printf("READY=1\nSTATUS=%s\n", status != NULL ? status : "running");

	send_lines(lines);
	free(lines);
}

void
notify_reloading(void)
{
	char *lines = mem_printf(
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", clock_mono_us(clock_system()));

	send_lines(lines);
	free(lines);
}

void
notify_stopping(void)
{
	send_lines("STOPPING=1\n");
}

void
notify_alive(void)
{
	send_lines("WATCHDOG=1\n");
}
