#include "collector/porch.h"

#include "base/arena.h"
#include "base/log.h"
#include "base/metric.h"
#include "collector/doorkeeper.h"
#include "collector/login.h"

#include <stdlib.h>
#include <unistd.h>

/* Without TLS nothing but its silence ends a connection. */
enum { BODY_BYTES_MAX = 1024, CONNECTIONS_MAX = 512, PLAIN_IDLE_MS = 15000 };

struct porch {
	struct porch_options options;
	struct readers      *readers; /* all owned; NULL: no login is asked for */
	struct login        *login;
	struct listen_tls   *tls;            /* NULL: plain HTTP */
	struct doorkeeper   *keeper, *local; /* local: of the socket; NULL as well */
	struct listen       *page, *socket;
	bool                 was_current;
};

static size_t
count_usable(const struct readers *readers, int64_t now_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < readers_count(readers); i++)
		count += !readers_has_ended(readers_at(readers, i), now_ms);
	return count;
}

/* To be pasted as it stands, but for the name. */
static bool
check_readers(const struct readers *readers, const struct clock *clock, const char *page,
    const char *conf_path, struct err *err)
{
	const char *config = conf_path != NULL ? " --config " : "";
	const char *path = conf_path != NULL ? conf_path : "";

	if (count_usable(readers, clock_wall_ms(clock)) > 0)
		return true;
	return err_set(err, ERR_USAGE,
	    "page: at %s nobody may look without a login, and nobody has one: run "
	    "`plprobe-collector user add NAME%s%s` for a person, or `plprobe-collector token "
	    "create NAME --reader%s%s` for a program; or bind it to 127.0.0.1",
	    page, config, path, config, path);
}

static struct readers *
open_readers(const struct collector_conf *conf, const struct clock *clock,
    const char *conf_path, struct err *err)
{
	struct readers *readers = readers_open(conf->readers, err);

	if (readers == NULL || check_readers(readers, clock, conf->page, conf_path, err))
		return readers;
	readers_free(readers);
	return NULL;
}

static bool
has_own_certificate(const struct collector_conf *conf)
{
	return conf->page_certificate[0] != '\0';
}

/* Nobody is asked for a certificate here: an agent's says nothing about who may look. */
static struct listen_tls *
open_tls(const struct collector_conf *conf, struct err *err)
{
	return has_own_certificate(conf)
	    ? listen_tls_new(conf->page_certificate, conf->page_key, err)
	    : listen_tls_new(conf->certificate, conf->key, err);
}

bool
porch_check(const struct collector_conf *conf, const char *conf_path, struct err *err)
{
	struct readers    *readers = NULL;
	struct listen_tls *tls = NULL;
	bool               good = true;

	if (!conf->page_plain) {
		tls = open_tls(conf, err);
		good = tls != NULL;
	}
	if (good && conf->page_guarded) {
		readers = open_readers(conf, clock_system(), conf_path, err);
		good = readers != NULL;
	}
	readers_free(readers);
	listen_tls_free(tls);
	return good;
}

static void
fill_proxies(struct doorkeeper_options *options, const struct collector_conf *conf)
{
	options->proxy_count = 0;
	for (size_t i = 0; i < conf->page_proxies.count; i++)
		options->proxy_count += net_parse(
		    &options->proxies[options->proxy_count], conf->page_proxies.texts[i], NULL);
}

static bool
open_login(struct porch *porch, struct err *err)
{
	const struct porch_options *options = &porch->options;

	if (!options->conf->page_guarded)
		return true;
	porch->readers = open_readers(options->conf, options->clock, options->conf_path, err);
	if (porch->readers == NULL)
		return false;
	porch->login = login_new(options->loop, options->clock, porch->readers, err);
	return porch->login != NULL;
}

static void
open_keepers(struct porch *porch)
{
	const struct collector_conf *conf = porch->options.conf;
	struct doorkeeper_options    options = { .clock = porch->options.clock,
		   .at = conf->page_at,
		   .names = conf->page_names,
		   .login = porch->login,
		   .tls = porch->tls,
		   .on_pass = porch->options.on_request,
		   .arg = porch->options.arg };

	fill_proxies(&options, conf);
	porch->keeper = doorkeeper_new(&options);
	if (!conf->page_guarded)
		return;
	options = (struct doorkeeper_options){ .clock = porch->options.clock,
		.at = { .family = 4, .bytes = { 127, 0, 0, 1 } },
		.on_pass = porch->options.on_request,
		.arg = porch->options.arg };
	porch->local = doorkeeper_new(&options);
}

