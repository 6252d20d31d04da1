#include "base/text.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_peer.h"
#include "tests/support/support_probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DAY_S = 86400, LIMIT_MS = 5000, SHORT_MS = 150 };

static const char host[] = "contoso-westeurope.documents.azure.com";

/* One authority for all tests, in a file as a configured ca_file is. */
static struct support_certs *root;
static char                  ca_file[] = "/tmp/test_tls_ca_XXXXXX";

static const char *const good_names[] = { host, "contoso.documents.azure.com", NULL };
static const char *const other_names[] = { "fabrikam.documents.azure.com", NULL };
static const char *const wild_names[] = { "*.documents.azure.com", NULL };
static const char *const deep_wild_names[] = { "*.azure.com", NULL };
static const char *const part_wild_names[] = { "contoso-*.documents.azure.com", NULL };
static const char *const loopback_names[] = { "127.0.0.1", NULL };
static const char *const dirty_names[] = { "a b.example", "x\x1b[31m.example", "\xff\xfe", host,
	NULL };

static int
set_up(void **state)
{
	int fd = mkstemp(ca_file);

	root = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Test Root", .authority = true });
	support_certs_write(root, ca_file, NULL);
	return fd < 0 ? -1 : close(fd);
}

static int
tear_down(void **state)
{
	support_certs_free(root);
	return unlink(ca_file);
}

static struct support_certs *
make_leaf(const char *const *names)
{
	return support_certs_new(
	    &(struct support_certs_plan){ .subject = host, .names = names, .issuer = root });
}

static struct support_probe *
ask_peer(const struct support_peer *peer, const char *name, int64_t limit_ms)
{
	struct probe_options  options = { .ca_file = ca_file };
	struct probe_ask      ask = { .kind = "tls",
		     .host = name,
		     .peer = support_peer_addr(peer),
		     .limit_ms = limit_ms };
	struct support_probe *run = support_probe_run(&options, &ask);

	assert_int_equal(run->overs, 1);
	return run;
}

/* One probe of a server that does `serve`. */
static struct support_probe *
ask_server(void (*serve)(int fd, void *arg), void *arg, int64_t limit_ms)
{
	struct support_peer  *peer = support_peer_start(serve, arg);
	struct support_probe *run = ask_peer(peer, host, limit_ms);

	support_peer_stop(peer);
	return run;
}

static struct support_probe *
ask_tls(struct support_tls *tls, const char *name)
{
	struct support_peer  *peer = support_peer_start(support_tls_serve, tls);
	struct support_probe *run = ask_peer(peer, name, LIMIT_MS);

	support_peer_stop(peer);
	return run;
}

static void
expect_words(const char *text, const char *words)
{
	if (text == NULL || strstr(text, words) == NULL)
		fail_msg("'%s' does not say '%s'", text != NULL ? text : "(null)", words);
}

static void
test_good(void **state)
{
	struct support_certs  *leaf = make_leaf(good_names);
	struct support_probe  *run = ask_tls(&(struct support_tls){ .certs = leaf }, host);
	const struct endpoint *seen = &run->endpoint;
	int64_t                now_ms = clock_wall_ms(clock_system());

	assert_int_equal(seen->tcp, OUTCOME_OK);
	assert_int_equal(seen->tls, OUTCOME_OK);
	assert_null(seen->detail);
	assert_int_equal(seen->verify_code, X509_V_OK);
	assert_string_equal(seen->verify_text, "ok");
	assert_string_equal(seen->tls_version, "TLSv1.3");
	assert_string_equal(seen->local, "127.0.0.1");
	assert_int_equal(seen->os_errno, 0);
	assert_int_equal(seen->chain_length, 1);
	assert_string_equal(seen->subject, "CN=contoso-westeurope.documents.azure.com");
	assert_string_equal(seen->issuer, "CN=Test Root");
	assert_string_equal(
	    seen->sans, "contoso-westeurope.documents.azure.com contoso.documents.azure.com");
	assert_in_range(now_ms - seen->not_before_ms, 3600 * 1000, 3660 * 1000);
	assert_in_range(
	    seen->not_after_ms - now_ms, 30LL * DAY_S * 1000 - 60 * 1000, 30LL * DAY_S * 1000);
	assert_in_range(seen->tcp_us, 1, 1000000);
	assert_in_range(seen->tls_us, 1, 1000000);
	assert_true(run->took_us >= seen->tcp_us + seen->tls_us);
	support_probe_free(run);
	support_certs_free(leaf);
}

