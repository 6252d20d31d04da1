#include "collector/history.h"

#include "base/base64.h"
#include "base/clock.h"
#include "collector/intake.h"
#include "collector/past.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Findings as they are told; of each only what was told last counts. */
struct told {
	struct arena         *arena; /* owned */
	struct store_finding *findings;
	size_t                count, room;
	struct board         *board; /* owned; NULL when nothing is judged */
	struct past          *past;  /* owned; likewise */
	struct err           *err;
	bool                  failed;
};

static void
keep(struct told *told, const struct store_finding *from)
{
	struct store_finding *larger, *to;

	if (told->count == told->room) {
		told->room = told->room * 2 + 64;
		larger = arena_array(told->arena, told->room, sizeof(*larger));
		if (told->count > 0)
			memcpy(larger, told->findings, told->count * sizeof(*larger));
		told->findings = larger;
	}
	to = &told->findings[told->count++];
	*to = *from;
	to->agent = arena_strdup(told->arena, from->agent);
	to->account = arena_strdup(told->arena, from->account);
	to->region = arena_strdup(told->arena, from->region);
	to->code = arena_strdup(told->arena, from->code);
	to->host = arena_strdup(told->arena, from->host);
	to->severity = arena_strdup(told->arena, from->severity);
	to->sentence = arena_strdup(told->arena, from->sentence);
	to->state = arena_strdup(told->arena, from->state);
	to->looks = arena_strdup(told->arena, from->looks);
}

static void
on_finding(void *arg, const struct store_finding *finding)
{
	keep(arg, finding);
}

static void
on_findings(void *arg, struct arena *arena, const struct store_finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		keep(arg, &findings[i]);
	arena_free(arena);
}

/* What changed before the next batch. */
static void
turn_pages(struct told *told)
{
	while (past_turn(told->past)) {
		board_judge_all(told->board);
		past_release(told->past);
	}
}

/* As it came once: its body says all, and the digest is that of the body. */
static void
on_batch(void *arg, const struct store_batch *stored)
{
	struct told      *told = arg;
	struct arena     *arena = arena_new();
	char              digest[64], text[BASE64_ROOM(DIGEST_BYTES)];
	struct intake     intake;
	struct intake_ask ask = { .body = stored->body,
		.count = stored->body_bytes,
		.agent = stored->agent,
		.network = stored->network,
		.digest = digest,
		.now_ms = stored->received_ms,
		.horizon_ms = stored->received_ms };

	base64_encode(stored->digest, DIGEST_BYTES, text);
	snprintf(digest, sizeof(digest), "sha-256=:%s:", text);
	if (!told->failed && intake_read(&intake, arena, &ask, told->err) == INTAKE_OK) {
		turn_pages(told);
		board_take(told->board, &intake.batch, intake.clock_suspect);
		past_step(told->past);
	} else if (!told->failed) {
		told->failed = true;
		err_in(told->err, "batch %u of %s", stored->seq, stored->agent);
	}
	arena_free(arena);
}

static int
compare_identity(const struct store_finding *a, const struct store_finding *b)
{
	int by_text;

	if (a->opened_ms != b->opened_ms)
		return a->opened_ms < b->opened_ms ? -1 : 1;
	if ((by_text = strcmp(a->agent, b->agent)) != 0 ||
	    (by_text = strcmp(a->account, b->account)) != 0 ||
	    (by_text = strcmp(a->region, b->region)) != 0 ||
	    (by_text = strcmp(a->code, b->code)) != 0)
		return by_text;
	return strcmp(a->host, b->host);
}

/* What was told later stands at a higher address. */
static int
compare_told(const void *left, const void *right)
{
	const struct store_finding *const *a = left, *const *b = right;
	int                                by_identity = compare_identity(*a, *b);

	return by_identity != 0 ? by_identity : (*a > *b) - (*a < *b);
}

static void
write_line(const struct store_finding *finding, struct wbuf *out)
{
	const int64_t times[] = { finding->opened_ms, finding->confirmed_ms,
		finding->closed_ms };
	char          when[CLOCK_TEXT];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		wbuf_printf(out, "%s\t",
		    times[i] != 0 ? clock_render(times[i], when, sizeof(when)) : "-");
	wbuf_printf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", finding->state, finding->looks,
	    finding->severity, finding->code, finding->agent, finding->account,
	    finding->region[0] != '\0' ? finding->region : "global", finding->sentence);
}

static void
write_all(const struct told *told, struct wbuf *out)
{
	const struct store_finding **order = mem_array(told->count + 1, sizeof(*order));

	for (size_t i = 0; i < told->count; i++)
		order[i] = &told->findings[i];
	if (told->count > 0)
		qsort(order, told->count, sizeof(*order), compare_told);
	wbuf_puts(out,
	    "opened\tconfirmed\tclosed\tstate\tlooks\tseverity\tcode\tagent\taccount\tregion\t"
	    "sentence\n");
	for (size_t i = 0; i < told->count; i++) {
		if (i + 1 == told->count || compare_identity(order[i], order[i + 1]) != 0)
			write_line(order[i], out);
	}
	free(order);
}

bool
history_write(const struct history_ask *ask, struct wbuf *out, struct err *err)
{
	struct err           own = { 0 };
	struct told          told = { .arena = arena_new(), .err = &own };
	struct store_reader  reader = { .arg = &told };
	struct board_options options = { .rules = ask->rules,
		.networks = ask->networks,
		.silent_ms = ask->silent_ms,
		.on_findings = on_findings,
		.arg = &told };
	bool                 loaded = true;

	if (ask->rejudge) {
		told.past = past_new();
		options.documents = past_documents(told.past);
		told.board = board_new(&options);
		reader.on_batch = on_batch;
		loaded = past_load(told.past, ask->store, &own);
	} else {
		reader.on_finding = on_finding;
	}
	loaded = loaded && store_load(ask->store, &reader, &own) && !told.failed;
	if (loaded && ask->rejudge) {
		past_end(told.past);
		turn_pages(&told);
	}
	if (loaded)
		write_all(&told, out);
	else if (err != NULL)
		*err = own;
	board_free(told.board);
	past_free(told.past);
	arena_free(told.arena);
	return loaded;
}
