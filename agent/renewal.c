#include "agent/renewal.h"

#include "agent/backoff.h"
#include "agent/courier.h"
#include "agent/identity.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "proto/decode.h"

#include <stdlib.h>
#include <string.h>

#define AREA "identity"

/* How often the file is looked at, and how long a request may take. */
static const int64_t look_us = 30 * US_PER_S;
static const int64_t limit_ms = 30 * MS_PER_S;
/* By which the collector dates a certificate back, for clocks that are behind. */
static const int64_t skew_ms = 5 * MS_PER_MIN;

/* The life of a renewal, in order.  After RENEWAL_OVER it is RENEWAL_WAIT again. */
enum renewal_state {
	RENEWAL_WAIT, /* until it is due */
	RENEWAL_ASK,  /* for a certificate, by the present one */
	RENEWAL_TRY,  /* the next one */
	RENEWAL_OVER  /* the next one works */
};

struct renewal {
	struct renewal_options options;
	struct loop_watch      timer;
	enum renewal_state     state;
	struct arena          *arena; /* owned, wiped: keys */
	struct identity        now, next;
	char                  *key; /* in the arena: of the request that is out */
	struct wbuf            body;
	struct courier        *courier; /* of the request that is out, as the next */
	struct errand         *errand;
	struct backoff         backoff;
	uint64_t               stamp; /* of the file that `now` is from */
	int64_t                due_ms;
	int64_t                later_us; /* monotonic: no request before */
};

int64_t
renewal_due_ms(int64_t starts_ms, int64_t ends_ms, double luck)
{
	int64_t life_ms = ends_ms - starts_ms;

	return ends_ms - life_ms / 3 + (int64_t)((double)life_ms / 6 * (luck - 0.5));
}

static double
draw_luck(void)
{
	uint32_t number;

	digest_random(&number, sizeof(number));
	return (double)number / (double)UINT32_MAX;
}

static void
end_request(struct renewal *renewal)
{
	errand_free(renewal->errand);
	courier_free(renewal->courier);
	renewal->errand = NULL;
	renewal->courier = NULL;
}

/* What lies on the disk; a file that cannot be read counts as none, and is told of once. */
static void
load(struct renewal *renewal)
{
	const struct renewal_options *options = &renewal->options;
	struct err                    err;

	end_request(renewal);
	arena_free_wiped(renewal->arena);
	renewal->arena = arena_new();
	renewal->key = NULL;
	renewal->stamp = identity_stamp(options->folder);
	if (!identity_load(&renewal->now, renewal->arena, options->folder, IDENTITY_NOW, &err))
		log_error(AREA, "%s", err.text);
	if (!identity_load(
	        &renewal->next, renewal->arena, options->folder, IDENTITY_NEXT, NULL)) {
		renewal->next.pem = NULL;
		identity_drop_next(options->folder);
	}
	renewal->state = RENEWAL_WAIT;
	if (renewal->now.pem != NULL)
		renewal->due_ms = renewal_due_ms(renewal->now.facts.starts_ms + skew_ms,
		    renewal->now.facts.ends_ms, draw_luck());
	if (renewal->now.pem != NULL && renewal->next.pem != NULL)
		renewal->state = RENEWAL_TRY; /* where an earlier process has ended */
}

static void
wait_us(struct renewal *renewal, int64_t us)
{
	loop_watch_set(&renewal->timer, -1, 0, us < look_us ? us : look_us);
}

static int64_t
now_us(void)
{
	return clock_mono_us(clock_system());
}

static void
be_later(struct renewal *renewal, const struct courier_answer *answer)
{
	int64_t wait_ms = answer->retry_after_s >= 0
	    ? backoff_asked_ms(&renewal->backoff, answer->retry_after_s)
	    : backoff_next_ms(&renewal->backoff);

	renewal->later_us = now_us() + wait_ms * US_PER_MS;
	wait_us(renewal, wait_ms * US_PER_MS);
}

/* What the collector, or the way to it, had against it, and what a person should do. */
static void
tell_failure(struct renewal *renewal, const char *what, const struct courier_answer *answer)
{
	struct arena *arena = arena_new();
	char          when[CLOCK_TEXT];
	int64_t       ends_ms = renewal->now.facts.ends_ms;
	bool          ended = clock_wall_ms(clock_system()) >= ends_ms;
	bool          refused = answer->status == 401 || answer->status == 403;

	clock_render(ends_ms, when, sizeof(when));
	if (answer->status == 0)
		log_warn(AREA, "%s: collector not reached: %s; the present one %s %s", what,
		    answer->trouble, ended ? "has ended" : "ends", when);
	else
		log_warn(AREA, "%s: collector answers %u: %s; the present one %s %s%s", what,
		    answer->status, enroll_reason(arena, answer->body, answer->count),
		    ended ? "has ended" : "ends", when,
		    refused || ended ? "; results are kept; a token and `plprobe enroll` "
		                       "are needed"
		                     : "");
	arena_free(arena);
}

static bool
keep_next(struct renewal *renewal, const struct courier_answer *answer, struct err *err)
{
	struct enroll_given given;

	if (!enroll_answer_read(
	        &given, renewal->arena, renewal->key, answer->body, answer->count, err) ||
	    !identity_store(renewal->options.folder, IDENTITY_NEXT, given.pem, err))
		return false;
	return identity_load(
	    &renewal->next, renewal->arena, renewal->options.folder, IDENTITY_NEXT, err);
}

