/* The service manager hears of us as long as the writer gets on, and no longer. */
#include "collector/pulse.h"

#include "base/clock.h"
#include "collector/writer.h"

#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVERY_MS = 20, STUCK_MS = 200 };

/* A disk that can be held. */
struct held {
	struct store    store;
	pthread_mutex_t lock;
};

static int            manager;
static char           path[64];
static struct loop   *loop;
static struct writer *writer;
static struct pulse  *pulse;
static struct held    disk;

static bool
put_held(
    struct store *store, const struct store_finding *findings, size_t count, struct err *err)
{
	pthread_mutex_lock(&disk.lock);
	pthread_mutex_unlock(&disk.lock);
	return true;
}

static const struct store_ops held_ops = { .scheme = "held", .put = put_held };

static void
on_trouble(void *arg, const struct err *err)
{
	fail_msg("%s", err->text);
}

/* Runs the loop for a while; how often it was heard. */
static unsigned
listen_for_ms(int64_t ms)
{
	int64_t  end_us = clock_mono_us(clock_system()) + ms * US_PER_MS;
	unsigned beats = 0;
	char     text[100];

	while (clock_mono_us(clock_system()) < end_us) {
		ssize_t count;

		loop_run_once(loop, false);
		usleep(1000);
		while ((count = recv(manager, text, sizeof(text) - 1, 0)) > 0) {
			text[count] = '\0';
			assert_string_equal(text, "WATCHDOG=1\n");
			beats++;
		}
	}
	return beats;
}

static void
test_beats(void **state)
{
	assert_in_range(listen_for_ms(400), 5, 25);
	pthread_mutex_lock(&disk.lock);
	writer_put(writer, NULL, NULL, 0);
	assert_in_range(listen_for_ms(STUCK_MS / 2), 1, 10); /* slow is not stuck */
	(void)listen_for_ms(STUCK_MS);
	assert_int_equal(listen_for_ms(300), 0);
	assert_true(writer_busy_us(writer) > STUCK_MS * US_PER_MS);
	pthread_mutex_unlock(&disk.lock);
	(void)listen_for_ms(2 * EVERY_MS);
	assert_in_range(listen_for_ms(400), 5, 25);
	assert_int_equal(writer_busy_us(writer), 0);
}

static int
set_up(void **state)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct err         err;

	snprintf(path, sizeof(path), "/tmp/test_pulse.%d", getpid());
	strcpy(at.sun_path, path);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (bind(manager, (struct sockaddr *)&at, sizeof(at)) != 0)
		return 1;
	setenv("NOTIFY_SOCKET", path, 1);
	pthread_mutex_init(&disk.lock, NULL);
	disk.store.ops = &held_ops;
	loop = loop_new(&err);
	writer = writer_new(loop, &disk.store, on_trouble, NULL, &err);
	pulse = pulse_new(loop, writer, EVERY_MS * US_PER_MS, STUCK_MS * US_PER_MS);
	return 0;
}

static int
tear_down(void **state)
{
	pulse_free(pulse);
	writer_free(writer);
	loop_free(loop);
	close(manager);
	return unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_beats) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
