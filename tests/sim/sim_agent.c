#include "tests/sim/sim_agent.h"

#include "agent/identity.h"
#include "agent/pull.h"
#include "agent/renewal.h"
#include "agent/spool.h"
#include "agent/upload.h"
#include "base/arena.h"
#include "base/log.h"
#include "proto/encode.h"
#include "tests/sim/sim_made.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* As agent/shipper.c and the settings' presets have them. */
enum { FLUSH_MS = 1000, LIMIT_MS = 30000, SPOOL_BYTES = 64 << 20, LATE_S = 5 };

struct sim_agent {
	struct sim_agent_options options;
	char                     name[SIM_NAME_ROOM];
	char                    *folder; /* owned */
	struct spool            *spool;  /* owned, as the next four */
	struct courier          *courier;
	struct upload           *upload;
	struct pull             *pull;
	struct renewal          *renewal;
	struct loop_watch        feed, tend;
	uint64_t                 made, stored, renewed;
	uint64_t stored_before, sent_before, refused_before; /* by an upload that is gone */
	int64_t  started_ms;
	bool     stopped;
};

void
sim_agent_name(char name[SIM_NAME_ROOM], unsigned number)
{
	snprintf(name, SIM_NAME_ROOM, "vm-%05u", number);
}

static void
tend(struct sim_agent *agent)
{
	int64_t wait_ms;

	spool_tick(agent->spool);
	if (agent->upload != NULL)
		upload_kick(agent->upload);
	wait_ms = spool_wait_ms(agent->spool);
	if (wait_ms >= 0)
		loop_watch_set(&agent->tend, -1, 0, wait_ms * US_PER_MS);
	else
		loop_watch_stop(&agent->tend);
}

static void
on_tend(void *arg, unsigned what)
{
	tend(arg);
}

static void
on_answered(void *arg)
{
	struct sim_agent   *agent = arg;
	struct upload_stats stats = upload_stats(agent->upload);

	if (stats.stored > agent->stored)
		agent->options.on_acknowledged(agent->options.arg, stats.answer_us);
	agent->stored = stats.stored;
	tend(agent);
}

static void
on_assignment(void *arg, const struct courier_answer *answer)
{
	struct sim_agent *agent = arg;

	pull_keep(agent->pull, answer->etag);
}

/* One write, so that a kill leaves whole lines. */
static void
say(const struct sim_agent *agent, char sign, uint64_t number)
{
	char line[64];
	int  count = snprintf(
	     line, sizeof(line), "%c%u %" PRIu64 "\n", sign, agent->options.number, number);

	if (write(agent->options.log_fd, line, (size_t)count) != count) {
		perror("fleet: what was made cannot be written down");
		_exit(3);
	}
}

static void
append(struct sim_agent *agent, const struct record *record)
{
	struct wbuf out;

	wbuf_init(&out);
	encode_message(&record_desc, record, &out);
	spool_append(agent->spool, out.bytes, out.count);
	wbuf_fini(&out);
}

static void
append_vitals(struct sim_agent *agent)
{
	struct spool_stats stats = spool_stats(agent->spool);
	struct vitals      vitals = { .at_ms = clock_wall_ms(clock_system()),
		     .started_ms = agent->started_ms,
		     .spool_bytes = stats.bytes };

	append(agent, &(struct record){ .vitals = &vitals });
}

static void
on_feed(void *arg, unsigned what)
{
	struct sim_agent  *agent = arg;
	unsigned           names = agent->options.accounts * SIM_NAMES;
	struct arena      *arena = arena_new();
	struct measurement seen;
	uint64_t           number = agent->options.next++;

	sim_made_fill(arena, &seen, agent->options.number, agent->options.accounts, number,
	    (uint32_t)agent->options.every_ms, clock_wall_ms(clock_system()));
	say(agent, '+', number);
	append(agent, &(struct record){ .measurement = &seen });
	say(agent, spool_stats(agent->spool).degraded ? '~' : '=', number);
	arena_free(arena);
	agent->made++;
	if (number % names == 0)
		append_vitals(agent);
	tend(agent);
	loop_watch_set(
	    &agent->feed, -1, 0, agent->options.every_ms * US_PER_MS / (int64_t)names);
}

static void
close_way(struct sim_agent *agent)
{
	struct upload_stats stats = { 0 };

	if (agent->upload != NULL)
		stats = upload_stats(agent->upload);
	agent->sent_before += stats.sent;
	agent->stored_before += stats.stored;
	agent->refused_before += stats.refused;
	agent->stored = 0;
	pull_free(agent->pull);
	upload_free(agent->upload);
	courier_free(agent->courier);
	agent->pull = NULL;
	agent->upload = NULL;
	agent->courier = NULL;
}

