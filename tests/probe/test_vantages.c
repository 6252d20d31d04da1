#include "probe/vantages.h"

#include "base/file.h"
#include "tests/support/support_dir.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AZURE "7783-7084-3265-9085-8269-3286-77"

/* Files that stand in for the system's. */
static char *folder;
static char  resolv_conf[100], stub_conf[100], asset_tag[100];

static int
make_files(void **state)
{
	folder = support_dir_new();
	snprintf(resolv_conf, sizeof(resolv_conf), "%s/resolv.conf", folder);
	snprintf(stub_conf, sizeof(stub_conf), "%s/stub.conf", folder);
	snprintf(asset_tag, sizeof(asset_tag), "%s/tag", folder);
	return 0;
}

static int
remove_files(void **state)
{
	support_dir_free(folder);
	return 0;
}

/* NULL removes it. */
static void
put(const char *path, const char *text)
{
	struct err err;

	unlink(path);
	if (text != NULL)
		assert_true(file_replace(path, text, strlen(text), 0644, &err));
}

static const struct vantages_ask files = {
	.resolv_conf = resolv_conf, .stub_conf = stub_conf, .asset_tag = asset_tag
};

static const char *
name_source(enum source source)
{
	return field_word(FIELD_SOURCE, source);
}

static const struct find_case {
	const char *name, *resolv, *stub, *tag;
	const char *configured; /* space between */
	bool        azure_dns;
	const char *wanted, *text;
} finds[] = {
	{ "resolv.conf", "nameserver 10.0.0.4\nnameserver 10.0.0.5\n", NULL, NULL, "", false,
	    "10.0.0.4 resolv.conf;10.0.0.5 resolv.conf;", "10.0.0.4 10.0.0.5" },
	{ "one twice", "nameserver 10.0.0.4\nnameserver 10.0.0.4\n", NULL, NULL, "", false,
	    "10.0.0.4 resolv.conf;", "10.0.0.4" },
	{ "a stub and what is behind", "nameserver 127.0.0.53\n", "nameserver 10.0.0.4\n", NULL,
	    "", false, "127.0.0.53 resolv.conf;10.0.0.4 resolv.conf;", "127.0.0.53 10.0.0.4" },
	{ "on Azure", "nameserver 10.0.0.4\n", NULL, AZURE "\n", "", false,
	    "10.0.0.4 resolv.conf;168.63.129.16 azure;", "10.0.0.4 168.63.129.16" },
	{ "on Azure, which resolv.conf names", "nameserver 168.63.129.16\n", NULL, AZURE "\n",
	    "", false, "168.63.129.16 resolv.conf;", "168.63.129.16" },
	{ "behind a stub", "nameserver 127.0.0.53\n", "nameserver 168.63.129.16\n", AZURE "\n",
	    "", true, "127.0.0.53 resolv.conf;168.63.129.16 resolv.conf;",
	    "127.0.0.53 168.63.129.16" },
	{ "on another Hyper-V", "nameserver 10.0.0.4\n", NULL,
	    "7783-7084-3265-9085-8269-3286-78\n", "", false, "10.0.0.4 resolv.conf;",
	    "10.0.0.4" },
	{ "a tag that only begins so", "nameserver 10.0.0.4\n", NULL, AZURE "1\n", "", false,
	    "10.0.0.4 resolv.conf;", "10.0.0.4" },
	{ "a tag cut short", "nameserver 10.0.0.4\n", NULL, "7783-7084", "", false,
	    "10.0.0.4 resolv.conf;", "10.0.0.4" },
	{ "Azure's server by setting", "nameserver 10.0.0.4\n", NULL, NULL, "", true,
	    "10.0.0.4 resolv.conf;168.63.129.16 azure;", "10.0.0.4 168.63.129.16" },
	{ "configured ones replace resolv.conf", "nameserver 10.0.0.4\n", NULL, NULL,
	    "10.0.0.9 127.0.0.1:5300", false, "10.0.0.9 configured;127.0.0.1:5300 configured;",
	    "10.0.0.9 127.0.0.1:5300" },
	{ "and what goes by itself on Azure", "nameserver 10.0.0.4\n", NULL, AZURE "\n",
	    "10.0.0.9", false, "10.0.0.9 configured;", "10.0.0.9" },
	{ "but not what is set", "nameserver 10.0.0.4\n", NULL, AZURE "\n", "10.0.0.9", true,
	    "10.0.0.9 configured;168.63.129.16 azure;", "10.0.0.9 168.63.129.16" },
	{ "configured and no resolv.conf", NULL, NULL, NULL, "10.0.0.9", false,
	    "10.0.0.9 configured;", "10.0.0.9" },
	{ "one address at two ports", NULL, NULL, NULL, "10.0.0.9 10.0.0.9:5300 10.0.0.9",
	    false, "10.0.0.9 configured;10.0.0.9:5300 configured;", "10.0.0.9 10.0.0.9:5300" },
	{ "as many as there may be", NULL, NULL, NULL,
	    "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8", true,
	    "10.0.0.1 configured;10.0.0.2 configured;10.0.0.3 configured;10.0.0.4 configured;"
	    "10.0.0.5 configured;10.0.0.6 configured;10.0.0.7 configured;10.0.0.8 configured;"
	    "168.63.129.16 azure;",
	    "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 "
	    "168.63.129.16" },
};

