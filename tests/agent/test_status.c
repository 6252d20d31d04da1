/* The socket, what is told over it, and how a person reads it. */
#include "agent/status.h"

#include "agent/status_cmd.h"
#include "base/arena.h"
#include "tests/support/support_dir.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char          *dir, *path;
	struct loop   *loop;
	struct status *status;
	size_t         bytes; /* that an answer has */
	unsigned       filled;
};

static void
fill(void *arg, struct wbuf *out)
{
	struct fixture *f = arg;

	f->filled++;
	memset(wbuf_space(out, f->bytes), 'x', f->bytes);
}

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->dir = support_dir_new();
	f->path = mem_printf("%s/agent.sock", f->dir);
	f->loop = loop_new(&err);
	f->bytes = 100;
	f->status = status_open(f->loop, f->path, fill, f, &err);
	if (f->status == NULL)
		fail_msg("%s", err.text);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	status_close(f->status);
	loop_free(f->loop);
	support_dir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static int
call(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Bytes until the end of the file. */
static size_t
drain(int fd)
{
	static char bytes[STATUS_BYTES_MAX + 1];
	size_t      count = 0;
	ssize_t     got;

	while ((got = read(fd, bytes, sizeof(bytes))) > 0)
		count += (size_t)got;
	close(fd);
	return count;
}

static void
test_answers(void **state)
{
	struct fixture *f = *state;
	struct stat     seen;
	int             fd = call(f);

	assert_int_equal(stat(f->path, &seen), 0);
	assert_int_equal(seen.st_mode & 07777, 0660);
	loop_run_once(f->loop, true);
	assert_int_equal(drain(fd), 100);
	fd = call(f);
	/* What callers say is nothing to us. */
	assert_int_equal(write(fd, "{\"stop\":true}\n", 14), 14);
	loop_run_once(f->loop, true);
	assert_int_equal(f->filled, 2);
	close(fd);
}

/* Nobody waits for a caller that does not read, not even for the longest answer. */
static void
test_bounds(void **state)
{
	struct fixture *f = *state;
	int             fds[24];

	f->bytes = STATUS_BYTES_MAX;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 8; i++)
			fds[round * 8 + i] = call(f);
		for (int i = 0; i < 8 && f->filled < (unsigned)(round + 1) * 8; i++)
			loop_run_once(f->loop, true);
	}
	assert_int_equal(f->filled, 24);
	for (int i = 0; i < 24; i++)
		assert_int_equal(drain(fds[i]), STATUS_BYTES_MAX);
	f->bytes = STATUS_BYTES_MAX + 1;
	fds[0] = call(f);
	loop_run_once(f->loop, true);
	assert_int_equal(drain(fds[0]), 0);
}

static void
test_two_agents(void **state)
{
	struct fixture *f = *state;
	struct err      err;

	assert_null(status_open(f->loop, f->path, fill, f, &err));
	assert_non_null(strstr(err.text, "another program answers"));
	assert_int_equal(access(f->path, F_OK), 0);
}

