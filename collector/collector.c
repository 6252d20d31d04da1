#include "collector/collector.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/notify.h"
#include "collector/admit.h"
#include "collector/assignment.h"
#include "collector/ca.h"
#include "collector/collector_conf.h"
#include "collector/conf_changes.h"
#include "collector/descriptors.h"
#include "collector/gate.h"
#include "collector/ingest.h"
#include "collector/listen_metrics.h"
#include "collector/page.h"
#include "collector/pulse.h"
#include "collector/porch.h"
#include "collector/recall.h"
#include "collector/sync_child.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const int64_t scan_us = 2 * US_PER_S;
static const int64_t expire_us = 10 * 60 * US_PER_S;
static const int64_t keep_ms = 90 * MS_PER_DAY;
static const int64_t propagation_ms = 7 * MS_PER_DAY; /* for so long a region is new */
static const int64_t flush_us = 250 * US_PER_MS;      /* for the last answers to leave */
static const int64_t pulse_us = 10 * US_PER_S;
static const int64_t stuck_us = 120 * US_PER_S; /* so long for one transaction is too long */

/* For requests that are being read and answers on their way, all together; and how long the loop may
 * wait for a command that changes the roster. */
enum { ROOM_BYTES_MAX = 64 << 20, LOCK_MS = 50 };

struct collector {
	struct arena         *arena; /* owned; holds conf */
	struct collector_conf conf;
	char                 *conf_path; /* owned; NULL: the system's */
	const struct clock   *clock;     /* borrowed */
	struct loop          *loop;      /* all owned */
	struct store         *store;
	struct writer        *writer;
	struct auth          *auth;
	struct roster        *roster;
	struct ca            *ca;
	struct gate          *gate;
	struct admit         *admit;
	struct documents     *documents;
	struct propagation   *propagation;
	struct board         *board;
	struct ingest        *ingest;
	struct page_cache    *cache;
	struct pulse         *pulse;
	struct sync_child    *sync; /* NULL: nothing is fetched by itself */
	struct listen_tls    *tls;
	struct listen        *agents;
	struct porch         *porch;
	struct wbuf           assignment;
	struct loop_watch     scan, expire, flush;
	bool                  auth_was_current, roster_was_current, lists_were_current;
	bool                  reloaded_well;
	int64_t               reloaded_ms, scanned_ms; /* scanned: documents, last */
};

static void
on_trouble(void *arg, const struct err *err)
{
	log_warn("store", "%s; agents keep their batches and try again", err->text);
}

/* At the start there is no writer yet, and the store is this thread's. */
static void
keep_findings(struct collector *collector, struct arena *arena,
    const struct store_finding *findings, size_t count)
{
	struct err err;

	if (collector->writer != NULL) {
		writer_put(collector->writer, arena, findings, count);
		return;
	}
	if (!store_put(collector->store, findings, count, &err))
		on_trouble(collector, &err);
	arena_free(arena);
}

static void
on_findings(void *arg, struct arena *arena, const struct store_finding *findings, size_t count)
{
	struct collector *collector = arg;

	for (size_t i = 0; i < count; i++) {
		const struct store_finding *finding = &findings[i];

		if (finding->closed_ms != 0)
			log_info("finding", "closed %s: %s %s (seen by %s)", finding->code,
			    finding->account,
			    finding->region[0] != '\0' ? finding->region : "global",
			    finding->agent);
		else if (finding->opened_ms == finding->looked_ms ||
		    finding->confirmed_ms == finding->looked_ms)
			log_info("finding", "%s %s: %s (seen by %s)", finding->state,
			    finding->code, finding->sentence, finding->agent);
	}
	keep_findings(collector, arena, findings, count);
}

static void
on_broken_document(void *arg, const struct err *err)
{
	log_warn("documents", "%s; what was known before stays in force", err->text);
}

