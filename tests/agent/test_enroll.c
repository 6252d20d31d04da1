/* The agent's key, its request, the answer, and the file of both. */
#include "agent/enroll.h"

#include "agent/agent_conf.h"
#include "agent/identity.h"
#include "agent/renewal.h"
#include "base/base64.h"
#include "base/clock.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/support/support_dir.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
	struct arena *arena;
	char         *dir, *key;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->arena = arena_new();
	f->dir = support_dir_new();
	f->key = enroll_key_new(f->arena);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	support_dir_free(f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static EVP_PKEY *
read_key(const char *pem)
{
	BIO      *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(key);
	return key;
}

/* As a collector would answer: a certificate of the key, as base64 of DER. */
static char *
make_certificate(struct fixture *f, const char *key_pem, const char *uri)
{
	EVP_PKEY       *key = read_key(key_pem);
	X509           *cert = X509_new();
	X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, uri);
	unsigned char  *der = NULL;
	int             count;
	char           *text;

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 5);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_add_ext(cert, name, -1);
	X509_sign(cert, key, EVP_sha256());
	count = i2d_X509(cert, &der);
	assert_true(count > 0);
	text = arena_alloc(f->arena, BASE64_ROOM((size_t)count));
	base64_encode(der, (size_t)count, text);
	OPENSSL_free(der);
	X509_EXTENSION_free(name);
	X509_free(cert);
	EVP_PKEY_free(key);
	return text;
}

static bool
read_answer(struct fixture *f, struct enroll_given *given, const struct admission *said,
    struct err *err)
{
	struct wbuf body;
	bool        done;

	wbuf_init(&body);
	encode_message(&admission_desc, said, &body);
	done = enroll_answer_read(given, f->arena, f->key, body.bytes, body.count, err);
	wbuf_fini(&body);
	return done;
}

static const char *
make_identity(struct fixture *f)
{
	struct enroll_given given;
	struct err          err = { 0 };
	struct admission    said = { .agent = "vm-a",
		   .network = "vnet-a",
		   .certificate = make_certificate(f, f->key, "URI:urn:plprobe:agent:vm-a") };

	if (!read_answer(f, &given, &said, &err))
		fail_msg("%s", err.text);
	assert_string_equal(given.agent, "vm-a");
	assert_string_equal(given.network, "vnet-a");
	return given.pem;
}

/* The request holds the token and a request that its own key has signed; never the key. */
static void
test_request(void **state)
{
	struct fixture         *f = *state;
	const struct enroll_ask ask = { f->key, "enroll-secret", "vm-a", "vnet-a" };
	const struct enrolment *said;
	struct wbuf             out;
	struct err              err = { 0 };
	uint8_t                 der[4000];
	const unsigned char    *at = der;
	size_t                  count;
	X509_REQ               *csr;
	EVP_PKEY               *key = read_key(f->key);

	wbuf_init(&out);
	assert_true(enroll_ask_write(&ask, &out, &err));
	said = decode_message(&enrolment_desc, f->arena, out.bytes, out.count, &err);
	assert_non_null(said);
	assert_int_equal(said->v, 1);
	assert_string_equal(said->token, "enroll-secret");
	assert_string_equal(said->agent, "vm-a");
	assert_string_equal(said->network, "vnet-a");
	count = base64_bytes(said->csr, strlen(said->csr));
	assert_true(count <= sizeof(der));
	assert_true(base64_decode(said->csr, strlen(said->csr), der, count));
	csr = d2i_X509_REQ(NULL, &at, (long)count);
	assert_non_null(csr);
	assert_int_equal(X509_REQ_verify(csr, key), 1);
	assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(csr)), 0);
	assert_null(memmem(out.bytes, out.count, "PRIVATE", 7));
	X509_REQ_free(csr);
	EVP_PKEY_free(key);
	wbuf_fini(&out);
}

static void
test_keys_differ(void **state)
{
	struct fixture *f = *state;

	assert_string_not_equal(f->key, enroll_key_new(f->arena));
	assert_non_null(strstr(f->key, "BEGIN PRIVATE KEY"));
}

static void
test_answers_refused(void **state)
{
	struct fixture     *f = *state;
	const char         *other = enroll_key_new(f->arena);
	struct enroll_given given;
	struct err          err;
	const struct {
		const char *name, *certificate, *agent, *why;
	} cases[] = {
		{ "nothing", "", "vm-a", "no certificate" },
		{ "not base64", "====", "vm-a", "no certificate" },
		{ "no certificate", "AAAA", "vm-a", "no certificate" },
		{ "another key's", make_certificate(f, other, "URI:urn:plprobe:agent:vm-a"),
		    "vm-a", "do not belong together" },
		{ "another agent's", make_certificate(f, f->key, "URI:urn:plprobe:agent:vm-b"),
		    "vm-a", "not for 'vm-a'" },
		{ "nobody's", make_certificate(f, f->key, "DNS:vm-a"), "vm-a",
		    "not for 'vm-a'" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].name);
		assert_false(read_answer(f, &given,
		    &(struct admission){
		        .certificate = cases[i].certificate, .agent = cases[i].agent },
		    &err));
		assert_non_null(strstr(err.text, cases[i].why));
	}
	assert_false(
	    enroll_answer_read(&given, f->arena, f->key, (const uint8_t *)"<html>", 6, &err));
}

