/* Whose a certificate is, with an operator's revocation lists, over handshakes in memory. */
#include "collector/listen_trust.h"

#include "base/clock.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_dir.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char                 *dir, *own_path, *operators_path, *lists_path;
static struct support_certs *own, *operators, *below, *other, *server;

static struct support_certs *
make(const char *subject, const struct support_certs *issuer, bool authority)
{
	const struct support_certs_plan plan = {
		.subject = subject, .issuer = issuer, .authority = authority
	};

	return support_certs_new(&plan);
}

/* Adds a list by that authority, with so many seconds until the next, of one certificate or none. */
static void
add_list(const struct support_certs *by, long next_s, const struct support_certs *revoked)
{
	X509_CRL     *list = X509_CRL_new();
	FILE         *file = fopen(lists_path, "a");
	ASN1_TIME    *when = ASN1_TIME_new();
	X509_REVOKED *entry;

	X509_CRL_set_version(list, 1);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(support_certs_x509(by)));
	X509_CRL_set1_lastUpdate(list, X509_gmtime_adj(when, -7200));
	X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(when, next_s));
	if (revoked != NULL) {
		entry = X509_REVOKED_new();
		X509_REVOKED_set_serialNumber(
		    entry, X509_get_serialNumber(support_certs_x509(revoked)));
		X509_REVOKED_set_revocationDate(entry, X509_gmtime_adj(when, -60));
		X509_CRL_add0_revoked(list, entry);
	}
	X509_CRL_sort(list);
	/* A forgery has the name of one and the signature of another. */
	X509_CRL_sign(list, support_certs_key(next_s == 1 ? other : by), EVP_sha256());
	PEM_write_X509_CRL(file, list);
	fclose(file);
	ASN1_TIME_free(when);
	X509_CRL_free(list);
}

static struct listen_trust *
open_trust(bool lists, struct err *err)
{
	const struct listen_trust_files files = { own_path, operators_path,
		lists ? lists_path : "" };

	return listen_trust_new(&files, err);
}

static SSL *
make_end(const struct support_certs *certs, const struct listen_trust *trust)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	SSL     *end;

	SSL_CTX_use_certificate(context, support_certs_x509(certs));
	SSL_CTX_use_PrivateKey(context, support_certs_key(certs));
	for (certs = support_certs_issuer(certs); certs != NULL && support_certs_issuer(certs);
	     certs = support_certs_issuer(certs))
		SSL_CTX_add1_chain_cert(context, support_certs_x509(certs));
	if (trust != NULL)
		listen_trust_ask(trust, context);
	end = SSL_new(context);
	SSL_CTX_free(context);
	return end;
}

/* What is said of a client with that certificate. */
static enum listen_trust_verdict
judge(const struct listen_trust *trust, const struct support_certs *certs)
{
	SSL *client = make_end(certs, NULL), *end = make_end(server, trust);
	BIO *near, *far;
	enum listen_trust_verdict verdict;

	assert_int_equal(BIO_new_bio_pair(&near, 0, &far, 0), 1);
	SSL_set_bio(client, near, near);
	SSL_set_bio(end, far, far);
	SSL_set_connect_state(client);
	SSL_set_accept_state(end);
	for (int i = 0; i < 20 && !SSL_is_init_finished(end); i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(end);
	}
	assert_true(SSL_is_init_finished(end));
	verdict = listen_trust_judge(trust, end);
	SSL_free(client);
	SSL_free(end);
	return verdict;
}

static void
test_whose(void **state)
{
	struct support_certs *ours = make("vm-a", own, false),
	                     *theirs = make("vm-b", operators, false);
	struct support_certs *nobodys = make("vm-c", other, false);
	struct listen_trust  *trust = open_trust(false, NULL);

	assert_int_equal(judge(trust, ours), LISTEN_TRUST_OURS);
	assert_int_equal(judge(trust, theirs), LISTEN_TRUST_OPERATORS);
	assert_int_equal(judge(trust, nobodys), LISTEN_TRUST_NOBODYS);
	assert_int_equal(listen_trust_due_ms(trust), 0);
	listen_trust_free(trust);
	support_certs_free(ours);
	support_certs_free(theirs);
	support_certs_free(nobodys);
}

