/* The server's limits, against clients that are slow, many or old. */
#include "collector/listen.h"

#include "base/arena.h"
#include "base/clock.h"
#include "tests/support/support_certs.h"

#include <openssl/ssl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	FIRST_MS = 400,
	REQUEST_MS = 1000,
	AGE_MS = 1500,
	CONNECTIONS = 3,
	PATIENCE_MS = 10000,
	ROOM_BYTES = 128 << 10,
	BODY_MAX = 100000
};

static char               folder[64];
static struct loop       *loop;
static struct listen_tls *tls;
static struct listen     *server;
static const char        *raw;    /* what say_raw() says */
static struct request    *parked; /* of /later, answered by a timer */
static struct loop_watch  later;

static void
on_later(void *arg, unsigned what)
{
	request_answer(parked, 200, "text/plain", "late", 4);
	parked = NULL;
}

static void
on_request(void *arg, struct request *request)
{
	if (strcmp(request_path(request), "/later") == 0) {
		parked = request;
		loop_watch_set(&later, -1, 0, (AGE_MS + 300) * US_PER_MS);
		return;
	}
	if (strcmp(request_path(request), "/much") == 0) {
		static const char much[8 << 20];

		request_answer(request, 200, "text/plain", much, sizeof(much));
		return;
	}
	if (strcmp(request_path(request), "/refused") == 0) {
		request_answer(request, 403, "text/plain", "no\n", 3);
		return;
	}
	if (strcmp(request_path(request), "/known") == 0)
		request_prove(request);
	request_answer(request, 200, "text/plain", "ok", 2);
}

/* A client is a process; the server is ours, so that its counters can be read. */
static pid_t
start_client(int (*run)(SSL *ssl, int fd))
{
	struct sockaddr_storage to;
	struct addr             at = listen_addr(server);
	unsigned                count = addr_to_sockaddr(&at, &to);
	pid_t                   child = fork();
	SSL_CTX                *context;
	SSL                    *ssl;
	int                     fd;

	if (child != 0)
		return child;
	context = SSL_CTX_new(TLS_client_method());
	ssl = SSL_new(context);
	fd = socket(to.ss_family, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, count) != 0)
		_exit(100);
	SSL_set_fd(ssl, fd);
	_exit(run(ssl, fd));
}

/* Runs the loop until the client has ended; its exit code. */
static int
wait_client(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, WNOHANG) == 0) {
		loop_run_once(loop, false);
		usleep(1000);
	}
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int64_t
now_ms(void)
{
	return clock_mono_us(clock_system()) / US_PER_MS;
}

/* Waits until the server has closed; how long that took, in tenths of a second. */
static int
wait_close(int fd, int64_t began_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char          byte[256];
	ssize_t       got;

	do {
		if (poll(&poll_fd, 1, PATIENCE_MS) != 1)
			return 101;
		got = read(fd, byte, sizeof(byte));
	} while (got > 0);
	return (int)((now_ms() - began_ms) / 100);
}

static int
say_nothing(SSL *ssl, int fd)
{
	return wait_close(fd, now_ms());
}

