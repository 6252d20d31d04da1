#include "agent/pull.h"

#include "agent/enroll.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "proto/decode.h"

#include <stdlib.h>

#define AREA "shipper"

struct pull {
	struct pull_options options;
	struct errand      *errand;
	struct loop_watch   timer;
	struct backoff      backoff;
	char               *etag; /* owned; "": nothing is in force */
};

static void
log_refusal(const struct courier_answer *answer)
{
	struct arena *arena = arena_new();

	if (answer->status == 0)
		log_warn(AREA, "assignment not pulled: %s", answer->trouble);
	else
		log_warn(AREA, "assignment not pulled: collector answers %u: %s",
		    answer->status, enroll_reason(arena, answer->body, answer->count));
	arena_free(arena);
}

static void
on_answer(void *arg, const struct courier_answer *answer)
{
	struct pull *pull = arg;
	int64_t      wait_ms = pull->options.interval_ms;
	int64_t      later_ms = 0;

	if (answer->status == 200)
		pull->options.on_assignment(pull->options.arg, answer);
	if (answer->status == 200 || answer->status == 304) {
		backoff_reset(&pull->backoff);
	} else {
		later_ms = courier_wait_ms(answer, &pull->backoff);
		log_refusal(answer);
		/* Without any, there is nothing to do but to ask again. */
		if (later_ms > wait_ms || pull->etag[0] == '\0')
			wait_ms = later_ms;
	}
	loop_watch_set(&pull->timer, -1, 0, wait_ms * US_PER_MS);
}

static void
on_timer(void *arg, unsigned what)
{
	struct pull *pull = arg;

	if (!errand_is_out(pull->errand))
		errand_get(pull->errand, "/v1/assignment", pull->etag, DECODE_BYTES_MAX);
}

struct pull *
pull_new(const struct pull_options *options)
{
	struct pull *pull = mem_alloc(sizeof(*pull));

	pull->options = *options;
	pull->etag = mem_strdup(options->etag);
	pull->options.etag = NULL; /* ours from here on */
	pull->errand = errand_new(options->courier, on_answer, pull);
	loop_watch_init(&pull->timer, options->loop, on_timer, pull);
	loop_watch_set(&pull->timer, -1, 0, 0);
	return pull;
}

void
pull_free(struct pull *pull)
{
	if (pull == NULL)
		return;
	errand_free(pull->errand);
	loop_watch_fini(&pull->timer);
	free(pull->etag);
	free(pull);
}

void
pull_keep(struct pull *pull, const char *etag)
{
	free(pull->etag);
	pull->etag = mem_strdup(etag);
}