static void
test_reasons(void **state)
{
	static const struct {
		const char *body, *reason;
	} cases[] = {
		{ "{\"status\":\"refused\",\"reason\":\"the token has expired\"}",
		    "the token has expired" },
		{ "{\"reason\": \"it is \\\"so\\\", \\\\ and so\"}",
		    "it is \"so\", \\ and so" },
		{ "{\"reason\":\"a\x1b[2J\"}", "a?[2J" },
		{ "{\"reason\":\"cut sho", "cut sho" },
		{ "{\"reason\":\"\\", "\\" },
		{ "{\"reason\":", "" },
		{ "<html>no</html>", "" },
		{ "", "" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(enroll_reason(f->arena, (const uint8_t *)cases[i].body,
		                        strlen(cases[i].body)),
		    cases[i].reason);
}

static void
test_file(void **state)
{
	struct fixture *f = *state;
	struct identity identity;
	struct err      err = { 0 };
	struct stat     facts;
	const char     *pem = make_identity(f);
	const char     *path = arena_printf(f->arena, "%s/identity.pem", f->dir);
	const char     *next = arena_printf(f->arena, "%s/identity-next.pem", f->dir);
	char            before[4096], after[4096];
	uint64_t        stamp;

	assert_true(identity_load(&identity, f->arena, f->dir, IDENTITY_NOW, &err));
	assert_null(identity.pem); /* none is no error */
	assert_int_equal(identity_stamp(f->dir), 0);
	assert_non_null(getcwd(before, sizeof(before)));
	assert_true(identity_store(f->dir, IDENTITY_NOW, pem, &err));
	assert_non_null(getcwd(after, sizeof(after)));
	assert_string_equal(before, after);
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 07777, 0600);
	stamp = identity_stamp(f->dir);
	assert_true(stamp != 0);
	assert_true(identity_load(&identity, f->arena, f->dir, IDENTITY_NOW, &err));
	assert_string_equal(identity.pem, pem);
	assert_string_equal(identity.facts.agent, "vm-a");
	assert_true(identity.facts.ends_ms - identity.facts.starts_ms == MS_PER_HOUR);
	assert_true(identity_fits(&identity, "vm-a", &err));
	assert_false(identity_fits(&identity, "vm-b", &err));
	assert_non_null(strstr(err.text, "for agent 'vm-a', and this agent is 'vm-b'"));

	assert_true(identity_store(f->dir, IDENTITY_NEXT, pem, &err));
	assert_int_equal(identity_stamp(f->dir), stamp);
	assert_true(identity_advance(f->dir, &err));
	assert_int_equal(access(next, F_OK), -1);
	assert_true(identity_stamp(f->dir) != stamp);
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(identity_load(&identity, f->arena, f->dir, IDENTITY_NOW, &err));
	assert_non_null(strstr(err.text, "others may read the key"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_false(identity_load(&identity, f->arena, f->dir, IDENTITY_NOW, &err));
	assert_non_null(strstr(err.text, "identity.pem"));
}

/* Root enrols an agent that is not root: the file is the agent's, also where the agent could not
 * come to the folder by its path, and a link that it has put there leads nowhere. */
static void
test_owner(void **state)
{
	struct fixture *f = *state;
	const char     *inner = arena_printf(f->arena, "%s/state", f->dir);
	const char     *victim = arena_printf(f->arena, "%s/victim", f->dir);
	const char     *link = arena_printf(
	        f->arena, "%s/identity.pem.%d.new", inner, (int)getpid());
	struct stat facts;
	struct err  err = { 0 };

	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(inner, 0700), 0);
	assert_int_equal(chown(inner, 1234, 1235), 0);
	assert_true(identity_store(inner, IDENTITY_NOW, make_identity(f), &err));
	assert_int_equal(geteuid(), 0);
	assert_int_equal(stat(arena_printf(f->arena, "%s/identity.pem", inner), &facts), 0);
	assert_int_equal(facts.st_uid, 1234);
	assert_int_equal(symlink(victim, link), 0);
	assert_false(identity_store(inner, IDENTITY_NOW, make_identity(f), &err));
	assert_int_equal(access(victim, F_OK), -1);
}

static void
test_due(void **state)
{
	assert_int_equal(renewal_due_ms(0, 900, 0.5), 600);
	assert_int_equal(renewal_due_ms(0, 900, 0), 525);
	assert_int_equal(renewal_due_ms(0, 900, 1), 675);
	assert_int_equal(renewal_due_ms(5000, 5900, 0.5), 5600);
}

/* A token in the wrong place says where it belongs. */
static void
test_wrong_token(void **state)
{
	struct fixture   *f = *state;
	const char       *path = arena_printf(f->arena, "%s/token", f->dir);
	struct agent_conf conf = { .token_file = path, .state_dir = "/var/lib/x" };
	struct err        err = { 0 };
	FILE             *file = fopen(path, "w");

	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fputs("enroll-0123456789ab.secret\n", file);
	fclose(file);
	assert_null(agent_conf_token(f->arena, &conf, &err));
	assert_non_null(strstr(err.text, "plprobe enroll"));
	assert_null(strstr(err.text, "secret"));
	file = fopen(path, "w");
	fputs("none\n", file);
	fclose(file);
	assert_null(agent_conf_token(f->arena, &conf, &err));
	assert_non_null(strstr(err.text, "no certificate in /var/lib/x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reasons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrong_token, setup, teardown),
		cmocka_unit_test(test_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
