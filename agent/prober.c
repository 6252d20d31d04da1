#include "agent/prober.h"

#include "agent/access.h"
#include "agent/cage.h"
#include "agent/channel.h"
#include "agent/egress.h"
#include "agent/policy.h"
#include "agent/proxy_env.h"
#include "agent/record_fit.h"
#include "agent/schedule.h"
#include "agent/segment.h"
#include "agent/sign_remote.h"
#include "analyze/facet.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trim.h"
#include "probe/direct.h"
#include "probe/swept.h"
#include "probe/vantages.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AREA "prober"

enum { EXIT_FAILED = 1, REFUSALS_TOLD = 20, HOST_TOLD_MAX = 80, REASON_TOLD_MAX = 255 };

static const int64_t first_vitals_us = 500 * US_PER_MS;
static const int64_t vitals_most_ms = MS_PER_MIN;
static const int64_t drain_ms = MS_PER_S;
static const int64_t look_us = US_PER_S; /* between two looks at resolv.conf */

struct prober;

/* A measurement that is going on. */
struct run {
	struct prober  *prober; /* borrowed; owns us */
	struct job     *job;
	struct measure *measure; /* NULL: the sweep asks for it */
	struct arena   *arena;   /* owned */
	struct run     *previous, *next;
};

struct prober {
	struct arena         *conf_arena; /* owned */
	struct agent_conf    *conf;
	struct vantages       vantages; /* whom to ask; none before resolv.conf could be read */
	struct vantages_watch resolv_conf;
	int64_t               looked_us; /* when resolv.conf was looked at */

	struct loop        *loop;
	struct channel     *channel;
	struct sign_remote *signatures; /* owned */
	struct egress      *egress;     /* owned */
	struct probes      *probes;
	struct swept       *swept; /* owned; NULL until something is to be swept */
	struct schedule    *schedule;
	struct run         *runs;
	struct loop_watch   starter, vitals_timer, beat_timer;
	int64_t             beat_us;   /* 0: nobody wants to hear it */
	struct proxy_env    proxy_env; /* in conf_arena */

	char    *assignment; /* owned; version in force */
	uint64_t measured;
	uint32_t refused;
	int64_t  started_ms;
	int      code;

	struct arena       *refusal_arena;           /* owned; of what follows */
	struct refused_item refusals[REFUSALS_TOLD]; /* their texts */
	size_t              refusal_count;
	struct cage         cage;          /* of the kernel's, until we end */
	uint64_t            told_connects; /* refused ones that the log knows of */
};

const struct signer *
prober_signer(const struct prober *prober, const char *account)
{
	enum credential kind = access_credential(access_find(prober->conf, account));

	return kind != CREDENTIAL_NONE ? sign_remote_signer(prober->signatures, kind) : NULL;
}

static void
send_record(struct prober *prober, enum channel_type type, const struct wbuf *record)
{
	if (record->count > SEGMENT_RECORD_MAX)
		log_warn(AREA, "a record of %zu bytes is too long, and dropped", record->count);
	else if (!channel_send(prober->channel, type, record->bytes, record->count))
		log_warn(AREA, "the shipper does not keep up; a record is dropped");
}

static void
send_measurement(struct prober *prober, struct measurement *seen, struct arena *arena)
{
	struct wbuf out;

	wbuf_init(&out);
	if (!record_fit(seen, SEGMENT_RECORD_MAX, arena, &out))
		log_debug(AREA, "%s: nothing left to cut", seen->target->host);
	send_record(prober, CHANNEL_RECORD, &out);
	wbuf_fini(&out);
}

static void
end_run(struct run *run)
{
	struct prober *prober = run->prober;

	if (run->previous != NULL)
		run->previous->next = run->next;
	else
		prober->runs = run->next;
	if (run->next != NULL)
		run->next->previous = run->previous;
	schedule_done(prober->schedule, run->job);
	arena_free(run->arena);
	free(run);
}

