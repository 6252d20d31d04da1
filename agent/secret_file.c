#include "agent/secret_file.h"

#include "base/arena.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who else must not be able to read it.  A credential of systemd is 0440 or 0400 in a folder of
 * its own, so that only "others" count there. */
static const mode_t forbidden_preset = 077, forbidden_credential = 007;

bool
secret_file_is_placed(const char *path)
{
	return strncmp(path, SECRET_FILE_CREDENTIAL, strlen(SECRET_FILE_CREDENTIAL)) == 0;
}

/* The path to open, to be freed; NULL with err when there is none. */
static char *
resolve_path(const char *path, mode_t *forbidden, struct err *err)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	const char *name;

	*forbidden = forbidden_preset;
	if (!secret_file_is_placed(path))
		return mem_strdup(path);
	name = path + strlen(SECRET_FILE_CREDENTIAL);
	*forbidden = forbidden_credential;
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		err_set(err, ERR_USAGE,
		    "'%.200s': " SECRET_FILE_CREDENTIAL "NAME wanted, the name without folders",
		    path);
	else if (folder == NULL || folder[0] != '/')
		err_set(err, ERR_USAGE,
		    "%.200s: the service manager gives no credentials; "
		    "LoadCredential=%.100s:PATH wanted",
		    path, name);
	else
		return mem_printf("%s/%s", folder, name);
	return NULL;
}

/* Asked of what is open, so that nothing can be put in its place. */
static bool
check_facts(int fd, const char *path, mode_t forbidden, struct err *err)
{
	struct stat facts;

	if (fstat(fd, &facts) != 0)
		return err_errno(err, "%s", path);
	if (!S_ISREG(facts.st_mode))
		return err_set(err, ERR_USAGE, "%s: %s; a regular file wanted", path,
		    S_ISDIR(facts.st_mode) ? "a folder" : "not a file");
	if (facts.st_mode & forbidden)
		return err_set(err, ERR_USAGE,
		    "%s: others may read it (mode %04o); chmod 0600 wanted", path,
		    (unsigned)(facts.st_mode & 07777));
	return true;
}

static bool
read_whole(int fd, const char *path, char *text, size_t room, struct err *err)
{
	size_t used = 0;

	while (used < room) {
		ssize_t got = read(fd, text + used, room - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "%s", path);
		if (got == 0) {
			text[used] = '\0';
			return memchr(text, '\0', used) == NULL ||
			    err_set(err, ERR_PARSE, "%s: a NUL; one line of text wanted", path);
		}
		used += (size_t)got;
	}
	return err_set(
	    err, ERR_LIMIT, "%s: larger than %zu bytes; one line wanted", path, room - 1);
}

/* An end of line, also CR LF, and empty lines behind it are not part of the secret. */
static bool
cut_line(const char *path, char *text, struct err *err)
{
	size_t count = strcspn(text, "\r\n");

	if (text[count + strspn(text + count, "\r\n")] != '\0')
		return err_set(err, ERR_PARSE, "%s: several lines; one wanted", path);
	text[count] = '\0';
	if (count == 0)
		return err_set(err, ERR_PARSE, "%s: empty; one line wanted", path);
	return true;
}

static bool
read_opened(const char *path, mode_t forbidden, char *text, size_t room, struct err *err)
{
	/* A FIFO without a writer would hold us up without O_NONBLOCK; files do not care. */
	int  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool done;

	if (fd < 0)
		return err_errno(err, "%s", path);
	done = check_facts(fd, path, forbidden, err) && read_whole(fd, path, text, room, err) &&
	    cut_line(path, text, err);
	close(fd);
	return done;
}

bool
secret_file_read(const char *path, char *text, size_t room, struct err *err)
{
	mode_t forbidden;
	char  *resolved = resolve_path(path, &forbidden, err);
	bool   done = resolved != NULL && read_opened(resolved, forbidden, text, room, err);

	if (!done)
		digest_wipe(text, room);
	free(resolved);
	return done;
}