/* An answer from the shelf of a public authority: RSA, and a certificate between. */
static void
test_rsa_with_intermediate(void **state)
{
	struct support_certs *middle = support_certs_new(&(struct support_certs_plan){
	    .subject = "Test Intermediate", .authority = true, .issuer = root });
	struct support_certs *leaf = support_certs_new(&(struct support_certs_plan){
	    .subject = host, .names = good_names, .rsa = true, .issuer = middle });
	struct support_probe *run = ask_tls(
	    &(struct support_tls){ .certs = leaf, .most_version = TLS1_2_VERSION }, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_string_equal(run->endpoint.tls_version, "TLSv1.2");
	assert_int_equal(run->endpoint.chain_length, 2);
	assert_string_equal(run->endpoint.issuer, "CN=Test Intermediate");
	support_probe_free(run);
	support_certs_free(leaf);
	support_certs_free(middle);
}

enum signer { BY_ROOT, BY_STRANGER, BY_ITSELF };

static const struct reject_case {
	const char        *name;
	enum signer        signer;
	const char *const *names;
	int64_t            starts_s, ends_s;
	const char        *asked;
	uint32_t           code; /* 0: it is taken */
	const char        *words;
} reject_cases[] = {
	{ "good", BY_ROOT, good_names, 0, 0, host, 0, NULL },
	{ "wildcard", BY_ROOT, wild_names, 0, 0, host, 0, NULL },
	{ "name in capitals", BY_ROOT, good_names, 0, 0, "CONTOSO.documents.AZURE.com", 0,
	    NULL },
	{ "name with the final dot", BY_ROOT, good_names, 0, 0,
	    "contoso-westeurope.documents.azure.com.", 0, NULL },
	{ "address", BY_ROOT, loopback_names, 0, 0, "127.0.0.1", 0, NULL },
	{ "ends in a minute", BY_ROOT, good_names, -DAY_S, 60, host, 0, NULL },
	{ "expired", BY_ROOT, good_names, -2 * DAY_S, -60, host, X509_V_ERR_CERT_HAS_EXPIRED,
	    "expired" },
	{ "not yet valid", BY_ROOT, good_names, 60, DAY_S, host, X509_V_ERR_CERT_NOT_YET_VALID,
	    "not yet valid" },
	{ "unknown authority", BY_STRANGER, good_names, 0, 0, host,
	    X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, "local issuer" },
	{ "self-signed", BY_ITSELF, good_names, 0, 0, host,
	    X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, "self-signed" },
	{ "another name", BY_ROOT, other_names, 0, 0, host, X509_V_ERR_HOSTNAME_MISMATCH,
	    "wanted contoso-westeurope.documents.azure.com" },
	{ "wildcard two labels up", BY_ROOT, deep_wild_names, 0, 0, host,
	    X509_V_ERR_HOSTNAME_MISMATCH, "wanted" },
	{ "wildcard for a part of a label", BY_ROOT, part_wild_names, 0, 0, host,
	    X509_V_ERR_HOSTNAME_MISMATCH, "wanted" },
	{ "another address", BY_ROOT, loopback_names, 0, 0, "127.0.0.2",
	    X509_V_ERR_IP_ADDRESS_MISMATCH, "IP address mismatch" },
	{ "expired and another name", BY_ROOT, other_names, -2 * DAY_S, -60, host,
	    X509_V_ERR_HOSTNAME_MISMATCH, "expired" },
};

static struct support_certs *
make_case_leaf(const struct reject_case *c, const struct support_certs *stranger)
{
	struct support_certs_plan plan = {
		.subject = host, .names = c->names, .starts_s = c->starts_s, .ends_s = c->ends_s
	};

	plan.issuer = c->signer == BY_ROOT ? root : c->signer == BY_STRANGER ? stranger : NULL;
	return support_certs_new(&plan);
}

static void
test_rejected(void **state)
{
	struct support_certs *stranger = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Proxy CA", .authority = true });

	for (size_t i = 0; i < sizeof(reject_cases) / sizeof(reject_cases[0]); i++) {
		const struct reject_case *c = &reject_cases[i];
		struct support_certs     *leaf = make_case_leaf(c, stranger);
		struct support_probe     *run = ask_tls(
		        &(struct support_tls){ .certs = leaf }, c->asked);
		const struct endpoint *seen = &run->endpoint;

		print_message("%s\n", c->name);
		assert_int_equal(seen->tcp, OUTCOME_OK);
		assert_int_equal(seen->tls, c->code == 0 ? OUTCOME_OK : OUTCOME_TLS_REJECTED);
		assert_int_equal(seen->verify_code, c->code);
		/* The facts are there in any case. */
		assert_string_equal(seen->tls_version, "TLSv1.3");
		assert_int_equal(seen->chain_length, 1);
		assert_true(seen->not_after_ms > seen->not_before_ms);
		assert_string_equal(seen->issuer,
		    c->signer == BY_ROOT           ? "CN=Test Root"
		        : c->signer == BY_STRANGER ? "CN=Proxy CA"
		                                   : seen->subject);
		assert_in_range(seen->tls_us, 1, 1000000);
		if (c->code != 0) {
			assert_string_equal(
			    seen->verify_text, X509_verify_cert_error_string(c->code));
			expect_words(seen->detail, c->words);
		}
		support_probe_free(run);
		support_certs_free(leaf);
	}
	support_certs_free(stranger);
}

/* The leaf is fine, the one above it is not: the words must not blame the leaf. */
static void
test_expired_above_the_leaf(void **state)
{
	struct support_certs *middle = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Old Intermediate",
	        .authority = true,
	        .starts_s = -3 * DAY_S,
	        .ends_s = -DAY_S,
	        .issuer = root });
	struct support_certs *leaf = support_certs_new(&(struct support_certs_plan){
	    .subject = host, .names = good_names, .issuer = middle });
	struct support_probe *run = ask_tls(&(struct support_tls){ .certs = leaf }, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_TLS_REJECTED);
	assert_int_equal(run->endpoint.verify_code, X509_V_ERR_CERT_HAS_EXPIRED);
	assert_true(run->endpoint.not_after_ms > clock_wall_ms(clock_system()));
	expect_words(run->endpoint.detail, "1 above the leaf");
	support_probe_free(run);
	support_certs_free(leaf);
	support_certs_free(middle);
}

