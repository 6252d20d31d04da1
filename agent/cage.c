#include "agent/cage.h"

#include "agent/access.h"
#include "agent/policy.h"
#include "agent/policy_file.h"
#include "base/confine.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AREA "prober"

/* Files of the system that are read again and again: authorities, name resolution, libraries,
 * what Azure says of the machine.  Whole folders, since files there are replaced by new ones. */
static const char *const readable[] = { "/etc", "/usr", "/lib", "/lib64", "/proc",
	"/sys/class/dmi", "/sys/devices/virtual/dmi", "/dev/null", "/dev/urandom",
	"/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/nscd",
	"/var/lib/sss", "/nix/store" };

enum { READABLE = sizeof(readable) / sizeof(readable[0]) };

/* Asked by opening, since access(2) knows nothing of landlock. */
static void
warn_if_readable(const char *setting, const char *path)
{
	int fd = path[0] == '/' ? open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	close(fd);
	log_warn(AREA,
	    "%s: %s lies where the process that measures can read it; better outside of /etc, "
	    "or brought by systemd's LoadCredential",
	    setting, path);
}

static void
warn_of_secrets(const struct agent_conf *conf)
{
	const struct access *access = conf->access.rows;

	warn_if_readable("token_file", conf->token_file);
	for (size_t i = 0; i < conf->access.count; i++) {
		warn_if_readable("key_file", access[i].key_file);
		warn_if_readable("token_file", access[i].token_file);
	}
}

/* The folder in which resolv.conf really lies, which is not the same everywhere. */
static const char *
find_resolv_folder(struct arena *arena)
{
	char       *real = realpath("/etc/resolv.conf", NULL);
	char       *slash = real != NULL ? strrchr(real, '/') : NULL;
	const char *folder = NULL;

	if (slash != NULL && slash != real)
		folder = arena_strndup(arena, real, (size_t)(slash - real));
	free(real);
	return folder;
}

/* Not its configuration, which the shipper hands over, nor anything of the shipper's. */
static bool
confine_reading(const struct agent_conf *conf)
{
	struct arena *arena = arena_new();
	const char   *more[] = { find_resolv_folder(arena), conf->ca_file,
		  getenv("SSL_CERT_FILE"), getenv("SSL_CERT_DIR") };
	const char   *paths[READABLE + sizeof(more) / sizeof(more[0]) + 1];
	size_t        count = READABLE;
	bool          held;

	memcpy(paths, readable, sizeof(readable));
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (more[i] != NULL && more[i][0] != '\0')
			paths[count++] = more[i];
	}
	paths[count] = NULL;
	held = confine_files(paths);
	if (held)
		warn_of_secrets(conf);
	else
		log_debug(AREA, "this kernel has no landlock");
	arena_free(arena);
	return held;
}

/* Where Direct mode is not measured all ports are known.  DNS servers may be given at ports of
 * their own. */
static bool
confine_connecting(const struct agent_conf *conf)
{
	uint16_t ports[AGENT_PORTS_MAX + AGENT_RESOLVERS_MAX + AGENT_OUTSIDE_MAX + 2] = { 53 };
	size_t   count = 1;
	bool     held;

	if (conf->policy->direct)
		return false;
	for (size_t i = 0; i < conf->port_count; i++)
		ports[count++] = conf->ports[i];
	for (size_t i = 0; i < conf->resolver_count; i++)
		ports[count++] = conf->resolvers[i].port;
	for (size_t i = 0; i < policy_outside(conf); i++)
		ports[count++] = conf->outside[i].port;
	if (conf->proxy[0] != '\0')
		ports[count++] = (uint16_t)strtoul(strrchr(conf->proxy, ':') + 1, NULL, 10);
	held = confine_ports(ports, count);
	if (!held)
		log_debug(AREA, "this kernel has no landlock for ports");
	return held;
}

struct cage
cage_close(const struct agent_conf *conf)
{
	struct cage cage;

	confine_rights();
	cage.files = confine_reading(conf);
	cage.ports = confine_connecting(conf);
	return cage;
}

const char *
cage_words(const struct cage *cage)
{
	if (cage->files)
		return cage->ports ? "files ports" : "files";
	return cage->ports ? "ports" : "";
}
