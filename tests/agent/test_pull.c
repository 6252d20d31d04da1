#include "agent/pull.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_collector.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define ANSWER_TWO   "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 2\r\n\r\nab"
#define ANSWER_SAME  "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"
#define ANSWER_BUSY  "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
#define ANSWER_LATER "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"

enum { INTERVAL_MS = 50, LONG_MS = 3600000 };

struct fixture {
	char                    *dir, *ca;
	struct support_certs    *certs;
	struct support_tls       tls;
	struct support_peer     *peer;
	struct support_collector script;
	struct loop             *loop;
	struct courier          *courier;
	struct pull             *pull;
	unsigned                 taken;
	bool                     keeps; /* what it is given is put in force */
};

static int
setup(void **state)
{
	static const char *const names[] = { "127.0.0.1", NULL };
	struct fixture          *f = mem_alloc(sizeof(*f));
	struct err               err;

	log_open("test", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	f->dir = support_dir_new();
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
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	pull_free(f->pull);
	courier_free(f->courier);
	support_peer_stop(f->peer);
	loop_free(f->loop);
	support_certs_free(f->certs);
	support_collector_fini(&f->script);
	support_dir_free(f->dir);
	free(f->ca);
	free(f);
	return 0;
}

static void
on_assignment(void *arg, const struct courier_answer *answer)
{
	struct fixture *f = arg;

	assert_int_equal(answer->count, 2);
	assert_memory_equal(answer->body, "ab", 2);
	f->taken++;
	if (f->keeps)
		pull_keep(f->pull, answer->etag);
}

static void
start(struct fixture *f, const char *const *answers, const char *etag, int64_t interval_ms)
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
	f->pull = pull_new(&(struct pull_options){ .loop = f->loop,
	    .courier = f->courier,
	    .interval_ms = interval_ms,
	    .etag = etag,
	    .on_assignment = on_assignment,
	    .arg = f });
	free(url);
}

/* Until so many requests came, and a while for what must not come. */
static unsigned
run(struct fixture *f, unsigned wanted, int64_t limit_ms, int64_t after_ms)
{
	int64_t end_us = clock_mono_us(clock_system()) + limit_ms * US_PER_MS;

	while (support_collector_count(&f->script) < wanted &&
	    clock_mono_us(clock_system()) < end_us)
		loop_run_once(f->loop, false);
	end_us = clock_mono_us(clock_system()) + after_ms * US_PER_MS;
	while (clock_mono_us(clock_system()) < end_us)
		loop_run_once(f->loop, false);
	return support_collector_count(&f->script);
}

static void
test_asks_again(void **state)
{
	static const char *const answers[] = { ANSWER_TWO, ANSWER_SAME, NULL };
	struct fixture          *f = *state;

	f->keeps = true;
	start(f, answers, "", INTERVAL_MS);
	assert_true(run(f, 3, 10000, 0) >= 3);
	assert_int_equal(f->taken, 1);
	assert_non_null(strstr(f->script.heads[0], "GET /v1/assignment HTTP/1.1"));
	assert_null(strstr(f->script.heads[0], "If-None-Match"));
	assert_non_null(strstr(f->script.heads[1], "If-None-Match: \"v1\"\r\n"));
	assert_non_null(strstr(f->script.heads[2], "If-None-Match: \"v1\"\r\n"));
}

/* What was not put in force is not claimed. */
static void
test_not_kept(void **state)
{
	static const char *const answers[] = { ANSWER_TWO, NULL };
	struct fixture          *f = *state;

	start(f, answers, "\"v0\"", INTERVAL_MS);
	assert_true(run(f, 2, 10000, 0) >= 2);
	assert_non_null(strstr(f->script.heads[0], "If-None-Match: \"v0\"\r\n"));
	assert_non_null(strstr(f->script.heads[1], "If-None-Match: \"v0\"\r\n"));
}

/* Without any assignment the wait is the backoff's, a second at first, and not the interval. */
static void
test_nothing_in_force(void **state)
{
	static const char *const answers[] = { ANSWER_BUSY, ANSWER_TWO, NULL };
	struct fixture          *f = *state;

	f->keeps = true;
	start(f, answers, "", LONG_MS);
	assert_int_equal(run(f, 2, 5000, 300), 2);
	assert_int_equal(f->taken, 1);
}

/* With one in force there is no hurry. */
static void
test_something_in_force(void **state)
{
	static const char *const answers[] = { ANSWER_BUSY, ANSWER_TWO, NULL };
	struct fixture          *f = *state;

	start(f, answers, "\"v1\"", LONG_MS);
	assert_int_equal(run(f, 1, 5000, 1500), 1);
	assert_int_equal(f->taken, 0);
}

static void
test_retry_after(void **state)
{
	static const char *const answers[] = { ANSWER_LATER, ANSWER_TWO, NULL };
	struct fixture          *f = *state;

	start(f, answers, "\"v1\"", INTERVAL_MS);
	assert_int_equal(run(f, 1, 5000, 500), 1);
}

static void
test_freed_while_out(void **state)
{
	static const char *const answers[] = { ANSWER_TWO, NULL };
	struct fixture          *f = *state;

	start(f, answers, "", INTERVAL_MS);
	loop_run_once(f->loop, false);
	pull_free(f->pull);
	f->pull = NULL;
	run(f, 1, 200, 200);
	assert_int_equal(f->taken, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_asks_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_in_force, setup, teardown),
		cmocka_unit_test_setup_teardown(test_something_in_force, setup, teardown),
		cmocka_unit_test_setup_teardown(test_retry_after, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freed_while_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
