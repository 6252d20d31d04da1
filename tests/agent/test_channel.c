#include "agent/channel.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { MESSAGE_BYTES = 60000 };

struct heard {
	unsigned messages, closed;
	size_t   bytes;
	char     why[64];
};

struct fixture {
	struct loop    *loop;
	struct channel *channel;
	int             other; /* the raw end */
	struct heard    heard;
};

static void
on_message(void *arg, enum channel_type type, const uint8_t *bytes, size_t count)
{
	struct heard *heard = arg;

	heard->messages++;
	heard->bytes += count;
}

static void
on_closed(void *arg, const char *why)
{
	struct heard *heard = arg;

	heard->closed++;
	snprintf(heard->why, sizeof(heard->why), "%s", why);
}

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;
	int             ends[2];

	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	assert_true(channel_pair(ends, &err));
	f->other = ends[1];
	f->channel = channel_new(f->loop, ends[0],
	    &(struct channel_ops){
	        .on_message = on_message, .on_closed = on_closed, .arg = &f->heard });
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	channel_free(f->channel);
	close(f->other);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void
say(struct fixture *f, const void *bytes, size_t count)
{
	assert_int_equal(send(f->other, bytes, count, 0), count);
	for (int i = 0; i < 3; i++)
		loop_run_once(f->loop, false);
}

static void
test_hears_in_pieces(void **state)
{
	static const char two[] = "\x00\0\0\0\x03"
	                          "abc\x00\0\0\0\0";
	struct fixture   *f = *state;

	for (size_t i = 0; i + 1 < sizeof(two); i++)
		say(f, two + i, 1);
	assert_int_equal(f->heard.messages, 2);
	assert_int_equal(f->heard.bytes, 3);
	assert_int_equal(f->heard.closed, 0);
}

static void
test_refuses_nonsense(void **state)
{
	static const struct {
		const char *bytes, *why;
	} cases[] = { { "\x7f\0\0\0\0", "unknown type" }, { "\x00\xff\0\0\0", "too long" } };

	for (size_t i = 0; i < 2; i++) {
		void           *fresh = NULL;
		struct fixture *f;

		setup(&fresh);
		f = fresh;
		say(f, cases[i].bytes, 5);
		assert_int_equal(f->heard.closed, 1);
		assert_non_null(strstr(f->heard.why, cases[i].why));
		assert_false(channel_send(f->channel, CHANNEL_STOP, "", 0));
		teardown(&fresh);
	}
}

static size_t
resident_bytes(void)
{
	FILE         *file = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*u %lu", &pages), 1);
	fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void
fill(struct fixture *f)
{
	static const uint8_t bytes[MESSAGE_BYTES];

	while (channel_send(f->channel, CHANNEL_RECORD, bytes, sizeof(bytes)))
		continue;
}

/* A peer that is always a little behind must not make us hold what it has taken. */
static void
test_slow_peer_costs_no_memory(void **state)
{
	struct fixture *f = *state;
	static uint8_t  bytes[1 << 16];
	size_t          taken = 0, before;

	fill(f);
	before = resident_bytes();
	while (taken < (size_t)64 << 20) {
		ssize_t got = recv(f->other, bytes, sizeof(bytes), MSG_DONTWAIT);

		taken += got > 0 ? (size_t)got : 0;
		loop_run_once(f->loop, false);
		fill(f);
	}
	assert_in_range(resident_bytes(), 0, before + ((size_t)16 << 20));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hears_in_pieces, setup, teardown),
		cmocka_unit_test(test_refuses_nonsense),
		cmocka_unit_test_setup_teardown(
		    test_slow_peer_costs_no_memory, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