static int
drip_handshake(SSL *ssl, int fd)
{
	static const unsigned char hello[] = { 0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3 };
	int64_t                    began_ms = now_ms();

	for (size_t i = 0; i < sizeof(hello); i++) {
		if (send(fd, &hello[i], 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(100000);
	}
	return wait_close(fd, began_ms);
}

static int
drip_headers_on(SSL *ssl, int fd)
{
	static const char start[] = "GET / HTTP/1.1\r\nHost: x\r\n";
	int64_t           began_ms = now_ms();

	if (SSL_write(ssl, start, sizeof(start) - 1) <= 0)
		return 102;
	while (SSL_write(ssl, "a: b\r\n", 6) > 0 && now_ms() - began_ms < PATIENCE_MS)
		usleep(100000);
	return wait_close(fd, began_ms);
}

static int
drip_headers(SSL *ssl, int fd)
{
	return SSL_connect(ssl) == 1 ? drip_headers_on(ssl, fd) : 102;
}

static bool
ask(SSL *ssl, const char *path, const char *answer)
{
	char text[1000], *request = mem_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	int  got = 0, count = 0;

	if (SSL_write(ssl, request, (int)strlen(request)) <= 0)
		return false;
	free(request);
	do {
		got = SSL_read(ssl, text + count, (int)sizeof(text) - 1 - count);
		count += got > 0 ? got : 0;
		text[count] = '\0';
	} while (got > 0 && strstr(text, answer) == NULL);
	return strstr(text, answer) != NULL;
}

/* Keeps asking until the connection has had its time. */
static int
grow_old(SSL *ssl, int fd)
{
	int64_t began_ms = now_ms();

	if (SSL_connect(ssl) != 1)
		return 102;
	while (ask(ssl, "/", "ok") && now_ms() - began_ms < PATIENCE_MS)
		usleep(50000);
	return (int)((now_ms() - began_ms) / 100);
}

/* An answer that is waited for outlives the age. */
static int
wait_parked(SSL *ssl, int fd)
{
	return SSL_connect(ssl) == 1 && ask(ssl, "/later", "late") ? 0 : 1;
}

static int
ask_once(SSL *ssl, int fd)
{
	return SSL_connect(ssl) == 1 && ask(ssl, "/", "ok") ? 0 : 1;
}

static void
settle(void)
{
	for (int i = 0; i < 50; i++) {
		loop_run_once(loop, false);
		usleep(1000);
	}
}

static void
test_slow_clients(void **state)
{
	static const struct {
		const char *name;
		int (*run)(SSL *ssl, int fd);
		int limit_ms;
	} clients[] = { { "says nothing", say_nothing, FIRST_MS },
		{ "drips its hello", drip_handshake, FIRST_MS },
		{ "drips its headers", drip_headers, REQUEST_MS } };

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		uint64_t overdue = listen_counts(server).crowd.overdue;
		int      tenths = wait_client(start_client(clients[i].run));

		print_message("%s: closed after %d00 ms\n", clients[i].name, tenths);
		assert_in_range(
		    tenths, clients[i].limit_ms / 100 - 1, clients[i].limit_ms / 100 + 20);
		assert_int_equal(listen_counts(server).crowd.overdue, overdue + 1);
		settle();
		assert_int_equal(listen_counts(server).crowd.live, 0);
	}
}

static void
test_old_connection(void **state)
{
	int tenths = wait_client(start_client(grow_old));

	assert_in_range(tenths, AGE_MS / 100 - 1, AGE_MS / 100 + 20);
	settle();
	assert_int_equal(listen_counts(server).crowd.live, 0);
}

static void
test_parked_outlives_age(void **state)
{
	assert_int_equal(wait_client(start_client(wait_parked)), 0);
	settle();
	assert_int_equal(listen_counts(server).waiting, 0);
}

/* Whoever says nothing makes room for who comes later. */
static void
test_silent_make_room(void **state)
{
	pid_t    idle[CONNECTIONS + 2];
	uint64_t evicted = listen_counts(server).crowd.evicted;

	for (int i = 0; i < CONNECTIONS + 2; i++)
		idle[i] = start_client(say_nothing);
	settle();
	assert_int_equal(listen_counts(server).crowd.live, CONNECTIONS);
	assert_int_equal(listen_counts(server).crowd.evicted, evicted + 2);
	assert_int_equal(wait_client(start_client(ask_once)), 0);
	for (int i = 0; i < CONNECTIONS + 2; i++)
		assert_true(wait_client(idle[i]) < 100);
	settle();
	assert_int_equal(listen_counts(server).crowd.live, 0);
}

/* Shows that it is somebody, and says no more for longer than it takes the others to come. */
static int
stay(SSL *ssl, int fd)
{
	if (SSL_connect(ssl) != 1 || !ask(ssl, "/known", "ok"))
		return 102;
	usleep(700000);
	return ask(ssl, "/", "ok") ? 0 : 103;
}

static void
test_known_stay(void **state)
{
	uint64_t asked = listen_counts(server).requests;
	pid_t    known[CONNECTIONS], late;

	for (int i = 0; i < CONNECTIONS; i++)
		known[i] = start_client(stay);
	for (int i = 0; i < 3000 && listen_counts(server).requests < asked + CONNECTIONS; i++) {
		loop_run_once(loop, false);
		usleep(1000);
	}
	late = start_client(ask_once); /* waits in the backlog until there is room */
	settle();
	assert_int_equal(listen_counts(server).crowd.live, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		assert_int_equal(wait_client(known[i]), 0);
	assert_int_equal(wait_client(late), 0);
}

/* One more connection, from that address. */
static SSL *
connect_again(const char *from)
{
	struct sockaddr_storage to;
	struct addr             at = listen_addr(server);
	unsigned                count = addr_to_sockaddr(&at, &to);
	struct sockaddr_in      source = { .sin_family = AF_INET };
	SSL                    *ssl = SSL_new(SSL_CTX_new(TLS_client_method()));
	int                     fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, from, &source.sin_addr);
	if (bind(fd, (struct sockaddr *)&source, sizeof(source)) != 0 ||
	    connect(fd, (struct sockaddr *)&to, count) != 0)
		_exit(104);
	SSL_set_fd(ssl, fd);
	return ssl;
}

static int
ask_elsewhere(SSL *ssl, int fd)
{
	SSL *other = connect_again("127.0.0.2");

	close(fd);
	return SSL_connect(other) == 1 && ask(other, "/", "ok") ? 0 : 1;
}

/* Another server, in the place of the usual one. */
static void
serve_beside(struct listen_crowd_limits limits)
{
	struct listen_options options = { .loop = loop,
		.at = listen_addr(server),
		.tls = tls,
		.limits = limits,
		.idle_ms = PATIENCE_MS,
		.on_request = on_request };
	struct err            err;

	options.at.port = 0;
	server = listen_new(&options, &err);
	assert_non_null(server);
}

/* Who has had its share is refused, and nobody has to go for it; others get their place. */
static void
test_share_of_an_address(void **state)
{
	struct listen *usual = server;
	pid_t          idle[2];

	serve_beside((struct listen_crowd_limits){
	    .connections = 2, .of_address = 2, .shake_ms = 3000 });
	for (int i = 0; i < 2; i++)
		idle[i] = start_client(say_nothing);
	while (listen_counts(server).crowd.live < 2)
		settle();
	for (int i = 0; i < 3; i++)
		assert_int_equal(wait_client(start_client(ask_once)), 1);
	assert_int_equal(listen_counts(server).crowd.refused, 3);
	assert_int_equal(listen_counts(server).crowd.evicted, 0);
	assert_int_equal(wait_client(start_client(ask_elsewhere)), 0);
	assert_int_equal(listen_counts(server).crowd.evicted, 1);
	for (int i = 0; i < 2; i++)
		assert_true(wait_client(idle[i]) < 100);
	settle();
	listen_free(server);
	server = usual;
}

/* A body of so many bytes, and how long it takes until the server has had enough. */
static int
drip_body(SSL *ssl, int fd)
{
	static const char start[] =
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n";
	int64_t began_ms = now_ms();

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, start, sizeof(start) - 1) <= 0)
		return 102;
	while (SSL_write(ssl, "x", 1) > 0 && now_ms() - began_ms < PATIENCE_MS)
		usleep(20000);
	return wait_close(fd, began_ms);
}