static void
test_revoked(void **state)
{
	struct support_certs *ours = make("vm-a", own, false),
	                     *good = make("vm-b", operators, false);
	struct support_certs *bad = make("vm-c", operators, false),
	                     *deep = make("vm-d", below, false);
	struct err           err;
	struct listen_trust *trust;

	add_list(operators, 3600, bad);
	trust = open_trust(true, &err);
	assert_non_null(trust);
	assert_int_equal(judge(trust, ours), LISTEN_TRUST_OURS);
	assert_int_equal(judge(trust, good), LISTEN_TRUST_OPERATORS);
	assert_int_equal(judge(trust, bad), LISTEN_TRUST_REVOKED);
	assert_int_equal(judge(trust, deep), LISTEN_TRUST_UNLISTED);
	listen_trust_free(trust);
	add_list(below, 3600, NULL);
	trust = open_trust(true, &err);
	assert_int_equal(judge(trust, deep), LISTEN_TRUST_OPERATORS);
	listen_trust_free(trust);
	unlink(lists_path);
	/* With the authority itself goes all that it has signed. */
	add_list(operators, 3600, below);
	add_list(below, 3600, NULL);
	trust = open_trust(true, &err);
	assert_int_equal(judge(trust, deep), LISTEN_TRUST_REVOKED);
	listen_trust_free(trust);
	support_certs_free(ours);
	support_certs_free(good);
	support_certs_free(bad);
	support_certs_free(deep);
}

/* A list that is overdue counts, and is told of. */
static void
test_overdue(void **state)
{
	struct support_certs *good = make("vm-b", operators, false),
	                     *bad = make("vm-c", operators, false);
	int64_t              now_ms = clock_wall_ms(clock_system());
	struct arena        *arena = arena_new();
	struct err           err;
	struct listen_trust *trust;

	add_list(operators, -3600, bad);
	trust = open_trust(true, &err);
	assert_non_null(trust);
	assert_int_equal(judge(trust, good), LISTEN_TRUST_OPERATORS);
	assert_int_equal(judge(trust, bad), LISTEN_TRUST_REVOKED);
	assert_in_range(now_ms - listen_trust_due_ms(trust), 3590000, 3700000);
	assert_non_null(strstr(listen_trust_warning(trust, arena, now_ms), "was due 2"));
	assert_null(listen_trust_warning(trust, arena, now_ms - 7200000));
	listen_trust_free(trust);
	arena_free(arena);
	support_certs_free(good);
	support_certs_free(bad);
}

static void
test_bad_lists(void **state)
{
	FILE      *file;
	struct err err;

	assert_null(open_trust(true, &err));
	assert_non_null(strstr(err.text, "No such file"));
	file = fopen(lists_path, "w");
	fputs("-----BEGIN X509 CRL-----\nno\n-----END X509 CRL-----\n", file);
	fclose(file);
	assert_null(open_trust(true, &err));
	assert_non_null(strstr(err.text, "no revocation lists in PEM form"));
	unlink(lists_path);
	add_list(operators, 1, NULL);
	assert_null(open_trust(true, &err));
	assert_non_null(strstr(err.text, "has not signed"));
}

static void
test_stale(void **state)
{
	struct err           err;
	struct listen_trust *trust;

	add_list(operators, 3600, NULL);
	trust = open_trust(true, &err);
	assert_false(listen_trust_is_stale(trust));
	usleep(20000);
	add_list(below, 3600, NULL);
	assert_true(listen_trust_is_stale(trust));
	unlink(lists_path);
	assert_false(
	    listen_trust_is_stale(trust)); /* a file that is away is about to come back */
	listen_trust_free(trust);
}

static int
set_up(void **state)
{
	dir = support_dir_new();
	own_path = mem_printf("%s/own.pem", dir);
	operators_path = mem_printf("%s/operators.pem", dir);
	lists_path = mem_printf("%s/lists.pem", dir);
	own = make("own", NULL, true);
	operators = make("operators", NULL, true);
	below = make("below", operators, true);
	other = make("other", NULL, true);
	server = make("server", other, false);
	support_certs_write(own, own_path, NULL);
	support_certs_write(operators, operators_path, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	struct support_certs *all[] = { server, below, own, operators, other };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		support_certs_free(all[i]);
	support_dir_free(dir);
	free(own_path);
	free(operators_path);
	free(lists_path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_whose, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_revoked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_overdue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_lists, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stale, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
