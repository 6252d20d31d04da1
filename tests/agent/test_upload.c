#include "agent/upload.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_collector.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char                    *dir, *spool_dir, *ca;
	struct support_certs    *certs;
	struct support_tls       tls;
	struct support_peer     *peer;
	struct support_collector script;
	struct loop             *loop;
	struct courier          *courier;
	struct spool            *spool;
	struct upload           *upload;
};

static unsigned
request_count(struct fixture *f)
{
	return support_collector_count(&f->script);
}

static int
setup(void **state)
{
	static const char *const names[] = { "127.0.0.1", NULL };
	struct fixture          *f = mem_alloc(sizeof(*f));
	struct err               err;

	log_open("test", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	f->dir = support_dir_new();
	f->spool_dir = mem_printf("%s/spool", f->dir);
	f->ca = mem_printf("%s/ca.pem", f->dir);
	f->certs = support_certs_new(
	    &(struct support_certs_plan){ .subject = "collector", .names = names });
	support_certs_write(f->certs, f->ca, NULL);
	support_collector_init(&f->script);
	f->tls = (struct support_tls){
		.certs = f->certs, .talk = support_collector_talk, .arg = &f->script
	};
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	f->spool = spool_open(&(struct spool_options){ .dir = f->spool_dir,
	                          .agent = "vm-1",
	                          .clock = clock_system(),
	                          .limit_bytes = 64 << 20,
	                          .age_ms = MS_PER_DAY,
	                          .seal_age_ms = MS_PER_HOUR },
	    &err);
	assert_non_null(f->spool);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	upload_free(f->upload);
	courier_free(f->courier);
	support_peer_stop(f->peer);
	spool_close(f->spool);
	loop_free(f->loop);
	support_certs_free(f->certs);
	support_collector_fini(&f->script);
	support_dir_free(f->dir);
	free(f->spool_dir);
	free(f->ca);
	free(f);
	return 0;
}

static void
start(struct fixture *f, const char *const *answers)
{
	struct addr addr;
	struct err  err;
	char        text[ADDR_TEXT];
	char       *url;

	f->script.answers = answers;
	f->peer = support_peer_start(support_tls_serve, &f->tls);
	addr = support_peer_addr(f->peer);
	url = mem_printf("https://%s", addr_render_port(&addr, text, sizeof(text)));
	f->courier = courier_new(&(struct courier_options){ .loop = f->loop,
	                             .url = url,
	                             .ca_file = f->ca,
	                             .token = "id.secret",
	                             .limit_ms = 5000 },
	    &err);
	assert_non_null(f->courier);
	f->upload = upload_new(&(struct upload_options){ .loop = f->loop,
	    .courier = f->courier,
	    .spool = f->spool,
	    .agent = "vm-1",
	    .network = "vnet-a/default" });
	free(url);
}

/* A batch of one record, whose start says which it is. */
static void
add_batch(struct fixture *f, int64_t number)
{
	struct measurement seen = { .started_ms = number };
	struct wbuf        out;

	wbuf_init(&out);
	encode_message(&record_desc, &(struct record){ .measurement = &seen }, &out);
	spool_append(f->spool, out.bytes, out.count);
	spool_seal(f->spool);
	wbuf_fini(&out);
	usleep(2000); /* age is by milliseconds */
}

static bool
is_quiet(struct fixture *f)
{
	return upload_is_idle(f->upload);
}

/* Runs the loop until nothing is out any more, or the time is over. */
static void
run_until_quiet(struct fixture *f, int64_t limit_ms)
{
	int64_t end_us = clock_mono_us(clock_system()) + limit_ms * US_PER_MS;

	while (!is_quiet(f) && clock_mono_us(clock_system()) < end_us) {
		loop_run_once(f->loop, false);
		usleep(500);
	}
}

static struct batch *
sent_batch(struct fixture *f, struct arena *arena, unsigned index)
{
	struct err    err;
	struct batch *batch = decode_message(&batch_desc, arena, f->script.bodies[index].bytes,
	    f->script.bodies[index].count, &err);

	if (batch == NULL)
		fail_msg("request %u: %s", index, err.text);
	return batch;
}

#define ANSWER(status, more) "HTTP/1.1 " status "\r\nContent-Length: 2\r\n" more "\r\n{}"
#define STORED               "HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n{\"status\":\"stored\"}"

static void
test_a_request_is_whole(void **state)
{
	static const char *const answers[] = { STORED, NULL };
	struct fixture          *f = *state;
	struct arena            *arena = arena_new();
	uint8_t                  digest[DIGEST_BYTES];
	char                     text[BASE64_ROOM(DIGEST_BYTES)], line[128];
	struct batch            *batch;

	start(f, answers);
	add_batch(f, 7);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(request_count(f), 1);
	assert_int_equal(spool_count(f->spool), 0);
	assert_int_equal(strncmp(f->script.heads[0], "POST /v1/batches HTTP/1.1\r\n", 27), 0);
	assert_non_null(strstr(f->script.heads[0], "\r\nAuthorization: Bearer id.secret\r\n"));
	assert_non_null(
	    strstr(f->script.heads[0], "\r\nContent-Type: application/vnd.msgpack\r\n"));
	digest_sha256(f->script.bodies[0].bytes, f->script.bodies[0].count, digest);
	snprintf(line, sizeof(line), "\r\nContent-Digest: sha-256=:%s:\r\n",
	    base64_encode(digest, sizeof(digest), text));
	assert_non_null(strstr(f->script.heads[0], line));
	batch = sent_batch(f, arena, 0);
	assert_int_equal(batch->v, 1);
	assert_string_equal(batch->agent, "vm-1");
	assert_string_equal(batch->network, "vnet-a/default");
	assert_int_equal(batch->seq, 1);
	assert_int_equal(batch->records_count, 1);
	assert_int_equal(batch->records[0].measurement->started_ms, 7);
	assert_int_equal(upload_stats(f->upload).stored, 1);
	arena_free(arena);
}

static void
test_newest_first_then_oldest(void **state)
{
	static const char *const answers[] = { STORED, NULL };
	static const int64_t     order[] = { 5, 1, 2, 3, 4 };
	struct fixture          *f = *state;
	struct arena            *arena = arena_new();

	start(f, answers);
	for (int64_t i = 1; i <= 5; i++)
		add_batch(f, i);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(request_count(f), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(
		    sent_batch(f, arena, i)->records[0].measurement->started_ms, order[i]);
	assert_int_equal(spool_count(f->spool), 0);
	arena_free(arena);
}

static const struct status_case {
	const char     *name, *answer;
	enum upload_act act;
	unsigned        left;    /* batches that are sealed after */
	bool            waiting; /* no more request at once */
} status_cases[] = {
	{ "stored", STORED, UPLOAD_DELIVERED, 0, false },
	{ "duplicate",
	    "HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n{\"status\": \"duplicate\"}",
	    UPLOAD_DELIVERED, 0, false },
	{ "200 of another server", ANSWER("200 OK", ""), UPLOAD_KEEP, 1, true },
	{ "poison", ANSWER("400 Bad Request", ""), UPLOAD_REJECTED, 0, false },
	{ "too large", ANSWER("413 Content Too Large", ""), UPLOAD_REJECTED, 0, false },
	{ "senseless", ANSWER("422 Unprocessable", ""), UPLOAD_REJECTED, 0, false },
	{ "too old", ANSWER("410 Gone", ""), UPLOAD_EXPIRED, 0, false },
	{ "unknown to them", ANSWER("401 Unauthorized", ""), UPLOAD_KEEP, 1, true },
	{ "forbidden", ANSWER("403 Forbidden", ""), UPLOAD_KEEP, 1, true },
	{ "wrong address", ANSWER("404 Not Found", ""), UPLOAD_KEEP, 1, true },
	{ "other version", ANSWER("415 Unsupported", ""), UPLOAD_KEEP, 1, true },
	{ "slow down", ANSWER("429 Too Many", "Retry-After: 60\r\n"), UPLOAD_KEEP, 1, true },
	{ "broken", ANSWER("500 Internal", ""), UPLOAD_KEEP, 1, true },
	{ "busy", ANSWER("503 Busy", "Retry-After: 60\r\n"), UPLOAD_KEEP, 1, true },
	{ "redirect", ANSWER("302 Found", "Location: https://127.0.0.1:1/\r\n"), UPLOAD_KEEP, 1,
	    true },
	{ "not HTTP", "SSH-2.0-dropbear\r\n\r\n", UPLOAD_KEEP, 1, true },
	{ "endless", "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n\"stored\"", UPLOAD_KEEP,
	    1, true },
	{ "endless head", "HTTP/1.1 200 OK\r\nX: ", UPLOAD_KEEP, 1, true },
};

static void
check_status(struct fixture *f, const struct status_case *row)
{
	const char *const answers[] = { row->answer, NULL };
	char             *long_answer = NULL;
	const char       *long_answers[2] = { NULL, NULL };

	if (text_starts_nocase(row->name, "endless")) {
		long_answer = mem_printf("%s%20000d\r\n\r\n\"stored\"", row->answer, 1);
		long_answers[0] = long_answer;
		start(f, long_answers);
	} else {
		start(f, answers);
	}
	add_batch(f, 1);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	if (spool_count(f->spool) != row->left)
		fail_msg("%s: %zu batches left", row->name, spool_count(f->spool));
	assert_int_equal(upload_stats(f->upload).failures, row->waiting);
	upload_kick(f->upload); /* while it waits, nothing goes out */
	assert_true(is_quiet(f));
	assert_int_equal(request_count(f), 1);
	support_peer_stop(f->peer); /* joins the thread that uses long_answer */
	f->peer = NULL;
	free(long_answer);
}

static void
test_every_status(void **state)
{
	for (size_t i = 0; i < sizeof(status_cases) / sizeof(status_cases[0]); i++) {
		void    *fixture = NULL;
		unsigned status = 0;

		setup(&fixture);
		check_status(fixture, &status_cases[i]);
		if (sscanf(status_cases[i].answer, "HTTP/1.1 %u", &status) == 1 &&
		    status != 200)
			assert_int_equal(upload_act_of(status), status_cases[i].act);
		teardown(&fixture);
	}
}

/* What is refused for ever is declared: a gap record follows. */
static void
test_refusal_is_declared(void **state)
{
	static const char *const answers[] = { ANSWER("422 No", ""), STORED, NULL };
	struct fixture          *f = *state;
	struct arena            *arena = arena_new();
	struct batch            *batch;

	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	spool_seal(f->spool);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(request_count(f), 2);
	batch = sent_batch(f, arena, 1);
	assert_int_equal(batch->records_count, 1);
	assert_non_null(batch->records[0].gap);
	assert_string_equal(batch->records[0].gap->reason, "rejected");
	assert_int_equal(batch->records[0].gap->first_seq, 1);
	assert_int_equal(batch->records[0].gap->records, 1);
	assert_int_equal(upload_stats(f->upload).refused, 1);
	arena_free(arena);
}

/* A clone of this machine has sent other results under our number. */
static void
test_conflict_is_sent_again(void **state)
{
	static const char *const answers[] = { ANSWER("409 Conflict", ""), STORED, NULL };
	struct fixture          *f = *state;
	struct arena            *arena = arena_new();
	struct batch            *first, *second;

	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(request_count(f), 2);
	first = sent_batch(f, arena, 0);
	second = sent_batch(f, arena, 1);
	assert_true(first->epoch != second->epoch);
	assert_int_equal(second->records[0].measurement->started_ms, 1);
	assert_int_equal(spool_count(f->spool), 0);
	arena_free(arena);
}

/* The disk does not take the batch under its new number: nothing is asked again at once. */
static void
test_conflict_on_a_bad_disk(void **state)
{
	static const char *const answers[] = { ANSWER("409 Conflict", ""), NULL };
	struct fixture          *f = *state;
	char                    *blocked = mem_printf("%s/tmp", f->spool_dir);

	start(f, answers);
	add_batch(f, 1);
	assert_int_equal(mkdir(blocked, 0700), 0); /* where the new file would be made */
	upload_kick(f->upload);
	run_until_quiet(f, 1000);
	assert_true(is_quiet(f));
	assert_int_equal(request_count(f), 1);
	assert_int_equal(spool_count(f->spool), 1);
	assert_int_equal(upload_stats(f->upload).failures, 1);
	assert_int_equal(rmdir(blocked), 0);
	free(blocked);
}

/* After a failure it tries again by itself, and goes on with the same batch and bytes. */
static void
test_tries_again(void **state)
{
	static const char *const answers[] = { ANSWER("500 No", ""), ANSWER("500 No", ""),
		STORED, NULL };
	struct fixture          *f = *state;
	int64_t                  end_us = clock_mono_us(clock_system()) + 10 * US_PER_S;

	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	while (spool_count(f->spool) > 0 && clock_mono_us(clock_system()) < end_us) {
		loop_run_once(f->loop, false);
		usleep(500);
	}
	assert_int_equal(request_count(f), 3);
	assert_int_equal(f->script.bodies[0].count, f->script.bodies[2].count);
	assert_memory_equal(
	    f->script.bodies[0].bytes, f->script.bodies[2].bytes, f->script.bodies[0].count);
	assert_int_equal(upload_stats(f->upload).failures, 0);
}

/* However often the collector fails, in whatever way that is not the batch's fault. */
static void
test_never_gives_up(void **state)
{
	static const char *const answers[] = { ANSWER("500 No", ""), ANSWER("401 Who", ""),
		ANSWER("503 Busy", ""), ANSWER("404 Where", ""), ANSWER("429 Slow", ""),
		ANSWER("415 Version", ""), STORED, NULL };
	struct fixture          *f = *state;

	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	for (unsigned tries = 1; tries <= 6; tries++) {
		run_until_quiet(f, 5000);
		assert_int_equal(upload_stats(f->upload).failures, tries);
		assert_int_equal(spool_count(f->spool), 1);
		upload_hurry(f->upload);
	}
	run_until_quiet(f, 5000);
	assert_int_equal(request_count(f), 7);
	assert_int_equal(spool_count(f->spool), 0);
	assert_int_equal(spool_stats(f->spool).dropped, 0);
}

static void
test_hurry_does_not_wait(void **state)
{
	static const char *const answers[] = { ANSWER("503 Busy", "Retry-After: 900\r\n"),
		STORED, NULL };
	struct fixture          *f = *state;

	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(spool_count(f->spool), 1);
	upload_hurry(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(spool_count(f->spool), 0);
}

/* A server with a good certificate of its own, for another name or of another authority: nothing
 * is sent to it. */
static void
check_not_trusted(struct fixture *f, const char *const *names, bool other_authority)
{
	static const char *const answers[] = { STORED, NULL };
	struct support_certs    *other = support_certs_new(
	       &(struct support_certs_plan){ .subject = "other", .names = names });

	f->tls.certs = other;
	if (!other_authority)
		support_certs_write(other, f->ca, NULL);
	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	assert_int_equal(request_count(f), 0);
	assert_int_equal(spool_count(f->spool), 1);
	assert_int_equal(upload_stats(f->upload).failures, 1);
	support_peer_stop(f->peer);
	f->peer = NULL;
	support_certs_free(other);
}

static void
test_other_name(void **state)
{
	static const char *const names[] = { "collector.example", "127.0.0.2", NULL };

	check_not_trusted(*state, names, false);
}

static void
test_other_authority(void **state)
{
	static const char *const names[] = { "127.0.0.1", NULL };

	check_not_trusted(*state, names, true);
}

/* The environment must not redirect us. */
static void
test_proxy_is_ignored(void **state)
{
	static const char *const answers[] = { STORED, NULL };
	struct fixture          *f = *state;

	setenv("https_proxy", "http://127.0.0.1:1", 1);
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	start(f, answers);
	add_batch(f, 1);
	upload_kick(f->upload);
	run_until_quiet(f, 5000);
	unsetenv("https_proxy");
	unsetenv("ALL_PROXY");
	assert_int_equal(spool_count(f->spool), 0);
}

struct pulled {
	unsigned status;
	char     etag[COURIER_ETAG_MAX];
	size_t   count;
};

static void
on_pulled(void *arg, const struct courier_answer *answer)
{
	struct pulled *pulled = arg;

	pulled->status = answer->status;
	pulled->count = answer->count;
	strcpy(pulled->etag, answer->etag);
}

static void
test_get_with_etag(void **state)
{
	static const char *const answers[] = { ANSWER("200 OK", "etag:  \"v1\" \r\n"),
		"HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n", NULL };
	struct fixture          *f = *state;
	struct pulled            pulled = { 0 };
	struct errand           *errand;

	start(f, answers);
	errand = errand_new(f->courier, on_pulled, &pulled);
	for (unsigned i = 0; i < 2; i++) {
		errand_get(errand, "/v1/assignment", pulled.etag, 1000);
		while (errand_is_out(errand)) {
			loop_run_once(f->loop, false);
			usleep(500);
		}
		assert_int_equal(pulled.status, i == 0 ? 200 : 304);
		assert_string_equal(pulled.etag, "\"v1\"");
	}
	assert_null(strstr(f->script.heads[0], "If-None-Match"));
	assert_non_null(strstr(f->script.heads[1], "\r\nIf-None-Match: \"v1\"\r\n"));
	errand_free(errand);
}

/* How long to wait is the collector's word, where it gives one. */
static void
test_waits(void **state)
{
	static const struct {
		const char           *name;
		struct courier_answer answer;
		int64_t               least_ms, most_ms;
	} cases[] = {
		{ "no answer", { .retry_after_s = -1 }, 0, 1000 },
		{ "a refusal", { .status = 503, .retry_after_s = -1 }, 0, 1000 },
		{ "asked for time", { .status = 503, .retry_after_s = 30 }, 30000, 60000 },
		{ "asked for ten years", { .status = 429, .retry_after_s = 315360000 }, 900000,
		    1800000 },
		{ "no such name", { .nameless = true, .retry_after_s = -1 }, 30000, 60000 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		for (unsigned draw = 0; draw < 100; draw++) {
			struct backoff backoff = { 0 };

			assert_in_range(courier_wait_ms(&cases[i].answer, &backoff),
			    cases[i].least_ms, cases[i].most_ms);
		}
	}
}

/* How far our clock is from the collector's, by the Date of its answers; a date that cannot be
 * read changes nothing. */
static void
test_clock(void **state)
{
	static const char *const answers[] = { ANSWER("200 OK", ""),
		ANSWER("200 OK", "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
		ANSWER("500 No", "Date: never\r\n"), NULL };
	static const int64_t dated_ms = INT64_C(784111777500); /* the middle of that second */
	struct fixture      *f = *state;
	struct pulled        pulled = { 0 };
	struct errand       *errand;
	struct courier_news  news;

	start(f, answers);
	assert_int_equal(courier_news(f->courier).ended_ms, 0);
	errand = errand_new(f->courier, on_pulled, &pulled);
	for (unsigned i = 0; i < 3; i++) {
		int64_t ahead_ms = clock_wall_ms(clock_system()) - dated_ms;

		errand_get(errand, "/v1/assignment", "", 1000);
		while (errand_is_out(errand)) {
			loop_run_once(f->loop, false);
			usleep(500);
		}
		news = courier_news(f->courier);
		assert_int_equal(news.status, i < 2 ? 200 : 500);
		assert_int_equal(news.clock_known, i > 0);
		if (i == 1)
			assert_in_range(news.clock_ahead_ms - ahead_ms, 0, 20000);
	}
	errand_free(errand);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_request_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_newest_first_then_oldest, setup, teardown),
		cmocka_unit_test(test_every_status),
		cmocka_unit_test(test_waits),
		cmocka_unit_test_setup_teardown(test_refusal_is_declared, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflict_is_sent_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_conflict_on_a_bad_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tries_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_gives_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hurry_does_not_wait, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_authority, setup, teardown),
		cmocka_unit_test_setup_teardown(test_proxy_is_ignored, setup, teardown),
		cmocka_unit_test_setup_teardown(test_get_with_etag, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
