/* proxy_env: which proxy the environment of this machine names, as curl reads it.
 *
 * For the record: plprobe itself uses no proxy of the environment, but an application may, and then
 * it goes another way than what is measured.  Pure; the caller brings the environment and, for
 * daemons, whose own environment is empty, the content of /etc/environment; or asks
 * proxy_env_system() for both.
 */
#ifndef AGENT_PROXY_ENV_H
#define AGENT_PROXY_ENV_H

#include "base/arena.h"

enum { PROXY_ENV_TEXT_MAX = 255 };

/* Plain data; texts are in the arena.  "" for none. */
struct proxy_env {
	const char *https; /* https_proxy, HTTPS_PROXY, else all_proxy, ALL_PROXY */
	const char *none;  /* no_proxy, NO_PROXY */
};

/* environment: "NAME=value" each, NULL at the end, as environ(7).  file: content of
 * /etc/environment, for what the environment does not set; NULL: none.  A name in small letters goes
 * before one in capitals, and what is set to nothing is not set. */
struct proxy_env proxy_env_read(
    struct arena *arena, const char *const *environment, const char *file);

/* Of this process and of /etc/environment, which need not be there. */
struct proxy_env proxy_env_system(struct arena *arena);

/* What an application would use for https://host:443: "http://proxy:3128", without user and
 * password, sane, in the arena; "" for none.  The host is a name or an address without brackets. */
const char *proxy_env_find(struct arena *arena, const struct proxy_env *env, const char *host);

#endif
