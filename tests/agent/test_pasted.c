#include "agent/pasted.h"
#include "base/wbuf.h"

#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;

static int
start(void **state)
{
	arena = arena_new();
	return 0;
}

static int
stop(void **state)
{
	arena_free(arena);
	return 0;
}

static const char *
render(const struct pasted *pasted)
{
	const char *text = "";

	for (size_t i = 0; i < pasted->count; i++)
		text = arena_printf(arena, "%s%s%s:%u%s", text, i > 0 ? " " : "",
		    pasted->uris[i].host, pasted->uris[i].port,
		    pasted->uris[i].primary ? "p" : "");
	return text;
}

static const struct scan_case {
	const char *name, *text, *found; /* found NULL: refused */
} scan_cases[] = {
	{ "one alone", "rntbd://a.documents.azure.com:14000/apps/x/replicas/1p/",
	    "a.documents.azure.com:14000p" },
	{ "in JSON of Java", "{\"storePhysicalAddress\":\"rntbd://a.b:1/x/1s/\",\"y\":1}",
	    "a.b:1" },
	{ "with the slashes of other JSON", "\"rntbd:\\/\\/a.b:1\\/apps\\/2p\\/\"", "a.b:1p" },
	{ "in a log of .NET",
	    "Microsoft.Azure.Documents.TransportException: ... [connect -> "
	    "rntbd://cdb-ms-prod-eastus1-fd26.documents.azure.com:14066/], RNTBD: "
	    "ConnectTimeout",
	    "cdb-ms-prod-eastus1-fd26.documents.azure.com:14066" },
	{ "each once", "rntbd://a.b:1/x/1p/ rntbd://a.b:1/y/2s/ rntbd://a.b:2/",
	    "a.b:1p a.b:2" },
	{ "a full stop is no part of it", "see rntbd://a.b:14000/x/1p.", "a.b:14000p" },
	{ "behind a line end of JSON", "rntbd://a.b:1/x/1s/\\nrntbd://a.b:2/y/1s/",
	    "a.b:1 a.b:2" },
	{ "one that is cut is passed over", "rntbd://a.b: rntbd://a.b:7/", "a.b:7" },
	{ "an IPv6 address", "rntbd://[::1]:10251/apps/1p/", "::1:10251p" },
	{ "none", "nothing of the kind", NULL },
	{ "empty", "", NULL },
	{ "only what is cut", "rntbd://", NULL },
	{ "another scheme", "https://a.documents.azure.com:443/", NULL },
};

static void
finds_addresses_in_texts(void **state)
{
	for (size_t i = 0; i < sizeof(scan_cases) / sizeof(scan_cases[0]); i++) {
		const struct scan_case *test = &scan_cases[i];
		struct pasted           pasted = { 0 };
		struct err              err = { ERR_NONE, "" };
		bool                    found = pasted_scan(
		                       &pasted, arena, test->text, strlen(test->text), "log", &err);

		print_message("%s: %s\n", test->name, err.text);
		assert_int_equal(found, test->found != NULL);
		if (found)
			assert_string_equal(render(&pasted), test->found);
		else
			assert_non_null(strstr(err.text, "log: no address of a replica"));
	}
}

static void
refuses_more_than_it_holds(void **state)
{
	struct wbuf   text;
	struct pasted pasted = { 0 };
	struct err    err;

	wbuf_init(&text);
	for (unsigned i = 1; i <= PASTED_MAX + 1; i++)
		wbuf_printf(&text, "rntbd://a.b:%u/\n", i);
	assert_false(
	    pasted_scan(&pasted, arena, (const char *)text.bytes, text.count, "log", &err));
	assert_string_equal(err.text, "log: more than 4096 different addresses");
	assert_int_equal(pasted.count, PASTED_MAX);
	wbuf_fini(&text);
}

static void
reads_files(void **state)
{
	char         *folder = support_dir_new(), path[300];
	struct pasted pasted = { 0 };
	struct err    err;
	FILE         *file;

	snprintf(path, sizeof(path), "%s/log", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("binary \001\002 rntbd://a.b:5/ and so on\n", file);
	fclose(file);
	assert_true(pasted_read(&pasted, arena, path, &err));
	assert_string_equal(render(&pasted), "a.b:5");
	assert_false(pasted_read(&pasted, arena, "/does/not/exist", &err));
	assert_non_null(strstr(err.text, "/does/not/exist"));
	support_dir_free(folder);
}

static void
adds_single_ones(void **state)
{
	struct pasted pasted = { 0 };
	struct err    err;

	assert_true(pasted_add(&pasted, arena, "rntbd://a.b:1/x/1p/", &err));
	assert_true(pasted_add(&pasted, arena, " rntbd://a.b:1/x/1p/\n", &err));
	assert_int_equal(pasted.count, 1);
	assert_false(pasted_add(&pasted, arena, "a.b:1", &err));
	assert_true(err.text[0] != '\0');
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_addresses_in_texts, start, stop),
		cmocka_unit_test_setup_teardown(refuses_more_than_it_holds, start, stop),
		cmocka_unit_test_setup_teardown(reads_files, start, stop),
		cmocka_unit_test_setup_teardown(adds_single_ones, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
