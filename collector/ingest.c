#include "collector/ingest.h"

#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "collector/intake.h"
#include "collector/query.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one agent: batches a second, batches at once, starts a day, and batches that wait for the
 * writer: an agent has one under way, and another where it gave up waiting. */
enum { RATE_PER_S = 20, BURST = 100, EPOCHS_MAX = 64, PARKED_MAX = 4 };

/* What all that wait for the writer hold, decoded: a batch of 256 KiB may become 8 MiB. */
enum { PARKED_BYTES_MAX = 128 << 20 };

enum result {
	RESULT_STORED,
	RESULT_DUPLICATE,
	RESULT_CONFLICT,
	RESULT_MALFORMED,
	RESULT_OTHER_VERSION,
	RESULT_OTHER_AGENT,
	RESULT_UNAUTHORIZED,
	RESULT_TOO_OLD,
	RESULT_LIMITED,
	RESULT_BUSY,
	RESULT_FAILED,
	RESULT_COUNT
};

static const char *const result_names[RESULT_COUNT] = { "stored", "duplicate", "conflict",
	"malformed", "other-version", "other-agent", "unauthorized", "too-old", "limited",
	"busy", "failed" };

/* What one agent has used of its share. */
struct share {
	char    *agent; /* owned */
	double   tokens;
	int64_t  filled_us;
	uint64_t epochs[EPOCHS_MAX]; /* seen since day_us */
	size_t   epoch_count;
	int64_t  day_us;
	unsigned parked;
};

struct ingest {
	struct ingest_options options;
	struct share        **shares; /* owned; by agent */
	size_t                share_count;
	const uint8_t        *assignment; /* borrowed */
	size_t                assignment_bytes;
	char                  etag[32];
	uint64_t              results[RESULT_COUNT];
	uint64_t              records, bytes, assignments;
	int64_t               stranger_us; /* when the log last told of one; 0: never */
	size_t                parked_bytes;
};

/* A batch between its POST and its answer. */
struct parked {
	struct ingest  *ingest; /* borrowed */
	struct request *request;
	struct share   *share; /* of its agent */
	struct arena   *arena; /* owned; holds us and the batch */
	size_t          bytes; /* of the arena and of the request's own copy */
	struct intake   intake;
};

struct ingest *
ingest_new(const struct ingest_options *options)
{
	struct ingest *ingest = mem_alloc(sizeof(*ingest));

	ingest->options = *options;
	return ingest;
}

void
ingest_free(struct ingest *ingest)
{
	if (ingest == NULL)
		return;
	for (size_t i = 0; i < ingest->share_count; i++) {
		free(ingest->shares[i]->agent);
		free(ingest->shares[i]);
	}
	free(ingest->shares);
	free(ingest);
}

void
ingest_set_horizon(struct ingest *ingest, int64_t horizon_ms)
{
	ingest->options.horizon_ms = horizon_ms;
}

void
ingest_set_assignment(
    struct ingest *ingest, const uint8_t *bytes, size_t count, const char *version)
{
	ingest->assignment = bytes;
	ingest->assignment_bytes = count;
	snprintf(ingest->etag, sizeof(ingest->etag), "\"%s\"", version);
}

static void
answer(struct ingest *ingest, struct request *request, enum result result, unsigned status,
    const char *word, const char *reason)
{
	struct wbuf out;

	ingest->results[result]++;
	wbuf_init(&out);
	query_reply(&out, word, reason);
	request_answer(request, status, "application/json", out.bytes, out.count);
	wbuf_fini(&out);
}

static void
answer_later(struct ingest *ingest, struct request *request, enum result result,
    unsigned status, unsigned wait_s, const char *reason)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", wait_s);
	request_set(request, "Retry-After", text);
	answer(ingest, request, result, status, "refused", reason);
}

/* A mistyped token is looked for in our log; one line a minute is enough, whoever knocks. */
static void
tell_of_stranger(struct ingest *ingest, const struct request *request, const char *why)
{
	int64_t now_us = clock_mono_us(ingest->options.clock);

	if (ingest->stranger_us != 0 && now_us - ingest->stranger_us < 60 * US_PER_S) {
		log_debug("ingest", "%s is not known here: %s", request_peer(request), why);
		return;
	}
	ingest->stranger_us = now_us;
	log_warn("ingest", "%s is not known here: %s; told once a minute at most",
	    request_peer(request), why);
}

/* One that shows a certificate has a name, and is told of by it. */
static void
tell_of_refused(const struct request *request, const struct gate_pass *pass)
{
	log_warn("ingest", "%s: agent '%s' refused: %s", request_peer(request), pass->agent,
	    pass->why);
}

static bool
authenticate(struct ingest *ingest, struct request *request, struct gate_pass *pass)
{
	if (gate_check(ingest->options.gate, request, false, pass)) {
		request_prove(request);
		return true;
	}
	if (pass->agent[0] != '\0') {
		tell_of_refused(request, pass);
	} else {
		tell_of_stranger(ingest, request,
		    pass->status == 401 ? "it showed no token that we know" : pass->why);
		request_set(request, "WWW-Authenticate", "Bearer");
	}
	answer(ingest, request, RESULT_UNAUTHORIZED, pass->status, "refused", pass->why);
	return false;
}

