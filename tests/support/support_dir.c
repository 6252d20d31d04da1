#include "tests/support/support_dir.h"

#include "base/arena.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *
support_dir_new(void)
{
	const char *under = getenv("TMPDIR");
	char       *dir = mem_printf("%s/plprobe-test-XXXXXX", under != NULL ? under : "/tmp");

	if (mkdtemp(dir) == NULL) {
		perror(dir);
		exit(99);
	}
	return dir;
}

static int
remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
	return remove(path);
}

void
support_dir_free(char *dir)
{
	if (dir != NULL)
		nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(dir);
}

unsigned
support_dir_count(const char *dir)
{
	DIR           *folder = opendir(dir);
	struct dirent *entry;
	unsigned       count = 0;

	if (folder == NULL) {
		perror(dir);
		exit(99);
	}
	while ((entry = readdir(folder)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(folder);
	return count;
}
