#include "collector/collector_conf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static bool
parse(const char *more, struct collector_conf *conf, struct arena *arena, struct err *err)
{
	char *text = mem_printf("certificate: c\nkey: k\n%s", more);
	bool  good = conf_parse(
	                 conf, collector_conf_rows, arena, text, strlen(text), "in", err) &&
	    collector_conf_check(conf, arena, err);

	free(text);
	return good;
}

static void
test_presets(void **state)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };

	if (!parse("", &conf, arena, &err))
		fail_msg("%s", err.text);
	assert_int_equal(conf.listen_at.port, 8643);
	assert_int_equal(conf.page_at.port, 8640);
	assert_int_equal(conf.silent_ms, 300000);
	assert_int_equal(conf.rules.critical.bad, 2);
	assert_int_equal(conf.rules.critical.of, 3);
	assert_int_equal(conf.rules.warning.bad, 3);
	assert_int_equal(conf.rules.warning.of, 5);
	assert_int_equal(conf.rules.warning.good, 2);
	assert_string_equal(conf.tokens, "/var/lib/plprobe-collector/tokens");
	if (!parse("listen: 127.0.0.1:0\npage: '[::1]:0'\n", &conf, arena, &err))
		fail_msg("%s", err.text);
	assert_int_equal(conf.listen_at.port, 0);
	assert_int_equal(conf.page_at.family, 6);
	arena_free(arena);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "page: here\n", "page" },
		{ "page_names: ['https://probe.example']\n", "page_names" },
		{ "page_proxies: [proxy.example]\n", "page_proxies" },
		{ "page_proxies: [10.0.0.1/8]\n", "page_proxies" },
		{ "page_certificate: c\n", "page_certificate and page_key" },
		{ "page_key: k\n", "page_certificate and page_key" },
		{ "listen: here\n", "listen" },
		{ "interval: 10m\n", "silent_after" },
		{ "interval: 30\n", "interval" },
		{ "retention: 1d\n", "retention" },
		{ "retentoin: 14d\n", "retentoin" },
		{ "log_level: loud\n", "log" },
		{ "sync_interval: 5s\n", "1m" },
		{ "sync_interval: 5m\n", "nothing in `sync`" },
		{ "sync: [{subscription: s}]\n", "accounts_dir" },
		{ "accounts_dir: d\nsync: [{cloud: AzureCloud}]\n", "a subscription" },
		{ "accounts_dir: d\nsync: [{accounts: [a], resource_group: g}]\n",
		    "subscription wanted with it" },
		{ "accounts_dir: d\nsync: [{subscription: s, token_file: t, client_id: c}]\n",
		    "one of them" },
		{ "confirm_critical: 4 of 3\n", "N of M" },
		{ "confirm_warning: often\n", "confirm_warning" },
		{ "close_after: 0\n", "close_after" },
		{ "close_after: 13\n", "close_after" },
	};
	struct arena         *arena = arena_new();
	struct collector_conf conf;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };

		if (parse(cases[i].text, &conf, arena, &err))
			fail_msg("taken: %s", cases[i].text);
		if (strstr(err.text, cases[i].words) == NULL)
			fail_msg("%s: %s", cases[i].text, err.text);
	}
	arena_free(arena);
}

/* The file that is shipped says every setting, and says the presets. */
static void
test_shipped_file(void **state)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf, presets;
	struct err            err = { 0 };
	struct wbuf           shipped, wanted;

	if (!collector_conf_read(&conf, arena, "deploy/collector.yaml", &err))
		fail_msg("%s", err.text);
	assert_true(parse("", &presets, arena, &err));
	presets.certificate = conf.certificate;
	presets.key = conf.key;
	presets.accounts_dir = conf.accounts_dir;
	wbuf_init(&shipped);
	wbuf_init(&wanted);
	conf_dump(&conf, collector_conf_rows, &shipped);
	conf_dump(&presets, collector_conf_rows, &wanted);
	assert_string_equal(wbuf_text(&shipped), wbuf_text(&wanted));
	wbuf_fini(&shipped);
	wbuf_fini(&wanted);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presets),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_shipped_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