static struct share *
get_share(struct ingest *ingest, const char *agent)
{
	size_t        low = 0, high = ingest->share_count;
	struct share *share;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int    order = strcmp(ingest->shares[middle]->agent, agent);

		if (order == 0)
			return ingest->shares[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	share = mem_alloc(sizeof(*share));
	share->agent = mem_strdup(agent);
	share->tokens = BURST;
	share->filled_us = clock_mono_us(ingest->options.clock);
	share->day_us = share->filled_us;
	ingest->shares = mem_grow(
	    ingest->shares, ingest->share_count + 1, sizeof(*ingest->shares));
	memmove(&ingest->shares[low + 1], &ingest->shares[low],
	    (ingest->share_count - low) * sizeof(*ingest->shares));
	ingest->shares[low] = share;
	ingest->share_count++;
	return share;
}

/* A bucket that fills by RATE_PER_S up to BURST. */
static bool
take_token(struct ingest *ingest, struct share *share)
{
	int64_t now_us = clock_mono_us(ingest->options.clock);

	share->tokens += (double)(now_us - share->filled_us) * RATE_PER_S / 1e6;
	share->filled_us = now_us;
	if (share->tokens > BURST)
		share->tokens = BURST;
	if (share->tokens < 1)
		return false;
	share->tokens -= 1;
	return true;
}

/* Each start of an agent has an epoch; endless ones would make duplicates unrecognizable. */
static bool
take_epoch(struct ingest *ingest, struct share *share, uint64_t epoch)
{
	int64_t now_us = clock_mono_us(ingest->options.clock);

	if (now_us - share->day_us > MS_PER_DAY * US_PER_MS) {
		share->day_us = now_us;
		share->epoch_count = 0;
	}
	for (size_t i = 0; i < share->epoch_count; i++) {
		if (share->epochs[i] == epoch)
			return true;
	}
	if (share->epoch_count == EPOCHS_MAX)
		return false;
	share->epochs[share->epoch_count++] = epoch;
	return true;
}

static void
take_stored(struct ingest *ingest, const struct parked *parked)
{
	ingest->records += parked->intake.records;
	ingest->bytes += parked->intake.batch.body_bytes;
	if (parked->intake.clock_suspect)
		log_warn("ingest",
		    "%s: its clock is minutes away from ours; its times are not believed",
		    parked->intake.batch.agent);
	board_take(ingest->options.board, &parked->intake.batch, parked->intake.clock_suspect);
}

/* The writer is through with the batch. */
static void
on_over(void *arg, enum writer_outcome outcome)
{
	struct parked  *parked = arg;
	struct ingest  *ingest = parked->ingest;
	struct request *request = parked->request;

	parked->share->parked--;
	ingest->parked_bytes -= parked->bytes;
	switch (outcome) {
	case WRITER_STORED:
		take_stored(ingest, parked);
		answer(ingest, request, RESULT_STORED, 200, "stored", "");
		break;
	case WRITER_DUPLICATE:
		answer(ingest, request, RESULT_DUPLICATE, 200, "duplicate", "");
		break;
	case WRITER_CONFLICT:
		log_warn("ingest",
		    "%s: batch %u came again with other content: the agent was cloned or "
		    "rolled "
		    "back; it takes a new epoch",
		    parked->intake.batch.agent, parked->intake.batch.seq);
		answer(ingest, request, RESULT_CONFLICT, 409, "conflict",
		    "this epoch and seq were stored with another digest");
		break;
	case WRITER_FAILED:
		answer_later(
		    ingest, request, RESULT_FAILED, 503, 10, "the store cannot write now");
		break;
	}
	arena_free(parked->arena);
}

static enum result
name_result(enum intake_answer answer)
{
	switch (answer) {
	case INTAKE_OK: return RESULT_STORED;
	case INTAKE_MALFORMED: return RESULT_MALFORMED;
	case INTAKE_OTHER_AGENT: return RESULT_OTHER_AGENT;
	case INTAKE_TOO_OLD: return RESULT_TOO_OLD;
	case INTAKE_OTHER_VERSION: return RESULT_OTHER_VERSION;
	case INTAKE_SENSELESS: return RESULT_MALFORMED;
	}
	return RESULT_MALFORMED;
}

/* False: refused and answered. */
static bool
read_batch(struct parked *parked, const struct gate_pass *who)
{
	struct ingest     *ingest = parked->ingest;
	struct err         err = { 0 };
	struct intake_ask  ask = { .agent = arena_strdup(parked->arena, who->agent),
		 .network = arena_strdup(parked->arena, who->network),
		 .digest = request_header(parked->request, "Content-Digest"),
		 .age = request_header(parked->request, "Batch-Age"),
		 .now_ms = clock_wall_ms(ingest->options.clock),
		 .horizon_ms = ingest->options.horizon_ms };
	size_t             count;
	const void        *body = request_body(parked->request, &count);
	uint8_t           *copy = arena_alloc(parked->arena, count + 1);
	enum intake_answer got;

	/* Copied: another thread reads it, and the request's buffer is the loop's. */
	memcpy(copy, body, count);
	ask.body = copy;
	ask.count = count;
	got = intake_read(&parked->intake, parked->arena, &ask, &err);
	if (got == INTAKE_OK)
		return true;
	log_warn("ingest", "%s: batch refused: %s", who->agent, err.text);
	if (got == INTAKE_OTHER_VERSION)
		request_set(parked->request, "Accept-Version", "1");
	answer(ingest, parked->request, name_result(got), (unsigned)got, "refused", err.text);
	return false;
}

static void
park(struct ingest *ingest, struct request *request, const struct gate_pass *who,
    struct share *share)
{
	struct arena  *arena = arena_new();
	struct parked *parked = arena_alloc(arena, sizeof(*parked));

	parked->ingest = ingest;
	parked->request = request;
	parked->share = share;
	parked->arena = arena;
	if (!read_batch(parked, who)) {
		arena_free(arena);
		return;
	}
	if (!take_epoch(ingest, share, parked->intake.batch.epoch)) {
		answer_later(ingest, request, RESULT_LIMITED, 429, 900,
		    "more than 64 epochs of this agent in a day");
		arena_free(arena);
		return;
	}
	parked->bytes = arena_bytes(arena) + parked->intake.batch.body_bytes;
	if (!writer_append(ingest->options.writer, &parked->intake.batch, on_over, parked)) {
		answer_later(ingest, request, RESULT_BUSY, 503,
		    writer_wait_s(ingest->options.writer), "busy");
		arena_free(arena);
		return;
	}
	share->parked++;
	ingest->parked_bytes += parked->bytes;
}

static bool
is_msgpack(const char *type)
{
	static const char wanted[] = "application/vnd.msgpack";
	size_t            count = sizeof(wanted) - 1;

	return type != NULL && text_starts_nocase(type, wanted) &&
	    (type[count] == '\0' || type[count] == ';' || type[count] == ' ');
}

void
ingest_on_batch(struct ingest *ingest, struct request *request)
{
	struct gate_pass who;
	struct share    *share;

	if (!authenticate(ingest, request, &who))
		return;
	share = get_share(ingest, who.agent);
	if (!take_token(ingest, share)) {
		answer_later(ingest, request, RESULT_LIMITED, 429, 5, "more than your share");
		return;
	}
	if (share->parked >= PARKED_MAX) {
		answer_later(ingest, request, RESULT_LIMITED, 429, 5,
		    "batches of this agent are waiting for the disk already");
		return;
	}
	if (writer_is_full(ingest->options.writer) ||
	    ingest->parked_bytes >= PARKED_BYTES_MAX) {
		answer_later(ingest, request, RESULT_BUSY, 503,
		    writer_wait_s(ingest->options.writer), "busy");
		return;
	}
	if (!is_msgpack(request_header(request, "Content-Type")) ||
	    request_header(request, "Content-Encoding") != NULL) {
		request_set(request, "Accept-Version", "1");
		answer(ingest, request, RESULT_MALFORMED, 415, "refused",
		    "want Content-Type: application/vnd.msgpack, not compressed");
		return;
	}
	park(ingest, request, &who, share);
}

/* A list of entity tags, or "*" [rfc9110 13.1.2]; ours are short and hold no quotes. */
static bool
is_current(const struct ingest *ingest, const char *if_none_match)
{
	return if_none_match != NULL &&
	    (strcmp(if_none_match, "*") == 0 || strstr(if_none_match, ingest->etag) != NULL);
}

void
ingest_on_assignment(struct ingest *ingest, struct request *request)
{
	struct gate_pass who;

	if (!authenticate(ingest, request, &who))
		return;
	ingest->assignments++;
	request_set(request, "ETag", ingest->etag);
	request_set(request, "Cache-Control", "no-cache");
	if (is_current(ingest, request_header(request, "If-None-Match")))
		request_answer(request, 304, NULL, NULL, 0);
	else
		request_answer(request, 200, "application/vnd.msgpack", ingest->assignment,
		    ingest->assignment_bytes);
}

static void
write_count(struct wbuf *out, const char *name, const char *help, uint64_t value)
{
	metric_family(out, name, METRIC_COUNTER, help);
	metric_sample(out, name, NULL, (double)value);
}

void
ingest_write_metrics(const struct ingest *ingest, struct wbuf *out)
{
	metric_family(out, "plprobe_ingest_batches_total", METRIC_COUNTER,
	    "Batches that agents posted, by what became of them.");
	for (int i = 0; i < RESULT_COUNT; i++) {
		const char *const labels[] = { "result", result_names[i], NULL };

		metric_sample(
		    out, "plprobe_ingest_batches_total", labels, (double)ingest->results[i]);
	}
	write_count(out, "plprobe_ingest_records_total", "Records in the stored batches.",
	    ingest->records);
	write_count(
	    out, "plprobe_ingest_bytes_total", "Bytes of the stored batches.", ingest->bytes);
	write_count(out, "plprobe_assignments_total",
	    "Times that an agent asked what to measure.", ingest->assignments);
}
