#include "base/base64.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

/* The vectors of [rfc4648 10], and two whose letters differ between the alphabets. */
static const struct vector_case {
	const char *bytes, *text, *url;
} vectors[] = {
	{ "", "", "" },
	{ "f", "Zg==", "Zg" },
	{ "fo", "Zm8=", "Zm8" },
	{ "foo", "Zm9v", "Zm9v" },
	{ "foob", "Zm9vYg==", "Zm9vYg" },
	{ "fooba", "Zm9vYmE=", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "+//+", "-__-" },
};

static void
test_vectors(void **state)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector_case *v = &vectors[i];
		size_t                    count = strlen(v->bytes);
		char                      text[16];
		uint8_t                   bytes[16];

		assert_string_equal(
		    base64_encode((const uint8_t *)v->bytes, count, text), v->text);
		assert_string_equal(
		    base64_url_encode((const uint8_t *)v->bytes, count, text), v->url);
		assert_true(base64_decode(v->text, strlen(v->text), bytes, count));
		assert_memory_equal(bytes, v->bytes, count);
	}
}

static void
test_refusals(void **state)
{
	static const char *const wrong[] = { "Zg=", "Zg", "Zg==\n", "Zg=A",
		"Zh==", "Z===", "-g==", " g==", "Zm8=", "Zg==Zg==" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t byte[3];

		if (base64_decode(wrong[i], strlen(wrong[i]), byte, 1))
			fail_msg("%s was taken", wrong[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
