#include "agent/shipper.h"

#include "agent/identity.h"
#include "agent/segment.h"
#include "agent/shipper_body.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/notify.h"
#include "base/trim.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AREA "shipper"

enum { EXIT_FAILED = 1 };

static const int64_t request_limit_ms = 30 * MS_PER_S;
/* From the signal to the end: a second for the prober, the rest for the last upload. */
static const int64_t stop_prober_us = 1 * US_PER_S;
static const int64_t stop_us = 4 * US_PER_S;

/* The spool: what comes in, and when it is synced and sealed. */

static void
tend_spool(struct shipper *shipper)
{
	int64_t wait_ms;

	spool_tick(shipper->spool);
	if (shipper->upload != NULL)
		upload_kick(shipper->upload);
	wait_ms = spool_wait_ms(shipper->spool);
	if (wait_ms >= 0)
		loop_watch_set(&shipper->spool_timer, -1, 0, wait_ms * US_PER_MS);
	else
		loop_watch_stop(&shipper->spool_timer);
}

static void
on_spool_timer(void *arg, unsigned what)
{
	tend_spool(arg);
}

static void
take_record(struct shipper *shipper, const uint8_t *bytes, size_t count)
{
	struct err err;

	if (count == 0 || count > SEGMENT_RECORD_MAX || !decode_check(bytes, count, &err)) {
		log_error(
		    AREA, "the prober sent a record of %zu bytes that is none; dropped", count);
		return;
	}
	spool_append(shipper->spool, bytes, count);
	shipper->record_ms = clock_wall_ms(clock_system());
	tend_spool(shipper);
}

/* The prober does not know what only we do. */
static void
take_vitals(struct shipper *shipper, const uint8_t *bytes, size_t count)
{
	struct arena      *arena = arena_new();
	struct err         err;
	struct vitals     *vitals = decode_message(&vitals_desc, arena, bytes, count, &err);
	struct spool_stats stats = spool_stats(shipper->spool);
	struct wbuf        out;

	if (vitals == NULL) {
		log_error(AREA, "the prober sent vitals that are none: %s; dropped", err.text);
		arena_free(arena);
		return;
	}
	vitals->spool_bytes = stats.bytes;
	vitals->spool_dropped = stats.dropped;
	vitals->spool_degraded = stats.degraded;
	vitals->spool_set_aside = stats.set_aside;
	vitals->older_offered = shipper->older.offered;
	if (shipper->courier != NULL) {
		struct courier_news news = courier_news(shipper->courier);

		vitals->clock_known = news.clock_known;
		vitals->clock_ahead_ms = news.clock_ahead_ms;
	}
	shipper->record_ms = clock_wall_ms(clock_system());
	wbuf_init(&out);
	encode_message(&record_desc, &(struct record){ .vitals = vitals }, &out);
	spool_append(shipper->spool, out.bytes, out.count);
	wbuf_fini(&out);
	arena_free(shipper->vitals_arena);
	shipper->vitals_arena = arena;
	shipper->vitals = vitals;
	tend_spool(shipper);
}

static void
take_sign(struct shipper *shipper, const uint8_t *bytes, size_t count)
{
	struct err err;

	if (!sign_service_take(shipper->signatures, bytes, count, &err))
		log_error(
		    AREA, "the prober asks to sign what cannot be read: %s; dropped", err.text);
}

static void
on_message(void *arg, enum channel_type type, const uint8_t *bytes, size_t count)
{
	switch (type) {
	case CHANNEL_RECORD: take_record(arg, bytes, count); break;
	case CHANNEL_VITALS: take_vitals(arg, bytes, count); break;
	case CHANNEL_BEAT: notify_alive(); break;
	case CHANNEL_SIGN: take_sign(arg, bytes, count); break;
	case CHANNEL_SIGNED:
	case CHANNEL_ASSIGNMENT:
	case CHANNEL_RELOAD:
	case CHANNEL_STOP:
	case CHANNEL_TYPES: break;
	}
}

/* The end, in phases: the prober stops, what it said is sealed, one last upload, over. */

static void enter(struct shipper *shipper, enum phase next);

static bool
has_nothing_to_send(const struct shipper *shipper)
{
	return shipper->upload == NULL || spool_count(shipper->spool) == 0 ||
	    (upload_is_idle(shipper->upload) && upload_stats(shipper->upload).failures > 0);
}