/* After kill -9 the socket is still there, and nobody behind it. */
static void
test_left_over(void **state)
{
	struct fixture    *f = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int                fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err         err;

	status_close(f->status);
	assert_int_equal(access(f->path, F_OK), -1);
	strcpy(address.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	f->status = status_open(f->loop, f->path, fill, f, &err);
	if (f->status == NULL)
		fail_msg("%s", err.text);
	fd = call(f);
	loop_run_once(f->loop, true);
	assert_int_equal(drain(fd), 100);
}

static void
test_not_a_socket(void **state)
{
	struct fixture *f = *state;
	char           *path = mem_printf("%s/file", f->dir);
	FILE           *file = fopen(path, "w");
	struct err      err;

	assert_non_null(file);
	fclose(file);
	assert_null(status_open(f->loop, path, fill, f, &err));
	assert_int_equal(access(path, F_OK), 0); /* nobody's file is removed */
	free(path);
}

static struct status_facts
make_facts(void)
{
	static struct refused_item refusals[] = {
		{ "evil.test", "evil.test: not a name of Azure Cosmos DB" },
		{ "b", "broken \xff byte" },
	};

	return (struct status_facts){ .version = "1.2.3",
		.agent = "vm-1",
		.network = "vnet-a/default",
		.pid = 4711,
		.at_ms = 1790000200000,
		.started_ms = 1790000000000,
		.spool = { .bytes = 1 << 20,
		    .records = 77,
		    .files = 3,
		    .dropped = 5,
		    .lost = { [SPOOL_LOST_AGE] = 3, [SPOOL_LOST_REJECTED] = 2 } },
		.spool_limit_bytes = 64 << 20,
		.oldest_ms = 1790000100000,
		.collector = "https://collector.example:8643",
		.upload = "waiting",
		.sent = 9,
		.stored = 4,
		.failures = 2,
		.acked_ms = 1790000140000,
		.trouble = "no route",
		.prober_alive = true,
		.record_ms = 1790000199000,
		.vitals = { .at_ms = 1790000195000,
		    .loop_lag_us = 250000,
		    .measured = 12,
		    .targets = 7,
		    .refused_items = 23,
		    .refusals = refusals,
		    .refusals_count = 2,
		    .assignment = "abc",
		    .resolvers = "10.0.0.4",
		    .confined = "files",
		    .older_offered = 2,
		    .clock_known = true,
		    .clock_ahead_ms = -61000,
		    .refused_connects = 6 } };
}

static void
test_round_trip(void **state)
{
	struct status_facts facts = make_facts(), read;
	struct arena       *arena = arena_new();
	struct wbuf         first, second;
	struct err          err;

	wbuf_init(&first);
	wbuf_init(&second);
	status_json_write(&facts, &first);
	if (!status_json_read(&read, arena, (char *)first.bytes, first.count, &err))
		fail_msg("%s", err.text);
	status_json_write(&read, &second);
	assert_string_equal(wbuf_text(&first), wbuf_text(&second));
	assert_string_equal(read.vitals.refusals[1].reason, "broken ? byte");
	assert_false(status_json_read(&read, arena, "{\"version\": 2}", 14, &err));
	assert_false(status_json_read(&read, arena, "{\"ver", 5, &err));
	wbuf_fini(&first);
	wbuf_fini(&second);
	arena_free(arena);
}

static void
test_empty(void **state)
{
	struct status_facts facts = { .version = "" }, read;
	struct arena       *arena = arena_new();
	struct wbuf         out;
	struct err          err;

	wbuf_init(&out);
	status_json_write(&facts, &out);
	assert_true(status_json_read(&read, arena, (char *)out.bytes, out.count, &err));
	wbuf_clear(&out);
	status_print(&read, false, &out);
	assert_non_null(strstr(wbuf_text(&out), "assignment  none yet\n"));
	assert_non_null(strstr(wbuf_text(&out), "prober      has ended\n"));
	wbuf_fini(&out);
	arena_free(arena);
}

#define OLDER                                                                              \
	"            an older one was offered 2 times; was the collector restored from a " \
	"backup?\n"

static const char page[] =
    "agent       vm-1, network vnet-a/default\n"
    "running     3 min 20 s, process 4711, version 1.2.3\n"
    "prober      12 measurements, last record 1 s ago\n"
    "lag         250.0 ms at worst: measurements were marked as late\n"
    "confined    by the kernel: to the files it reads\n"
    "resolvers   10.0.0.4\n"
    "refused     6 connections, by the local policy\n"
    "assignment  abc, 7 names\n" OLDER "            23 refused by the local policy:\n"
    "              evil.test: not a name of Azure Cosmos DB\n"
    "              broken ? byte\n"
    "              and 21 more\n"
    "spool       77 records, 1.0 of 64.0 MiB, oldest batch 1 min 40 s ago\n"
    "            5 records dropped, and declared as gaps: spool-age 3, rejected 2\n"
    "collector   https://collector.example:8643, upload waiting\n"
    "            last acknowledgement 1 min 0 s ago, 4 batches stored\n"
    "            2 failures in a row\n"
    "            last request: no route\n"
    "clock       1 min 1 s behind the collector's\n";

static void
test_page(void **state)
{
	struct status_facts facts = make_facts(), read;
	struct arena       *arena = arena_new();
	struct wbuf         out;
	struct err          err;

	wbuf_init(&out);
	status_json_write(&facts, &out);
	assert_true(status_json_read(&read, arena, (char *)out.bytes, out.count, &err));
	wbuf_clear(&out);
	status_print(&read, false, &out);
	assert_string_equal(wbuf_text(&out), page);
	wbuf_fini(&out);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_agents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_a_socket, setup, teardown),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