static void
test_finds(void **state)
{
	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
		const struct find_case *row = &finds[i];
		struct arena           *arena = arena_new();
		struct addr             configured[10];
		struct vantages_ask     ask = files;
		struct vantages         found;
		struct err              err;
		char       *rest, *word, *copy = arena_strdup(arena, row->configured);
		const char *text = "";

		put(resolv_conf, row->resolv);
		put(stub_conf, row->stub);
		put(asset_tag, row->tag);
		for (word = strtok_r(copy, " ", &rest); word != NULL;
		     word = strtok_r(NULL, " ", &rest))
			assert_true(
			    addr_parse(&configured[ask.configured_count++], word, 53, NULL));
		ask.configured = configured;
		ask.azure_dns = row->azure_dns;
		print_message("%s\n", row->name);
		assert_true(vantages_find(&found, &ask, &err));
		for (size_t j = 0; j < found.count; j++) {
			struct vantages one = { .list = { found.list[j] }, .count = 1 };

			text = arena_printf(arena, "%s%s %s;", text,
			    vantages_render(&one, arena), name_source(found.list[j].source));
		}
		assert_string_equal(text, row->wanted);
		assert_string_equal(vantages_render(&found, arena), row->text);
		arena_free(arena);
	}
}

static void
test_none(void **state)
{
	struct vantages found;
	struct err      err;

	put(resolv_conf, NULL);
	assert_false(vantages_find(&found, &files, &err));
	assert_non_null(strstr(err.text, resolv_conf));
	put(resolv_conf, "# nothing\n");
	assert_false(vantages_find(&found, &files, &err));
	assert_non_null(strstr(err.text, "nameserver"));
}

static void
test_equal(void **state)
{
	struct vantages one = { .count = 2 }, other;

	assert_true(addr_parse(&one.list[0].resolver, "10.0.0.4", 53, NULL));
	assert_true(addr_parse(&one.list[1].resolver, "fe80::1%2", 53, NULL));
	other = one;
	assert_true(vantages_equal(&one, &other));
	other.list[1].resolver.scope = 3;
	assert_false(vantages_equal(&one, &other));
	other = one;
	other.list[1].source = SOURCE_AZURE;
	assert_false(vantages_equal(&one, &other));
	other = one;
	other.list[0].resolver.port = 54;
	assert_false(vantages_equal(&one, &other));
	other = one;
	other.list[0].resolver.bytes[3] = 5;
	assert_false(vantages_equal(&one, &other));
	other = one;
	other.count = 1;
	assert_false(vantages_equal(&one, &other));
}

static void
test_watch(void **state)
{
	struct vantages_watch watch = { 0 };
	struct err            err;

	put(resolv_conf, "nameserver 10.0.0.4\n");
	put(stub_conf, NULL);
	assert_true(vantages_changed(&watch, &files)); /* never looked at before */
	assert_false(vantages_changed(&watch, &files));
	/* Of the same length, and in the place of the old. */
	assert_true(file_replace(resolv_conf, "nameserver 10.0.0.5\n", 20, 0644, &err));
	assert_true(vantages_changed(&watch, &files));
	assert_false(vantages_changed(&watch, &files));
	put(stub_conf, "nameserver 10.0.0.6\n");
	assert_true(vantages_changed(&watch, &files));
	assert_false(vantages_changed(&watch, &files));
	put(resolv_conf, NULL);
	assert_true(vantages_changed(&watch, &files));
	assert_false(vantages_changed(&watch, &files));
	put(resolv_conf, "nameserver 10.0.0.5\n");
	assert_true(vantages_changed(&watch, &files));
	assert_false(vantages_changed(&watch, &files));
}

/* Written again in place, at another moment, with as many bytes. */
static void
test_watch_in_place(void **state)
{
	struct vantages_watch watch = { 0 };
	FILE                 *file;

	put(resolv_conf, "nameserver 10.0.0.4\n");
	vantages_changed(&watch, &files);
	usleep(50000); /* longer than a tick of the kernel's file times */
	file = fopen(resolv_conf, "r+");
	fputs("nameserver 10.0.0.7\n", file);
	fclose(file);
	assert_true(vantages_changed(&watch, &files));
	assert_false(vantages_changed(&watch, &files));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_watch_in_place),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
