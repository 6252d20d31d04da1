/* slow_sync: a disk that takes its time, for a program that is started with this in LD_PRELOAD.
 *
 * Each fdatasync() and fsync() waits first for as many milliseconds as stand in the file that
 * SLOW_SYNC names, read anew each time; nothing in it is no time.  A byte is added to it for each, so
 * that who uses it sees that it was there.  The file is opened at the start: the process that
 * measures cannot open one later.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int file = -1;

__attribute__((constructor)) static void
open_file(void)
{
	const char *path = getenv("SLOW_SYNC");

	if (path != NULL)
		file = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
}

static void
wait_first(void)
{
	char            text[16] = "";
	long            ms = 0;
	struct timespec wait;

	if (file >= 0 && pread(file, text, sizeof(text) - 1, 0) > 0)
		ms = strtol(text, NULL, 10);
	if (ms > 0 && write(file, " ", 1) < 0)
		ms = 0;
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
