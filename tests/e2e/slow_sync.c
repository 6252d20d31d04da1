/* slow_sync: a disk that takes its time, for a program that is started with this in LD_PRELOAD.
 *
 * Each fdatasync() and fsync() waits first for as many milliseconds as stand in the file that
 * SLOW_SYNC names, read anew each time; no file, or nothing in it, is no time.  A byte is added to it
 * for each, so that who uses it sees that it was there.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void
wait_first(void)
{
	const char     *path = getenv("SLOW_SYNC");
	char            text[16] = "";
	int             fd = path != NULL ? open(path, O_RDWR | O_APPEND | O_CLOEXEC) : -1;
	long            ms = 0;
	struct timespec wait;

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		ms = strtol(text, NULL, 10);
	if (fd >= 0 && write(fd, " ", 1) < 0)
		ms = 0;
	if (fd >= 0)
		close(fd);
	wait = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&wait, NULL);
}

int fdatasync(int fd);
int fsync(int fd);

int
fdatasync(int fd)
{
	wait_first();
	return (int)syscall(SYS_fdatasync, fd);
}

int
fsync(int fd)
{
	wait_first();
	return (int)syscall(SYS_fsync, fd);
}