/* The same in a connection that has been served before. */
static int
drip_second(SSL *ssl, int fd)
{
	if (SSL_connect(ssl) != 1 || !ask(ssl, "/known", "ok"))
		return 102;
	return drip_headers_on(ssl, fd);
}

/* Asks for much, and reads none of it. */
static int
never_read(SSL *ssl, int fd)
{
	static const char request[] = "GET /much HTTP/1.1\r\nHost: x\r\n\r\n";
	struct pollfd     gone = { .fd = fd, .events = POLLRDHUP };
	int64_t           began_ms = now_ms();

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, request, sizeof(request) - 1) <= 0)
		return 102;
	if (poll(&gone, 1, PATIENCE_MS) != 1)
		return 101;
	return (int)((now_ms() - began_ms) / 100);
}

static void
test_answer_not_read(void **state)
{
	struct listen *usual = server;
	int            tenths;

	serve_beside(
	    (struct listen_crowd_limits){ .connections = 2, .request_ms = REQUEST_MS });
	tenths = wait_client(start_client(never_read));
	assert_in_range(tenths, REQUEST_MS / 100 - 1, REQUEST_MS / 100 + 20);
	assert_int_equal(listen_counts(server).crowd.overdue, 1);
	settle();
	listen_free(server);
	server = usual;
}

