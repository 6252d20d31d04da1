#include "probe/conn.h"

#include "tests/support/support_certs.h"
#include "tests/support/support_peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 5000, SHORT_MS = 150 };

/* One connection on a loop of its own. */
struct run {
	struct loop    *loop;
	struct arena   *arena;
	struct conn    *conn;
	struct conn_ask ask;
	unsigned        overs;
	unsigned        policy_asked;
	bool            policy;
	struct addr     policy_peer;
	bool            frees; /* from on_over() */
};

static void
on_over(void *arg)
{
	struct run *run = arg;

	run->overs++;
	if (run->frees)
		conn_free(run->conn);
	loop_stop(run->loop);
}

static bool
ask_policy(void *arg, const struct addr *peer)
{
	struct run *run = arg;

	run->policy_asked++;
	run->policy_peer = *peer;
	return run->policy;
}

static void
open_run(struct run *run, struct addr peer, int64_t limit_ms)
{
	struct err err;

	memset(run, 0, sizeof(*run));
	run->loop = loop_new(&err);
	run->arena = arena_new();
	run->policy = true;
	run->ask = (struct conn_ask){ .loop = run->loop,
		.clock = clock_system(),
		.arena = run->arena,
		.peer = peer,
		.limit_ms = limit_ms,
		.allows = ask_policy,
		.allows_arg = run,
		.on_over = on_over,
		.arg = run };
}

static const struct conn_seen *
finish_run(struct run *run)
{
	run->conn = conn_start(&run->ask);
	assert_int_equal(run->overs, 0); /* never from inside conn_start() */
	loop_run(run->loop);
	assert_int_equal(run->overs, 1);
	return conn_seen(run->conn);
}

static void
close_run(struct run *run)
{
	if (!run->frees)
		conn_free(run->conn);
	loop_run_once(run->loop, false);
	arena_free(run->arena);
	loop_free(run->loop);
}

static void
expect_words(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text, words);
}

static struct addr
loopback(const char *text, uint16_t port)
{
	struct addr addr;

	assert_true(addr_parse(&addr, text, port, NULL));
	return addr;
}

/* A port on which nobody listens: it is bound, and so is not given to others. */
static int
take_closed_port(struct addr *addr)
{
	struct addr             any = loopback("127.0.0.1", 0);
	struct sockaddr_storage at;
	socklen_t               count = addr_to_sockaddr(&any, &at);
	int                     fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, count), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &count), 0);
	*addr = addr_from_sockaddr((struct sockaddr *)&at);
	return fd;
}

static void
test_connected(void **state)
{
	struct support_peer    *peer = support_peer_start(support_peer_silent, NULL);
	struct run              run;
	const struct conn_seen *seen;

	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	seen = finish_run(&run);
	assert_int_equal(seen->tcp, OUTCOME_OK);
	assert_int_equal(seen->tls, OUTCOME_NOT_RUN);
	assert_int_equal(seen->dialog, OUTCOME_NOT_RUN);
	assert_in_range(seen->connect_us, 1, 1000000);
	assert_int_equal(seen->os_errno, 0);
	assert_string_equal(seen->detail, "");
	assert_true(addr_equal(&seen->local, &run.ask.peer));
	assert_int_not_equal(seen->local.port, 0);
	assert_int_equal(run.policy_asked, 1);
	assert_true(addr_equal(&run.policy_peer, &run.ask.peer));
	assert_int_equal(run.policy_peer.port, run.ask.peer.port);
	close_run(&run);
	support_peer_stop(peer);
}

static void
test_refused(void **state)
{
	struct addr             peer;
	int                     fd = take_closed_port(&peer);
	struct run              run;
	const struct conn_seen *seen;

	open_run(&run, peer, LIMIT_MS);
	seen = finish_run(&run);
	assert_int_equal(seen->tcp, OUTCOME_REFUSED);
	assert_int_equal(seen->os_errno, ECONNREFUSED);
	assert_int_equal(seen->connect_us, 0);
	assert_int_equal(seen->local.family, 4);
	expect_words(seen->detail, "Connection refused");
	close_run(&run);
	close(fd);
}

