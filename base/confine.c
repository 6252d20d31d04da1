#include "base/confine.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's words, which the headers of older distributions do not know [landlock]. */
enum {
	LANDLOCK_CREATE = 444,
	LANDLOCK_ADD_RULE = 445,
	LANDLOCK_RESTRICT_SELF = 446,
	LANDLOCK_VERSION = 1,
	LANDLOCK_PATH_BENEATH = 1,
	LANDLOCK_NET_PORT = 2,
	LANDLOCK_NET_VERSION = 4 /* the first that knows of ports */
};

/* What can be done to a file, and with a port. */
enum { READ_FILE = 1 << 2, READ_DIR = 1 << 3, CONNECT_TCP = 1 << 1 };

struct landlock_path {
	uint64_t allowed;
	int32_t  fd;
} __attribute__((packed));

struct landlock_rules {
	uint64_t files, net, scoped;
};

struct landlock_port {
	uint64_t allowed, port;
};

/* What each version adds to what can be given up. */
static const struct landlock_step {
	int                   version;
	struct landlock_rules rules;
} landlock_steps[] = {
	{ 1, { .files = 0x1fff } },  /* execute, write, read, list, remove, make */
	{ 2, { .files = 1 << 13 } }, /* move or link to another folder */
	{ 3, { .files = 1 << 14 } }, /* truncate */
	{ 6, { .scoped = 1 << 1 } }, /* signals to others */
};

/* Below 1: the kernel knows none.  gcov writes its counts when a process ends, so its preset
 * keeps the right to. */
static long
find_version(void)
{
#ifdef CONFINE_NO_FILES
	return 0;
#else
	return syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION);
#endif
}

static void
allow_reading(int rules, const char *path)
{
	struct landlock_path rule = { .allowed = READ_FILE,
		.fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat          seen;

	if (rule.fd < 0)
		return;
	if (fstat(rule.fd, &seen) == 0 && S_ISDIR(seen.st_mode))
		rule.allowed |= READ_DIR;
	syscall(LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH_BENEATH, &rule, 0);
	close(rule.fd);
}

bool
confine_files(const char *const *readable)
{
	long                  version = find_version();
	struct landlock_rules rules = { 0 };
	int                   fd;
	bool                  done;

	for (size_t i = 0; i < sizeof(landlock_steps) / sizeof(landlock_steps[0]); i++) {
		if (version < landlock_steps[i].version)
			break;
		rules.files |= landlock_steps[i].rules.files;
		rules.scoped |= landlock_steps[i].rules.scoped;
	}
	fd = version > 0 ? (int)syscall(LANDLOCK_CREATE, &rules, sizeof(rules), 0) : -1;
	if (fd < 0)
		return false;
	for (size_t i = 0; readable[i] != NULL; i++)
		allow_reading(fd, readable[i]);
	done = syscall(LANDLOCK_RESTRICT_SELF, fd, 0) == 0;
	close(fd);
	return done;
}

bool
confine_ports(const uint16_t *ports, size_t count)
{
	struct landlock_rules rules = { .net = CONNECT_TCP };
	int                   fd = -1;
	bool                  done;

	if (find_version() >= LANDLOCK_NET_VERSION)
		fd = (int)syscall(LANDLOCK_CREATE, &rules, sizeof(rules), 0);
	if (fd < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct landlock_port rule = { CONNECT_TCP, ports[i] };

		syscall(LANDLOCK_ADD_RULE, fd, LANDLOCK_NET_PORT, &rule, 0);
	}
	done = syscall(LANDLOCK_RESTRICT_SELF, fd, 0) == 0;
	close(fd);
	return done;
}

void
confine_memory(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	/* The leak check of AddressSanitizer looks in from a process of its own. */
#ifndef __SANITIZE_ADDRESS__
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

void
confine_daemon(void)
{
	confine_memory();
	umask(077);
	/* Whoever reads our log may end before us. */
	signal(SIGPIPE, SIG_IGN);
}

void
confine_not_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void
confine_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct   none[2] = { { 0 }, { 0 } };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__
	syscall(SYS_capset, &head, none);
#else
	(void)head;
	(void)none;
#endif
}
