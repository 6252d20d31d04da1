#include "base/metric.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static struct metric counted = { "plprobe_runs_total", "Runs.", METRIC_COUNTER, 0 };

static void
test_write(void **state)
{
	struct metric gauge = { "plprobe_spool_bytes", "Waiting.", METRIC_GAUGE, -5 };
	struct wbuf   out;

	wbuf_init(&out);
	metric_write(&out, &gauge);
	metric_set(&gauge, INT64_MAX);
	metric_write(&out, &gauge);
	assert_string_equal(wbuf_text(&out),
	    "# HELP plprobe_spool_bytes Waiting.\n"
	    "# TYPE plprobe_spool_bytes gauge\n"
	    "plprobe_spool_bytes -5\n"
	    "# HELP plprobe_spool_bytes Waiting.\n"
	    "# TYPE plprobe_spool_bytes gauge\n"
	    "plprobe_spool_bytes 9223372036854775807\n");
	wbuf_fini(&out);
}

static void
test_escapes(void **state)
{
	const char *labels[] = { "a", "x\"\\\ny", "b", "", NULL };
	const char *none[] = { NULL };
	struct wbuf out;

	wbuf_init(&out);
	metric_family(&out, "m", METRIC_GAUGE, "A \"q\" \\ and\nline");
	metric_sample(&out, "m", labels, 1);
	metric_sample(&out, "m", none, 2);
	metric_sample(&out, "m", NULL, 3);
	assert_string_equal(wbuf_text(&out),
	    "# HELP m A \"q\" \\\\ and\\nline\n"
	    "# TYPE m gauge\n"
	    "m{a=\"x\\\"\\\\\\ny\",b=\"\"} 1\n"
	    "m 2\n"
	    "m 3\n");
	wbuf_fini(&out);
}

static void
test_numbers(void **state)
{
	static const struct {
		double      value;
		const char *text;
	} cases[] = { { 0, "m 0\n" }, { 0.1, "m 0.1\n" }, { -1.5, "m -1.5\n" },
		{ 1795468085.678, "m 1795468085.678\n" }, { 1e300, "m 1e+300\n" },
		{ 9007199254740991.0, "m 9007199254740991\n" }, { INFINITY, "m +Inf\n" },
		{ -INFINITY, "m -Inf\n" }, { NAN, "m NaN\n" } };
	struct wbuf out;

	wbuf_init(&out);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wbuf_clear(&out);
		metric_sample(&out, "m", NULL, cases[i].value);
		assert_string_equal(wbuf_text(&out), cases[i].text);
	}
	wbuf_clear(&out);
	metric_sample(&out, "m", NULL, 1.0 / 3);
	assert_true(strtod(wbuf_text(&out) + 2, NULL) == 1.0 / 3);
	wbuf_fini(&out);
}

static void *
count_up(void *arg)
{
	for (int i = 0; i < 20000; i++)
		metric_add(&counted, 1);
	return NULL;
}

static void
test_add_from_threads(void **state)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_true(counted.value == 80000);
}

/* Prometheus' own tool takes what we write, lint included. */
static void
test_promtool(void **state)
{
	static const char *const labels[] = { "reason", "spool \"full\"\\\n", NULL };
	struct wbuf              out;
	FILE                    *tool;

	if (system("command -v promtool >/dev/null") != 0) {
		print_message("promtool is not installed (package prometheus)\n");
		skip();
	}
	wbuf_init(&out);
	metric_write(&out, &counted);
	metric_family(&out, "plprobe_dropped_total", METRIC_COUNTER, "Dropped, by reason.");
	metric_sample(&out, "plprobe_dropped_total", labels, 1.25e-7);
	metric_sample(&out, "plprobe_dropped_total", NULL, NAN);
	tool = popen("promtool check metrics >&2", "w");
	assert_non_null(tool);
	assert_int_equal(fwrite(out.bytes, 1, out.count, tool), out.count);
	assert_int_equal(pclose(tool), 0);
	wbuf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_add_from_threads),
		cmocka_unit_test(test_promtool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