static int
ask_much(SSL *ssl, int fd)
{
	return SSL_connect(ssl) == 1 && ask(ssl, "/much", "503 Service") &&
	        ask(ssl, "/", "200 OK")
	    ? 0
	    : 1;
}

/* An answer needs room as a request does. */
static void
test_room_for_answers(void **state)
{
	assert_int_equal(wait_client(start_client(ask_much)), 0);
}

/* A deadline for the whole, and not only for silence. */
static void
test_slow_requests(void **state)
{
	static const struct {
		const char *name;
		int (*run)(SSL *ssl, int fd);
	} clients[] = { { "drips its body", drip_body },
		{ "drips its second request", drip_second } };

	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		uint64_t overdue = listen_counts(server).crowd.overdue;
		int      tenths = wait_client(start_client(clients[i].run));

		print_message("%s: closed after %d00 ms\n", clients[i].name, tenths);
		assert_in_range(tenths, REQUEST_MS / 100 - 1, REQUEST_MS / 100 + 20);
		assert_int_equal(listen_counts(server).crowd.overdue, overdue + 1);
	}
}

static void
begin_body(SSL *ssl)
{
	static const char start[] =
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n";
	static const char body[60000];

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, start, sizeof(start) - 1) <= 0)
		_exit(102);
	(void)SSL_write(ssl, body, sizeof(body));
}

/* Two bodies that do not end, for which the room of one address is not enough: one has to go. */
static int
hold_bodies(SSL *ssl, int fd)
{
	SSL          *second = connect_again("127.0.0.1");
	struct pollfd both[] = { { .fd = fd, .events = POLLRDHUP },
		{ .fd = SSL_get_fd(second), .events = POLLRDHUP } };
	int64_t       began_ms = now_ms();

	begin_body(ssl);
	begin_body(second);
	return poll(both, 2, PATIENCE_MS) == 1 ? (int)((now_ms() - began_ms) / 100) : 101;
}

static void
test_room_for_bodies(void **state)
{
	uint64_t starved = listen_counts(server).crowd.starved;

	assert_in_range(wait_client(start_client(hold_bodies)), 0, REQUEST_MS / 100 - 3);
	assert_int_equal(listen_counts(server).crowd.starved, starved + 1);
	settle();
}

/* Who gets nothing but refusals has to begin anew, which has its price. */
static int
ask_in_vain(SSL *ssl, int fd)
{
	int count = 0;

	if (SSL_connect(ssl) != 1)
		return 102;
	while (count < 90 && ask(ssl, "/refused", "no\n"))
		count++;
	return count;
}

static void
test_refused_again_and_again(void **state)
{
	assert_int_equal(wait_client(start_client(ask_in_vain)), 16);
}

/* Without a descriptor the loop has other things to do than to fail. */
static void
test_no_descriptors(void **state)
{
	struct rlimit before, low;
	uint64_t      stalls = listen_counts(server).stalls;
	pid_t         client;
	int           turns = 0, fd = dup(0), status;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = (rlim_t)fd; /* and this one is the next */
	close(fd);
	client = start_client(ask_once);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	for (int64_t end_ms = now_ms() + 700; now_ms() < end_ms; turns++)
		loop_run_once(loop, true);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(waitpid(client, &status, WNOHANG), 0);
	assert_in_range(listen_counts(server).stalls - stalls, 2, 5);
	assert_in_range(turns, 1, 50);
	assert_int_equal(wait_client(client), 0);
}

/* Each is refused with the status, and the connection ends: nothing behind it is read. */
static int
say_raw(SSL *ssl, int fd)
{
	char    text[4000];
	int     got, count = 0, answers = 0;
	int64_t began_ms = now_ms();

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, raw, (int)strlen(raw)) <= 0)
		return 102;
	while ((got = SSL_read(ssl, text + count, (int)sizeof(text) - 1 - count)) > 0 &&
	    now_ms() - began_ms < PATIENCE_MS)
		count += got;
	text[count] = '\0';
	for (char *at = text; (at = strstr(at, "HTTP/1.1 ")) != NULL; at++)
		answers++;
	return answers == 1 && count > 12 && atoi(text + 9) / 100 == 4 ? 0 : answers + 10;
}