static void
take_asked(struct renewal *renewal, const struct courier_answer *answer)
{
	struct err err;

	renewal->state = RENEWAL_WAIT;
	if (answer->status != 200) {
		tell_failure(renewal, "certificate not renewed", answer);
		be_later(renewal, answer);
	} else if (!keep_next(renewal, answer, &err)) {
		log_error(AREA, "certificate not renewed: %s", err.text);
		be_later(renewal, answer);
	} else {
		renewal->state = RENEWAL_TRY;
		backoff_reset(&renewal->backoff);
		wait_us(renewal, 0);
	}
}

static void
take_tried(struct renewal *renewal, const struct courier_answer *answer)
{
	if (answer->status == 200 || answer->status == 304) {
		renewal->state = RENEWAL_OVER;
		backoff_reset(&renewal->backoff);
		wait_us(renewal, 0);
		return;
	}
	tell_failure(renewal, "renewed certificate not taken", answer);
	if (answer->status == 401 || answer->status == 403) {
		identity_drop_next(renewal->options.folder);
		renewal->next.pem = NULL;
		renewal->state = RENEWAL_WAIT;
	}
	be_later(renewal, answer);
}

/* The errand and its courier are freed by the timer: we are inside of them here. */
static void
on_answer(void *arg, const struct courier_answer *answer)
{
	struct renewal *renewal = arg;

	if (renewal->state == RENEWAL_ASK)
		take_asked(renewal, answer);
	else
		take_tried(renewal, answer);
}

static bool
start_request(struct renewal *renewal, const char *identity)
{
	struct err err;

	end_request(renewal);
	renewal->courier = courier_new(&(struct courier_options){ .loop = renewal->options.loop,
	                                   .url = renewal->options.url,
	                                   .ca_file = renewal->options.ca_file,
	                                   .identity = identity,
	                                   .limit_ms = limit_ms },
	    &err);
	if (renewal->courier == NULL) {
		log_error(AREA, "%s", err.text);
		return false;
	}
	renewal->errand = errand_new(renewal->courier, on_answer, renewal);
	return true;
}

static void
ask(struct renewal *renewal)
{
	struct enroll_ask said = { .token = "", .agent = "", .network = "" };
	struct err        err;

	renewal->key = enroll_key_new(renewal->arena);
	said.key = renewal->key;
	wbuf_clear(&renewal->body);
	if (!enroll_ask_write(&said, &renewal->body, &err)) {
		log_error(AREA, "%s", err.text);
		return;
	}
	if (!start_request(renewal, renewal->now.pem))
		return;
	renewal->state = RENEWAL_ASK;
	errand_post(renewal->errand, "/v1/renew", "application/vnd.msgpack", "",
	    renewal->body.bytes, renewal->body.count);
}

/* "*" is any version: a short answer that still says whether we are known [rfc9110 13.1.2]. */
static void
try_next(struct renewal *renewal)
{
	if (start_request(renewal, renewal->next.pem))
		errand_get(renewal->errand, "/v1/assignment", "*", DECODE_BYTES_MAX);
}

/* Its last line may free us. */
static void
finish(struct renewal *renewal)
{
	struct err err;
	char       when[CLOCK_TEXT];

	renewal->state = RENEWAL_WAIT;
	end_request(renewal);
	if (!identity_advance(renewal->options.folder, &err)) {
		log_error(AREA, "%s", err.text);
		wait_us(renewal, look_us);
		return;
	}
	log_info(AREA, "certificate renewed; it ends %s",
	    clock_render(renewal->next.facts.ends_ms, when, sizeof(when)));
	load(renewal);
	wait_us(renewal, 0);
	renewal->options.on_changed(renewal->options.arg);
}

static void
wait_for_due(struct renewal *renewal)
{
	int64_t left_ms = renewal->due_ms - clock_wall_ms(clock_system());

	end_request(renewal);
	if (renewal->now.pem == NULL)
		wait_us(renewal, look_us);
	else if (left_ms > 0)
		wait_us(renewal, left_ms * US_PER_MS);
	else if (now_us() < renewal->later_us)
		wait_us(renewal, renewal->later_us - now_us());
	else
		ask(renewal);
}

static void
on_timer(void *arg, unsigned what)
{
	struct renewal *renewal = arg;

	wait_us(renewal, look_us);
	/* Somebody has enrolled the agent again. */
	if (renewal->state != RENEWAL_OVER &&
	    identity_stamp(renewal->options.folder) != renewal->stamp) {
		identity_drop_next(renewal->options.folder);
		load(renewal);
		backoff_reset(&renewal->backoff);
		renewal->later_us = 0;
		wait_us(renewal, 0);
		log_info(AREA, "identity.pem is another one now");
		renewal->options.on_changed(renewal->options.arg);
		return;
	}
	if (renewal->errand != NULL && errand_is_out(renewal->errand))
		return;
	switch (renewal->state) {
	case RENEWAL_WAIT: wait_for_due(renewal); break;
	case RENEWAL_ASK: break;
	case RENEWAL_TRY:
		if (now_us() >= renewal->later_us)
			try_next(renewal);
		else
			wait_us(renewal, renewal->later_us - now_us());
		break;
	case RENEWAL_OVER: finish(renewal); break;
	}
}

struct renewal *
renewal_new(const struct renewal_options *options)
{
	struct renewal *renewal = mem_alloc(sizeof(*renewal));

	renewal->options = *options;
	loop_watch_init(&renewal->timer, options->loop, on_timer, renewal);
	wbuf_init(&renewal->body);
	load(renewal);
	wait_us(renewal, 0);
	return renewal;
}

void
renewal_free(struct renewal *renewal)
{
	if (renewal == NULL)
		return;
	end_request(renewal);
	loop_watch_fini(&renewal->timer);
	wbuf_fini(&renewal->body);
	arena_free_wiped(renewal->arena);
	free(renewal);
}