/* TCP has no broadcast: the kernel refuses a route, and no packet leaves. */
static void
test_unreachable(void **state)
{
	struct run              run;
	const struct conn_seen *seen;

	open_run(&run, loopback("127.255.255.255", 443), LIMIT_MS);
	seen = finish_run(&run);
	assert_int_equal(seen->tcp, OUTCOME_UNREACHABLE);
	assert_int_equal(seen->os_errno, ENETUNREACH);
	expect_words(seen->detail, "unreachable");
	close_run(&run);
}

static void
test_no_answer(void **state)
{
	struct support_peer    *peer = support_peer_start_full();
	struct run              run;
	const struct conn_seen *seen;
	int64_t                 start_us = clock_mono_us(clock_system());

	open_run(&run, support_peer_addr(peer), SHORT_MS);
	seen = finish_run(&run);
	assert_int_equal(seen->tcp, OUTCOME_TIMEOUT);
	assert_int_equal(seen->connect_us, 0);
	assert_int_equal(seen->local.family, 4);
	expect_words(seen->detail, "no answer to our SYN within 150 ms");
	assert_in_range(clock_mono_us(clock_system()) - start_us, SHORT_MS * US_PER_MS,
	    SHORT_MS * US_PER_MS + 90000);
	close_run(&run);
	support_peer_stop(peer);
}

static void
test_policy(void **state)
{
	struct support_peer    *peer = support_peer_start(support_peer_silent, NULL);
	struct run              run;
	const struct conn_seen *seen;

	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.policy = false;
	seen = finish_run(&run);
	assert_int_equal(seen->tcp, OUTCOME_POLICY);
	assert_int_equal(run.policy_asked, 1);
	/* No socket was made for it. */
	assert_int_equal(seen->local.family, 0);
	assert_int_equal(seen->os_errno, 0);
	close_run(&run);
	support_peer_stop(peer);
}

static void
test_source(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	static const struct {
		const char  *source;
		enum outcome tcp;
		int          error;
		const char  *words;
	} cases[] = {
		{ "127.0.0.2", OUTCOME_OK, 0, "" },
		{ "192.0.2.1", OUTCOME_LOCAL, EADDRNOTAVAIL, "source address" },
		{ "::1", OUTCOME_LOCAL, EAFNOSUPPORT, "source address" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run              run;
		const struct conn_seen *seen;

		open_run(&run, support_peer_addr(peer), LIMIT_MS);
		run.ask.source = loopback(cases[i].source, 0);
		seen = finish_run(&run);
		assert_int_equal(seen->tcp, cases[i].tcp);
		assert_int_equal(seen->os_errno, cases[i].error);
		expect_words(seen->detail, cases[i].words);
		if (cases[i].tcp == OUTCOME_OK)
			assert_true(addr_equal(&seen->local, &run.ask.source));
		close_run(&run);
	}
	support_peer_stop(peer);
}

static void
test_no_descriptors(void **state)
{
	struct addr             peer;
	int                     fd = take_closed_port(&peer);
	struct rlimit           old, none;
	struct run              run;
	const struct conn_seen *seen;

	open_run(&run, peer, LIMIT_MS);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	seen = finish_run(&run);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(seen->tcp, OUTCOME_LOCAL);
	assert_int_equal(seen->os_errno, EMFILE);
	close_run(&run);
	close(fd);
}

static void
test_reset(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_reset, NULL);

	/* Whether the RST is there when we look is chance; nothing else is. */
	for (int i = 0; i < 20; i++) {
		struct run              run;
		const struct conn_seen *seen;

		open_run(&run, support_peer_addr(peer), LIMIT_MS);
		seen = finish_run(&run);
		if (seen->tcp == OUTCOME_RESET)
			assert_int_equal(seen->os_errno, ECONNRESET);
		else
			assert_int_equal(seen->tcp, OUTCOME_OK);
		close_run(&run);
	}
	support_peer_stop(peer);
}

/* A dialogue of lines: says each word of `says`, and wants it back in capitals. */
struct lines {
	const char *const *says;
	size_t             said, heard;
	size_t             hear_calls;
	enum next          after; /* when all are heard */
};

static void
say_line(void *self, struct wbuf *out)
{
	struct lines *lines = self;

	if (lines->says[lines->said] != NULL)
		wbuf_printf(out, "%s\n", lines->says[lines->said++]);
}

