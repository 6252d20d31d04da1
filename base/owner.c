#include "base/owner.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool
owner_enter(struct owner_ids *owner, const char *path, struct err *err)
{
	char       *folder = mem_strdup(path), *slash = strrchr(folder, '/');
	struct stat status;
	bool        done = true;

	*owner = (struct owner_ids){ geteuid(), getegid() };
	if (slash == NULL)
		strcpy(folder, ".");
	else
		slash[slash == folder] = '\0';
	if (stat(folder, &status) != 0)
		done = err_errno(err, "%s", folder);
	else if (owner->user == 0 && status.st_uid != 0)
		done = (setegid(status.st_gid) == 0 && seteuid(status.st_uid) == 0) ||
		    err_errno(err, "to the owner of %s", folder);
	if (!done)
		owner_leave(owner);
	free(folder);
	return done;
}

/* What was given up may be taken back: these are the saved ids. */
void
owner_leave(const struct owner_ids *owner)
{
	if (seteuid(owner->user) != 0 || setegid(owner->group) != 0)
		abort();
}
