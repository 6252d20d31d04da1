#include "tests/support/support_etc.h"

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

static void
write_file(const char *folder, const char *name, const char *text)
{
	char  path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) {
		perror(path);
		exit(99);
	}
}

static bool
put(const char *folder, const char *name, const char *text)
{
	char from[300], to[300];

	write_file(folder, name, text);
	snprintf(from, sizeof(from), "%s/%s", folder, name);
	snprintf(to, sizeof(to), "/etc/%s", name);
	return mount(from, to, NULL, MS_BIND, NULL) == 0;
}

static bool
raise_loopback(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int          fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool         raised;

	strcpy(request.ifr_name, "lo");
	raised = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
	close(fd);
	return raised;
}

bool
support_etc_enter(const struct support_etc *etc, const char *folder)
{
	return unshare(CLONE_NEWNS | CLONE_NEWNET) == 0 &&
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && raise_loopback() &&
	    put(folder, "hosts", etc->hosts) && put(folder, "resolv.conf", etc->resolv) &&
	    put(folder, "nsswitch.conf",
	        etc->nsswitch != NULL ? etc->nsswitch : "hosts: files dns\n");
}

void
support_etc_resolv(const char *folder, const char *resolv)
{
	write_file(folder, "resolv.conf", resolv);
}