static void
begin_last_upload(struct shipper *shipper)
{
	renewal_free(shipper->renewal);
	shipper->renewal = NULL;
	pull_free(shipper->pull);
	shipper->pull = NULL;
	spool_seal(shipper->spool);
	if (shipper->upload != NULL)
		upload_hurry(shipper->upload);
	/* A failure from before the hurry is not yet the answer to it. */
	if (shipper->upload == NULL || spool_count(shipper->spool) == 0)
		enter(shipper, PHASE_OVER);
	else
		loop_watch_set(&shipper->stop_timer, -1, 0, stop_us);
}

static void
enter(struct shipper *shipper, enum phase next)
{
	shipper->phase = next;
	switch (next) {
	case PHASE_WORK: break;
	case PHASE_STOP_PROBER:
		notify_stopping();
		if (shipper->prober_over) {
			enter(shipper, PHASE_LAST_UPLOAD);
			break;
		}
		if (!channel_send(shipper->channel, CHANNEL_STOP, "", 0))
			kill(shipper->prober, SIGKILL);
		loop_watch_set(&shipper->stop_timer, -1, 0, stop_prober_us);
		break;
	case PHASE_LAST_UPLOAD: begin_last_upload(shipper); break;
	case PHASE_OVER: loop_stop(shipper->loop); break;
	}
}

static void
on_stop_timer(void *arg, unsigned what)
{
	struct shipper *shipper = arg;

	if (shipper->phase == PHASE_STOP_PROBER) {
		enter(shipper, PHASE_LAST_UPLOAD);
		return;
	}
	log_warn(AREA, "%zu batches wait in the spool for the next start",
	    spool_count(shipper->spool));
	enter(shipper, PHASE_OVER);
}

static void
note_acknowledged(struct shipper *shipper)
{
	uint64_t stored = upload_stats(shipper->upload).stored;

	if (stored > shipper->acked)
		shipper->acked_ms = clock_wall_ms(clock_system());
	shipper->acked = stored;
}

static void
on_answered(void *arg)
{
	struct shipper *shipper = arg;

	note_acknowledged(shipper);
	tend_spool(shipper); /* the answer may have made a gap record */
	if (shipper->phase == PHASE_LAST_UPLOAD && has_nothing_to_send(shipper))
		enter(shipper, PHASE_OVER);
}

static void
on_closed(void *arg, const char *why)
{
	struct shipper *shipper = arg;

	shipper->prober_over = true;
	if (shipper->phase == PHASE_STOP_PROBER) {
		enter(shipper, PHASE_LAST_UPLOAD);
	} else if (shipper->phase == PHASE_WORK) {
		log_error(AREA, "the prober has ended%s%s; so do we",
		    why[0] != '\0' ? ": " : "", why);
		shipper->code = EXIT_FAILED;
		enter(shipper, PHASE_STOP_PROBER);
	}
}

static void
on_stop(void *arg)
{
	struct shipper *shipper = arg;

	/* Once: the sender may mean us and our group, and the end is near anyway. */
	if (shipper->phase == PHASE_WORK)
		enter(shipper, PHASE_STOP_PROBER);
}

/* The way to the collector. */

static void
close_way(struct shipper *shipper)
{
	pull_free(shipper->pull);
	upload_free(shipper->upload);
	courier_free(shipper->courier);
	shipper->pull = NULL;
	shipper->upload = NULL;
	shipper->courier = NULL;
}

/* What vouches for the collector: the setting, or what the token of enrolment has named, or "". */
static const char *
find_authority(struct arena *arena, const struct agent_conf *conf)
{
	if (conf->collector_ca[0] != '\0')
		return conf->collector_ca;
	return identity_path(arena, conf->state_dir, IDENTITY_COLLECTOR);
}

/* By the certificate where there is one, else by the token. */
static bool
choose_secret(struct courier_options *options, struct arena *arena,
    const struct agent_conf *conf, int64_t *ends_ms, struct err *err)
{
	struct identity identity;

	if (!identity_load(&identity, arena, conf->state_dir, IDENTITY_NOW, err))
		return false;
	options->identity = identity.pem;
	*ends_ms = identity.pem != NULL ? identity.facts.ends_ms : 0;
	if (identity.pem != NULL)
		return identity_fits(&identity, conf->agent, err);
	options->token = agent_conf_token(arena, conf, err);
	return options->token != NULL;
}

static struct courier *
new_courier(struct shipper *shipper, const struct agent_conf *conf, struct err *err)
{
	struct arena          *arena = arena_new();
	struct courier_options options = { .loop = shipper->loop,
		.url = conf->collector,
		.ca_file = find_authority(arena, conf),
		.limit_ms = request_limit_ms };
	struct courier        *courier = NULL;

	if (choose_secret(&options, arena, conf, &shipper->cert_ends_ms, err))
		courier = courier_new(&options, err);
	arena_free_wiped(arena);
	return courier;
}

