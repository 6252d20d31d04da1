/* collector_conf: the settings of plprobe-collector, from /etc/plprobe/collector.yaml. */
#ifndef COLLECTOR_COLLECTOR_CONF_H
#define COLLECTOR_COLLECTOR_CONF_H

#include "base/addr.h"
#include "base/conf.h"
#include "base/log.h"
#include "collector/board.h"
#include "collector/gate.h"

#define COLLECTOR_CONF_FILE   "/etc/plprobe/collector.yaml"
#define COLLECTOR_CONF_FOLDER "/etc/plprobe/conf.d/collector"

struct collector_conf {
	const char       *listen, *page; /* host:port */
	const char       *certificate, *key;
	const char       *auth, *client_ca, *client_crl;
	const char       *page_certificate, *page_key; /* "": those above */
	struct conf_texts page_names, page_proxies;
	bool              page_login;
	int64_t           life_ms, grace_ms; /* of the agents' certificates */
	const char       *store;
	const char       *state_dir;
	const char       *accounts_dir;
	struct conf_texts api_texts, mode_texts;
	int64_t           interval_ms, direct_ms, limit_ms;
	bool              sweep;
	struct conf_list  networks; /* of struct board_network */
	struct conf_list  sync;     /* of struct sync_plan */
	int64_t           sync_ms;  /* 0: not by itself */
	int64_t           retention_ms, silent_ms;
	const char       *confirm_critical, *confirm_warning; /* "2 of 3" */
	int64_t           close_after, connections, address_connections;
	const char       *log_level, *log_format;
	/* Read from the texts by collector_conf_check(). */
	struct board_rules rules;
	struct addr        listen_at, page_at;
	enum log_level     level;
	enum log_format    format;
	unsigned           modes;  /* NAMES_GATEWAY, NAMES_API() and the like */
	const char        *tokens; /* path of the token file */
	const char        *roster; /* path of the journal of enrolments */
	const char        *ca;     /* path of the certificate of our own authority */
	enum gate_mode     gate;
	const char        *readers;      /* path of the file of who may see the page */
	const char        *page_socket;  /* path of where this machine's report asks for it */
	bool               page_guarded; /* nobody sees it without a login */
	bool               page_plain;   /* without TLS: on loopback, or behind a proxy */
};

extern const struct conf_row collector_conf_rows[];

/* The file at path with the rules between settings checked; NULL: the file of the system.
 * Everything is in the arena. */
bool collector_conf_read(struct collector_conf *conf, struct arena *arena, const char *path,
    struct err *err) MUST_CHECK;
/* The rules between settings; fills what is read from texts. */
bool collector_conf_check(
    struct collector_conf *conf, struct arena *arena, struct err *err) MUST_CHECK;

#endif