/* A line in the log, and a version in the store: with its bytes, which are not the writer's. */
static void
on_document_change(void *arg, const struct documents_change *change)
{
	struct collector      *collector = arg;
	struct arena          *arena = arena_new();
	struct store_document *document = arena_alloc(arena, sizeof(*document));
	struct err             err;

	log_info("documents", "%s: %s", change->id, change->what);
	*document = (struct store_document){ .id = arena_strdup(arena, change->id),
		.kind = arena_strdup(arena, change->kind),
		.account = arena_strdup(arena, change->account),
		.change = arena_strdup(arena, change->what),
		.seen_ms = collector->scanned_ms,
		.bytes = change->count > 0
		    ? (uint8_t *)arena_strndup(arena, change->bytes, change->count)
		    : NULL,
		.count = change->count,
		.after = collector->board != NULL ? board_mark(collector->board)
		                                  : (struct store_mark){ .agent = NULL } };
	if (document->after.agent != NULL)
		document->after.agent = arena_strdup(arena, document->after.agent);
	memcpy(document->digest, change->digest, DIGEST_BYTES);
	if (collector->writer != NULL) {
		writer_keep(collector->writer, arena, document, 1);
		return;
	}
	if (!store_keep(collector->store, document, 1, &err))
		on_trouble(collector, &err);
	arena_free(arena);
}

static void
make_assignment(struct collector *collector)
{
	const struct collector_conf *conf = &collector->conf;
	struct assignment_plan       plan = { .interval_ms = conf->interval_ms,
		      .limit_ms = conf->limit_ms,
		      .direct_ms = conf->direct_ms,
		      .modes = conf->modes,
		      .sweep = conf->sweep,
		      .folder = conf->state_dir,
		      .now_ms = clock_wall_ms(collector->clock) };
	struct err                   err;
	char                         version[ASSIGNMENT_VERSION_ROOM];

	wbuf_clear(&collector->assignment);
	if (!assignment_make(
	        collector->documents, &plan, &collector->assignment, version, &err))
		log_warn("assignment",
		    "more names than one assignment holds: those of regions that are not "
		    "configured are left out from the end");
	if (err.kind != ERR_NONE)
		log_warn("assignment", "%s; agents may take this assignment for an older one",
		    err.text);
	ingest_set_assignment(collector->ingest, collector->assignment.bytes,
	    collector->assignment.count, version);
}

/* What no view was judged with any more. */
static void
release_documents(struct collector *collector)
{
	if (documents_retired(collector->documents) > 0)
		documents_release_before(
		    collector->documents, board_generation(collector->board));
}

static void
scan_documents(struct collector *collector)
{
	/* One time for all that one look finds: they came into force together. */
	collector->scanned_ms = clock_wall_ms(collector->clock);
	if (!documents_scan(collector->documents, on_broken_document, collector)) {
		release_documents(collector);
		return;
	}
	propagation_learn(collector->propagation, collector->documents, collector->scanned_ms);
	board_judge_touched(collector->board);
	release_documents(collector);
	make_assignment(collector);
	log_info("documents", "%zu accounts in force", documents_count(collector->documents));
}

static void
look_at_roster(struct collector *collector)
{
	struct err err = { 0 };
	bool       current = roster_refresh(collector->roster, &err);

	if (collector->roster_was_current && !current)
		log_warn("auth", "%s; what was known before stays in force", err.text);
	collector->roster_was_current = current;
}

/* The revocation lists of the operator's authority. */
static void
look_at_lists(struct collector *collector)
{
	struct err err = { 0 };
	bool       current = listen_tls_refresh(collector->tls, &err);

	if (collector->lists_were_current && !current)
		log_warn(
		    "listen", "%s; the revocation lists from before stay in force", err.text);
	collector->lists_were_current = current;
}

static void
on_scan(void *arg, unsigned what)
{
	struct collector *collector = arg;
	bool              current = auth_is_current(collector->auth);

	scan_documents(collector);
	if (collector->auth_was_current && !current)
		log_warn("auth", "%s cannot be read; the tokens from before stay in force",
		    collector->conf.tokens);
	collector->auth_was_current = current;
	look_at_roster(collector);
	look_at_lists(collector);
	porch_look(collector->porch);
	loop_watch_set(&collector->scan, -1, 0, scan_us);
}