static void
test_smuggled(void **state)
{
#define NEXT "GET /known HTTP/1.1\r\nHost: x\r\n\r\n"
	static const char *const texts[] = {
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: "
		"chunked\r\n\r\n0\r\n\r\n" NEXT,
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n" NEXT,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length : 40\r\n\r\n" NEXT,
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: "
		"40\r\n\r\n" NEXT,
		"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" NEXT,
		"GET / HTTP/1.1\r\n\r\n" NEXT,
		"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n" NEXT,
		"GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n" NEXT,
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t garbled = listen_counts(server).garbled;
		int      code;

		raw = texts[i];
		code = wait_client(start_client(say_raw));
		if (code != 0 || listen_counts(server).garbled > garbled + 1)
			fail_msg("%zu: %d", i, code);
	}
}

/* Three at once are answered one after the other. */
static int
pipeline(SSL *ssl, int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char              text[2000], *three = mem_printf("%s%s%s", request, request, request);
	int               got, count = 0, answers;

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, three, (int)strlen(three)) <= 0)
		return 102;
	free(three);
	do {
		got = SSL_read(ssl, text + count, (int)sizeof(text) - 1 - count);
		count += got > 0 ? got : 0;
		text[count] = '\0';
		answers = 0;
		for (char *at = text; (at = strstr(at, "200 OK")) != NULL; at++)
			answers++;
	} while (got > 0 && answers < 3);
	return answers == 3 && ask(ssl, "/", "ok") ? 0 : 1;
}

static void
test_pipelined(void **state)
{
	assert_int_equal(wait_client(start_client(pipeline)), 0);
}

enum { COMERS = 150, TURN = 64, BUSY_MS = 500 };

/* There is always something to do, until the time is over. */
struct busy {
	struct loop_watch watch;
	int64_t           end_ms;
};

static void
on_busy(void *arg, unsigned what)
{
	struct busy *busy = arg;

	if (now_ms() < busy->end_ms)
		loop_watch_set(&busy->watch, -1, 0, 0);
}

static struct listen *
open_wide(void)
{
	struct listen_options options = { .loop = loop,
		.tls = tls,
		.body_bytes_max = 1000,
		.limits = { .connections = 2 * COMERS,
		    .of_address = 2 * COMERS,
		    .shake_ms = PATIENCE_MS,
		    .request_ms = PATIENCE_MS,
		    .age_ms = PATIENCE_MS,
		    .room_bytes = 1 << 20 },
		.idle_ms = PATIENCE_MS,
		.on_request = on_request };
	struct err            err;
	struct listen        *wide;

	assert_true(addr_parse(&options.at, "127.0.0.1", 1, &err));
	options.at.port = 0;
	wide = listen_new(&options, &err);
	assert_non_null(wide);
	return wide;
}

/* Who was let in is served before others are: of many a few tens while there is something to do, and
 * the others as soon as there is not. */
static void
test_turns(void **state)
{
	struct listen          *wide = open_wide();
	struct addr             at = listen_addr(wide);
	struct sockaddr_storage to;
	unsigned                count = addr_to_sockaddr(&at, &to);
	int                     comers[COMERS];
	struct busy             busy = { .end_ms = now_ms() + BUSY_MS };

	for (int i = 0; i < COMERS; i++) {
		comers[i] = socket(to.ss_family, SOCK_STREAM, 0);
		assert_int_equal(connect(comers[i], (struct sockaddr *)&to, count), 0);
	}
	loop_watch_init(&busy.watch, loop, on_busy, &busy);
	loop_watch_set(&busy.watch, -1, 0, 0);
	while (now_ms() < busy.end_ms)
		loop_run_once(loop, true);
	assert_int_equal(listen_counts(wide).crowd.live, TURN);
	while (listen_counts(wide).crowd.live < COMERS && now_ms() < busy.end_ms + PATIENCE_MS)
		loop_run_once(loop, false);
	assert_true(now_ms() < busy.end_ms + 1000);
	loop_watch_fini(&busy.watch);
	for (int i = 0; i < COMERS; i++)
		close(comers[i]);
	listen_free(wide);
}