static void
cancel_sweep(struct prober *prober)
{
	struct run *run = prober->runs, *next;

	swept_free(prober->swept);
	prober->swept = NULL;
	for (; run != NULL; run = next) {
		next = run->next;
		if (run->measure == NULL)
			end_run(run);
	}
}

static void
cancel_runs(struct prober *prober)
{
	cancel_sweep(prober);
	while (prober->runs != NULL) {
		measure_cancel(prober->runs->measure);
		end_run(prober->runs);
	}
}

static void
on_over(void *arg, struct measurement *seen)
{
	struct run    *run = arg;
	struct prober *prober = run->prober;

	prober->measured++;
	if (!run->job->gone)
		send_measurement(prober, seen, run->arena);
	end_run(run);
	/* Not from here: who calls us may have to go first. */
	loop_watch_set(&prober->starter, -1, 0, 0);
}

static const struct vantages *
copy_vantages(const struct prober *prober, struct arena *arena)
{
	struct vantages *copy = arena_alloc(arena, sizeof(*copy));

	*copy = prober->vantages;
	return copy;
}

static bool
is_swept(const struct target *target)
{
	return target->role == ROLE_SWEEP && target->dns_only;
}

static bool
open_sweep(struct prober *prober)
{
	struct err err;

	if (prober->swept == NULL)
		prober->swept = swept_new(
		    &(struct swept_options){ .probes = prober->probes,
		        .vantages = prober->vantages.list,
		        .vantage_count = prober->vantages.count,
		        .queries_per_s = (unsigned)prober->conf->sweep_rate,
		        .limit_ms = prober->conf->limit_ms },
		    &err);
	if (prober->swept == NULL)
		log_warn(AREA, "%s; each name of the sweep is measured by itself", err.text);
	return prober->swept != NULL;
}

/* What the configuration says of getting into the account. */
static const struct direct_means *
make_means(struct run *run)
{
	struct prober       *prober = run->prober;
	struct direct_means *means = arena_alloc(run->arena, sizeof(*means));
	const char          *account = run->job->target->account;
	const struct access *access = access_find(prober->conf, account);

	means->signer = prober_signer(prober, account);
	means->replicas_max = (unsigned)prober->conf->replicas_max;
	if (access == NULL)
		return means;
	means->pasted = access->replicas;
	means->pasted_count = access->replica_count;
	means->database = access->database;
	means->container = access->container;
	means->sample_ports = (unsigned)access->sample_ports;
	return means;
}

static const char *
find_proxy(struct run *run)
{
	const struct target *target = run->job->target;

	if (target->mode != MODE_GATEWAY || target->dns_only ||
	    !facet_is_http((enum api)target->api))
		return NULL;
	return proxy_env_find(run->arena, &run->prober->proxy_env, target->host);
}

/* By this machine's own configuration alone: nothing in a target asks for it. */
static const struct addr *
copy_outside(const struct agent_conf *conf, struct arena *arena)
{
	struct addr *copy = arena_array(arena, AGENT_OUTSIDE_MAX, sizeof(*copy));

	memcpy(copy, conf->outside, sizeof(conf->outside));
	return copy;
}

static void
start_measure(struct run *run)
{
	struct prober         *prober = run->prober;
	const struct target   *target = run->job->target;
	const struct vantages *vantages = copy_vantages(prober, run->arena);

	run->measure = measure_start(prober->probes,
	    &(struct measure_ask){ .target = target,
	        .vantages = vantages->list,
	        .vantage_count = vantages->count,
	        .system = prober->conf->resolver_count == 0 && !is_swept(target),
	        .tcp_too = prober->conf->dns_tcp && !is_swept(target),
	        .outside = copy_outside(prober->conf, run->arena),
	        .outside_count = policy_outside(prober->conf),
	        .means = make_means(run),
	        .proxy = find_proxy(run),
	        .limit_ms = target->limit_ms != 0 ? target->limit_ms : prober->conf->limit_ms,
	        .arena = run->arena,
	        .on_over = on_over,
	        .arg = run });
}

