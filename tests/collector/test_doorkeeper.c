/* By which name, from where and for whom the page may be asked; over real sockets. */
#include "collector/doorkeeper.h"

#include "base/base64.h"
#include "collector/readers_edit.h"
#include "tests/support/support_dir.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static const char right[] = "correct horse battery";

struct fixture {
	char              *dir, *path;
	struct loop       *loop;
	struct readers    *readers;
	struct login      *login;
	struct doorkeeper *keeper;
	struct listen     *server;
	unsigned           passed;
	char               heard[4096]; /* the last answer */
};

static void
on_pass(void *arg, struct request *request)
{
	struct fixture *f = arg;

	f->passed++;
	request_answer(request, 200, "text/plain", "secret", 6);
}

/* The listener is on loopback whatever `at` says: who asks can do so from here alone. */
static void
open_door(struct fixture *f, struct doorkeeper_options *options, const char *at, bool login)
{
	struct listen_options listen = { .loop = f->loop,
		.body_bytes_max = 1024,
		.idle_ms = 10000,
		.on_request = doorkeeper_on_request };
	struct err            err = { 0 };

	assert_true(addr_parse_listen(&options->at, at, 0, &err));
	assert_true(addr_parse_listen(&listen.at, "127.0.0.1:0", 0, &err));
	options->login = login ? f->login : NULL;
	options->clock = clock_system();
	options->on_pass = on_pass;
	options->arg = f;
	f->keeper = doorkeeper_new(options);
	listen.arg = f->keeper;
	f->server = listen_new(&listen, &err);
	assert_non_null(f->server);
}

static int
set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err = { 0 };

	memset(f, 0, sizeof(*f));
	*state = f;
	f->dir = support_dir_new();
	f->path = mem_printf("%s/readers", f->dir);
	f->loop = loop_new(&err);
	assert_true(readers_edit_person(f->path, "ann", right, false, 1, &err));
	f->readers = readers_open(f->path, &err);
	f->login = login_new(f->loop, clock_system(), f->readers, &err);
	assert_non_null(f->login);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	login_free(f->login);
	listen_free(f->server);
	doorkeeper_free(f->keeper);
	readers_free(f->readers);
	loop_free(f->loop);
	support_dir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static int
open_client(struct fixture *f)
{
	struct sockaddr_storage to;
	struct addr             at = listen_addr(f->server);
	unsigned                count = addr_to_sockaddr(&at, &to);
	int                     fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, count), 0);
	return fd;
}

/* Sends a request with these header lines; the status of the answer. */
static int
ask_method(struct fixture *f, const char *method, const char *path, const char *lines)
{
	int     fd = open_client(f), status = 0;
	char    request[2000];
	size_t  count = 0;
	ssize_t got = -1;

	snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n",
	    method, path, lines);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (got != 0) {
		loop_run_once(f->loop, false);
		got = recv(fd, f->heard + count, sizeof(f->heard) - 1 - count, MSG_DONTWAIT);
		if (got > 0)
			count += (size_t)got;
		else if (got < 0)
			usleep(500);
	}
	f->heard[count] = '\0';
	close(fd);
	sscanf(f->heard, "HTTP/1.1 %d", &status);
	if (status != 200)
		assert_null(strstr(f->heard, "secret"));
	return status;
}

static int
ask(struct fixture *f, const char *lines)
{
	return ask_method(f, "GET", "/", lines);
}

static int
ask_host(struct fixture *f, const char *host)
{
	char lines[400];

	snprintf(lines, sizeof(lines), "Host: %s\r\n", host);
	return ask(f, lines);
}

static void
check_hosts(struct fixture *f, const char *const *hosts, int status)
{
	for (; *hosts != NULL; hosts++) {
		int got = ask_host(f, *hosts);

		if (got != status)
			fail_msg("Host: %s: %d, wanted %d", *hosts, got, status);
	}
}

static void
test_names_on_loopback(void **state)
{
	static const char *const  ours[] = { "localhost", "LocalHost:8640", "localhost.",
		 "127.0.0.1", "127.0.0.1:80", "[::1]:8640", "[::1]", "127.9.9.9:1", NULL };
	static const char *const  others[] = { "evil.example", "localhost.evil.example:80",
		 "10.0.0.1:8640", "127.0.0.1.evil.example", "0.0.0.0", "localhost:evil", ":80",
		 "[::1", "[fd00::1]:8640", NULL };
	static const char *const  none[] = { "", "localhost evil", NULL };
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };

	open_door(f, &options, "127.0.0.1:8640", false);
	check_hosts(f, ours, 200);
	assert_int_equal(f->passed, 8);
	check_hosts(f, others, 421);
	assert_int_equal(f->passed, 8);
	assert_non_null(strstr(f->heard, "page_names"));
	/* What is no host at all may be refused before anybody looks whose it is. */
	for (size_t i = 0; none[i] != NULL; i++) {
		int status = ask_host(f, none[i]);

		assert_true(status == 421 || status == 400);
	}
	assert_int_not_equal(ask(f, ""), 200);
	assert_int_equal(f->passed, 8);
}