static void
on_expire(void *arg, unsigned what)
{
	struct collector *collector = arg;
	int64_t           now_ms = clock_wall_ms(collector->clock);
	int64_t           before_ms = now_ms - collector->conf.retention_ms;
	struct err        err = { 0 };

	/* Long after their end, so that the list of agents can still name them. */
	if (!roster_compact(
	        collector->roster, now_ms - collector->conf.grace_ms - keep_ms, &err))
		log_warn("auth", "%s", err.text);
	writer_expire(collector->writer, before_ms);
	board_forget(collector->board, before_ms);
	propagation_expire(collector->propagation, now_ms - propagation_ms);
	loop_watch_set(&collector->expire, -1, 0, expire_us);
}

/* Between the last commit and the end nothing is taken any more. */
static bool
is_stopping(struct collector *collector, struct request *request)
{
	if (collector->writer != NULL)
		return false;
	request_set(request, "Retry-After", "5");
	request_answer(request, 503, "text/plain", "stopping\n", 9);
	return true;
}

static void
answer_health(struct collector *collector, struct request *request)
{
	request_answer(request, 200, "text/plain", "ok\n", 3);
}

static void
take_batch(struct collector *collector, struct request *request)
{
	ingest_on_batch(collector->ingest, request);
}

static void
give_assignment(struct collector *collector, struct request *request)
{
	ingest_on_assignment(collector->ingest, request);
}

static void
enroll(struct collector *collector, struct request *request)
{
	admit_on_enroll(collector->admit, request);
}

static void
renew(struct collector *collector, struct request *request)
{
	admit_on_renew(collector->admit, request);
}

/* What agents may ask for; the path as it was sent, no other spelling. */
static const struct {
	const char         *path;
	enum request_method method;
	const char         *allow;
	void (*run)(struct collector *collector, struct request *request);
} routes[] = { { "/v1/batches", REQUEST_POST, "POST", take_batch },
	{ "/v1/assignment", REQUEST_GET, "GET", give_assignment },
	{ "/v1/enroll", REQUEST_POST, "POST", enroll },
	{ "/v1/renew", REQUEST_POST, "POST", renew },
	{ "/healthz", REQUEST_GET, "GET", answer_health } };

static void
on_agent_request(void *arg, struct request *request)
{
	struct collector *collector = arg;

	if (is_stopping(collector, request))
		return;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (strcmp(request_path(request), routes[i].path) != 0)
			continue;
		if (request_method(request) == routes[i].method) {
			routes[i].run(collector, request);
			return;
		}
		request_set(request, "Allow", routes[i].allow);
		request_answer(request, 405, "text/plain", "not so\n", 7);
		return;
	}
	request_answer(request, 404, "text/plain", "not here\n", 9);
}

static void
write_one(
    struct wbuf *out, const char *name, enum metric_type type, const char *help, double value)
{
	metric_family(out, name, type, help);
	metric_sample(out, name, NULL, value);
}

static void
write_store(struct collector *collector, struct wbuf *out)
{
	struct writer_counts counts = writer_counts(collector->writer);

	write_one(out, "plprobe_store_commits_total", METRIC_COUNTER,
	    "Transactions that are on the disk.", (double)counts.commits);
	write_one(out, "plprobe_store_failures_total", METRIC_COUNTER,
	    "Transactions that were not.", (double)counts.failures);
	write_one(out, "plprobe_store_commit_seconds_total", METRIC_COUNTER,
	    "Time in transactions.", (double)counts.commit_us / 1e6);
	write_one(out, "plprobe_store_queue_batches", METRIC_GAUGE,
	    "Batches that wait for a transaction.", (double)counts.queued_jobs);
	write_one(out, "plprobe_store_expired_total", METRIC_COUNTER,
	    "Rows that were older than the retention.", (double)counts.expired);
}

