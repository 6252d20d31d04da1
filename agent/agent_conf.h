/* agent_conf: the settings of the agent, one row each in agent_conf.c.
 *
 * Reading, printing and holding them against each other.  Holds no secret: only the paths of
 * secrets.
 */
#ifndef AGENT_AGENT_CONF_H
#define AGENT_AGENT_CONF_H

#include "analyze/names.h"
#include "base/addr.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/wbuf.h"

#define AGENT_CONF_FILE   "/etc/plprobe/agent.yaml"
#define AGENT_CONF_FOLDER "conf.d"
#define AGENT_CONF_SOCKET "/run/plprobe/agent.sock"

struct policy_file;
struct vantages;

/* One of `accounts`: by its document, or by its name alone. */
struct agent_account {
	const char *document; /* path; "" for none */
	const char *name;     /* "" for none */
};

enum { AGENT_RESOLVERS_MAX = 8, AGENT_OUTSIDE_MAX = 4, AGENT_PORTS_MAX = 16 };

struct agent_conf {
	const char *agent; /* never "" once agent_conf_read() has returned */
	const char *network;
	const char *vnet; /* resource id, of a subnet too; "" when not told */

	const char *collector; /* "" for none: results are spooled only */
	const char *collector_ca;
	const char *token_file;

	const char *state_dir;
	int64_t     flush_ms, seal_age_ms, spool_bytes, spool_age_ms;
	int64_t     assignment_ms; /* between two looks for a new assignment */

	int64_t           interval_ms, limit_ms, in_flight;
	struct conf_texts resolver_texts, outside_texts;
	const char       *ca_file, *source_text;
	struct conf_list  accounts; /* of struct agent_account */
	bool              sweep, azure_dns, dns_tcp;

	int64_t           sweep_rate; /* questions a second to each server */
	struct conf_texts region_texts;

	struct conf_list  access;                /* of struct access: agent/access.h */
	struct conf_texts api_texts, mode_texts; /* of the agent's own `accounts` */
	int64_t     direct_ms;    /* between two Direct or Gateway V2 measurements of a name */
	int64_t     replicas_max; /* probed in one measurement */
	const char *proxy;        /* "http://host:port"; "" for none */
	const char *imds;         /* "http://host" of the instance metadata service */

	struct conf_texts suffixes, port_texts, allow_accounts;
	bool              allow_loopback;
	const char       *policy_path;   /* "" for none */
	const char       *status_socket; /* "" for none */

	const char *log_level_text, *log_format_text;

	/* What the texts above mean; filled in by agent_conf_read(). */
	struct addr resolvers[AGENT_RESOLVERS_MAX];
	size_t      resolver_count; /* 0: those of the system */
	struct addr outside[AGENT_OUTSIDE_MAX];
	size_t      outside_count; /* 0: no public address is tried; see policy_outside() */
	struct name_regions regions;
	unsigned            modes;  /* NAMES_GATEWAY and NAMES_API(), of the texts of both */
	struct addr         source; /* family 0: the kernel's choice */
	uint16_t            ports[AGENT_PORTS_MAX];
	size_t              port_count;
	enum log_level      log_level;
	enum log_format     log_format;

	/* What policy_path says; agent_conf_read() fills it in, in the same arena. */
	const struct policy_file *policy;

	/* Whom the prober asks just now; borrowed from it; NULL before it runs. */
	const struct vantages *vantages;
};

extern const struct conf_row agent_conf_rows[];

/* The file at path and the *.yaml of conf.d beside it; all in the arena.  Checks the rules
 * between settings too. */
struct agent_conf *agent_conf_read(
    struct arena *arena, const char *path, struct err *err) MUST_CHECK;

/* The two steps of it.  absent: there is no such file, and all but conf.d is at its preset. */
struct agent_conf *agent_conf_load(
    struct arena *arena, const char *path, bool absent, struct err *err) MUST_CHECK;
bool agent_conf_settle(
    struct agent_conf *conf, struct arena *arena, struct err *err) MUST_CHECK;

/* https://host:port, without more; 1 to 64 letters, digits, '.', '_' or '-'. */
bool agent_conf_check_collector(const char *url, struct err *err) MUST_CHECK;
bool agent_conf_check_agent(const char *id, struct err *err) MUST_CHECK;

/* What agent_conf_read() made of its files, as text that agent_conf_parse() takes: for the prober,
 * which does not read them itself. */
void               agent_conf_write(const struct agent_conf *conf, struct wbuf *out);
struct agent_conf *agent_conf_parse(
    struct arena *arena, const void *bytes, size_t count, struct err *err) MUST_CHECK;

/* The token, from $CREDENTIALS_DIRECTORY/token or token_file; the caller wipes it.  NULL with
 * err when there is none, or when others may read the file. */
char *agent_conf_token(
    struct arena *arena, const struct agent_conf *conf, struct err *err) MUST_CHECK;

#endif