static enum next
hear_line(void *self, struct rcur *in)
{
	struct lines *lines = self;
	const char   *want = lines->says[lines->heard];

	lines->hear_calls++;
	if (want == NULL)
		return lines->after;
	for (size_t i = 0; i <= strlen(want); i++) {
		uint8_t c = rcur_u8(in);

		if (!rcur_ok(in))
			return NEXT_HEAR;
		if (c != (want[i] == '\0' ? '\n' : (uint8_t)(want[i] - 'a' + 'A')))
			return NEXT_BROKEN;
	}
	lines->heard++;
	return lines->says[lines->heard] == NULL ? lines->after : NEXT_SAY;
}

static const struct dialog_ops line_ops = { "lines", say_line, hear_line };
static const char *const       words[] = { "alpha", "b", "gamma", NULL };

/* For serve(): each byte back in capitals, each in a segment of its own. */
static void
shout_bytewise(int fd, void *unused)
{
	char byte;

	while (recv(fd, &byte, 1, 0) == 1) {
		if (byte >= 'a' && byte <= 'z')
			byte = (char)(byte - 'a' + 'A');
		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1)
			return;
		usleep(100);
	}
}

static void
shout_tls(SSL *ssl, void *unused)
{
	char byte;

	while (SSL_read(ssl, &byte, 1) == 1) {
		if (byte >= 'a' && byte <= 'z')
			byte = (char)(byte - 'a' + 'A');
		if (SSL_write(ssl, &byte, 1) != 1)
			return;
	}
}

static void
test_dialog(void **state)
{
	struct support_peer    *peer = support_peer_start(shout_bytewise, NULL);
	struct lines            lines = { .says = words, .after = NEXT_DONE };
	struct run              run;
	const struct conn_seen *seen;

	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	seen = finish_run(&run);
	assert_int_equal(seen->tcp, OUTCOME_OK);
	assert_int_equal(seen->tls, OUTCOME_NOT_RUN);
	assert_int_equal(seen->dialog, OUTCOME_OK);
	assert_int_equal(lines.heard, 3);
	assert_in_range(seen->dialog_us, 100 * strlen("alpha\nb\n"), 1000000);
	close_run(&run);
	support_peer_stop(peer);
}

static void
test_dialog_over_tls(void **state)
{
	static const char *const names[] = { "localhost", NULL };
	char                     ca_file[] = "/tmp/test_conn_ca_XXXXXX";
	struct support_certs    *leaf = support_certs_new(
	       &(struct support_certs_plan){ .subject = "x", .names = names });
	struct support_tls      tls = { .certs = leaf, .talk = shout_tls };
	struct support_peer    *peer = support_peer_start(support_tls_serve, &tls);
	struct lines            lines = { .says = words, .after = NEXT_DONE };
	struct err              err;
	struct run              run;
	const struct conn_seen *seen;

	close(mkstemp(ca_file));
	support_certs_write(leaf, ca_file, NULL);
	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	run.ask.host = "localhost";
	run.ask.roots = tls_roots_new(ca_file, &err);
	assert_non_null(run.ask.roots);
	seen = finish_run(&run);
	assert_int_equal(seen->tls, OUTCOME_OK);
	assert_int_equal(seen->dialog, OUTCOME_OK);
	assert_int_equal(lines.heard, 3);
	assert_string_equal(seen->facts.sans, "localhost");
	close_run(&run);

	/* Not a word is said to whom we do not trust. */
	lines = (struct lines){ .says = words, .after = NEXT_DONE };
	tls_roots_free(run.ask.roots);
	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	run.ask.host = "other.example";
	run.ask.roots = tls_roots_new(ca_file, &err);
	seen = finish_run(&run);
	assert_int_equal(seen->tls, OUTCOME_TLS_REJECTED);
	assert_int_equal(seen->dialog, OUTCOME_NOT_RUN);
	assert_int_equal(lines.said, 0);
	close_run(&run);
	tls_roots_free(run.ask.roots);
	support_peer_stop(peer);
	support_certs_free(leaf);
	unlink(ca_file);
}