static void
write_sync(struct collector *collector, struct wbuf *out)
{
	struct sync_child_counts counts;

	if (collector->sync == NULL)
		return;
	counts = sync_child_counts(collector->sync);
	write_one(out, "plprobe_sync_runs_total", METRIC_COUNTER,
	    "Times that documents were to be fetched from the resource manager.",
	    (double)counts.runs);
	write_one(out, "plprobe_sync_failures_total", METRIC_COUNTER,
	    "Those that did not go well.", (double)counts.failures);
	write_one(out, "plprobe_sync_last_success_timestamp_seconds", METRIC_GAUGE,
	    "When the last that went well ended; 0: none did.", (double)counts.well_ms / 1e3);
}

static void
write_metrics(void *arg, struct wbuf *out)
{
	static const char *const build[] = { "version", PLPROBE_VERSION, NULL };
	struct collector        *collector = arg;

	ingest_write_metrics(collector->ingest, out);
	admit_write_metrics(collector->admit, out);
	listen_metrics_write(collector->agents, collector->tls, out);
	write_store(collector, out);
	write_sync(collector, out);
	porch_write_metrics(collector->porch, out);
	write_one(out, "plprobe_documents", METRIC_GAUGE, "Accounts with a document.",
	    (double)documents_count(collector->documents));
	write_one(out, "plprobe_documents_broken", METRIC_GAUGE,
	    "Document files whose present content is not in force.",
	    (double)documents_broken(collector->documents));
	write_one(out, "plprobe_tokens_current", METRIC_GAUGE,
	    "0: the token file cannot be read.", auth_is_current(collector->auth));
	write_one(out, "plprobe_config_last_reload_successful", METRIC_GAUGE,
	    "0: the configuration file was refused at the last SIGHUP.",
	    collector->reloaded_well);
	write_one(out, "plprobe_config_last_reload_success_timestamp_seconds", METRIC_GAUGE,
	    "When the configuration was read last.", (double)collector->reloaded_ms / 1e3);
	metric_family(out, "plprobe_build_info", METRIC_GAUGE, "1; what runs.");
	metric_sample(out, "plprobe_build_info", build, 1);
}

static void
on_page_request(void *arg, struct request *request)
{
	struct collector *collector = arg;
	struct page_ask   ask = { .query = { .board = collector->board,
		                      .documents = collector->documents,
		                      .now_ms = clock_wall_ms(collector->clock),
		                      .propagation = collector->propagation },
		  .cache = collector->cache,
		  .write_metrics = write_metrics,
		  .arg = collector };

	if (!is_stopping(collector, request))
		page_answer(&ask, request);
}

static struct listen_trust_files
make_files(const struct collector_conf *conf)
{
	return (struct listen_trust_files){ conf->ca, conf->client_ca, conf->client_crl };
}

static bool
reload_tls(struct collector *collector, const struct collector_conf *fresh, struct err *err)
{
	const struct listen_trust_files files = make_files(fresh);

	return listen_tls_change(collector->tls, fresh->certificate, fresh->key, &files, err);
}

/* Before anything is taken over: the page's certificate must not change where ours cannot, nor ours
 * where the page's cannot. */
static bool
check_tls(const struct collector_conf *fresh, struct err *err)
{
	const struct listen_trust_files files = make_files(fresh);
	struct listen_tls *tls = listen_tls_new(fresh->certificate, fresh->key, err);
	bool               good = tls != NULL && listen_tls_trust(tls, &files, err);

	listen_tls_free(tls);
	return good;
}

