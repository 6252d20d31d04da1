#include "agent/upload.h"

#include "agent/backoff.h"
#include "agent/enroll.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA "upload"

struct upload {
	struct upload_options options;
	struct errand        *errand;
	struct loop_watch     timer;
	struct backoff        backoff;
	struct wbuf           body;    /* of the POST that is out */
	struct spool_batch    sending; /* its id */
	struct spool_batch    live;    /* newest batch that was tried; only its id and age */
	bool                  waiting;
	int64_t               posted_us; /* monotonic */
	struct upload_stats   stats;
};

/* By status; what is not here is for later.  What only says who we are (401, 403) or that the
 * address is wrong (404, 405) or too new for the collector (415) is no fault of the batch. */
static const struct {
	unsigned        status;
	enum upload_act act;
} acts[] = {
	{ 200, UPLOAD_DELIVERED },
	{ 409, UPLOAD_CONFLICTED },
	{ 400, UPLOAD_REJECTED },
	{ 413, UPLOAD_REJECTED },
	{ 422, UPLOAD_REJECTED },
	{ 410, UPLOAD_EXPIRED },
};

static const char batch_type[] = "application/vnd.msgpack";

static void send_next(struct upload *upload);

enum upload_act
upload_act_of(unsigned status)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		if (acts[i].status == status)
			return acts[i].act;
	}
	return UPLOAD_KEEP;
}

/* It does not know us, or does not want to. */
static void
log_unknown(const struct courier_answer *answer, int64_t wait_ms)
{
	struct arena *arena = arena_new();

	log_warn(AREA,
	    "the collector refuses us (status %u): %s; results are kept, next try in %.1f s",
	    answer->status, enroll_reason(arena, answer->body, answer->count),
	    (double)wait_ms / MS_PER_S);
	arena_free(arena);
}

static void
wait_for(struct upload *upload, int64_t wait_ms)
{
	upload->stats.failures = upload->backoff.failures;
	upload->waiting = true;
	loop_watch_set(&upload->timer, -1, 0, wait_ms * US_PER_MS);
}

static void
wait_after(struct upload *upload, const struct courier_answer *answer)
{
	int64_t wait_ms = courier_wait_ms(answer, &upload->backoff);

	wait_for(upload, wait_ms);
	if (answer->status == 0)
		log_warn(AREA, "collector not reached: %s; next try in %.1f s", answer->trouble,
		    (double)wait_ms / MS_PER_S);
	else if (answer->status == 200)
		log_warn(AREA,
		    "what answers is no collector (status 200 without a receipt); results are "
		    "kept, next try in %.1f s",
		    (double)wait_ms / MS_PER_S);
	else if (answer->status == 401 || answer->status == 403)
		log_unknown(answer, wait_ms);
	else
		log_warn(AREA, "collector answers %u; results are kept, next try in %.1f s",
		    answer->status, (double)wait_ms / MS_PER_S);
}

/* The reason that the collector gives, safe to log. */
static void
log_refusal(const struct upload *upload, const struct courier_answer *answer)
{
	struct arena *arena = arena_new();

	log_warn(AREA, "%016" PRIx64 "-%08" PRIx32 ": refused with %u: %s",
	    upload->sending.epoch, upload->sending.seq, answer->status,
	    text_sane(arena, answer->body, answer->count, 200));
	arena_free(arena);
}

/* What stands behind a wrong address may say 200 to everything. */
static bool
is_receipt(const struct courier_answer *answer)
{
	static const char *const words[] = { "\"stored\"", "\"duplicate\"" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (answer->count > 0 &&
		    memmem(answer->body, answer->count, words[i], strlen(words[i])) != NULL)
			return true;
	}
	return false;
}

static enum upload_act
judge(const struct courier_answer *answer)
{
	enum upload_act act = upload_act_of(answer->status);

	return act == UPLOAD_DELIVERED && !is_receipt(answer) ? UPLOAD_KEEP : act;
}

/* False when the batch is still there as it was. */
static bool
settle(struct upload *upload, const struct courier_answer *answer)
{
	struct spool *spool = upload->options.spool;
	uint64_t      epoch = upload->sending.epoch;
	uint32_t      seq = upload->sending.seq;

	switch (judge(answer)) {
	case UPLOAD_DELIVERED:
		upload->stats.stored++;
		spool_delivered(spool, epoch, seq);
		break;
	case UPLOAD_CONFLICTED: spool_conflicted(spool, epoch, seq); break;
	case UPLOAD_REJECTED:
		upload->stats.refused++;
		log_refusal(upload, answer);
		spool_rejected(spool, epoch, seq);
		break;
	case UPLOAD_EXPIRED: spool_expired(spool, epoch, seq); break;
	case UPLOAD_KEEP: break;
	}
	return spool_find(spool, epoch, seq) == NULL;
}