/* The dialogue of words with a server that answers our offer as `tls` says. */
static const struct conn_seen *
offer_alpn(struct run *run, struct support_tls *tls, struct lines *lines, const char *alpn)
{
	static const char *const names[] = { "localhost", NULL };
	char                     ca_file[] = "/tmp/test_conn_ca_XXXXXX";
	struct support_certs    *leaf = support_certs_new(
	       &(struct support_certs_plan){ .subject = "x", .names = names });
	struct support_peer *peer;

	tls->certs = leaf;
	tls->talk = shout_tls;
	peer = support_peer_start(support_tls_serve, tls);
	*lines = (struct lines){ .says = words, .after = NEXT_DONE };
	close(mkstemp(ca_file));
	support_certs_write(leaf, ca_file, NULL);
	open_run(run, support_peer_addr(peer), LIMIT_MS);
	run->ask.dialog = &line_ops;
	run->ask.dialog_self = lines;
	run->ask.host = "localhost";
	run->ask.alpn = alpn;
	run->ask.roots = tls_roots_new(ca_file, NULL);
	assert_non_null(run->ask.roots);
	finish_run(run);
	support_peer_stop(peer);
	support_certs_free(leaf);
	unlink(ca_file);
	return conn_seen(run->conn);
}

static void
close_tls_run(struct run *run)
{
	struct tls_roots *roots = run->ask.roots;

	close_run(run);
	tls_roots_free(roots);
}

static void
test_alpn(void **state)
{
	static const struct {
		const char  *name, *offers, *takes;
		enum outcome tls, dialog;
		const char  *agreed, *words;
	} cases[] = {
		{ "taken", "h2", "h2", OUTCOME_OK, OUTCOME_OK, "h2", "" },
		{ "ignored", "h2", NULL, OUTCOME_OK, OUTCOME_BROKE_PROTOCOL, "",
		    "agreed on no protocol, h2 was offered" },
		{ "refused", "h2", "", OUTCOME_TLS_FAILED, OUTCOME_NOT_RUN, "",
		    "alert 120, no application protocol" },
		{ "nothing offered", NULL, "h2", OUTCOME_OK, OUTCOME_OK, "", "" },
		{ "nothing offered, and refused", NULL, "", OUTCOME_OK, OUTCOME_OK, "", "" },
	};
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		int                     most_version = versions[i % 2];
		struct support_tls      tls = { .alpn = cases[i / 2].takes,
			     .most_version = most_version };
		struct lines            lines;
		struct run              run;
		const struct conn_seen *seen = offer_alpn(
		    &run, &tls, &lines, cases[i / 2].offers);

		print_message("%s, TLS 1.%d\n", cases[i / 2].name, 2 + (int)(i % 2));
		assert_int_equal(seen->tls, cases[i / 2].tls);
		assert_int_equal(seen->dialog, cases[i / 2].dialog);
		assert_string_equal(seen->facts.alpn, cases[i / 2].agreed);
		expect_words(seen->detail, cases[i / 2].words);
		assert_int_equal(lines.said, cases[i / 2].dialog == OUTCOME_OK ? 3 : 0);
		close_tls_run(&run);
	}
}

/* To choose what was not offered breaks [rfc7301 3.2]: newer versions of OpenSSL mind, and we do
 * in any case. */
static void
test_alpn_not_offered(void **state)
{
	struct support_tls      tls = { .alpn = "http/1.1" };
	struct lines            lines;
	struct run              run;
	const struct conn_seen *seen = offer_alpn(&run, &tls, &lines, "h2");

	assert_int_equal(lines.said, 0);
	if (seen->tls == OUTCOME_OK) {
		assert_int_equal(seen->dialog, OUTCOME_BROKE_PROTOCOL);
		assert_string_equal(seen->facts.alpn, "http/1.1");
		expect_words(seen->detail, "agreed on http/1.1, h2 was offered");
	} else {
		assert_int_equal(seen->tls, OUTCOME_TLS_FAILED);
		assert_int_equal(seen->dialog, OUTCOME_NOT_RUN);
		expect_words(seen->detail, "bad extension");
	}
	close_tls_run(&run);
}

static void
reset_after_byte(int fd, void *unused)
{
	char byte;

	if (recv(fd, &byte, 1, 0) == 1)
		support_peer_reset(fd, NULL);
}

static void
close_after_line(int fd, void *unused)
{
	char line[16];

	if (recv(fd, line, sizeof(line), 0) > 0 && send(fd, "ALP", 3, MSG_NOSIGNAL) == 3)
		return;
}