/* The settings of conf_changes.c. */
static void
take_over(struct collector *collector, const struct collector_conf *fresh, struct arena *arena)
{
	const char *late = conf_changes_late(&collector->conf, fresh, arena);

	collector->conf.interval_ms = fresh->interval_ms;
	collector->conf.limit_ms = fresh->limit_ms;
	collector->conf.direct_ms = fresh->direct_ms;
	collector->conf.modes = fresh->modes;
	collector->conf.sweep = fresh->sweep;
	collector->conf.retention_ms = fresh->retention_ms;
	collector->conf.grace_ms = fresh->grace_ms;
	ingest_set_horizon(collector->ingest, fresh->retention_ms);
	gate_change(collector->gate, fresh->gate, fresh->grace_ms);
	admit_change(collector->admit, fresh->gate == GATE_TOKEN, fresh->life_ms);
	log_open("plprobe-collector", fresh->level, fresh->format);
	if (late[0] != '\0')
		log_warn("reload", "changed, and in force only after a restart: %s", late);
}

/* All of it or nothing, but for what is read anew by itself. */
static bool
reload(struct collector *collector, struct err *err)
{
	struct collector_conf fresh;
	struct arena         *arena = arena_new();
	bool                  done;

	if (!collector_conf_read(&fresh, arena, collector->conf_path, err)) {
		arena_free(arena);
		return false;
	}
	done = check_tls(&fresh, err) && auth_reload(collector->auth, err) &&
	    porch_reload(collector->porch, &fresh, err) && reload_tls(collector, &fresh, err);
	if (done)
		take_over(collector, &fresh, arena);
	arena_free(arena);
	return done;
}

static void
warn_of_certificate(const struct collector *collector)
{
	struct arena *arena = arena_new();
	const char   *warning = listen_tls_warning(
	      collector->tls, arena, clock_wall_ms(collector->clock));

	if (warning != NULL)
		log_warn("listen", "%s", warning);
	warning = listen_trust_warning(
	    listen_tls_trusted(collector->tls), arena, clock_wall_ms(collector->clock));
	if (warning != NULL)
		log_warn("listen", "%s", warning);
	warning = porch_warning(collector->porch, arena, clock_wall_ms(collector->clock));
	if (warning != NULL)
		log_warn("page", "%s", warning);
	arena_free(arena);
}

static void
on_hangup(void *arg)
{
	struct collector *collector = arg;
	struct err        err = { 0 };

	notify_reloading();
	collector->reloaded_well = reload(collector, &err);
	if (collector->reloaded_well) {
		collector->reloaded_ms = clock_wall_ms(collector->clock);
		log_info(
		    "reload", "configuration, tokens, readers and certificates are read again");
		warn_of_certificate(collector);
	} else {
		log_warn("reload", "%s; what was in force stays in force", err.text);
	}
	scan_documents(collector);
	make_assignment(collector);
	notify_ready(NULL);
}

static void
on_flush(void *arg, unsigned what)
{
	struct collector *collector = arg;

	loop_stop(collector->loop);
}

/* The queue is committed and what was parked is answered; then the answers get a moment to leave. */
static void
on_terminate(void *arg)
{
	struct collector *collector = arg;

	if (collector->writer == NULL)
		return;
	notify_stopping();
	log_info("stop", "answering what waits, then ending");
	listen_drain(collector->agents);
	porch_drain(collector->porch);
	sync_child_free(collector->sync);
	collector->sync = NULL;
	pulse_free(collector->pulse);
	collector->pulse = NULL;
	writer_free(collector->writer);
	collector->writer = NULL;
	loop_watch_stop(&collector->scan);
	loop_watch_stop(&collector->expire);
	loop_watch_set(&collector->flush, -1, 0, flush_us);
}