static struct courier *
new_courier(const struct sim_agent *agent, struct err *err)
{
	struct arena          *arena = arena_new();
	struct courier_options options = { .loop = agent->options.loop,
		.url = agent->options.url,
		.ca_file = agent->options.ca_file,
		.limit_ms = LIMIT_MS };
	struct identity        identity;
	struct courier        *courier = NULL;

	if (identity_load(&identity, arena, agent->folder, IDENTITY_NOW, err) &&
	    identity_fits(&identity, agent->name, err)) {
		options.identity = identity.pem;
		if (identity.pem == NULL)
			err_set(err, ERR_USAGE, "%s: no identity.pem", agent->folder);
		else
			courier = courier_new(&options, err);
	}
	arena_free_wiped(arena);
	return courier;
}

static void
open_way(struct sim_agent *agent, struct courier *courier)
{
	agent->courier = courier;
	agent->upload = upload_new(&(struct upload_options){ .loop = agent->options.loop,
	    .courier = courier,
	    .spool = agent->spool,
	    .agent = agent->name,
	    .network = "",
	    .on_answered = on_answered,
	    .arg = agent });
	upload_kick(agent->upload);
	if (!agent->stopped)
		agent->pull = pull_new(&(struct pull_options){ .loop = agent->options.loop,
		    .courier = courier,
		    .interval_ms = agent->options.pull_ms,
		    .etag = "",
		    .on_assignment = on_assignment,
		    .arg = agent });
}

static void
on_identity(void *arg)
{
	struct sim_agent *agent = arg;
	struct err        err;
	struct courier   *courier = new_courier(agent, &err);

	if (courier == NULL) {
		log_error("fleet", "%s: %s", agent->name, err.text);
		return;
	}
	agent->renewed++;
	close_way(agent);
	open_way(agent, courier);
}

/* It begins to speak when it begins to measure, as a machine that is turned on then. */
static void
on_start(void *arg, unsigned what)
{
	struct sim_agent *agent = arg;
	struct err        err;
	struct courier   *courier = new_courier(agent, &err);

	if (courier == NULL) {
		log_error("fleet", "%s: %s", agent->name, err.text);
		_exit(3);
	}
	open_way(agent, courier);
	agent->renewal = renewal_new(
	    &(struct renewal_options){ agent->options.loop, agent->options.url,
	        agent->options.ca_file, agent->folder, agent->name, on_identity, agent });
	loop_watch_fini(&agent->feed);
	loop_watch_init(&agent->feed, agent->options.loop, on_feed, agent);
	on_feed(agent, 0);
}

struct sim_agent *
sim_agent_new(const struct sim_agent_options *options, struct err *err)
{
	struct sim_agent *agent = mem_alloc(sizeof(*agent));
	char             *dir;

	agent->options = *options;
	sim_agent_name(agent->name, options->number);
	agent->folder = mem_printf("%s/%s", options->folder, agent->name);
	agent->started_ms = clock_wall_ms(clock_system());
	loop_watch_init(&agent->feed, options->loop, on_start, agent);
	loop_watch_init(&agent->tend, options->loop, on_tend, agent);
	dir = mem_printf("%s/spool", agent->folder);
	agent->spool = spool_open(&(struct spool_options){ .dir = dir,
	                              .agent = agent->name,
	                              .clock = clock_system(),
	                              .limit_bytes = SPOOL_BYTES,
	                              .age_ms = 7 * MS_PER_DAY,
	                              .flush_ms = FLUSH_MS,
	                              .seal_age_ms = options->seal_ms },
	    err);
	free(dir);
	if (agent->spool == NULL) {
		sim_agent_free(agent);
		return NULL;
	}
	loop_watch_set(&agent->feed, -1, 0, options->start_ms * US_PER_MS);
	return agent;
}

void
sim_agent_free(struct sim_agent *agent)
{
	if (agent == NULL)
		return;
	close_way(agent);
	renewal_free(agent->renewal);
	spool_close(agent->spool);
	loop_watch_fini(&agent->feed);
	loop_watch_fini(&agent->tend);
	free(agent->folder);
	free(agent);
}

void
sim_agent_stop(struct sim_agent *agent)
{
	if (agent->stopped)
		return;
	agent->stopped = true;
	loop_watch_stop(&agent->feed);
	pull_free(agent->pull);
	agent->pull = NULL;
	spool_seal(agent->spool);
	tend(agent);
}

struct sim_agent_state
sim_agent_state(const struct sim_agent *agent)
{
	const struct spool_batch *oldest = spool_oldest(agent->spool);
	struct upload_stats       stats = { 0 };

	if (agent->upload != NULL)
		stats = upload_stats(agent->upload);
	return (struct sim_agent_state){ .made = agent->made,
		.sent = agent->sent_before + stats.sent,
		.stored = agent->stored_before + stats.stored,
		.refused = agent->refused_before + stats.refused,
		.renewed = agent->renewed,
		.waiting = spool_count(agent->spool),
		.failing = stats.failures > 0,
		.degraded = spool_stats(agent->spool).degraded,
		.behind = oldest != NULL &&
		    spool_age_s(agent->spool, oldest) >
		        agent->options.seal_ms / MS_PER_S + LATE_S };
}