static void
flood(int fd, void *unused)
{
	static char many[65536];

	while (send(fd, many, sizeof(many), MSG_NOSIGNAL) > 0)
		;
}

/* A byte now and then, for two seconds. */
static void
drip(int fd, void *unused)
{
	for (int i = 0; i < 50 && send(fd, "A", 1, MSG_NOSIGNAL) == 1; i++)
		usleep(40000);
}

/* Never done, whatever comes. */
static enum next
hear_for_ever(void *self, struct rcur *in)
{
	rcur_skip(in, rcur_left(in));
	return NEXT_HEAR;
}

static const struct dialog_ops patient_ops = { "patient", say_line, hear_for_ever };

static void
test_dialog_ends_badly(void **state)
{
	static const struct {
		const char *name;
		void (*serve)(int fd, void *arg);
		void                    *arg;
		const struct dialog_ops *ops;
		enum outcome             dialog;
		const char              *words;
	} cases[] = {
		{ "another answer", support_peer_says, (void *)"NO\n", &line_ops,
		    OUTCOME_BROKE_PROTOCOL, "does not follow" },
		{ "half an answer", close_after_line, NULL, &line_ops, OUTCOME_CLOSED,
		    "closed" },
		{ "RST", reset_after_byte, NULL, &line_ops, OUTCOME_RESET, "reset" },
		{ "RST at once", support_peer_reset, NULL, &line_ops, OUTCOME_RESET, "reset" },
		{ "silence", support_peer_silent, NULL, &line_ops, OUTCOME_TIMEOUT,
		    "no whole answer within" },
		{ "drip", drip, NULL, &patient_ops, OUTCOME_TIMEOUT, "no whole answer within" },
		{ "flood", flood, NULL, &patient_ops, OUTCOME_TOO_LARGE, "does not end" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct support_peer    *peer = support_peer_start(cases[i].serve, cases[i].arg);
		struct lines            lines = { .says = words, .after = NEXT_DONE };
		struct run              run;
		const struct conn_seen *seen;

		print_message("%s\n", cases[i].name);
		open_run(&run, support_peer_addr(peer), SHORT_MS);
		run.ask.dialog = cases[i].ops;
		run.ask.dialog_self = &lines;
		seen = finish_run(&run);
		assert_int_equal(seen->tcp, OUTCOME_OK);
		assert_int_equal(seen->dialog, cases[i].dialog);
		assert_int_equal(seen->dialog_us, 0);
		expect_words(seen->detail, cases[i].words);
		close_run(&run);
		support_peer_stop(peer);
	}
}

/* More than any socket buffer takes, to a peer that first lets it pile up. */
struct bulk {
	size_t bytes;
	bool   heard;
};

static void
say_bulk(void *self, struct wbuf *out)
{
	struct bulk *bulk = self;

	memset(wbuf_space(out, bulk->bytes), 'x', bulk->bytes);
}

static enum next
hear_count(void *self, struct rcur *in)
{
	struct bulk *bulk = self;
	uint32_t     count = rcur_u32be(in);

	if (!rcur_ok(in))
		return NEXT_HEAR;
	bulk->heard = count == bulk->bytes;
	return NEXT_DONE;
}

static void
count_bytes(int fd, void *arg)
{
	size_t   total = *(size_t *)arg, left = total;
	char     bytes[65536];
	uint32_t count = htonl((uint32_t)total);
	ssize_t  got;

	usleep(20000);
	while (left > 0 && (got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		left -= (size_t)got;
	if (left == 0 && send(fd, &count, 4, MSG_NOSIGNAL) != 4)
		abort();
}

static void
test_bulk(void **state)
{
	static const struct dialog_ops ops = { "bulk", say_bulk, hear_count };
	struct bulk                    bulk = { .bytes = 16 << 20 };
	struct support_peer           *peer = support_peer_start(count_bytes, &bulk.bytes);
	struct run                     run;

	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.ask.dialog = &ops;
	run.ask.dialog_self = &bulk;
	assert_int_equal(finish_run(&run)->dialog, OUTCOME_OK);
	assert_true(bulk.heard);
	close_run(&run);
	support_peer_stop(peer);
}

/* The machine stands still for a while, as a paused VM does. */
static void
stand_still(void *arg, unsigned what)
{
	usleep(*(useconds_t *)arg);
}

static void
run_late(struct run *run, useconds_t pause_us)
{
	struct loop_watch pause;

	loop_watch_init(&pause, run->loop, stand_still, &pause_us);
	loop_watch_set(&pause, -1, 0, (SHORT_MS - 50) * US_PER_MS);
	finish_run(run);
	loop_watch_fini(&pause);
}

static void
answer_later(int fd, void *unused)
{
	/* Beyond the pause's begin, before the deadline. */
	usleep((SHORT_MS - 20) * 1000);
	if (send(fd, "ALPHA\n", 6, MSG_NOSIGNAL) == 6)
		support_peer_silent(fd, NULL);
}

static void
test_late_loop(void **state)
{
	static const char *const one[] = { "alpha", NULL };
	struct support_peer     *silent = support_peer_start(support_peer_silent, NULL);
	struct support_peer     *later = support_peer_start(answer_later, NULL);
	struct lines             lines = { .says = one, .after = NEXT_DONE };
	struct run               run;

	/* Nothing there after a pause: no statement about the peer. */
	open_run(&run, support_peer_addr(silent), SHORT_MS);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	run_late(&run, 300000);
	assert_int_equal(conn_seen(run.conn)->tcp, OUTCOME_OK);
	assert_int_equal(conn_seen(run.conn)->dialog, OUTCOME_AGENT_LATE);
	expect_words(conn_seen(run.conn)->detail, "our own loop");
	close_run(&run);

	/* The same pause, but the answer waits for us. */
	lines = (struct lines){ .says = one, .after = NEXT_DONE };
	open_run(&run, support_peer_addr(later), SHORT_MS);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	run_late(&run, 300000);
	assert_int_equal(conn_seen(run.conn)->dialog, OUTCOME_OK);
	close_run(&run);

	/* Late, but not by enough to matter. */
	lines = (struct lines){ .says = one, .after = NEXT_DONE };
	open_run(&run, support_peer_addr(silent), SHORT_MS);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	run_late(&run, 60000);
	assert_int_equal(conn_seen(run.conn)->dialog, OUTCOME_TIMEOUT);
	close_run(&run);
	support_peer_stop(silent);
	support_peer_stop(later);
}

/* A pause in the middle: the timer fires on time, but the peer had not the time it was given. */
static void
test_pause_is_given_back(void **state)
{
	static const int64_t long_ms = 1200;
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	struct lines         lines = { .says = words, .after = NEXT_DONE };
	int64_t              start_us = clock_mono_us(clock_system());
	struct run           run;

	open_run(&run, support_peer_addr(peer), long_ms);
	run.ask.dialog = &line_ops;
	run.ask.dialog_self = &lines;
	run_late(&run, 800000);
	assert_int_equal(conn_seen(run.conn)->dialog, OUTCOME_TIMEOUT);
	/* From 100 to 900 ms; the loop's own measure of it begins at 500 ms. */
	assert_in_range(clock_mono_us(clock_system()) - start_us, (long_ms + 350) * US_PER_MS,
	    (long_ms + 1200) * US_PER_MS);
	close_run(&run);
	support_peer_stop(peer);
}

/* Ends it after so many rounds of the loop; false when it was over before. */
static bool
cancel_after(struct run *run, unsigned rounds)
{
	run->conn = conn_start(&run->ask);
	for (unsigned i = 0; i < rounds && run->overs == 0; i++)
		loop_run_once(run->loop, true);
	conn_free(run->conn);
	return run->overs == 0;
}

static void
test_cancel_at_every_point(void **state)
{
	static const char *const names[] = { "localhost", NULL };
	char                     ca_file[] = "/tmp/test_conn_ca_XXXXXX";
	struct support_certs    *leaf = support_certs_new(
	       &(struct support_certs_plan){ .subject = "x", .names = names });
	struct support_tls   tls = { .certs = leaf, .talk = shout_tls };
	struct support_peer *peer = support_peer_start(support_tls_serve, &tls);
	unsigned             rounds = 0;
	struct tls_roots    *roots;
	bool                 more = true;

	close(mkstemp(ca_file));
	support_certs_write(leaf, ca_file, NULL);
	roots = tls_roots_new(ca_file, NULL);
	for (; more; rounds++) {
		struct lines lines = { .says = words, .after = NEXT_DONE };
		struct run   run;

		open_run(&run, support_peer_addr(peer), LIMIT_MS);
		run.ask.dialog = &line_ops;
		run.ask.dialog_self = &lines;
		run.ask.host = "localhost";
		run.ask.roots = roots;
		more = cancel_after(&run, rounds);
		loop_run_once(run.loop, false);
		loop_run_once(run.loop, false);
		assert_int_equal(run.overs, more ? 0 : 1);
		arena_free(run.arena);
		loop_free(run.loop);
	}
	/* Open, connect, handshake: that many rounds at least, however fast the peer is. */
	assert_in_range(rounds, 4, 1000);
	tls_roots_free(roots);
	support_peer_stop(peer);
	support_certs_free(leaf);
	unlink(ca_file);
	conn_free(NULL);
}

static void
test_free_from_on_over(void **state)
{
	struct support_peer *peer = support_peer_start(support_peer_silent, NULL);
	struct run           run;

	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.frees = true;
	run.conn = conn_start(&run.ask);
	loop_run(run.loop);
	assert_int_equal(run.overs, 1);
	close_run(&run);
	support_peer_stop(peer);
}

/* Hears one byte, and says farewell in as many as wanted. */
struct farewell {
	bool   heard;
	size_t bytes;
};

static void
say_farewell(void *self, struct wbuf *out)
{
	struct farewell *farewell = self;

	if (farewell->heard)
		memset(wbuf_space(out, farewell->bytes), 'f', farewell->bytes);
}

static enum next
hear_one(void *self, struct rcur *in)
{
	struct farewell *farewell = self;

	rcur_u8(in);
	assert_false(farewell->heard); /* nobody listens after a farewell */
	farewell->heard = true;
	return NEXT_LEAVE;
}

static const struct dialog_ops farewell_ops = { "farewell", say_farewell, hear_one };

/* For serve(): says two bytes, and counts what comes back until the peer goes. */
static void
count_farewell(int fd, void *counted)
{
	char    bytes[4096];
	ssize_t got = send(fd, "xy", 2, MSG_NOSIGNAL);

	while (got > 0 && (got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		*(size_t *)counted += (size_t)got;
}

/* For serve(): says a byte, and takes nothing. */
static void
take_nothing(int fd, void *unused)
{
	struct pollfd gone = { .fd = fd, .events = POLLRDHUP };

	send(fd, "x", 1, MSG_NOSIGNAL);
	poll(&gone, 1, -1);
}

/* What a dialogue says at its end arrives, and is not waited for: neither for an answer nor for a
 * peer that takes it. */
static void
test_farewell(void **state)
{
	size_t               counted = 0;
	struct support_peer *peer = support_peer_start(count_farewell, &counted);
	struct farewell      farewell = { .bytes = 5 };
	struct run           run;

	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.ask.dialog = &farewell_ops;
	run.ask.dialog_self = &farewell;
	assert_int_equal(finish_run(&run)->dialog, OUTCOME_OK);
	assert_true(conn_seen(run.conn)->dialog_us < LIMIT_MS * 1000 / 2);
	close_run(&run);
	support_peer_stop(peer);
	assert_int_equal(counted, 5);

	peer = support_peer_start(take_nothing, NULL);
	farewell = (struct farewell){ .bytes = 32 * 1024 * 1024 };
	open_run(&run, support_peer_addr(peer), LIMIT_MS);
	run.ask.dialog = &farewell_ops;
	run.ask.dialog_self = &farewell;
	assert_int_equal(finish_run(&run)->dialog, OUTCOME_OK);
	assert_true(conn_seen(run.conn)->dialog_us < LIMIT_MS * 1000 / 2);
	close_run(&run);
	support_peer_stop(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connected),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_source),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_dialog),
		cmocka_unit_test(test_dialog_over_tls),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_alpn_not_offered),
		cmocka_unit_test(test_dialog_ends_badly),
		cmocka_unit_test(test_farewell),
		cmocka_unit_test(test_bulk),
		cmocka_unit_test(test_late_loop),
		cmocka_unit_test(test_pause_is_given_back),
		cmocka_unit_test(test_cancel_at_every_point),
		cmocka_unit_test(test_free_from_on_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
