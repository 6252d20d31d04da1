/* Where a login is asked for, and that nothing opens where nobody has one. */
#include "collector/porch.h"

#include "collector/readers_edit.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	char        *dir;
	struct loop *loop;
	unsigned     passed;
};

static void
on_request(void *arg, struct request *request)
{
	struct fixture *f = arg;

	f->passed++;
	request_answer(request, 200, "text/plain", "secret", 6);
}

static int
set_up(void **state)
{
	static const char *const               names[] = { "probe.example", NULL };
	static const struct support_certs_plan plan = { .subject = "probe", .names = names };
	struct fixture                        *f = mem_alloc(sizeof(*f));
	struct support_certs                  *certs = support_certs_new(&plan);
	char                                  *cert, *key;

	*f = (struct fixture){ .dir = support_dir_new(), .loop = loop_new(NULL) };
	*state = f;
	cert = mem_printf("%s/cert.pem", f->dir);
	key = mem_printf("%s/key.pem", f->dir);
	support_certs_write(certs, cert, key);
	support_certs_free(certs);
	free(cert);
	free(key);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	loop_free(f->loop);
	support_dir_free(f->dir);
	free(f);
	return 0;
}

static void
read_conf(struct fixture *f, struct collector_conf *conf, struct arena *arena, const char *more)
{
	struct err  err = { 0 };
	const char *text = arena_printf(arena,
	    "certificate: %s/cert.pem\nkey: %s/key.pem\nstate_dir: %s\n%s", f->dir, f->dir,
	    f->dir, more);

	if (!conf_parse(conf, collector_conf_rows, arena, text, strlen(text), "in", &err) ||
	    !collector_conf_check(conf, arena, &err))
		fail_msg("%s", err.text);
}

static struct porch *
open_porch(struct fixture *f, const struct collector_conf *conf, struct err *err)
{
	struct porch_options options = { f->loop, clock_system(), conf, NULL, on_request, f };

	return porch_open(&options, err);
}

/* The status of an answer over this socket, or 0. */
static int
ask_fd(struct fixture *f, int fd, const char *lines)
{
	char    request[500], heard[2000];
	size_t  count = 0;
	ssize_t got = -1;
	int     status = 0;

	snprintf(
	    request, sizeof(request), "GET / HTTP/1.1\r\n%sConnection: close\r\n\r\n", lines);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (got != 0 && count < sizeof(heard) - 1) {
		loop_run_once(f->loop, false);
		got = recv(fd, heard + count, sizeof(heard) - 1 - count, MSG_DONTWAIT);
		if (got > 0)
			count += (size_t)got;
		else if (got < 0)
			usleep(500);
	}
	heard[count] = '\0';
	close(fd);
	sscanf(heard, "HTTP/1.1 %d", &status);
	return status;
}

static int
ask(struct fixture *f, const struct porch *porch, const char *lines)
{
	struct sockaddr_storage to;
	struct addr             at = porch_addr(porch);
	unsigned                count = addr_to_sockaddr(&at, &to);
	int                     fd = socket(to.ss_family, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, count), 0);
	return ask_fd(f, fd, lines);
}

static int
ask_locally(struct fixture *f, const struct collector_conf *conf, const char *lines)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int                fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(strlen(conf->page_socket) < sizeof(to.sun_path));
	strcpy(to.sun_path, conf->page_socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return ask_fd(f, fd, lines);
}

static void
make_reader(const struct collector_conf *conf, int64_t ends_ms, char *header, size_t room)
{
	char token[READERS_TOKEN_ROOM];

	assert_true(readers_edit_token(conf->readers, "prom", 1, ends_ms, token, NULL));
	snprintf(header, room, "Host: localhost\r\nAuthorization: Bearer %s\r\n", token);
}

/* Which settings ask for a login, and which speak without TLS. */
static void
test_settings(void **state)
{
	static const struct {
		const char *text;
		bool        guarded, plain;
	} cases[] = {
		{ "", false, true },
		{ "page: 127.0.0.9:1\n", false, true },
		{ "page: '[::1]:1'\n", false, true },
		{ "page_login: true\n", true, true },
		{ "page_proxies: [127.0.0.1]\n", true, true },
		{ "page: 10.0.0.1:1\n", true, false },
		{ "page: 0.0.0.0:1\n", true, false },
		{ "page: '[::]:1'\n", true, false },
		{ "page: 169.254.1.1:1\n", true, false },
		{ "page: 10.0.0.1:1\npage_proxies: [10.0.0.0/24]\n", true, true },
		{ "page: '[::ffff:10.0.0.1]:1'\n", true, false },
	};
	struct fixture       *f = *state;
	struct arena         *arena = arena_new();
	struct collector_conf conf;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read_conf(f, &conf, arena, cases[i].text);
		if (conf.page_guarded != cases[i].guarded || conf.page_plain != cases[i].plain)
			fail_msg("%s", cases[i].text);
	}
	arena_free(arena);
}

