/* What the authority signs, and what it does not. */
#include "collector/ca.h"

#include "base/arena.h"
#include "base/clock.h"
#include "tests/support/support_dir.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char *dir;

static EVP_PKEY *
make_key(const char *kind, unsigned bits)
{
	if (strcmp(kind, "RSA") == 0)
		return EVP_RSA_gen(bits);
	if (strcmp(kind, "ED25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_EC_gen(kind);
}

/* A request in DER form that asks for a name, to be an authority, and for another agent. */
static size_t
make_csr(EVP_PKEY *key, uint8_t *der)
{
	X509_REQ *csr = X509_REQ_new();
	STACK_OF(X509_EXTENSION) *wanted = sk_X509_EXTENSION_new_null();
	uint8_t *at = der;
	int      count;

	assert_int_equal(X509_REQ_set_version(csr, X509_REQ_VERSION_1), 1);
	assert_int_equal(X509_REQ_set_pubkey(csr, key), 1);
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(csr), "CN", MBSTRING_ASC,
	    (const unsigned char *)"collector", -1, -1, 0);
	sk_X509_EXTENSION_push(
	    wanted, X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE"));
	sk_X509_EXTENSION_push(wanted,
	    X509V3_EXT_conf_nid(
	        NULL, NULL, NID_subject_alt_name, "URI:urn:plprobe:agent:vm-other"));
	assert_int_equal(X509_REQ_add_extensions(csr, wanted), 1);
	sk_X509_EXTENSION_pop_free(wanted, X509_EXTENSION_free);
	assert_true(
	    X509_REQ_sign(csr, key, EVP_PKEY_is_a(key, "ED25519") ? NULL : EVP_sha256()) > 0);
	count = i2d_X509_REQ(csr, &at);
	assert_true(count > 0);
	X509_REQ_free(csr);
	return (size_t)count;
}

static const struct key_case {
	const char *name, *kind;
	unsigned    bits;
	const char *why; /* NULL: taken */
} key_cases[] = {
	{ "P-256", "P-256", 0, NULL },
	{ "Ed25519", "ED25519", 0, NULL },
	{ "RSA 2048", "RSA", 2048, NULL },
	{ "RSA 1024", "RSA", 1024, "an RSA key of 1024 bits" },
	{ "RSA 2040", "RSA", 2040, "an RSA key of 2040 bits" },
	{ "P-384", "P-384", 0, "a key of another kind" },
	{ "secp256k1", "secp256k1", 0, "a key of another kind" },
};

static void
test_keys(void **state)
{
	for (size_t i = 0; i < sizeof(key_cases) / sizeof(key_cases[0]); i++) {
		const struct key_case *one = &key_cases[i];
		EVP_PKEY              *pkey = make_key(one->kind, one->bits);
		uint8_t                der[4000];
		size_t                 count = make_csr(pkey, der);
		struct err             err = { 0 };
		struct ca_key         *key = ca_key_parse(der, count, &err);

		print_message("%s\n", one->name);
		if (one->why == NULL)
			assert_non_null(key);
		else
			assert_non_null(strstr(err.text, one->why));
		assert_true((key == NULL) == (one->why != NULL));
		ca_key_free(key);
		EVP_PKEY_free(pkey);
	}
}

/* Every cut and every flipped byte of a request is refused, or is a request all the same whose
 * signature holds: there is none such. */
static void
test_broken_requests(void **state)
{
	EVP_PKEY  *pkey = make_key("P-256", 0);
	uint8_t    der[4000];
	size_t     count = make_csr(pkey, der);
	struct err err;

	for (size_t cut = 0; cut < count; cut++) {
		err.text[0] = '\0';
		assert_null(ca_key_parse(der, cut, &err));
		assert_non_null(strstr(err.text, "signing request"));
	}
	for (size_t i = 0; i < count; i++) {
		der[i] ^= 0x01;
		err.text[0] = '\0';
		if (ca_key_parse(der, count, &err) != NULL)
			fail_msg("byte %zu flipped, and taken", i);
		assert_true(err.text[0] != '\0');
		der[i] ^= 0x01;
	}
	assert_null(ca_key_parse(der, count + 1, &err)); /* a byte behind it */
	EVP_PKEY_free(pkey);
}

static X509 *
sign(const struct ca *ca, EVP_PKEY *pkey, const char *agent, struct ca_made *made)
{
	uint8_t               der[4000];
	size_t                count = make_csr(pkey, der);
	struct err            err = { 0 };
	struct ca_key        *key = ca_key_parse(der, count, &err);
	const struct ca_order order = { key, agent, clock_wall_ms(clock_system()),
		MS_PER_HOUR };
	const unsigned char  *at = made->der;
	X509                 *cert;

	assert_non_null(key);
	if (!ca_sign(ca, &order, made, &err))
		fail_msg("%s", err.text);
	ca_key_free(key);
	cert = d2i_X509(NULL, &at, (long)made->count);
	assert_non_null(cert);
	return cert;
}

static X509 *
read_authority(void)
{
	char *path = mem_printf("%s/ca.pem", dir);
	FILE *file = fopen(path, "r");
	X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);

	assert_non_null(cert);
	fclose(file);
	free(path);
	return cert;
}

/* Nothing of what the request wanted is in it. */
static void
test_what_is_signed(void **state)
{
	struct err     err = { 0 };
	struct ca     *ca = ca_open(dir, clock_wall_ms(clock_system()), &err);
	EVP_PKEY      *pkey = make_key("P-256", 0);
	struct ca_made made, other;
	X509          *cert, *authority, *second;
	char           name[100];
	GENERAL_NAMES *names;
	int64_t        left_ms;

	assert_non_null(ca);
	cert = sign(ca, pkey, "vm-a", &made);
	authority = read_authority();
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(authority)), 1);
	assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_CLIENT, 0), 1);
	assert_int_equal(X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0), 0);
	assert_int_equal(X509_check_ca(cert), 0);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), pkey), 1);
	assert_int_equal(X509_NAME_get_text_by_NID(
	                     X509_get_subject_name(cert), NID_commonName, name, sizeof(name)),
	    4);
	assert_string_equal(name, "vm-a");
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	assert_int_equal(sk_GENERAL_NAME_num(names), 1);
	assert_int_equal(sk_GENERAL_NAME_value(names, 0)->type, GEN_URI);
	assert_string_equal(
	    (const char *)ASN1_STRING_get0_data(sk_GENERAL_NAME_value(names, 0)->d.ia5),
	    "urn:plprobe:agent:vm-a");
	GENERAL_NAMES_free(names);
	left_ms = made.ends_ms - clock_wall_ms(clock_system());
	assert_in_range(left_ms, MS_PER_HOUR - 5000, MS_PER_HOUR);
	assert_int_equal(strlen(made.serial), 32);
	second = sign(ca, pkey, "vm-a", &other);
	assert_string_not_equal(made.serial, other.serial);
	X509_free(cert);
	X509_free(second);
	X509_free(authority);
	EVP_PKEY_free(pkey);
	ca_free(ca);
}