static bool
open_state(struct collector *collector, struct err *err)
{
	struct board_options options = { .documents = collector->documents,
		.rules = collector->conf.rules,
		.networks = &collector->conf.networks,
		.silent_ms = collector->conf.silent_ms,
		.on_findings = on_findings,
		.arg = collector };

	collector->auth = auth_open(collector->conf.tokens, collector->clock, err);
	if (collector->auth == NULL)
		return err_in(err, "tokens");
	collector->auth_was_current = collector->roster_was_current = true;
	collector->lists_were_current = true;
	collector->roster = roster_open(collector->conf.roster, err);
	if (collector->roster == NULL)
		return err_in(err, "enrolments");
	roster_be_patient(collector->roster, LOCK_MS);
	collector->ca = ca_open(
	    collector->conf.state_dir, clock_wall_ms(collector->clock), err);
	if (collector->ca == NULL)
		return err_in(err, "authority of the agents");
	collector->store = store_open(collector->conf.store, false, err);
	if (collector->store == NULL ||
	    !recall_documents(collector->documents, collector->store, err))
		return false;
	documents_watch(collector->documents, on_document_change, collector);
	collector->scanned_ms = clock_wall_ms(collector->clock);
	documents_scan(collector->documents, on_broken_document, collector);
	collector->propagation = propagation_new();
	if (!propagation_load(collector->propagation, collector->store, err))
		return false;
	propagation_learn(collector->propagation, collector->documents, collector->scanned_ms);
	options.propagation = collector->propagation;
	collector->board = board_new(&options);
	return true;
}

static void
open_gate(struct collector *collector)
{
	const struct collector_conf *conf = &collector->conf;

	collector->gate = gate_new(&(struct gate_options){
	    collector->clock, collector->auth, collector->roster, conf->gate, conf->grace_ms });
	collector->admit = admit_new(&(struct admit_options){ collector->clock, collector->ca,
	    collector->gate, collector->roster, conf->gate == GATE_TOKEN, conf->life_ms });
}

static bool
open_work(struct collector *collector, struct err *err)
{
	struct ingest_options options;

	if (!board_load(collector->board, collector->store, err))
		return false;
	propagation_loaded(collector->propagation);
	collector->writer = writer_new(
	    collector->loop, collector->store, on_trouble, collector, err);
	if (collector->writer == NULL)
		return false;
	open_gate(collector);
	options = (struct ingest_options){ collector->clock, collector->gate, collector->writer,
		collector->board, collector->conf.retention_ms };
	collector->ingest = ingest_new(&options);
	make_assignment(collector);
	return true;
}

/* One address has half of each kind of room, or what the settings say of connections. */
static struct listen_crowd_limits
make_limits(const struct collector_conf *conf)
{
	unsigned all = descriptors_room((unsigned)conf->connections);
	unsigned own = (unsigned)conf->address_connections;

	if (all < conf->connections)
		log_warn("listen",
		    "%u connections at most, and not %" PRId64
		    ": the limit of open files is too low",
		    all, conf->connections);
	return (struct listen_crowd_limits){ .connections = all,
		.of_address = own != 0 ? own : all / 2 + 1,
		.shake_ms = 10 * MS_PER_S,
		.request_ms = 30 * MS_PER_S,
		.age_ms = 10 * MS_PER_MIN,
		.room_bytes = ROOM_BYTES_MAX };
}

static bool
open_listeners(struct collector *collector, struct err *err)
{
	struct listen_options           options = { .loop = collector->loop,
		          .at = collector->conf.listen_at,
		          .body_bytes_max = INGEST_BODY_MAX,
		          .limits = make_limits(&collector->conf),
		          .idle_ms = 2 * MS_PER_MIN,
		          .on_request = on_agent_request,
		          .arg = collector };
	const struct listen_trust_files files = make_files(&collector->conf);

	collector->tls = listen_tls_new(collector->conf.certificate, collector->conf.key, err);
	if (collector->tls == NULL || !listen_tls_trust(collector->tls, &files, err))
		return false;
	options.tls = collector->tls;
	collector->agents = listen_new(&options, err);
	if (collector->agents == NULL)
		return err_in(err, "listen");
	collector->porch = porch_open(
	    &(struct porch_options){ collector->loop, collector->clock, &collector->conf,
	        collector->conf_path, on_page_request, collector },
	    err);
	return collector->porch != NULL;
}

static bool
watch_signals(struct collector *collector, struct err *err)
{
	signal(SIGPIPE, SIG_IGN);
	return loop_signal(collector->loop, SIGTERM, on_terminate, collector, err) &&
	    loop_signal(collector->loop, SIGINT, on_terminate, collector, err) &&
	    loop_signal(collector->loop, SIGHUP, on_hangup, collector, err);
}

