#include "collector/store/store_reserve.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BYTES_MAX = 64 << 20, PART = 8 };

/* What is to be set aside; 0: the disk has too little left for that. */
static uint64_t
find_bytes(int fd)
{
	struct statvfs disk;
	uint64_t       bytes, left;

	if (fstatvfs(fd, &disk) != 0)
		return 0;
	bytes = (uint64_t)disk.f_blocks * disk.f_frsize / PART;
	left = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (bytes > BYTES_MAX)
		bytes = BYTES_MAX;
	return left >= 2 * bytes ? bytes : 0;
}

bool
store_reserve_make(const char *path)
{
	struct stat facts;
	uint64_t    bytes;
	bool        made;
	int         fd;

	if (stat(path, &facts) == 0 && facts.st_blocks > 0)
		return true;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	bytes = find_bytes(fd);
	made = bytes > 0 && fallocate(fd, 0, 0, (off_t)bytes) == 0;
	close(fd);
	if (!made)
		unlink(path);
	return made;
}

bool
store_reserve_release(const char *path)
{
	return unlink(path) == 0;
}