static void
test_names_are_made_sane(void **state)
{
	struct support_certs *leaf = support_certs_new(
	    &(struct support_certs_plan){ .subject = "evil\r\n\x1b[2Jname \xe2\x80\xae",
	        .names = dirty_names,
	        .issuer = root });
	struct support_probe *run = ask_tls(&(struct support_tls){ .certs = leaf }, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_string_equal(run->endpoint.sans,
	    "a?b.example x?[31m.example ?? contoso-westeurope.documents.azure.com");
	for (const char *c = run->endpoint.subject; *c != '\0'; c++)
		assert_true((unsigned char)*c >= 0x20);
	assert_null(strstr(run->endpoint.subject, "\xe2\x80\xae"));
	support_probe_free(run);
	support_certs_free(leaf);
}

static struct support_certs *
make_crowded_leaf(size_t count)
{
	const char          **names = mem_array(count + 2, sizeof(*names));
	struct support_certs *leaf;

	names[0] = host;
	for (size_t i = 1; i <= count; i++)
		names[i] = mem_printf("name-%05zu.documents.azure.com", i);
	leaf = make_leaf(names);
	for (size_t i = 1; i <= count; i++)
		free((char *)names[i]);
	free(names);
	return leaf;
}

static void
test_many_names(void **state)
{
	struct support_certs *leaf = make_crowded_leaf(1000);
	struct support_probe *run = ask_tls(&(struct support_tls){ .certs = leaf }, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_in_range(strlen(run->endpoint.sans), 900, 1024);
	assert_true(text_ends_nocase(run->endpoint.sans, ".documents.azure.com"));
	support_probe_free(run);
	support_certs_free(leaf);
}

/* OpenSSL then says "ok" of a certificate that it never saw [trap of SSL_get_verify_result()]. */
static void
test_too_many_names(void **state)
{
	struct support_certs *leaf = make_crowded_leaf(4500);
	struct support_probe *run = ask_tls(&(struct support_tls){ .certs = leaf }, host);

	assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
	assert_int_equal(run->endpoint.tls, OUTCOME_TLS_FAILED);
	expect_words(run->endpoint.detail, "more than 65536 bytes");
	assert_string_equal(run->endpoint.verify_text, "");
	assert_string_equal(run->endpoint.subject, "");
	assert_int_equal(run->endpoint.chain_length, 0);
	support_probe_free(run);
	support_certs_free(leaf);
}

static void
test_old_version_only(void **state)
{
	static const int      versions[] = { TLS1_VERSION, TLS1_1_VERSION };
	struct support_certs *leaf = make_leaf(good_names);

	for (size_t i = 0; i < 2; i++) {
		struct support_tls tls = {
			.certs = leaf, .least_version = versions[i], .most_version = versions[i]
		};
		struct support_probe *run = ask_tls(&tls, host);

		assert_int_equal(run->endpoint.tls, OUTCOME_TLS_FAILED);
		expect_words(run->endpoint.detail, "alert 70, protocol version");
		assert_string_equal(run->endpoint.tls_version, "");
		assert_string_equal(run->endpoint.verify_text, "");
		support_probe_free(run);
	}
	support_certs_free(leaf);
}

/* [rfc8446 4.4.2.4]: certificate_required is 116, and comes after our Finished. */
static void
test_client_certificate_demanded(void **state)
{
	struct support_certs *leaf = make_leaf(good_names);
	struct support_tls    tls = { .certs = leaf, .wants_client = true };
	struct support_probe *run = ask_tls(&tls, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_TLS_FAILED);
	expect_words(run->endpoint.detail, "alert 116, certificate required");
	expect_words(run->endpoint.detail, "asks for a client certificate");
	assert_string_equal(run->endpoint.tls_version, "TLSv1.3");
	assert_string_equal(run->endpoint.verify_text, "ok");
	support_probe_free(run);

	tls.most_version = TLS1_2_VERSION;
	run = ask_tls(&tls, host);
	assert_int_equal(run->endpoint.tls, OUTCOME_TLS_FAILED);
	expect_words(run->endpoint.detail, "alert 40, handshake failure");
	assert_string_equal(run->endpoint.verify_text, "ok");
	support_probe_free(run);
	support_certs_free(leaf);
}

static void
test_client_certificate_wished(void **state)
{
	struct support_certs *leaf = make_leaf(good_names);
	struct support_tls    tls = { .certs = leaf, .wants_client_politely = true };
	struct support_probe *run = ask_tls(&tls, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	/* The tickets behind the handshake tell us at once; no waiting for a second word. */
	assert_in_range(run->took_us, 1, 190000);
	support_probe_free(run);

	tls.most_version = TLS1_2_VERSION;
	run = ask_tls(&tls, host);
	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	support_probe_free(run);
	support_certs_free(leaf);
}

static void
leave_at_once(SSL *ssl, void *unused)
{
}

/* Whoever asked and then says nothing is waited for a little; whoever leaves has objected. */
static void
test_client_certificate_without_a_word(void **state)
{
	struct support_certs *leaf = make_leaf(good_names);
	struct support_tls    tls = {
		   .certs = leaf, .wants_client_politely = true, .no_tickets = true
	};
	struct support_probe *run = ask_tls(&tls, host);

	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_in_range(run->took_us, 200000, 1000000);
	assert_in_range(run->endpoint.tls_us, 1, 190000);
	support_probe_free(run);

	tls.talk = leave_at_once;
	run = ask_tls(&tls, host);
	assert_int_equal(run->endpoint.tls, OUTCOME_CLOSED);
	expect_words(run->endpoint.detail, "closed after the handshake; it asks for a client");
	support_probe_free(run);
	support_certs_free(leaf);
}

static const struct stranger_case {
	const char *name, *says, *words;
} stranger_cases[] = {
	{ "HTTP", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
	    "the peer says 'HTTP/1.1 400 Bad Request'" },
	{ "HTML alone", "<html>no</html>", "'<html>no</html>'" },
	{ "SSH", "SSH-2.0-OpenSSH_9.2p1\r\n", "'SSH-2.0-OpenSSH_9.2p1'" },
	{ "one byte", "x", "'x'" },
	{ "newline first", "\n\n\n\n\n\n", "first bytes are 0a 0a 0a" },
	{ "MySQL", "\x4a\x01\x02\n8.0.35", "first bytes are 4a 01 02 0a 38" },
	{ "a record, but not of TLS", "\x16\x05\x01\x01\x01\x01", "first bytes are 16 05" },
	{ "TLS's own data first", "\x17\x03\x03\x01\x01", "first bytes are 17 03" },
};

static void
test_not_tls(void **state)
{
	for (size_t i = 0; i < sizeof(stranger_cases) / sizeof(stranger_cases[0]); i++) {
		const struct stranger_case *c = &stranger_cases[i];
		struct support_probe       *run = ask_server(
		          support_peer_says, (void *)c->says, LIMIT_MS);

		print_message("%s\n", c->name);
		assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
		assert_int_equal(run->endpoint.tls, OUTCOME_NOT_TLS);
		expect_words(run->endpoint.detail, c->words);
		assert_string_equal(run->endpoint.verify_text, "");
		support_probe_free(run);
	}
}

/* Says it is TLS, and goes on as something else: a failed handshake, but not "not TLS". */
static void
test_garbage_in_records(void **state)
{
	static const struct {
		const char  *says;
		enum outcome tls;
	} cases[] = {
		{ "\x16\x03\x03\x01\x05HELLOHELLO", OUTCOME_CLOSED }, /* 256 bytes announced */
		{ "\x16\x03\x03\xff\xffHELLO", OUTCOME_TLS_FAILED },
		{ "\x15\x03\x03\x01\x02\x02\x28", OUTCOME_CLOSED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct support_probe *run = ask_server(
		    support_peer_says, (void *)cases[i].says, LIMIT_MS);

		assert_int_equal(run->endpoint.tls, cases[i].tls);
		assert_true(strlen(run->endpoint.detail) > 0);
		support_probe_free(run);
	}
}

static void
close_at_once(int fd, void *unused)
{
	char hello[2048];

	/* Read first: closing with bytes unread is a RST. */
	assert_true(recv(fd, hello, sizeof(hello), 0) > 0);
}

static void
reset_after_hello(int fd, void *unused)
{
	close_at_once(fd, unused);
	support_peer_reset(fd, NULL);
}

/* Half of a record with a ServerHello, then what the argument says. */
static void
break_off(int fd, void *then)
{
	close_at_once(fd, NULL);
	if (send(fd, "\x16\x03\x03\x00\x7a\x02\x00\x00", 8, MSG_NOSIGNAL) != 8)
		abort();
	((void (*)(int, void *))then)(fd, NULL);
}

static void
leave(int fd, void *unused)
{
}

static void
test_cut_short(void **state)
{
	static const struct {
		const char *name;
		void (*serve)(int fd, void *arg);
		void        *then;
		enum outcome tls;
		const char  *words;
	} cases[] = {
		{ "RST at once", support_peer_reset, NULL, OUTCOME_RESET, "reset" },
		{ "RST after the ClientHello", reset_after_hello, NULL, OUTCOME_RESET,
		    "in answer to the ClientHello" },
		{ "RST in the handshake", break_off, support_peer_reset, OUTCOME_RESET,
		    "in the handshake" },
		{ "close after the ClientHello", close_at_once, NULL, OUTCOME_CLOSED,
		    "in answer to the ClientHello" },
		{ "close in the handshake", break_off, leave, OUTCOME_CLOSED,
		    "in the handshake" },
		{ "silence", support_peer_silent, NULL, OUTCOME_TIMEOUT,
		    "no answer to the ClientHello" },
		{ "silence in the handshake", break_off, support_peer_silent, OUTCOME_TIMEOUT,
		    "went silent" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct support_probe *run = ask_server(cases[i].serve, cases[i].then, SHORT_MS);

		print_message("%s\n", cases[i].name);
		assert_int_equal(run->endpoint.tcp, OUTCOME_OK);
		assert_int_equal(run->endpoint.tls, cases[i].tls);
		expect_words(run->endpoint.detail, cases[i].words);
		assert_int_equal(
		    run->endpoint.os_errno, cases[i].tls == OUTCOME_RESET ? ECONNRESET : 0);
		assert_int_equal(run->endpoint.tls_us, 0);
		if (cases[i].tls == OUTCOME_TIMEOUT)
			assert_in_range(run->took_us, SHORT_MS * 1000, SHORT_MS * 1000 + 90000);
		support_probe_free(run);
	}
}

/* A server whose every byte is a segment of its own. */
struct slow {
	struct support_tls   tls;
	struct support_peer *behind;
};

static void
relay_bytewise(int fd, void *arg)
{
	struct slow            *slow = arg;
	struct addr             addr = support_peer_addr(slow->behind);
	struct sockaddr_storage to;
	unsigned                count = addr_to_sockaddr(&addr, &to);
	int                     behind = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
	char                    bytes[4096];
	ssize_t                 got;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(behind, (struct sockaddr *)&to, count) != 0)
		abort();
	got = recv(fd, bytes, sizeof(bytes), 0);
	if (got <= 0 || send(behind, bytes, (size_t)got, MSG_NOSIGNAL) != got)
		abort();
	for (size_t sent = 0; sent < 300; sent++) {
		if (recv(behind, bytes, 1, 0) != 1 || send(fd, bytes, 1, MSG_NOSIGNAL) != 1)
			break;
		usleep(50);
	}
	while ((got = recv(behind, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		send(fd, bytes, (size_t)got, MSG_NOSIGNAL);
	if ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		send(behind, bytes, (size_t)got, MSG_NOSIGNAL);
	close(behind);
}

static void
test_byte_by_byte(void **state)
{
	struct support_certs *leaf = make_leaf(good_names);
	struct slow           slow = { .tls = { .certs = leaf } };
	struct support_probe *run;

	slow.behind = support_peer_start(support_tls_serve, &slow.tls);
	run = ask_server(relay_bytewise, &slow, LIMIT_MS);
	assert_int_equal(run->endpoint.tls, OUTCOME_OK);
	assert_int_equal(run->endpoint.verify_code, 0);
	support_probe_free(run);
	support_peer_stop(slow.behind);
	support_certs_free(leaf);
}

/* Where there are no roots, that is what the words say. */
static void
test_no_roots(void **state)
{
	struct support_certs *leaf = make_leaf(good_names);
	struct support_tls    tls = { .certs = leaf };
	struct support_peer  *peer = support_peer_start(support_tls_serve, &tls);
	struct probe_options  options = { .ca_file = NULL };
	struct probe_ask      ask = { .kind = "tls",
		     .host = host,
		     .peer = support_peer_addr(peer),
		     .limit_ms = LIMIT_MS };
	struct support_probe *run;

	setenv("SSL_CERT_FILE", "/nonexistent/file.pem", 1);
	setenv("SSL_CERT_DIR", "/nonexistent", 1);
	run = support_probe_run(&options, &ask);
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	assert_int_equal(run->endpoint.tls, OUTCOME_TLS_REJECTED);
	expect_words(run->endpoint.detail, "no root certificates");
	support_probe_free(run);
	support_peer_stop(peer);
	support_certs_free(leaf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_rsa_with_intermediate),
		cmocka_unit_test(test_rejected),
		cmocka_unit_test(test_expired_above_the_leaf),
		cmocka_unit_test(test_names_are_made_sane),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_too_many_names),
		cmocka_unit_test(test_old_version_only),
		cmocka_unit_test(test_client_certificate_demanded),
		cmocka_unit_test(test_client_certificate_wished),
		cmocka_unit_test(test_client_certificate_without_a_word),
		cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_garbage_in_records),
		cmocka_unit_test(test_cut_short),
		cmocka_unit_test(test_byte_by_byte),
		cmocka_unit_test(test_no_roots),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
