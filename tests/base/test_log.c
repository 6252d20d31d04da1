#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct clock_hand hand;
static int               kept_stderr = -1, ends[2];
static char              text[65536];

/* stderr becomes a pipe that can be read back. */
static int
begin(void **state)
{
	kept_stderr = dup(STDERR_FILENO);
	if (pipe2(ends, O_NONBLOCK) != 0 || dup2(ends[1], STDERR_FILENO) < 0)
		return 1;
	clock_hand_init(&hand, 1795468085678);
	log_clock(&hand.clock);
	unsetenv("JOURNAL_STREAM");
	log_open("plprobe", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	return 0;
}

static const char *
get_lines(void)
{
	ssize_t count = read(ends[0], text, sizeof(text) - 1);

	text[count > 0 ? count : 0] = '\0';
	return text;
}

static int
end(void **state)
{
	clock_hand_wind(&hand, 3600 * US_PER_S);
	log_flush();
	log_flush(); /* forgets the lines of this test */
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* Where cmocka's words can be seen again. */
static void
restore_stderr(void)
{
	dup2(kept_stderr, STDERR_FILENO);
}

static void
test_logfmt(void **state)
{
	log_warn("spool", "%s: %d left", "seg \"7\"\\", 3);
	assert_string_equal(get_lines(),
	    "ts=2026-11-23T21:08:05.678Z level=warn msg=\"seg \\\"7\\\"\\\\: 3 left\" "
	    "area=spool who=plprobe\n");
}

static void
test_json(void **state)
{
	struct err err;
	json_t    *line;

	log_open("plprobe-collector", LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	log_error("ingest", "%s", "a \"b\"\n\x1b[31m \xff \xc3\xa9 \x7f");
	get_lines();
	restore_stderr();
	line = json_read(text, strlen(text), "line", &err);
	if (line == NULL)
		fail_msg("%s: %s", err.text, text);
	assert_int_equal(json_object_size(line), 5);
	assert_string_equal(
	    json_string_value(json_object_get(line, "ts")), "2026-11-23T21:08:05.678Z");
	assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
	assert_string_equal(json_string_value(json_object_get(line, "area")), "ingest");
	assert_string_equal(
	    json_string_value(json_object_get(line, "who")), "plprobe-collector");
	assert_string_equal(json_string_value(json_object_get(line, "msg")),
	    "a \"b\"\n\x1b[31m ? \xc3\xa9 \x7f");
	assert_null(memchr(text, 0x1b, strlen(text))); /* nothing for the terminal to obey */
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	json_decref(line);
}

static void
test_levels(void **state)
{
	log_debug("x", "debug");
	assert_string_equal(get_lines(), "");
	log_info("x", "info");
	assert_non_null(strstr(get_lines(), "level=info msg=\"info\""));
	log_open("plprobe", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	log_warn("x", "warn");
	assert_string_equal(get_lines(), "");
	log_error("x", "error");
	assert_non_null(strstr(get_lines(), "level=error"));
	log_open("plprobe", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	log_debug("x", "debug");
	assert_non_null(strstr(get_lines(), "level=debug"));
}

static void
test_parse(void **state)
{
	enum log_level  level;
	enum log_format format;
	struct err      err;

	assert_true(log_level_parse(&level, "warn", &err));
	assert_int_equal(level, LOG_LEVEL_WARN);
	assert_false(log_level_parse(&level, "warning", &err));
	assert_string_equal(err.text, "log level 'warning': debug, info, warn or error wanted");
	assert_true(log_format_parse(&format, "json", &err));
	assert_int_equal(format, LOG_FORMAT_JSON);
	assert_false(log_format_parse(&format, "", &err));
}

/* Under journald, and only on journald's own stream, the date is the journal's. */
static void
test_journal(void **state)
{
	struct stat seen;
	char        stream[64];

	assert_int_equal(fstat(STDERR_FILENO, &seen), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)seen.st_dev,
	    (unsigned long long)seen.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("plprobe", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_info("x", "one");
	assert_string_equal(get_lines(), "level=info msg=\"one\" area=x who=plprobe\n");
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)seen.st_dev,
	    (unsigned long long)seen.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open("plprobe", LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT);
	log_info("x", "two");
	assert_int_equal(strncmp(get_lines(), "ts=", 3), 0);
	unsetenv("JOURNAL_STREAM");
}

static unsigned
count_lines(const char *lines)
{
	unsigned count = 0;

	for (; (lines = strchr(lines, '\n')) != NULL; lines++)
		count++;
	return count;
}

static void
test_equal_lines_are_held(void **state)
{
	for (int i = 0; i < 10; i++) {
		log_warn("x", "again");
		log_warn("x", "other %d", i % 2); /* lines between do not hide them */
	}
	assert_int_equal(count_lines(get_lines()), 3);
	log_error("x", "again"); /* another level is another line */
	log_warn("y", "again");  /* so is another area */
	assert_int_equal(count_lines(get_lines()), 2);
	clock_hand_wind(&hand, 29 * US_PER_S);
	log_warn("x", "again");
	assert_string_equal(get_lines(), "");
	clock_hand_wind(&hand, 1 * US_PER_S);
	log_info("z", "later");
	get_lines();
	assert_non_null(strstr(text, "msg=\"again\" area=x who=plprobe held=10\n"));
	assert_non_null(strstr(text, "msg=\"other 0\" area=x who=plprobe held=4\n"));
	assert_non_null(strstr(text, "msg=\"later\""));
	assert_int_equal(count_lines(text), 4);
}

static void
test_flush(void **state)
{
	log_warn("x", "again");
	log_warn("x", "again");
	get_lines();
	log_flush();
	assert_non_null(strstr(get_lines(), "held=1"));
	log_flush();
	assert_string_equal(get_lines(), "");
}

/* More different lines than are remembered: nothing is lost, neither a line nor a count. */
static void
test_many_lines(void **state)
{
	log_warn("x", "first");
	log_warn("x", "first");
	for (int i = 0; i < 100; i++) {
		clock_hand_wind(&hand, 1000);
		log_info("x", "line %d", i);
	}
	assert_int_equal(count_lines(get_lines()), 102);
	assert_non_null(strstr(text, "held=1"));
	assert_non_null(strstr(text, "\"line 99\""));
}

static void
test_long_line(void **state)
{
	char  *long_text = malloc(10000);
	size_t count;

	memset(long_text, 'x', 9999);
	long_text[9999] = '\0';
	log_info("x", "%s", long_text);
	count = strlen(get_lines());
	assert_in_range(count, 2000, 4096); /* one write that a pipe does not tear */
	assert_int_equal(text[count - 1], '\n');
	free(long_text);
}

static void *
log_much(void *arg)
{
	for (int i = 0; i < 50; i++)
		log_info("t", "thread %d line %d", *(int *)arg, i);
	return NULL;
}

/* Lines of several threads never run into each other. */
static void
test_threads(void **state)
{
	pthread_t threads[4];
	int       numbers[4] = { 0, 1, 2, 3 };
	unsigned  count = 0;

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, log_much, &numbers[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	get_lines();
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		assert_int_equal(strncmp(line, "ts=", 3), 0);
		assert_string_equal(line + strlen(line) - 11, "who=plprobe");
		count++;
	}
	assert_int_equal(count, 200);
}

/* Nobody reads and the pipe is full, as a pipe is that a shell makes: the work goes on, and the
 * loss is told. */
static void
test_full_pipe(void **state)
{
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	alarm(20);
	for (int i = 0; i < 2000; i++)
		log_info("x", "line %d of many, long enough to fill a pipe sooner or later", i);
	alarm(0);
	assert_true(strlen(get_lines()) > 1000);
	assert_null(strstr(text, "lost="));
	get_lines();
	log_info("x", "read again");
	assert_non_null(strstr(get_lines(), "lost="));
	log_info("x", "and on");
	assert_null(strstr(get_lines(), "lost="));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_logfmt, begin, end),
		cmocka_unit_test_setup_teardown(test_json, begin, end),
		cmocka_unit_test_setup_teardown(test_levels, begin, end),
		cmocka_unit_test_setup_teardown(test_parse, begin, end),
		cmocka_unit_test_setup_teardown(test_journal, begin, end),
		cmocka_unit_test_setup_teardown(test_equal_lines_are_held, begin, end),
		cmocka_unit_test_setup_teardown(test_flush, begin, end),
		cmocka_unit_test_setup_teardown(test_many_lines, begin, end),
		cmocka_unit_test_setup_teardown(test_long_line, begin, end),
		cmocka_unit_test_setup_teardown(test_threads, begin, end),
		cmocka_unit_test_setup_teardown(test_full_pipe, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