/* Without TLS on the TLS port there is no answer, least of all a plain one. */
static int
speak_plain(SSL *ssl, int fd)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char              answer[512];
	ssize_t           got, count = 0;

	if (send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) < 0)
		return 102;
	while ((got = read(fd, answer + count, sizeof(answer) - 1 - (size_t)count)) > 0)
		count += got;
	answer[count] = '\0';
	return strstr(answer, "HTTP/1") != NULL;
}

static void
test_plain_on_tls(void **state)
{
	assert_int_equal(wait_client(start_client(speak_plain)), 0);
}

static void
test_bad_files(void **state)
{
	char *cert = mem_printf("%s/cert.pem", folder), *key = mem_printf("%s/key.pem", folder);
	struct err err;

	assert_null(listen_tls_new("/no/such/file", key, &err));
	assert_string_equal(err.text, "/no/such/file: No such file or directory");
	assert_null(listen_tls_new(cert, cert, &err));
	assert_true(listen_tls_ends_ms(tls) > clock_wall_ms(clock_system()));
	assert_true(truncate(cert, 10) == 0);
	assert_false(listen_tls_reload(tls, &err));
	assert_int_equal(wait_client(start_client(ask_once)), 0); /* the old one is in force */
	free(cert);
	free(key);
}

static void
test_certificate_warning(void **state)
{
	struct arena *arena = arena_new();
	int64_t       ends_ms = listen_tls_ends_ms(tls);

	assert_null(listen_tls_warning(tls, arena, ends_ms - 14 * MS_PER_DAY));
	assert_non_null(strstr(listen_tls_warning(tls, arena, ends_ms - 14 * MS_PER_DAY + 1),
	    "certificate ends 2"));
	assert_non_null(
	    strstr(listen_tls_warning(tls, arena, ends_ms - 1), "certificate ends"));
	assert_non_null(
	    strstr(listen_tls_warning(tls, arena, ends_ms), "certificate has ended 2"));
	arena_free(arena);
}

static int
set_up(void **state)
{
	const struct support_certs_plan plan = { .subject = "localhost" };
	struct listen_options           options = { .body_bytes_max = BODY_MAX,
		          .limits = { .connections = CONNECTIONS,
		              .shake_ms = FIRST_MS,
		              .request_ms = REQUEST_MS,
		              .age_ms = AGE_MS,
		              .room_bytes = ROOM_BYTES },
		          .idle_ms = PATIENCE_MS,
		          .on_request = on_request };
	struct support_certs           *certs = support_certs_new(&plan);
	struct err                      err = { 0 };
	char                           *cert, *key;

	snprintf(folder, sizeof(folder), "/tmp/plprobe-listen-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	cert = mem_printf("%s/cert.pem", folder);
	key = mem_printf("%s/key.pem", folder);
	support_certs_write(certs, cert, key);
	support_certs_free(certs);
	loop = loop_new(&err);
	tls = listen_tls_new(cert, key, &err);
	free(cert);
	free(key);
	if (loop == NULL || tls == NULL || !addr_parse(&options.at, "127.0.0.1", 1, &err))
		return -1;
	options.at.port = 0;
	options.loop = loop;
	options.tls = tls;
	server = listen_new(&options, &err);
	if (server == NULL)
		return -1;
	loop_watch_init(&later, loop, on_later, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	char *command = mem_printf("rm -rf %s", folder);
	int   code = system(command);

	listen_free(server);
	listen_tls_free(tls);
	loop_watch_fini(&later);
	loop_free(loop);
	free(command);
	return code;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_clients),
		cmocka_unit_test(test_old_connection),
		cmocka_unit_test(test_parked_outlives_age),
		cmocka_unit_test(test_slow_requests),
		cmocka_unit_test(test_answer_not_read),
		cmocka_unit_test(test_room_for_answers),
		cmocka_unit_test(test_silent_make_room),
		cmocka_unit_test(test_known_stay),
		cmocka_unit_test(test_share_of_an_address),
		cmocka_unit_test(test_room_for_bodies),
		cmocka_unit_test(test_refused_again_and_again),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_smuggled),
		cmocka_unit_test(test_pipelined),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_certificate_warning),
		cmocka_unit_test(test_plain_on_tls),
		cmocka_unit_test(test_bad_files),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