static void
test_kept(void **state)
{
	char          *key_path = mem_printf("%s/ca.key", dir);
	char          *cert_path = mem_printf("%s/ca.pem", dir);
	int64_t        now_ms = clock_wall_ms(clock_system());
	struct err     err = { 0 };
	struct ca     *first = ca_open(dir, now_ms, &err), *second;
	EVP_PKEY      *pkey = make_key("P-256", 0);
	struct ca_made made;
	struct stat    facts;
	X509          *cert, *authority;

	assert_non_null(first);
	assert_true(ca_ends_ms(first) > now_ms + 3649 * MS_PER_DAY);
	assert_int_equal(stat(key_path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	second = ca_open(dir, now_ms, &err); /* the same again */
	assert_non_null(second);
	cert = sign(second, pkey, "vm-a", &made);
	authority = read_authority();
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(authority)), 1);
	ca_free(first);
	ca_free(second);
	/* Another key: nothing is signed with it, and nothing is made anew in silence. */
	assert_int_equal(rename(key_path, cert_path), 0);
	assert_null(ca_open(dir, now_ms, &err));
	assert_non_null(strstr(err.text, "ca.key"));
	X509_free(cert);
	X509_free(authority);
	EVP_PKEY_free(pkey);
	free(key_path);
	free(cert_path);
}

static int
set_up(void **state)
{
	dir = support_dir_new();
	return 0;
}

static int
tear_down(void **state)
{
	support_dir_free(dir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_broken_requests),
		cmocka_unit_test_setup_teardown(test_what_is_signed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kept, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