static bool
open_all(struct collector *collector, struct err *err)
{
	if (!collector_conf_read(&collector->conf, collector->arena, collector->conf_path, err))
		return false;
	log_open("plprobe-collector", collector->conf.level, collector->conf.format);
	collector->loop = loop_new(err);
	if (collector->loop == NULL)
		return false;
	loop_watch_init(&collector->scan, collector->loop, on_scan, collector);
	loop_watch_init(&collector->expire, collector->loop, on_expire, collector);
	loop_watch_init(&collector->flush, collector->loop, on_flush, collector);
	collector->documents = documents_new(collector->conf.accounts_dir);
	return open_state(collector, err) && open_work(collector, err) &&
	    open_listeners(collector, err) && watch_signals(collector, err);
}

struct collector *
collector_new(const char *conf_path, struct err *err)
{
	struct collector *collector = mem_alloc(sizeof(*collector));

	collector->arena = arena_new();
	collector->conf_path = conf_path != NULL ? mem_strdup(conf_path) : NULL;
	collector->clock = clock_system();
	collector->cache = page_cache_new();
	collector->reloaded_well = true;
	collector->reloaded_ms = clock_wall_ms(collector->clock);
	wbuf_init(&collector->assignment);
	if (open_all(collector, err))
		return collector;
	collector_free(collector);
	return NULL;
}

static void
say_ready(struct collector *collector)
{
	char        agents[ADDR_TEXT], page[ADDR_TEXT];
	struct addr at = collector_ingest_addr(collector);

	addr_render_port(&at, agents, sizeof(agents));
	at = collector_page_addr(collector);
	addr_render_port(&at, page, sizeof(page));
	log_info("listen", "listening on %s", agents);
	log_info("listen", "page on %s://%s/", porch_scheme(collector->porch), page);
	log_info("run", "ready: agents on %s, page on %s://%s/, accounts: %zu, tokens: %zu",
	    agents, porch_scheme(collector->porch), page, documents_count(collector->documents),
	    auth_count(collector->auth));
	warn_of_certificate(collector);
	notify_ready(NULL);
}

static void
start_sync(struct collector *collector)
{
	struct sync_child_options options = { collector->loop, collector->clock,
		collector->conf_path, collector->conf.sync_ms };

	if (collector->conf.sync_ms > 0)
		collector->sync = sync_child_new(&options);
}

void
collector_run(struct collector *collector)
{
	start_sync(collector);
	loop_watch_set(&collector->scan, -1, 0, scan_us);
	loop_watch_set(&collector->expire, -1, 0, US_PER_S);
	say_ready(collector);
	collector->pulse = pulse_new(collector->loop, collector->writer, pulse_us, stuck_us);
	loop_run(collector->loop);
	log_info("stop", "ended");
}

void
collector_free(struct collector *collector)
{
	if (collector == NULL)
		return;
	sync_child_free(collector->sync);
	pulse_free(collector->pulse);
	writer_free(collector->writer); /* answers what is parked */
	listen_free(collector->agents);
	porch_close(collector->porch);
	listen_tls_free(collector->tls);
	ingest_free(collector->ingest);
	page_cache_free(collector->cache);
	board_free(collector->board);
	propagation_free(collector->propagation);
	documents_free(collector->documents);
	admit_free(collector->admit);
	gate_free(collector->gate);
	ca_free(collector->ca);
	roster_free(collector->roster);
	auth_free(collector->auth);
	store_close(collector->store);
	loop_watch_fini(&collector->scan);
	loop_watch_fini(&collector->expire);
	loop_watch_fini(&collector->flush);
	loop_free(collector->loop);
	wbuf_fini(&collector->assignment);
	free(collector->conf_path);
	arena_free(collector->arena);
	free(collector);
}

struct addr
collector_ingest_addr(const struct collector *collector)
{
	return listen_addr(collector->agents);
}

struct addr
collector_page_addr(const struct collector *collector)
{
	return porch_addr(collector->porch);
}
