#include "agent/sign_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct signer_ask good = { .account = "contoso",
	.host = "contoso.documents.azure.com",
	.verb = "GET",
	.type = "colls",
	.link = "dbs/M\xc3\xbcnchen",
	.date = "Thu, 27 Apr 2017 00:51:12 GMT" };

static struct arena *arena;
static struct wbuf   out;
static struct err    err;

static int
begin(void **state)
{
	arena = arena_new();
	wbuf_init(&out);
	return 0;
}

static int
end(void **state)
{
	arena_free(arena);
	wbuf_fini(&out);
	return 0;
}

static void
test_ask_there_and_back(void **state)
{
	struct signer_ask back;
	uint32_t          id;

	assert_true(sign_ask_encode(0xfffffffe, &good, &out));
	assert_true(sign_ask_decode(&id, &back, arena, out.bytes, out.count, &err));
	assert_int_equal(id, 0xfffffffe);
	assert_string_equal(back.account, good.account);
	assert_string_equal(back.host, good.host);
	assert_string_equal(back.verb, good.verb);
	assert_string_equal(back.type, good.type);
	assert_string_equal(back.link, good.link);
	assert_string_equal(back.date, good.date);
}

static void
test_ask_cut_anywhere(void **state)
{
	struct signer_ask back;
	uint32_t          id;

	assert_true(sign_ask_encode(1, &good, &out));
	for (size_t count = 0; count < out.count; count++) {
		err.text[0] = '\0';
		assert_false(sign_ask_decode(&id, &back, arena, out.bytes, count, &err));
		assert_non_null(strstr(err.text, "cut short"));
	}
	wbuf_u8(&out, 0);
	assert_false(sign_ask_decode(&id, &back, arena, out.bytes, out.count, &err));
	assert_non_null(strstr(err.text, "1 bytes too many"));
}

/* A length that the prober makes up, without the bytes. */
static void
test_ask_over_the_limit(void **state)
{
	static const uint8_t long_account[] = { 0, 0, 0, 1, 0xff, 0xff, 'a' };
	static const uint8_t one_more[] = { 0, 0, 0, 1, 0, SIGN_ACCOUNT_MAX + 1 };
	struct signer_ask    back;
	uint32_t             id;

	assert_false(
	    sign_ask_decode(&id, &back, arena, long_account, sizeof(long_account), &err));
	assert_non_null(strstr(err.text, "account of 65535 bytes, at most 64 wanted"));
	assert_false(sign_ask_decode(&id, &back, arena, one_more, sizeof(one_more), &err));
	assert_non_null(strstr(err.text, "account of 65 bytes"));
}

/* What a link must not hold: it would be another string to sign. */
static const struct text_case {
	const char *name, *text;
	bool        good;
} text_cases[] = {
	{ "empty", "", true },
	{ "blank", "dbs/a b", true },
	{ "Greek", "dbs/\xce\xb1", true },
	{ "line feed", "dbs/a\nthu", false },
	{ "carriage return", "dbs/a\r", false },
	{ "escape", "\x1b[1m", false },
	{ "DEL", "a\x7f", false },
	{ "C1", "a\xc2\x85", false },
	{ "no UTF-8", "a\xff", false },
	{ "half a character", "a\xce", false },
};

static void
test_texts(void **state)
{
	for (size_t i = 0; i < sizeof(text_cases) / sizeof(text_cases[0]); i++) {
		const struct text_case *c = &text_cases[i];
		struct signer_ask       ask = good, back;
		uint32_t                id;

		ask.link = c->text;
		wbuf_clear(&out);
		if (sign_ask_encode(1, &ask, &out) != c->good)
			fail_msg("%s: encoded", c->name);
		assert_true(c->good || out.count == 0);
		/* The same from one who does not care. */
		wbuf_clear(&out);
		wbuf_put(&out, "\0\0\0\1\0\0\0\0\0\0\0\0", 12);
		wbuf_u16be(&out, (uint16_t)strlen(c->text));
		wbuf_puts(&out, c->text);
		wbuf_u16be(&out, 0);
		if (sign_ask_decode(&id, &back, arena, out.bytes, out.count, &err) != c->good)
			fail_msg("%s: decoded", c->name);
		if (!c->good)
			assert_non_null(strstr(err.text, "link with a control, or no UTF-8"));
	}
	/* A NUL would end the text before its time. */
	wbuf_clear(&out);
	wbuf_put(&out, "\0\0\0\1\0\1\0", 7);
	assert_false(sign_ask_decode(
	    &(uint32_t){ 0 }, &(struct signer_ask){ 0 }, arena, out.bytes, out.count, &err));
	assert_non_null(strstr(err.text, "account with a control"));
}

static void
test_answers(void **state)
{
	struct sign_answer back;
	char              *long_header = mem_alloc(SIGN_HEADER_MAX + 2);

	memset(long_header, 'a', SIGN_HEADER_MAX);
	sign_answer_encode(&(struct sign_answer){ .id = 7, .header = long_header }, &out);
	assert_true(sign_answer_decode(&back, arena, out.bytes, out.count, &err));
	assert_int_equal(back.id, 7);
	assert_string_equal(back.header, long_header);
	for (size_t count = 0; count < 20; count++)
		assert_false(sign_answer_decode(&back, arena, out.bytes, count, &err));
	long_header[SIGN_HEADER_MAX] = 'a';
	wbuf_clear(&out);
	sign_answer_encode(&(struct sign_answer){ .id = 8, .header = long_header }, &out);
	assert_true(sign_answer_decode(&back, arena, out.bytes, out.count, &err));
	assert_null(back.header);
	assert_non_null(strstr(back.why, "no header"));
	wbuf_clear(&out);
	long_header[600] = '\0';
	sign_answer_encode(&(struct sign_answer){ .id = 9, .why = long_header }, &out);
	assert_true(sign_answer_decode(&back, arena, out.bytes, out.count, &err));
	assert_int_equal(strlen(back.why), SIGN_WHY_MAX);
	wbuf_clear(&out);
	sign_answer_encode(&(struct sign_answer){ .id = 9, .header = "a\nb" }, &out);
	assert_true(sign_answer_decode(&back, arena, out.bytes, out.count, &err));
	assert_null(back.header);
	out.bytes[4] = 2;
	assert_false(sign_answer_decode(&back, arena, out.bytes, out.count, &err));
	assert_false(sign_answer_decode(&back, arena, (uint8_t *)"\0\0\0\1\1\0\0", 7, &err));
	assert_non_null(strstr(err.text, "empty header"));
	free(long_header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ask_there_and_back, begin, end),
		cmocka_unit_test_setup_teardown(test_ask_cut_anywhere, begin, end),
		cmocka_unit_test_setup_teardown(test_ask_over_the_limit, begin, end),
		cmocka_unit_test_setup_teardown(test_texts, begin, end),
		cmocka_unit_test_setup_teardown(test_answers, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