static void
test_names_elsewhere(void **state)
{
	static const char *const  ours[] = { "10.0.0.4:8640", "localhost", "127.0.0.1",
		 "Probe.Example", "probe.example:443", "192.0.2.7", "[fd00::7]:8640", NULL };
	static const char *const  others[] = { "10.0.0.5:8640", "evil.example", "example",
		 "x.probe.example", "[fd00::8]", NULL };
	const char               *names[] = { "probe.example", "192.0.2.7", "fd00::7" };
	struct fixture           *f = *state;
	struct doorkeeper_options options = { .names = { names, 3 } };

	open_door(f, &options, "10.0.0.4:8640", false);
	check_hosts(f, ours, 200);
	check_hosts(f, others, 421);
}

/* Where it listens on all addresses, it has them all; but no names. */
static void
test_names_everywhere(void **state)
{
	static const char *const  ours[] = { "10.0.0.5:8640", "[fd00::8]", "localhost", NULL };
	static const char *const  others[] = { "evil.example", "10.0.0.5.evil.example", NULL };
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };

	open_door(f, &options, "0.0.0.0:8640", false);
	check_hosts(f, ours, 200);
	check_hosts(f, others, 421);
}

static void
test_other_sites(void **state)
{
	static const struct {
		const char *lines;
		int         status;
	} cases[] = {
		{ "", 200 },
		{ "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\n", 200 },
		{ "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\n", 200 },
		{ "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 200 },
		{ "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403 },
		{ "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n", 403 },
		{ "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n", 403 },
		{ "Sec-Fetch-Site: cross-site\r\n", 403 },
	};
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };
	char                      lines[300];

	open_door(f, &options, "127.0.0.1:8640", false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(lines, sizeof(lines), "Host: localhost\r\n%s", cases[i].lines);
		if (ask(f, lines) != cases[i].status)
			fail_msg("%s: %s", cases[i].lines, f->heard);
	}
	assert_int_equal(ask_method(f, "POST", "/",
	                     "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n"
	                     "Sec-Fetch-Mode: navigate\r\nContent-Length: 0\r\n"),
	    403);
}

/* On every answer, whatever it says. */
static void
test_headers(void **state)
{
	static const char *const  wanted[] = { "Content-Security-Policy: default-src 'none';",
		 "frame-ancestors 'none'", "X-Content-Type-Options: nosniff",
		 "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
		 "Cross-Origin-Opener-Policy: same-origin",
		 "Cross-Origin-Embedder-Policy: require-corp",
		 "Cross-Origin-Resource-Policy: same-origin", "Cache-Control: no-store" };
	static const char *const  asked[] = { "Host: localhost\r\n", "Host: evil.example\r\n",
		 "Host: localhost\r\nSec-Fetch-Site: cross-site\r\n" };
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };

	open_door(f, &options, "127.0.0.1:8640", true);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		ask(f, asked[i]);
		for (size_t j = 0; j < sizeof(wanted) / sizeof(wanted[0]); j++) {
			if (strstr(f->heard, wanted[j]) == NULL)
				fail_msg("no %s: %s", wanted[j], f->heard);
		}
		assert_null(strstr(f->heard, "Strict-Transport-Security"));
		assert_null(strstr(f->heard, "unsafe"));
	}
}

static void
write_basic(char *lines, size_t room, const char *more, const char *password)
{
	char both[100], text[BASE64_ROOM(sizeof(both))];
	int  count = snprintf(both, sizeof(both), "ann:%s", password);

	base64_encode((const uint8_t *)both, (size_t)count, text);
	snprintf(lines, room, "Host: localhost\r\n%sAuthorization: Basic %s\r\n", more, text);
}

static void
test_login(void **state)
{
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };
	char                      lines[400];

	open_door(f, &options, "127.0.0.1:8640", true);
	assert_int_equal(ask(f, "Host: localhost\r\n"), 401);
	assert_non_null(strstr(f->heard, "WWW-Authenticate: Basic realm=\"plprobe\""));
	write_basic(lines, sizeof(lines), "", "wrong horse battery");
	assert_int_equal(ask(f, lines), 401);
	assert_int_equal(f->passed, 0);
	write_basic(lines, sizeof(lines), "", right);
	assert_int_equal(ask(f, lines), 200);
	assert_int_equal(f->passed, 1);
	/* Whether we live is no secret. */
	assert_int_equal(ask_method(f, "GET", "/healthz", "Host: evil.example\r\n"), 200);
	assert_int_equal(ask_method(f, "GET", "/healthz/", "Host: localhost\r\n"), 401);
	/* The names come first: else a stranger's page could have its visitor log in. */
	write_basic(lines, sizeof(lines), "", right);
	memcpy(lines + strlen("Host: "), "localhxst", 9);
	assert_int_equal(ask(f, lines), 421);
}

