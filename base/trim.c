#include "base/trim.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* Only what is mapped from a file, is executable and cannot be written: such pages are never our
 * own copies, so that dropping them loses nothing. */
static void
drop_text(const char *line)
{
	unsigned long from, to;
	char          rights[8];
	int           path_at = 0;

	if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &from, &to, rights, &path_at) != 3 ||
	    strcmp(rights, "r-xp") != 0 || line[path_at] != '/')
		return;
	madvise(
	    (void *)from, to - from, MADV_DONTNEED); /* a hint: no matter if it is refused */
}

void
trim_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char  line[512];

	malloc_trim(0);
	while (maps != NULL && fgets(line, sizeof(line), maps) != NULL)
		drop_text(line);
	if (maps != NULL)
		fclose(maps);
}
