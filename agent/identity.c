#include "agent/identity.h"

#include "base/file.h"
#include "base/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 10 };

static const char *const names[] = {
	[IDENTITY_NOW] = "identity.pem",
	[IDENTITY_NEXT] = "identity-next.pem",
	[IDENTITY_COLLECTOR] = "collector-ca.pem",
	[IDENTITY_COLLECTOR_NEXT] = "collector-ca-next.pem",
};

/* Asked of what is open, so that nothing can be put in its place. */
static bool
check_mode(const char *path, struct err *err)
{
	struct stat facts;

	if (stat(path, &facts) != 0)
		return err_errno(err, "%s", path);
	if (facts.st_mode & 077)
		return err_set(err, ERR_USAGE,
		    "%s: others may read the key (mode %04o); chmod 0600 wanted", path,
		    (unsigned)(facts.st_mode & 07777));
	return true;
}

bool
identity_load(struct identity *identity, struct arena *arena, const char *folder,
    enum identity_slot slot, struct err *err)
{
	const char *path = arena_printf(arena, "%s/%s", folder, names[slot]);
	size_t      count;

	*identity = (struct identity){ .facts = { .agent = "" } };
	if (access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (!check_mode(path, err))
		return false;
	identity->pem = file_read(arena, path, FILE_MAX, &count, err);
	if (identity->pem == NULL)
		return false;
	return enroll_facts_read(&identity->facts, arena, identity->pem, err) ||
	    err_in(err, "%s", path);
}

bool
identity_fits(const struct identity *identity, const char *agent, struct err *err)
{
	if (identity->facts.agent[0] == '\0' || strcmp(identity->facts.agent, agent) == 0)
		return true;
	return err_set(err, ERR_USAGE,
	    "the certificate is for agent '%s', and this agent is '%s': the setting `agent`, "
	    "or "
	    "`plprobe enroll` again",
	    identity->facts.agent, agent);
}

/* By a relative name from inside the folder: the owner of a folder of systemd's may not be able
 * to come to it by its path. */
static bool
store_inside(const char *name, const char *pem, struct err *err)
{
	struct owner_ids owner;
	bool             done;

	if (!owner_enter(&owner, name, err))
		return false;
	done = file_replace(name, pem, strlen(pem), 0600, err);
	owner_leave(&owner);
	return done;
}

bool
identity_store(const char *folder, enum identity_slot slot, const char *pem, struct err *err)
{
	int  back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool done = false;

	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		err_errno(err, "%s", folder);
	else if (back < 0 || chdir(folder) != 0)
		err_errno(err, "%s", folder);
	else {
		done = store_inside(names[slot], pem, err) || err_in(err, "%s", folder);
		if (fchdir(back) != 0)
			done = err_errno(err, "back from %s", folder);
	}
	if (back >= 0)
		close(back);
	return done;
}

static bool
sync_folder(const char *folder)
{
	int  fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return synced;
}

bool
identity_advance(const char *folder, struct err *err)
{
	char *next = mem_printf("%s/%s", folder, names[IDENTITY_NEXT]);
	char *now = mem_printf("%s/%s", folder, names[IDENTITY_NOW]);
	bool  done = rename(next, now) == 0 && sync_folder(folder);

	if (!done)
		err_errno(err, "%s", now);
	free(next);
	free(now);
	return done;
}

void
identity_drop(const char *folder, enum identity_slot slot)
{
	char *path = mem_printf("%s/%s", folder, names[slot]);

	unlink(path);
	free(path);
}

void
identity_drop_next(const char *folder)
{
	identity_drop(folder, IDENTITY_NEXT);
}

const char *
identity_path(struct arena *arena, const char *folder, enum identity_slot slot)
{
	const char *path = arena_printf(arena, "%s/%s", folder, names[slot]);

	return access(path, F_OK) == 0 ? path : "";
}

uint64_t
identity_stamp(const char *folder)
{
	char       *path = mem_printf("%s/%s", folder, names[IDENTITY_NOW]);
	struct stat facts;
	uint64_t    stamp = 0;

	if (stat(path, &facts) == 0)
		stamp = (uint64_t)facts.st_ino * 0x9e3779b97f4a7c15u ^
		    (uint64_t)facts.st_mtim.tv_sec * 1000000000u ^
		    (uint64_t)facts.st_mtim.tv_nsec ^ 1;
	free(path);
	return stamp;
}
