#include "probe/conn_probe.h"

#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* A dialogue that wants one byte, and counts what is done with it. */
struct counted {
	unsigned specs, records, finis;
};

static struct counted counted;

static void
say_nothing(void *self, struct wbuf *out)
{
}

static enum next
hear_byte(void *self, struct rcur *in)
{
	rcur_u8(in);
	return rcur_ok(in) ? NEXT_DONE : NEXT_HEAR;
}

static const struct dialog_ops byte_ops = {
	.name = "byte", .say = say_nothing, .hear = hear_byte
};

static void *
make_self(const struct probe_ask *ask, struct err *err)
{
	if (strcmp(ask->host, "refused") == 0) {
		err_set(err, ERR_PARSE, "not this one");
		return NULL;
	}
	counted.specs++;
	return &counted;
}

static void
drop_self(void *self)
{
	assert_ptr_equal(self, &counted);
	counted.finis++;
}

static void
record_self(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	counted.records++;
	assert_int_equal(counted.finis, 0); /* it is still whole */
}

static const struct conn_recipe recipe = {
	.dialog = &byte_ops,
	.spec = make_self,
	.fini = drop_self,
	.record = record_self,
};

static void *
start_byte(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

static const struct probe_kind probe_byte = {
	.name = "byte",
	.start = start_byte,
	.cancel = conn_probe_cancel,
};

static const struct probe_kind *const kinds[] = { &probe_byte, NULL };

static void
test_fini_after_the_end(void **state)
{
	static const struct {
		const char *name, *host;
		void (*serve)(int fd, void *arg);
		unsigned specs;
	} cases[] = {
		{ "answered", "x", support_peer_says, 1 },
		{ "reset", "x", support_peer_reset, 1 },
		{ "silent", "x", support_peer_silent, 1 },
		{ "refused spec", "refused", support_peer_silent, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct support_peer  *peer = support_peer_start(cases[i].serve, (void *)"x");
		struct probe_options  options = { .kinds = kinds };
		struct probe_ask      ask = { .kind = "byte",
			     .host = cases[i].host,
			     .peer = support_peer_addr(peer),
			     .limit_ms = 150 };
		struct support_probe *run;

		print_message("%s\n", cases[i].name);
		memset(&counted, 0, sizeof(counted));
		run = support_probe_run(&options, &ask);
		assert_int_equal(counted.specs, cases[i].specs);
		assert_int_equal(counted.records, 1);
		assert_int_equal(counted.finis, cases[i].specs);
		support_probe_free(run);
		support_peer_stop(peer);
	}
}

static void
never(void *arg)
{
	fail();
}

static void
test_fini_after_cancel(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	struct err           err;

	for (unsigned rounds = 1; rounds <= 32; rounds *= 2) {
		struct loop         *loop = loop_new(&err);
		struct probe_options options = {
			.kinds = kinds, .loop = loop, .clock = clock_system()
		};
		struct probes   *probes = probes_new(&options, &err);
		struct endpoint  endpoint = { 0 };
		struct probe_ask ask = { .kind = "byte",
			.host = "x",
			.peer = support_peer_addr(peer),
			.limit_ms = 5000,
			.arena = arena_new(),
			.endpoint = &endpoint,
			.on_over = never };
		struct probe    *probe;

		memset(&counted, 0, sizeof(counted));
		probe = probe_start(probes, &ask);
		for (unsigned i = 0; i < rounds; i++)
			loop_run_once(loop, false);
		assert_int_equal(counted.specs, 1);
		probe_cancel(probe);
		assert_int_equal(counted.records, 0);
		assert_int_equal(counted.finis, 1);
		probes_free(probes);
		arena_free(ask.arena);
		loop_free(loop);
	}
	support_peer_stop(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fini_after_the_end),
		cmocka_unit_test(test_fini_after_cancel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
