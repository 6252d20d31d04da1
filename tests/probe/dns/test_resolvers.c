#include "probe/dns/resolvers.h"

#include "base/file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROOM = 8 };

static const struct text_case {
	const char *name, *text, *servers;
} texts[] = {
	{ "one", "nameserver 10.0.0.4\n", "10.0.0.4:53 " },
	{ "no line end", "nameserver 10.0.0.4", "10.0.0.4:53 " },
	{ "Azure", "# by waagent\nsearch x.internal.cloudapp.net\nnameserver 168.63.129.16\n",
	    "168.63.129.16:53 " },
	{ "four in order",
	    "nameserver 10.0.0.4\nnameserver 10.0.0.3\nnameserver 10.0.0.2\nnameserver "
	    "10.0.0.1\n",
	    "10.0.0.4:53 10.0.0.3:53 10.0.0.2:53 10.0.0.1:53 " },
	{ "both families", "nameserver fd00::53\nnameserver 10.0.0.4\n",
	    "[fd00::53]:53 10.0.0.4:53 " },
	{ "a scope", "nameserver fe80::1%lo\n", "[fe80::1%1]:53 " },
	{ "the same twice", "nameserver 10.0.0.4\nnameserver 10.0.0.4\n", "10.0.0.4:53 " },
	{ "blanks and carriage returns", "nameserver \t 10.0.0.4 \r\nnameserver\tfd00::1\r\n",
	    "10.0.0.4:53 [fd00::1]:53 " },
	{ "words behind", "nameserver 10.0.0.4 # the forwarder\n", "10.0.0.4:53 " },
	{ "comments", "#nameserver 10.0.0.1\n;nameserver 10.0.0.2\n# nameserver 10.0.0.3\n",
	    "" },
	{ "other keywords", "search a\noptions edns0 ndots:2\ndomain b\nnameservers 10.0.0.1\n",
	    "" },
	{ "not at the line's start", " nameserver 10.0.0.1\n", "" },
	{ "no address", "nameserver\nnameserver \nnameserver dns.example\nnameserver 10.0.0\n",
	    "" },
	{ "a port", "nameserver 10.0.0.1:5353\nnameserver [::1]:53\n", "" },
	{ "a line without end",
	    "nameserver "
	    "1111111111111111111111111111111111111111111111111111111111111111111111111"
	    "1111111111111111111111111111111111\nnameserver 10.0.0.4\n",
	    "10.0.0.4:53 " },
	{ "garbage between", "\x01\xff\xfe\n\n\nnameserver 10.0.0.4\n\x7f", "10.0.0.4:53 " },
	{ "more than we take",
	    "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver "
	    "10.0.0.4\n"
	    "nameserver 10.0.0.5\nnameserver 10.0.0.6\nnameserver 10.0.0.7\nnameserver "
	    "10.0.0.8\n"
	    "nameserver 10.0.0.9\n",
	    "10.0.0.1:53 10.0.0.2:53 10.0.0.3:53 10.0.0.4:53 10.0.0.5:53 10.0.0.6:53 "
	    "10.0.0.7:53 "
	    "10.0.0.8:53 " },
};

static void
join_servers(const struct addr *servers, size_t count, char *text, size_t room)
{
	char   one[ADDR_TEXT];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(text + at, room - at, "%s ",
		    addr_render_port(&servers[i], one, sizeof(one)));
}

static void
test_texts(void **state)
{
	assert_int_equal(if_nametoindex("lo"), 1);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr servers[ROOM];
		char        text[500];
		size_t      count = resolvers_parse(texts[i].text, servers, ROOM);

		print_message("%s\n", texts[i].name);
		join_servers(servers, count, text, sizeof(text));
		assert_string_equal(text, texts[i].servers);
	}
}

struct files {
	char folder[40], path[60], stub_path[60];
};

static int
make_files(void **state)
{
	struct files *files = calloc(1, sizeof(*files));

	strcpy(files->folder, "/tmp/plprobe-resolv-XXXXXX");
	assert_non_null(mkdtemp(files->folder));
	snprintf(files->path, sizeof(files->path), "%s/resolv.conf", files->folder);
	snprintf(files->stub_path, sizeof(files->stub_path), "%s/stub", files->folder);
	*state = files;
	return 0;
}

static int
remove_files(void **state)
{
	struct files *files = *state;

	unlink(files->path);
	unlink(files->stub_path);
	rmdir(files->folder);
	free(files);
	return 0;
}

static const struct stub_case {
	const char *name, *text, *behind; /* behind NULL: no such file */
	const char *servers;
} stubs[] = {
	{ "the stub alone", "nameserver 127.0.0.53\n", "nameserver 168.63.129.16\n",
	    "127.0.0.53:53 168.63.129.16:53 " },
	{ "both its addresses", "nameserver 127.0.0.53\nnameserver 127.0.0.54\n",
	    "nameserver 10.0.0.4\nnameserver 10.0.0.5\n",
	    "127.0.0.53:53 127.0.0.54:53 10.0.0.4:53 10.0.0.5:53 " },
	{ "the stub and another", "nameserver 127.0.0.53\nnameserver 10.0.0.9\n",
	    "nameserver 10.0.0.4\n", "127.0.0.53:53 10.0.0.9:53 " },
	{ "no stub", "nameserver 127.0.0.1\n", "nameserver 10.0.0.4\n", "127.0.0.1:53 " },
	{ "nothing behind", "nameserver 127.0.0.53\n", "# empty\n", "127.0.0.53:53 " },
	{ "no file behind", "nameserver 127.0.0.53\n", NULL, "127.0.0.53:53 " },
	{ "the stub behind itself", "nameserver 127.0.0.53\n", "nameserver 127.0.0.53\n",
	    "127.0.0.53:53 " },
};

static void
test_what_stands_behind_the_stub(void **state)
{
	struct files *files = *state;

	for (size_t i = 0; i < sizeof(stubs) / sizeof(stubs[0]); i++) {
		struct addr servers[ROOM];
		struct err  err = { 0 };
		char        text[500];
		size_t      count;

		assert_true(file_replace(
		    files->path, stubs[i].text, strlen(stubs[i].text), 0644, &err));
		unlink(files->stub_path);
		if (stubs[i].behind != NULL)
			assert_true(file_replace(files->stub_path, stubs[i].behind,
			    strlen(stubs[i].behind), 0644, &err));
		assert_true(resolvers_read_behind(
		    files->path, files->stub_path, servers, ROOM, &count, &err));
		print_message("%s\n", stubs[i].name);
		join_servers(servers, count, text, sizeof(text));
		assert_string_equal(text, stubs[i].servers);
	}
}

static void
test_no_server_is_an_error(void **state)
{
	struct files *files = *state;
	struct addr   servers[ROOM];
	struct err    err = { 0 };
	size_t        count;

	assert_false(resolvers_read(files->path, servers, ROOM, &count, &err));
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(count, 0);
	assert_true(file_replace(files->path, "search x\n", 9, 0644, &err));
	assert_false(resolvers_read(files->path, servers, ROOM, &count, &err));
	assert_non_null(strstr(err.text, "no line 'nameserver ADDRESS'"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test_setup_teardown(
		    test_what_stands_behind_the_stub, make_files, remove_files),
		cmocka_unit_test_setup_teardown(
		    test_no_server_is_an_error, make_files, remove_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