/* The words can be pasted. */
static void
test_nobody_has_a_login(void **state)
{
	static const char *const texts[] = { "page: 0.0.0.0:0\n",
		"page: 127.0.0.1:0\npage_login: true\n",
		"page: 127.0.0.1:0\npage_proxies: [10.0.0.1]\n" };
	struct fixture          *f = *state;
	struct arena            *arena = arena_new();
	struct collector_conf    conf;
	char                     header[200];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err err = { 0 };

		read_conf(f, &conf, arena, texts[i]);
		assert_null(open_porch(f, &conf, &err));
		assert_non_null(strstr(err.text, "plprobe-collector user add NAME`"));
		assert_false(porch_check(&conf, "/etc/x.yaml", &err));
		assert_non_null(
		    strstr(err.text, "token create NAME --reader --config /etc/x.yaml`"));
		make_reader(&conf, 2, header, sizeof(header)); /* which has ended */
		assert_null(open_porch(f, &conf, &err));
	}
	make_reader(&conf, 0, header, sizeof(header));
	assert_true(porch_check(&conf, NULL, NULL));
	arena_free(arena);
}

static void
test_loopback_is_open(void **state)
{
	struct fixture       *f = *state;
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct porch         *porch;
	struct err            err = { 0 };

	read_conf(f, &conf, arena, "page: 127.0.0.1:0\n");
	porch = open_porch(f, &conf, &err);
	if (porch == NULL)
		fail_msg("%s", err.text);
	assert_string_equal(porch_scheme(porch), "http");
	assert_int_equal(ask(f, porch, "Host: localhost\r\n"), 200);
	assert_int_equal(ask(f, porch, "Host: evil.example\r\n"), 421);
	assert_int_equal(access(conf.page_socket, F_OK), -1);
	porch_close(porch);
	arena_free(arena);
}

static void
test_login_is_asked_for(void **state)
{
	struct fixture       *f = *state;
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct porch         *porch;
	struct err            err = { 0 };
	struct stat           seen;
	char                  header[200];

	read_conf(f, &conf, arena, "page: 127.0.0.1:0\npage_login: true\n");
	make_reader(&conf, 0, header, sizeof(header));
	porch = open_porch(f, &conf, &err);
	if (porch == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(ask(f, porch, "Host: localhost\r\n"), 401);
	assert_int_equal(f->passed, 0);
	assert_int_equal(ask(f, porch, header), 200);
	/* Whoever may open the socket needs none. */
	assert_int_equal(stat(conf.page_socket, &seen), 0);
	assert_int_equal(seen.st_mode & 0777, 0600);
	assert_int_equal(ask_locally(f, &conf, "Host: localhost\r\n"), 200);
	assert_int_equal(ask_locally(f, &conf, "Host: evil.example\r\n"), 421);
	/* Another collector is not pushed aside; what a dead one left is. */
	assert_null(open_porch(f, &conf, &err));
	assert_non_null(strstr(err.text, "another program"));
	porch_close(porch);
	assert_int_equal(access(conf.page_socket, F_OK), -1);
	arena_free(arena);
}

/* Elsewhere than on loopback it is TLS; without, nobody is understood. */
static void
test_tls_elsewhere(void **state)
{
	struct fixture       *f = *state;
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct porch         *porch;
	struct err            err = { 0 };
	char                  header[200];

	read_conf(f, &conf, arena, "page: 0.0.0.0:0\n");
	make_reader(&conf, 0, header, sizeof(header));
	porch = open_porch(f, &conf, &err);
	if (porch == NULL)
		fail_msg("%s", err.text);
	assert_string_equal(porch_scheme(porch), "https");
	assert_int_equal(ask(f, porch, header), 0);
	assert_int_equal(f->passed, 0);
	porch_close(porch);
	read_conf(
	    f, &conf, arena, "page: 0.0.0.0:0\npage_certificate: no.pem\npage_key: no.pem\n");
	assert_null(open_porch(f, &conf, &err));
	assert_non_null(strstr(err.text, "no.pem"));
	arena_free(arena);
}

static void
move(const struct fixture *f, const char *from, const char *to)
{
	char *paths[] = { mem_printf("%s/%s", f->dir, from), mem_printf("%s/%s", f->dir, to) };

	assert_int_equal(rename(paths[0], paths[1]), 0);
	free(paths[0]);
	free(paths[1]);
}

/* Without a certificate of its own the page has the collector's, also when that has another path. */
static void
test_moved_certificate(void **state)
{
	struct fixture       *f = *state;
	struct arena         *arena = arena_new();
	struct collector_conf conf, fresh;
	struct porch         *porch;
	struct err            err = { 0 };
	char                  header[200];

	read_conf(f, &conf, arena, "page: 0.0.0.0:0\n");
	make_reader(&conf, 0, header, sizeof(header));
	porch = open_porch(f, &conf, &err);
	assert_non_null(porch);
	fresh = conf;
	move(f, "cert.pem", "new.pem");
	move(f, "key.pem", "new.key");
	assert_false(porch_reload(porch, &fresh, &err));
	assert_non_null(strstr(err.text, "cert.pem"));
	fresh.certificate = arena_printf(arena, "%s/new.pem", f->dir);
	fresh.key = arena_printf(arena, "%s/new.key", f->dir);
	if (!porch_reload(porch, &fresh, &err))
		fail_msg("%s", err.text);
	porch_close(porch);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_has_a_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_loopback_is_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_login_is_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls_elsewhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_moved_certificate, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
