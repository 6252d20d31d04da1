/* What a reload says of settings that it cannot put in force. */
#include "collector/conf_changes.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define BASE "certificate: c.pem\nkey: k.pem\n"

static const struct {
	const char *name, *more, *late;
} cases[] = {
	{ "nothing", "", "" },
	{ "the same in other words", "silent_after: 300s\nconnections: 2048\n", "" },
	{ "what is taken",
	    "auth: token\ncertificate_life: 1d\nretention: 9d\nlog_level: debug\n", "" },
	{ "another address", "listen: \"127.0.0.1:9\"\n", "listen" },
	{ "some of both", "interval: 30s\nstore: \"memory:\"\nconnections: 7\n",
	    "store, connections" },
};

static struct collector_conf
read_text(struct arena *arena, const char *more)
{
	struct collector_conf conf;
	struct err            err = { 0 };
	char                  text[500];

	snprintf(text, sizeof(text), BASE "%s", more);
	if (!conf_parse(&conf, collector_conf_rows, arena, text, strlen(text), "test", &err) ||
	    !collector_conf_check(&conf, arena, &err))
		fail_msg("%s", err.text);
	return conf;
}

static void
test_late(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arena         *arena = arena_new();
		struct collector_conf now = read_text(arena, "");
		struct collector_conf fresh = read_text(arena, cases[i].more);

		print_message("%s\n", cases[i].name);
		assert_string_equal(conf_changes_late(&now, &fresh, arena), cases[i].late);
		arena_free(arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