static bool
open_listeners(struct porch *porch, struct err *err)
{
	const struct collector_conf *conf = porch->options.conf;
	struct listen_options        options = { .loop = porch->options.loop,
		       .at = conf->page_at,
		       .tls = porch->tls,
		       .proxied = conf->page_proxies.count > 0,
		       .body_bytes_max = BODY_BYTES_MAX,
		       .limits = { .connections = CONNECTIONS_MAX,
		           .shake_ms = 10 * MS_PER_S,
		           .request_ms = 30 * MS_PER_S,
		           .age_ms = 10 * MS_PER_MIN },
		       .idle_ms = porch->tls != NULL ? 2 * MS_PER_MIN : PLAIN_IDLE_MS,
		       .on_request = doorkeeper_on_request,
		       .arg = porch->keeper };

	porch->page = listen_new(&options, err);
	if (porch->page == NULL)
		return err_in(err, "page");
	if (porch->local == NULL)
		return true;
	options.tls = NULL;
	options.idle_ms = PLAIN_IDLE_MS;
	options.local = conf->page_socket;
	options.arg = porch->local;
	porch->socket = listen_new(&options, err);
	return porch->socket != NULL || err_in(err, "page");
}

struct porch *
porch_open(const struct porch_options *options, struct err *err)
{
	struct porch *porch = mem_alloc(sizeof(*porch));
	bool          good;

	*porch = (struct porch){ .options = *options, .was_current = true };
	good = open_login(porch, err);
	if (good && !options->conf->page_plain) {
		porch->tls = open_tls(options->conf, err);
		good = porch->tls != NULL;
	}
	if (good) {
		open_keepers(porch);
		good = open_listeners(porch, err);
	}
	if (good)
		return porch;
	porch_close(porch);
	return NULL;
}

void
porch_close(struct porch *porch)
{
	if (porch == NULL)
		return;
	login_free(porch->login); /* answers what waits */
	listen_free(porch->page);
	if (porch->socket != NULL)
		unlink(porch->options.conf->page_socket);
	listen_free(porch->socket);
	doorkeeper_free(porch->keeper);
	doorkeeper_free(porch->local);
	listen_tls_free(porch->tls);
	readers_free(porch->readers);
	free(porch);
}

struct addr
porch_addr(const struct porch *porch)
{
	return listen_addr(porch->page);
}

const char *
porch_scheme(const struct porch *porch)
{
	return porch->tls != NULL ? "https" : "http";
}

bool
porch_reload(struct porch *porch, const struct collector_conf *fresh, struct err *err)
{
	if (porch->readers != NULL && !readers_reload(porch->readers, err))
		return false;
	if (porch->tls == NULL)
		return true;
	if (has_own_certificate(porch->options.conf))
		return listen_tls_reload(porch->tls, err);
	return listen_tls_change(porch->tls, fresh->certificate, fresh->key, NULL, err);
}

void
porch_look(struct porch *porch)
{
	bool current;

	if (porch->readers == NULL)
		return;
	readers_look(porch->readers);
	current = readers_is_current(porch->readers);
	if (porch->was_current && !current)
		log_warn("login", "%s cannot be read; the readers from before stay in force",
		    porch->options.conf->readers);
	if (!porch->was_current && current)
		log_info("login", "%s is read again", porch->options.conf->readers);
	porch->was_current = current;
}

void
porch_drain(struct porch *porch)
{
	listen_drain(porch->page);
	if (porch->socket != NULL)
		listen_drain(porch->socket);
}

void
porch_write_metrics(const struct porch *porch, struct wbuf *out)
{
	static const char ends[] = "plprobe_page_certificate_expiry_timestamp_seconds";

	doorkeeper_write_metrics(porch->keeper, out);
	if (porch->tls == NULL)
		return;
	metric_family(out, ends, METRIC_GAUGE, "When the page's certificate ends.");
	metric_sample(out, ends, NULL, (double)listen_tls_ends_ms(porch->tls) / 1e3);
}

const char *
porch_warning(const struct porch *porch, struct arena *arena, int64_t now_ms)
{
	return porch->tls != NULL && has_own_certificate(porch->options.conf)
	    ? listen_tls_warning(porch->tls, arena, now_ms)
	    : NULL;
}
