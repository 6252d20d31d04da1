#include "tests/fake/backend/fake_rntbd_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define ACTIVITY "cc22338f8617b44d9b97b229c2c6f0aa"
#define A                                                                                \
	"4100000000000000" ACTIVITY "000002010000000100070a323032302d30372d313502000710" \
	"636f736d6f732d70726f62652f312e30"
#define B                                                                                \
	"4900000000000000" ACTIVITY "000002010000000100070a323032302d30372d313502000710" \
	"636f736d6f732d70726f62652f312e300300000004000000"
#define READ                                                                                   \
	"890000000300030033221100554477668899aabbccddeeff020000000300071d7468752c2032372061"   \
	"707220323031372030303a35313a313220676d741300082b002f617070732f612f73657276696365732f" \
	"732f706172746974696f6e732f702f7265706c696361732f317015000803006462311600080200633117" \
	"00080100784d000201000000"

static size_t
from_hex(const char *hex, uint8_t *bytes)
{
	size_t   count = strlen(hex) / 2;
	unsigned byte;

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
	return count;
}

static void
assert_bytes(const struct wbuf *out, const char *hex)
{
	uint8_t bytes[512];
	size_t  count = from_hex(hex, bytes);

	assert_int_equal(out->count, count);
	assert_memory_equal(out->bytes, bytes, count);
}

static void
test_context_requests(void **state)
{
	static const char *const requests[] = { A, B };
	struct fake_frame        frame;
	struct err               err;
	uint8_t                  bytes[200], activity[16];

	from_hex(ACTIVITY, activity);
	for (size_t i = 0; i < 2; i++) {
		size_t count = from_hex(requests[i], bytes);

		assert_int_equal(fake_frame_length(bytes), count);
		assert_true(fake_frame_parse(&frame, bytes, count, &err));
		assert_true(fake_frame_is_context(&frame));
		assert_true(fake_frame_check_context(&frame, &err));
		assert_memory_equal(frame.activity, activity, sizeof(activity));
		assert_int_equal(frame.version, 1);
		assert_string_equal(frame.client, "2020-07-15");
		assert_string_equal(frame.agent, "cosmos-probe/1.0");
	}
}

/* R1, R2, R3 and E1 of the reference. */
static const struct answer_case {
	enum fake_context kind;
	uint32_t          status, unauthenticated_s;
	const char       *hex;
} answer_cases[] = {
	{ FAKE_CONTEXT_R1, 200, 25,
	    "50000000c8000000" ACTIVITY "02000711446f63756d656e7444422053657276657203000711"
	    "2076657273696f6e3d322e31342e302e300400027800000005000219000000" },
	{ FAKE_CONTEXT_R2, 200, 15,
	    "5f000000c8000000" ACTIVITY "000002010000000100070a323032302d30372d31350200070b526e"
	    "746264536572766572030007112076"
	    "657273696f6e3d322e31342e302e30040002780000000500020f000000" },
	{ FAKE_CONTEXT_R3, 200, 25,
	    "54000000c8000000" ACTIVITY "02000711446f63756d656e74444220536572766572030007112076"
	    "657273696f6e3d322e31342e302e30"
	    "f000080600667574757265f1000207000000" },
	{ FAKE_CONTEXT_E1, 400, 25,
	    "5700000090010000" ACTIVITY "000002010000000100070a323031342d30382d323102000711446f"
	    "63756d656e74444220536572766572"
	    "030007112076657273696f6e3d322e31342e302e303e0000007b22636f6465223a2242616452657175"
	    "6573"
	    "74222c226d657373616765223a22556e737570706f727465642070726f746f636f6c2076657273696f"
	    "6e22"
	    "7d" },
};

static void
test_context_answers(void **state)
{
	uint8_t activity[16];

	from_hex(ACTIVITY, activity);
	for (size_t i = 0; i < sizeof(answer_cases) / sizeof(answer_cases[0]); i++) {
		const struct answer_case *c = &answer_cases[i];
		struct wbuf               out;

		wbuf_init(&out);
		fake_context_put(&out, c->kind, c->status, c->unauthenticated_s, activity);
		assert_bytes(&out, c->hex);
		wbuf_fini(&out);
	}
}

