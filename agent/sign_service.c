#include "agent/sign_service.h"

#include "agent/access.h"
#include "agent/sign_guard.h"
#include "agent/sign_local.h"
#include "agent/sign_wire.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

#define AREA "sign"

enum { WHY_ROOM = SIGN_WHY_MAX + 1 };

static const int64_t log_us = 60 * US_PER_S; /* between two lines about one row */

/* A question that is under way. */
struct sign_job {
	struct sign_service *service; /* borrowed; owns us */
	struct sign_job     *previous, *next;
	struct arena        *arena; /* owned; of the ask */
	size_t               row;   /* of `access` */
	uint32_t             id;
	const struct signer *signer; /* borrowed from the service */
	void                *run;    /* of the signer */
};

/* What goes with a row of `access`. */
struct sign_row {
	struct sign_local *local; /* owned; NULL until it is wanted */
	int64_t            logged_us;
};

struct sign_service {
	struct loop              *loop; /* borrowed, as are the next two */
	struct channel           *channel;
	const struct agent_conf  *conf;
	struct sign_row          *rows; /* owned; as many as conf->access */
	size_t                    row_count;
	struct sign_job          *jobs; /* owned */
	size_t                    job_count;
	struct sign_guard         guard;
	int64_t                   logged_us; /* of what the guard refuses */
	struct sign_service_stats stats;
};

/* The prober may ask very often for what it cannot have; the first time a minute is told. */
static bool
is_told_now(int64_t *logged_us)
{
	int64_t now_us = clock_mono_us(clock_system());

	if (*logged_us != 0 && now_us - *logged_us < log_us)
		return false;
	*logged_us = now_us;
	return true;
}

static void
send_answer(struct sign_service *service, const struct sign_answer *answer)
{
	struct wbuf out;

	wbuf_init(&out);
	sign_answer_encode(answer, &out);
	if (!channel_send(service->channel, CHANNEL_SIGNED, out.bytes, out.count))
		log_debug(AREA, "the prober does not keep up; an answer is dropped");
	digest_wipe(out.bytes, out.count);
	wbuf_fini(&out);
	if (answer->header != NULL)
		service->stats.given++;
	else
		service->stats.refused++;
}

static void
refuse(struct sign_service *service, uint32_t id, const char *why)
{
	send_answer(service, &(struct sign_answer){ .id = id, .why = why });
}

static void
free_job(struct sign_job *job)
{
	struct sign_service *service = job->service;

	if (job->previous != NULL)
		job->previous->next = job->next;
	else
		service->jobs = job->next;
	if (job->next != NULL)
		job->next->previous = job->previous;
	service->job_count--;
	arena_free(job->arena);
	free(job);
}

static void
on_signed(void *arg, const char *header, const char *why)
{
	struct sign_job     *job = arg;
	struct sign_service *service = job->service;
	const struct access *access = service->conf->access.rows;

	if (header == NULL && is_told_now(&service->rows[job->row].logged_us))
		log_warn(
		    AREA, "access '%s': %s; measured without", access[job->row].account, why);
	send_answer(service,
	    &(struct sign_answer){
	        .id = job->id, .header = header, .why = why != NULL ? why : "" });
	free_job(job);
}

/* What signs for the row; NULL with err. */
static const struct signer *
open_row(struct sign_service *service, size_t row, struct err *err)
{
	const struct access     *access = service->conf->access.rows;
	struct credential_source source = credential_of(service->conf, &access[row]);
	struct sign_row         *place = &service->rows[row];

	if (place->local == NULL)
		place->local = sign_local_new(service->loop, &source, err);
	return place->local != NULL ? sign_local_signer(place->local) : NULL;
}

static void
add_job(struct sign_service *service, const struct sign_job *of, const struct signer_ask *ask)
{
	struct sign_job *job = mem_alloc(sizeof(*job));

	*job = *of;
	job->service = service;
	job->next = service->jobs;
	if (job->next != NULL)
		job->next->previous = job;
	service->jobs = job;
	service->job_count++;
	job->run = job->signer->start(job->signer->arg, ask, on_signed, job);
}

/* False with err when nothing is begun, and the arena is still the caller's. */
static bool
begin(struct sign_service *service, uint32_t id, const struct signer_ask *ask,
    struct arena *arena, struct err *err)
{
	const struct clock  *clock = clock_system();
	const struct signer *signer;
	size_t               row;

	if (!sign_guard_takes(service->conf, ask, clock_wall_ms(clock), err) ||
	    !sign_guard_count(&service->guard, ask->account, clock_mono_us(clock), err))
		return false;
	if (service->job_count >= SIGN_SERVICE_MAX)
		return err_set(
		    err, ERR_LIMIT, "not signed: %d are under way", SIGN_SERVICE_MAX);
	row = (size_t)(access_find(service->conf, ask->account) -
	    (const struct access *)service->conf->access.rows);
	signer = open_row(service, row, err);
	if (signer == NULL)
		return false;
	add_job(service,
	    &(struct sign_job){ .arena = arena, .row = row, .id = id, .signer = signer }, ask);
	return true;
}

bool
sign_service_take(
    struct sign_service *service, const uint8_t *bytes, size_t count, struct err *err)
{
	struct arena     *arena = arena_new();
	struct signer_ask ask;
	uint32_t          id;
	struct err        why;

	if (!sign_ask_decode(&id, &ask, arena, bytes, count, err)) {
		arena_free(arena);
		return false;
	}
	if (begin(service, id, &ask, arena, &why))
		return true;
	if (is_told_now(&service->logged_us))
		log_warn(AREA, "%s", why.text);
	refuse(service, id, why.text);
	arena_free(arena);
	return true;
}

static void
close_rows(struct sign_service *service)
{
	while (service->jobs != NULL) {
		struct sign_job *job = service->jobs;

		job->signer->cancel(job->run);
		refuse(service, job->id, "not signed: the configuration is read again");
		free_job(job);
	}
	for (size_t i = 0; i < service->row_count; i++)
		sign_local_free(service->rows[i].local);
	free(service->rows);
	service->rows = NULL;
	service->row_count = 0;
}

void
sign_service_set(struct sign_service *service, const struct agent_conf *conf)
{
	close_rows(service);
	service->conf = conf;
	service->row_count = conf->access.count;
	service->rows = mem_array(service->row_count, sizeof(service->rows[0]));
}

struct sign_service *
sign_service_new(struct loop *loop, struct channel *channel, const struct agent_conf *conf)
{
	struct sign_service *service = mem_alloc(sizeof(*service));

	service->loop = loop;
	service->channel = channel;
	sign_service_set(service, conf);
	return service;
}

void
sign_service_free(struct sign_service *service)
{
	if (service == NULL)
		return;
	close_rows(service);
	free(service);
}

struct sign_service_stats
sign_service_stats(const struct sign_service *service)
{
	return service->stats;
}