static void
test_wrong_too_often(void **state)
{
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };
	int                       wrong = 0;

	open_door(f, &options, "127.0.0.1:8640", true);
	while (ask(f, "Host: localhost\r\nAuthorization: Bearer x\r\n") == 401)
		wrong++;
	assert_int_equal(wrong, 10);
	assert_non_null(strstr(f->heard, "HTTP/1.1 429"));
	assert_non_null(strstr(f->heard, "Retry-After: "));
}

/* Behind a proxy it is the visitor who is wrong too often, and not the proxy. */
static void
test_proxy(void **state)
{
	struct fixture           *f = *state;
	struct doorkeeper_options options = { .proxy_count = 1 };
	char                      lines[400];

	assert_true(net_parse(&options.proxies[0], "127.0.0.0/8", NULL));
	open_door(f, &options, "127.0.0.1:8640", true);
	for (int i = 0; i < 12; i++)
		ask(f,
		    "Host: localhost\r\nX-Forwarded-For: 1.1.1.1, 192.0.2.1\r\nAuthorization: "
		    "Bearer x\r\n");
	assert_non_null(strstr(f->heard, "HTTP/1.1 429"));
	assert_non_null(strstr(f->heard, "Strict-Transport-Security: max-age="));
	write_basic(lines, sizeof(lines), "X-Forwarded-For: 192.0.2.1\r\n", right);
	assert_int_equal(ask(f, lines), 429);
	write_basic(lines, sizeof(lines), "X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n", right);
	assert_int_equal(ask(f, lines), 200);
	/* Two of them: which one is the proxy's cannot be told, and neither is believed. */
	for (int i = 0; i < 12; i++)
		ask(f,
		    "Host: localhost\r\nX-Forwarded-For: 192.0.2.3\r\nX-Forwarded-For: "
		    "192.0.2.4\r\nAuthorization: Bearer x\r\n");
	write_basic(lines, sizeof(lines), "X-Forwarded-For: 192.0.2.3\r\n", right);
	assert_int_equal(ask(f, lines), 200);
	write_basic(lines, sizeof(lines), "X-Forwarded-For: 192.0.2.4\r\n", right);
	assert_int_equal(ask(f, lines), 200);
	write_basic(lines, sizeof(lines), "", right);
	assert_int_equal(ask(f, lines), 429);
}

static void
test_past_the_proxy(void **state)
{
	struct fixture           *f = *state;
	struct doorkeeper_options options = { .proxy_count = 1 };
	char                      lines[400];

	assert_true(net_parse(&options.proxies[0], "10.0.0.0/8", NULL));
	open_door(f, &options, "127.0.0.1:8640", true);
	write_basic(lines, sizeof(lines), "X-Forwarded-For: 10.0.0.1\r\n", right);
	assert_int_equal(ask(f, lines), 403);
	assert_int_equal(f->passed, 0);
	assert_int_equal(ask_method(f, "GET", "/healthz", "Host: x\r\n"), 200);
}

/* Who goes away while his password is compared. */
static void
test_gone(void **state)
{
	struct fixture           *f = *state;
	struct doorkeeper_options options = { 0 };
	char                      lines[400], request[600];
	int                       fd;

	open_door(f, &options, "127.0.0.1:8640", true);
	write_basic(lines, sizeof(lines), "", right);
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n%s\r\n", lines);
	fd = open_client(f);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (listen_counts(f->server).waiting == 0)
		loop_run_once(f->loop, false);
	close(fd);
	while (listen_counts(f->server).waiting > 0)
		loop_run_once(f->loop, true);
	assert_int_equal(ask(f, lines), 200);
}

static void
test_names_of_settings(void **state)
{
	static const char *const good[] = { "probe.example", "a", "10.0.0.1", "fd00::1",
		"x_y" };
	static const char *const bad[] = { "", "https://probe.example", "probe.example:443",
		"a b", "*.example", "10.0.0.1:443", "[fd00::1]:443", "a/b" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(doorkeeper_is_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (doorkeeper_is_name(bad[i]))
			fail_msg("%s", bad[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_on_loopback, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_elsewhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_names_everywhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_sites, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_headers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_too_often, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_proxy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_past_the_proxy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gone, set_up, tear_down),
		cmocka_unit_test(test_names_of_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