static void
test_request_answers(void **state)
{
	struct fake_frame frame;
	struct wbuf       out;
	struct err        err;
	uint8_t           bytes[200];
	size_t            count = from_hex(READ, bytes);

	assert_true(fake_frame_parse(&frame, bytes, count, &err));
	assert_int_equal(frame.resource, 3);
	assert_int_equal(frame.operation, 3);
	assert_int_equal(frame.transport_id, 1);
	assert_string_equal(frame.path, "/apps/a/services/s/partitions/p/replicas/1p");
	assert_true(frame.has_payload_flag && !frame.has_payload && !frame.has_authorization);

	wbuf_init(&out);
	fake_frame_put_answer(&out, &frame, 401, 0,
	    "{\"code\":\"Unauthorized\",\"message\":\"Required Header authorization is "
	    "missing.\"}");
	assert_bytes(&out,
	    "2a0000009101000033221100554477668899aabbccddeeff00000001350002010000001c0002000000"
	    "00"
	    "4d0000007b22636f6465223a22556e617574686f72697a6564222c226d657373616765223a22526571"
	    "75"
	    "697265642048656164657220617574686f72697a6174696f6e206973206d697373696e672e227d");
	wbuf_clear(&out);
	fake_frame_put_answer(&out, &frame, 410, 1002, NULL);
	assert_bytes(&out,
	    "2a0000009a01000033221100554477668899aabbccddeeff000000001c0002ea030000350002010000"
	    "00");
	wbuf_fini(&out);
}

/* Requests that are not as they have to be. */
static const struct bad_case {
	const char *name, *hex, *why;
} bad_cases[] = {
	{ "cut in a token",
	    "4000000000000000" ACTIVITY "000002010000000100070a323032302d30372d313502000710"
	    "636f736d6f732d70726f62652f312e",
	    "runs past" },
	{ "another length", "4200000000000000" ACTIVITY "00000201000000", "length 66" },
	{ "a type that is none", "1b00000000000000" ACTIVITY "00000f", "type 0x0f" },
	{ "half a token", "1a00000000000000" ACTIVITY "0000", "cut short" },
	{ "a version as a byte", "1c00000000000000" ACTIVITY "00000001", "type 0x00" },
	{ "nothing said", "1800000000000000" ACTIVITY, "ProtocolVersion" },
	{ "no agent", "2d00000000000000" ACTIVITY "000002010000000100070a323032302d30372d3135",
	    "UserAgent" },
	{ "version 2",
	    "4100000000000000" ACTIVITY "000002020000000100070a323032302d30372d313502000710"
	    "636f736d6f732d70726f62652f312e30",
	    "ProtocolVersion 2" },
};

static void
test_bad_requests(void **state)
{
	for (size_t i = 0; i < sizeof(bad_cases) / sizeof(bad_cases[0]); i++) {
		struct fake_frame frame;
		struct err        err = { 0 };
		uint8_t           bytes[200];
		size_t            count = from_hex(bad_cases[i].hex, bytes);
		bool              good = fake_frame_parse(&frame, bytes, count, &err) &&
		    fake_frame_check_context(&frame, &err);

		if (good || strstr(err.text, bad_cases[i].why) == NULL)
			fail_msg("%s: %s", bad_cases[i].name, good ? "accepted" : err.text);
	}
}

static void
test_lengths(void **state)
{
	assert_int_equal(fake_frame_length((const uint8_t *)"\x17\0\0\0"), 0);
	assert_int_equal(fake_frame_length((const uint8_t *)"\x18\0\0\0"), 24);
	assert_int_equal(fake_frame_length((const uint8_t *)"\0\0\x01\0"), 65536);
	assert_int_equal(fake_frame_length((const uint8_t *)"\x01\0\x01\0"), 0);
	assert_int_equal(fake_frame_length((const uint8_t *)"\xff\xff\xff\xff"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_context_requests),
		cmocka_unit_test(test_context_answers),
		cmocka_unit_test(test_request_answers),
		cmocka_unit_test(test_bad_requests),
		cmocka_unit_test(test_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