static void
open_way(struct shipper *shipper, struct courier *courier)
{
	shipper->courier = courier;
	shipper->acked = 0;
	shipper->upload = upload_new(&(struct upload_options){ .loop = shipper->loop,
	    .courier = courier,
	    .spool = shipper->spool,
	    .agent = shipper->conf->agent,
	    .network = shipper->conf->network,
	    .on_answered = on_answered,
	    .arg = shipper });
	upload_kick(shipper->upload); /* what an earlier agent left */
	if (shipper->conf->accounts.count > 0)
		return;
	shipper->pull = pull_new(&(struct pull_options){ .loop = shipper->loop,
	    .courier = courier,
	    .interval_ms = shipper->conf->assignment_ms,
	    .etag = shipper->etag != NULL ? shipper->etag : "",
	    .on_assignment = shipper_assign_on_pulled,
	    .arg = shipper });
}

/* There is another certificate than the one we show. */
static void
on_identity(void *arg)
{
	struct shipper *shipper = arg;
	struct err      err;
	struct courier *courier = new_courier(shipper, shipper->conf, &err);

	if (courier == NULL) {
		log_error(AREA, "%s; the one before stays in use", err.text);
		return;
	}
	close_way(shipper);
	if (shipper->phase == PHASE_WORK)
		open_way(shipper, courier);
	else
		courier_free(courier);
	/* An enrolment may have told us of another authority, too. */
	loop_watch_set(&shipper->renew_timer, -1, 0, 0);
}

static void
open_renewal(struct shipper *shipper)
{
	const struct agent_conf *conf = shipper->conf;

	renewal_free(shipper->renewal);
	shipper->renewal = NULL;
	if (conf->collector[0] != '\0')
		shipper->renewal = renewal_new(&(struct renewal_options){ shipper->loop,
		    conf->collector, find_authority(shipper->conf_arena, conf), conf->state_dir,
		    conf->agent, on_identity, shipper });
}

/* Not from within a callback of the one that goes. */
static void
on_renew_timer(void *arg, unsigned what)
{
	struct shipper *shipper = arg;

	if (shipper->phase == PHASE_WORK)
		open_renewal(shipper);
}

/* SIGHUP.  All or nothing: a bad file or token leaves the running configuration in force. */
static bool
take_conf(struct shipper *shipper, struct arena *arena, struct err *err)
{
	struct agent_conf *conf = agent_conf_read(arena, shipper->conf_path, err);
	struct courier    *courier = NULL;

	if (conf == NULL)
		return false;
	if (conf->collector[0] != '\0') {
		courier = new_courier(shipper, conf, err);
		if (courier == NULL)
			return false;
	}
	if (!shipper_assign_local(shipper, conf, err)) {
		courier_free(courier);
		return false;
	}
	if (strcmp(conf->state_dir, shipper->conf->state_dir) != 0)
		log_warn(AREA, "state_dir: a new one is only used after a restart");
	if (strcmp(conf->status_socket, shipper->conf->status_socket) != 0)
		log_warn(AREA, "status_socket: a new one is only used after a restart");
	close_way(shipper);
	renewal_free(shipper->renewal);
	shipper->renewal = NULL;
	sign_service_set(shipper->signatures, conf);
	arena_free(shipper->conf_arena);
	shipper->conf_arena = arena;
	shipper->conf = conf;
	log_open("shipper", conf->log_level, conf->log_format);
	if (courier != NULL)
		open_way(shipper, courier);
	open_renewal(shipper);
	return true;
}

/* The prober reads no files of ours. */
static void
give_settings(struct shipper *shipper)
{
	struct wbuf out;

	wbuf_init(&out);
	agent_conf_write(shipper->conf, &out);
	if (!channel_send(shipper->channel, CHANNEL_RELOAD, out.bytes, out.count))
		log_error(AREA, "the prober does not listen");
	wbuf_fini(&out);
}

static void
on_reload(void *arg)
{
	struct shipper *shipper = arg;
	struct arena   *arena = arena_new();
	struct err      err;

	if (shipper->phase != PHASE_WORK) {
		arena_free(arena);
		return;
	}
	notify_reloading();
	if (!take_conf(shipper, arena, &err)) {
		log_error(AREA, "%s; the configuration before stays", err.text);
		arena_free(arena);
	} else {
		log_info(AREA, "%s: read again", shipper->conf_path);
		give_settings(shipper);
		shipper_assign_give(shipper);
	}
	notify_ready(NULL);
}