static void
start_run(struct prober *prober, struct job *job)
{
	const struct target *target = job->target;
	struct run          *run = mem_alloc(sizeof(*run));

	*run = (struct run){ .prober = prober, .job = job, .arena = arena_new() };
	run->next = prober->runs;
	if (run->next != NULL)
		run->next->previous = run;
	prober->runs = run;
	if (is_swept(target) && open_sweep(prober))
		swept_add(prober->swept,
		    &(struct swept_ask){ .target = target,
		        .arena = run->arena,
		        .on_over = on_over,
		        .arg = run });
	else
		start_measure(run);
}

static uint32_t
clamp_us(int64_t us)
{
	return us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

static void
send_vitals(struct prober *prober)
{
	struct arena *arena = arena_new();
	struct wbuf   out;
	char          host[256] = "";
	struct vitals vitals = { .at_ms = clock_wall_ms(clock_system()),
		.boot_ns = (uint64_t)clock_boot_ns(clock_system()),
		.version = PLPROBE_VERSION,
		.vnet = prober->conf->vnet,
		.loop_lag_us = clamp_us(loop_lag_us(prober->loop)),
		.targets = (uint32_t)schedule_count(prober->schedule),
		.measured = prober->measured,
		.refused_items = prober->refused,
		.assignment = prober->assignment,
		.started_ms = prober->started_ms,
		.refused_connects = egress_refused(prober->egress),
		.refusals = prober->refusals,
		.refusals_count = prober->refusal_count,
		.confined = cage_words(&prober->cage) };

	gethostname(host, sizeof(host) - 1);
	vitals.host = host;
	vitals.resolvers = vantages_render(&prober->vantages, arena);
	wbuf_init(&out);
	encode_message(&vitals_desc, &vitals, &out);
	send_record(prober, CHANNEL_VITALS, &out);
	wbuf_fini(&out);
	arena_free(arena);
}

static struct vantages_ask
ask_for_vantages(const struct prober *prober)
{
	const struct agent_conf *conf = prober->conf;

	return (struct vantages_ask){ .configured = conf->resolvers,
		.configured_count = conf->resolver_count,
		.azure_dns = conf->azure_dns };
}

/* True when they are others than before. */
static bool
find_vantages(struct prober *prober)
{
	struct vantages_ask ask = ask_for_vantages(prober);
	struct arena       *arena = arena_new();
	struct vantages     found;
	struct err          err;
	bool                changed = false;

	vantages_changed(&prober->resolv_conf, &ask);
	if (!vantages_find(&found, &ask, &err)) {
		log_warn(AREA, "%s; %s", err.text,
		    prober->vantages.count > 0 ? "those known before go on"
		                               : "nothing can be measured");
	} else if (!vantages_equal(&found, &prober->vantages)) {
		changed = true;
		log_info(AREA, "resolvers are %s; before: %s", vantages_render(&found, arena),
		    prober->vantages.count > 0 ? vantages_render(&prober->vantages, arena)
		                               : "none");
		prober->vantages = found;
		cancel_sweep(prober); /* their turn comes again */
	}
	arena_free(arena);
	return changed;
}

/* A changed resolv.conf counts from the next measurement on, and is told at once. */
static void
watch_resolv_conf(struct prober *prober, int64_t now_us)
{
	struct vantages_ask ask = ask_for_vantages(prober);

	if (now_us - prober->looked_us < look_us)
		return;
	prober->looked_us = now_us;
	if (ask.configured_count == 0 && vantages_changed(&prober->resolv_conf, &ask) &&
	    find_vantages(prober))
		send_vitals(prober);
}

/* Starts what is due, sweeps at their own pace, all else at that of the policy.  Until something
 * more may start; -1: nothing waits. */
static int64_t
take_due(struct prober *prober, int64_t now_us)
{
	const struct target *target;
	int64_t              wait_us = 0;

	while ((target = schedule_due(prober->schedule, now_us)) != NULL) {
		if (!is_swept(target) && !egress_names(prober->egress, &wait_us))
			return wait_us;
		start_run(prober, schedule_take(prober->schedule, now_us));
	}
	return schedule_wait_us(prober->schedule, now_us);
}

static void
start_due(struct prober *prober)
{
	int64_t now_us = clock_mono_us(clock_system());
	int64_t wait_us;

	watch_resolv_conf(prober, now_us);
	if (prober->vantages.count == 0)
		return; /* on_vitals_timer() looks for some again */
	wait_us = take_due(prober, now_us);
	if (wait_us >= 0)
		loop_watch_set(&prober->starter, -1, 0, wait_us);
	else
		loop_watch_stop(&prober->starter);
}

static void
on_starter(void *arg, unsigned what)
{
	start_due(arg);
}

static void
log_refused_connects(struct prober *prober)
{
	uint64_t refused = egress_refused(prober->egress);

	if (refused == prober->told_connects)
		return;
	log_warn(AREA, "%llu connections refused by the local policy; the last: %s",
	    (unsigned long long)(refused - prober->told_connects),
	    egress_reason(prober->egress));
	prober->told_connects = refused;
}

static void
on_vitals_timer(void *arg, unsigned what)
{
	struct prober *prober = arg;
	int64_t        wait_ms = prober->conf->interval_ms;

	log_refused_connects(prober);
	find_vantages(prober);
	send_vitals(prober);
	start_due(prober);
	if (wait_ms > vitals_most_ms)
		wait_ms = vitals_most_ms;
	loop_watch_set(&prober->vitals_timer, -1, 0, wait_ms * US_PER_MS);
}

static void
on_beat_timer(void *arg, unsigned what)
{
	struct prober *prober = arg;

	if (!channel_send(prober->channel, CHANNEL_BEAT, "", 0))
		log_debug(AREA, "the shipper does not keep up");
	loop_watch_set(&prober->beat_timer, -1, 0, prober->beat_us);
}

static void
forget_refusals(struct prober *prober)
{
	arena_free(prober->refusal_arena);
	prober->refusal_arena = arena_new();
	prober->refusal_count = 0;
	prober->refused = 0;
}

/* Logged, counted, and the first ones told to the collector: one that asks for more than it may
 * have is to be seen by whoever looks at the data. */
static void
refuse_target(struct prober *prober, const struct target *target, const struct err *err)
{
	struct arena *arena = prober->refusal_arena;

	if (prober->refused++ >= REFUSALS_TOLD)
		return;
	log_warn(AREA, "assignment: %s; not measured", err->text);
	prober->refusals[prober->refusal_count++] = (struct refused_item){
		.host = text_sane(arena, target->host, strlen(target->host), HOST_TOLD_MAX),
		.reason = text_sane(arena, err->text, strlen(err->text), REASON_TOLD_MAX),
	};
}

/* Only what the local policy takes. */
static size_t
filter_targets(struct prober *prober, struct assignment *assignment, int64_t interval_ms)
{
	struct policy_budget budget = { 0 };
	size_t               count = 0;
	struct err           err;

	forget_refusals(prober);
	for (size_t i = 0; i < assignment->targets_count; i++) {
		const struct target *target = &assignment->targets[i];

		if (policy_takes(prober->conf, target, &err) &&
		    policy_spends(prober->conf, target, interval_ms, &budget, &err))
			assignment->targets[count++] = *target;
		else
			refuse_target(prober, target, &err);
	}
	if (prober->refused > REFUSALS_TOLD)
		log_warn(AREA, "assignment: %u more refused", prober->refused - REFUSALS_TOLD);
	return count;
}

static void
take_assignment(struct prober *prober, const uint8_t *bytes, size_t count)
{
	struct arena      *arena = arena_new();
	struct err         err;
	struct assignment *assignment = decode_message(
	    &assignment_desc, arena, bytes, count, &err);
	int64_t interval_ms;

	if (assignment == NULL) {
		log_error(AREA, "assignment: %s; the one before stays", err.text);
		arena_free(arena);
		return;
	}
	interval_ms = assignment->interval_ms >= MS_PER_S ? assignment->interval_ms
	                                                  : prober->conf->interval_ms;
	count = filter_targets(prober, assignment, interval_ms);
	schedule_set(prober->schedule, assignment->targets, count, interval_ms,
	    clock_mono_us(clock_system()));
	free(prober->assignment);
	prober->assignment = mem_strdup(assignment->version);
	log_info(AREA, "assignment %s: %zu names, every %.0f s; %u refused", prober->assignment,
	    count, (double)interval_ms / MS_PER_S, prober->refused);
	arena_free(arena);
	send_vitals(prober); /* what was refused is told at once */
	start_due(prober);
}

/* Whether replicas may be behind the name: that of a target of Direct mode, or none of a target. */
static bool
is_direct(const struct prober *prober, const char *host)
{
	bool direct = false, other = false;

	for (const struct run *run = prober->runs; run != NULL; run = run->next) {
		const struct target *target = run->job->target;
		bool                 same = text_equal_nocase(target->host, host);

		if (target->mode == MODE_DIRECT && same)
			return true;
		direct = direct || target->mode == MODE_DIRECT;
		other = other || same;
	}
	return direct && !other;
}

static void
on_answered(void *arg, const char *host, const struct dns *seen)
{
	struct prober *prober = arg;

	egress_learn(prober->egress, host, seen, is_direct(prober, host));
}

static void
tell_outside(const struct agent_conf *conf)
{
	if (conf->outside_count > policy_outside(conf))
		log_warn(AREA,
		    "outside_resolvers: not asked, since the policy file says that "
		    "nobody goes outside");
}

static struct probes *
new_probes(struct prober *prober, const struct agent_conf *conf, struct err *err)
{
	return probes_new(&(struct probe_options){ .loop = prober->loop,
	                      .clock = clock_system(),
	                      .in_flight_max = (unsigned)conf->in_flight,
	                      .source = conf->source,
	                      .ca_file = conf->ca_file[0] != '\0' ? conf->ca_file : NULL,
	                      .proxy = conf->proxy[0] != '\0' ? conf->proxy : NULL,
	                      .allows = egress_allows,
	                      .allows_arg = prober->egress,
	                      .answered = on_answered,
	                      .answered_arg = prober },
	    err);
}

/* All or nothing: what is wrong leaves the running configuration in force. */
static void
reload(struct prober *prober, const uint8_t *bytes, size_t count)
{
	struct arena      *arena = arena_new();
	struct err         err;
	struct agent_conf *conf = agent_conf_parse(arena, bytes, count, &err);
	struct probes     *probes = conf != NULL ? new_probes(prober, conf, &err) : NULL;

	if (probes == NULL) {
		log_error(AREA, "%s; the configuration before stays", err.text);
		arena_free(arena);
		return;
	}
	cancel_runs(prober);
	probes_free(prober->probes);
	prober->probes = probes;
	arena_free(prober->conf_arena);
	prober->conf_arena = arena;
	prober->conf = conf;
	conf->vantages = &prober->vantages;
	egress_set(prober->egress, conf);
	if (prober->cage.ports)
		log_warn(AREA, "ports: the kernel holds those of the start until a restart");
	prober->proxy_env = proxy_env_system(arena);
	log_open("prober", conf->log_level, conf->log_format);
	tell_outside(conf);
	find_vantages(prober);
	start_due(prober);
}

static void
take_signed(struct prober *prober, const uint8_t *bytes, size_t count)
{
	struct err err;

	if (!sign_remote_take(prober->signatures, bytes, count, &err))
		log_error(
		    AREA, "the shipper sent a signature that is none: %s; dropped", err.text);
}

static void
on_message(void *arg, enum channel_type type, const uint8_t *bytes, size_t count)
{
	struct prober *prober = arg;

	switch (type) {
	case CHANNEL_ASSIGNMENT: take_assignment(arg, bytes, count); break;
	case CHANNEL_RELOAD: reload(arg, bytes, count); break;
	case CHANNEL_STOP: loop_stop(prober->loop); break;
	case CHANNEL_SIGNED: take_signed(arg, bytes, count); break;
	case CHANNEL_RECORD:
	case CHANNEL_VITALS:
	case CHANNEL_BEAT:
	case CHANNEL_SIGN:
	case CHANNEL_TYPES: break;
	}
}

static void
on_closed(void *arg, const char *why)
{
	struct prober *prober = arg;

	log_error(AREA, "the shipper has ended%s%s; so do we", why[0] != '\0' ? ": " : "", why);
	prober->code = EXIT_FAILED;
	sign_remote_close(prober->signatures);
	loop_stop(prober->loop);
}

static bool
open_prober(struct prober *prober, const struct prober_ask *ask, struct err *err)
{
	const char *watchdog = getenv("WATCHDOG_USEC");

	prober->loop = loop_new(err);
	if (prober->loop == NULL)
		return false;
	loop_watch_init(&prober->starter, prober->loop, on_starter, prober);
	loop_watch_init(&prober->vitals_timer, prober->loop, on_vitals_timer, prober);
	loop_watch_init(&prober->beat_timer, prober->loop, on_beat_timer, prober);
	prober->channel = channel_new(prober->loop, ask->fd,
	    &(struct channel_ops){
	        .on_message = on_message, .on_closed = on_closed, .arg = prober });
	prober->egress = egress_new(clock_system());
	egress_set(prober->egress, prober->conf);
	prober->signatures = sign_remote_new(prober->loop, prober->channel);
	prober->schedule = schedule_new(ask->conf->agent);
	prober->beat_us = watchdog != NULL ? strtoll(watchdog, NULL, 10) / 3 : 0;
	prober->probes = new_probes(prober, prober->conf, err);
	return prober->probes != NULL;
}

static void
close_prober(struct prober *prober)
{
	if (prober->schedule != NULL)
		cancel_runs(prober);
	probes_free(prober->probes);
	egress_free(prober->egress);
	arena_free(prober->refusal_arena);
	schedule_free(prober->schedule);
	sign_remote_free(prober->signatures);
	channel_free(prober->channel);
	free(prober->assignment);
	arena_free(prober->conf_arena);
	if (prober->loop == NULL)
		return;
	loop_watch_fini(&prober->starter);
	loop_watch_fini(&prober->vitals_timer);
	loop_watch_fini(&prober->beat_timer);
	loop_free(prober->loop);
}

int
prober_run(const struct prober_ask *ask)
{
	struct prober prober = { .conf_arena = ask->arena,
		.conf = ask->conf,
		.assignment = mem_strdup(""),
		.started_ms = clock_wall_ms(clock_system()) };
	struct err    err;

	/* Signals may go to both of us; the shipper hears them, and says what they mean. */
	signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	prober.cage = cage_close(ask->conf);
	if (!open_prober(&prober, ask, &err)) {
		log_error(AREA, "%s", err.text);
		close_prober(&prober);
		return EXIT_FAILED;
	}
	prober.conf->vantages = &prober.vantages;
	prober.proxy_env = proxy_env_system(prober.conf_arena);
	tell_outside(prober.conf);
	find_vantages(&prober);
	loop_watch_set(&prober.vitals_timer, -1, 0, first_vitals_us);
	if (prober.beat_us > 0)
		on_beat_timer(&prober, 0);
	trim_memory();
	loop_run(prober.loop);
	channel_drain(prober.channel, drain_ms);
	close_prober(&prober);
	return prober.code;
}