static void
on_answer(void *arg, const struct courier_answer *answer)
{
	struct upload *upload = arg;

	upload->stats.answer_us = clock_mono_us(clock_system()) - upload->posted_us;
	if (!settle(upload, answer)) {
		wait_after(upload, answer);
	} else {
		if (upload->stats.failures > 0)
			log_info(AREA, "collector reached again; %zu batches are waiting",
			    spool_count(upload->options.spool));
		backoff_reset(&upload->backoff);
		upload->stats.failures = 0;
		send_next(upload);
	}
	if (upload->options.on_answered != NULL)
		upload->options.on_answered(upload->options.arg);
}

static void
on_timer(void *arg, unsigned what)
{
	struct upload *upload = arg;

	upload->waiting = false;
	send_next(upload);
}

/* Sealed after everything that was tried: the live lane. */
static bool
is_news(const struct upload *upload, const struct spool_batch *batch)
{
	if (batch->order != upload->live.order)
		return batch->order > upload->live.order;
	if (batch->order != 0)
		return false;
	if (batch->created_ms != upload->live.created_ms)
		return batch->created_ms > upload->live.created_ms;
	return batch->epoch != upload->live.epoch || batch->seq > upload->live.seq;
}

static const struct spool_batch *
choose(struct upload *upload)
{
	const struct spool_batch *newest = spool_newest(upload->options.spool);

	if (newest == NULL)
		return NULL;
	if (!is_news(upload, newest))
		return spool_oldest(upload->options.spool);
	upload->live = *newest;
	return newest;
}

static void
encode_body(struct upload *upload, const struct wbuf *records)
{
	struct batch batch = { .v = PROTO_VERSION,
		.agent = upload->options.agent,
		.epoch = upload->sending.epoch,
		.seq = upload->sending.seq,
		.network = upload->options.network,
		.created_ms = upload->sending.created_ms };

	wbuf_clear(&upload->body);
	encode_batch_of(
	    &batch, records->bytes, records->count, upload->sending.records, &upload->body);
}

/* A wrong clock must not make a batch look too old for the collector; the age stands outside of
 * the body, which has to be the same each time. */
static void
post(struct upload *upload)
{
	int64_t age_s = spool_age_s(upload->options.spool, &upload->sending);
	char    header[64] = "";

	if (age_s >= 0)
		snprintf(header, sizeof(header), "Batch-Age: %" PRId64, age_s);
	upload->posted_us = clock_mono_us(clock_system());
	errand_post(upload->errand, "/v1/batches", batch_type, header, upload->body.bytes,
	    upload->body.count);
}

/* The next batch that can be read is in `sending`, its records in `records`. */
static enum spool_load
load_next(struct upload *upload, struct wbuf *records)
{
	const struct spool_batch *batch;
	enum spool_load           loaded = SPOOL_LOST;

	while (loaded == SPOOL_LOST && (batch = choose(upload)) != NULL) {
		upload->sending = *batch;
		wbuf_clear(records);
		loaded = spool_load(upload->options.spool, &upload->sending, records);
	}
	return loaded;
}

static void
send_next(struct upload *upload)
{
	struct wbuf records;

	if (upload->waiting || errand_is_out(upload->errand))
		return;
	wbuf_init(&records);
	switch (load_next(upload, &records)) {
	case SPOOL_LOADED:
		encode_body(upload, &records);
		upload->stats.sent++;
		post(upload);
		break;
	case SPOOL_LATER:
		wait_for(upload, backoff_next_ms(&upload->backoff));
		log_warn(AREA, "no descriptor or memory to read the spool; tried again later");
		break;
	case SPOOL_LOST: /* idle: nothing to hold */
		wbuf_fini(&upload->body);
		wbuf_init(&upload->body);
		break;
	}
	wbuf_fini(&records);
}

struct upload *
upload_new(const struct upload_options *options)
{
	struct upload *upload = mem_alloc(sizeof(*upload));

	upload->options = *options;
	upload->errand = errand_new(options->courier, on_answer, upload);
	loop_watch_init(&upload->timer, options->loop, on_timer, upload);
	wbuf_init(&upload->body);
	return upload;
}

void
upload_free(struct upload *upload)
{
	if (upload == NULL)
		return;
	errand_free(upload->errand);
	loop_watch_fini(&upload->timer);
	wbuf_fini(&upload->body);
	free(upload);
}

void
upload_kick(struct upload *upload)
{
	send_next(upload);
}

void
upload_hurry(struct upload *upload)
{
	upload->waiting = false;
	loop_watch_stop(&upload->timer);
	send_next(upload);
}

bool
upload_is_idle(const struct upload *upload)
{
	return !errand_is_out(upload->errand);
}

struct upload_stats
upload_stats(const struct upload *upload)
{
	return upload->stats;
}