/* Beginning and end. */

static bool
open_spool(struct shipper *shipper, struct err *err)
{
	const struct agent_conf *conf = shipper->conf;
	char                    *path = mem_printf("%s/spool", conf->state_dir);

	if (mkdir(conf->state_dir, 0700) != 0 && errno != EEXIST)
		err_errno(err, "state_dir: %s", conf->state_dir);
	else
		shipper->spool = spool_open(&(struct spool_options){ .dir = path,
		                                .agent = conf->agent,
		                                .clock = clock_system(),
		                                .limit_bytes = conf->spool_bytes,
		                                .age_ms = conf->spool_age_ms,
		                                .flush_ms = conf->flush_ms,
		                                .seal_age_ms = conf->seal_age_ms },
		    err);
	free(path);
	return shipper->spool != NULL;
}

static bool
open_shipper(struct shipper *shipper, const struct shipper_ask *ask, struct err *err)
{
	struct courier *courier;

	shipper->loop = loop_new(err);
	if (shipper->loop == NULL)
		return false;
	loop_watch_init(&shipper->spool_timer, shipper->loop, on_spool_timer, shipper);
	loop_watch_init(&shipper->stop_timer, shipper->loop, on_stop_timer, shipper);
	loop_watch_init(&shipper->renew_timer, shipper->loop, on_renew_timer, shipper);
	shipper->channel = channel_new(shipper->loop, ask->fd,
	    &(struct channel_ops){
	        .on_message = on_message, .on_closed = on_closed, .arg = shipper });
	shipper->signatures = sign_service_new(shipper->loop, shipper->channel, shipper->conf);
	if (!loop_signal(shipper->loop, SIGTERM, on_stop, shipper, err) ||
	    !loop_signal(shipper->loop, SIGINT, on_stop, shipper, err) ||
	    !loop_signal(shipper->loop, SIGHUP, on_reload, shipper, err) ||
	    !shipper_assign_local(shipper, shipper->conf, err) || !open_spool(shipper, err))
		return false;
	if (shipper->conf->accounts.count == 0 &&
	    assign_load(shipper->conf, &shipper->assignment))
		shipper_assign_tag(shipper, "");
	shipper_status_open(shipper);
	if (shipper->conf->collector[0] == '\0')
		return true;
	courier = new_courier(shipper, shipper->conf, err);
	if (courier == NULL)
		return false;
	open_way(shipper, courier);
	open_renewal(shipper);
	return true;
}

static void
close_shipper(struct shipper *shipper)
{
	status_close(shipper->status);
	close_way(shipper);
	renewal_free(shipper->renewal);
	sign_service_free(shipper->signatures);
	channel_free(shipper->channel);
	spool_close(shipper->spool);
	wbuf_fini(&shipper->assignment);
	free(shipper->etag);
	if (shipper->loop != NULL) {
		loop_watch_fini(&shipper->spool_timer);
		loop_watch_fini(&shipper->stop_timer);
		loop_watch_fini(&shipper->renew_timer);
		loop_free(shipper->loop);
	}
	arena_free(shipper->vitals_arena);
	arena_free(shipper->conf_arena);
}

/* The channel is closed by now, so that it ends by itself if it can. */
static void
reap_prober(pid_t prober)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int                   tries = 100;

	while (waitpid(prober, NULL, WNOHANG) == 0 && tries-- > 0)
		nanosleep(&pause, NULL);
	if (tries < 0) {
		kill(prober, SIGKILL);
		waitpid(prober, NULL, 0);
	}
}

int
shipper_run(const struct shipper_ask *ask)
{
	struct shipper shipper = { .conf_path = ask->conf_path,
		.conf_arena = ask->arena,
		.conf = ask->conf,
		.prober = ask->prober,
		.started_ms = clock_wall_ms(clock_system()) };
	struct err     err;

	wbuf_init(&shipper.assignment);
	if (open_shipper(&shipper, ask, &err)) {
		shipper_assign_give(&shipper);
		log_info(AREA, "ready: agent %s, network '%s', spool %s/spool, collector %s",
		    shipper.conf->agent, shipper.conf->network, shipper.conf->state_dir,
		    shipper.conf->collector[0] != '\0' ? shipper.conf->collector : "none");
		notify_ready(NULL);
		trim_memory();
		loop_run(shipper.loop);
	} else {
		log_error(AREA, "%s", err.text);
		shipper.code = EXIT_FAILED;
	}
	close_shipper(&shipper);
	reap_prober(ask->prober);
	return shipper.code;
}
