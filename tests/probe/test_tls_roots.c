#include "probe/tls_roots.h"

#include "tests/support/support_certs.h"

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
#include <sys/stat.h>
#include <unistd.h>

static struct support_certs *root, *leaf;
static char                  folder[] = "/tmp/test_tls_roots_XXXXXX";
static char                  file[64], hashed[64], hash_link[128];

/* A folder with a bundle, and in it one as `openssl rehash` leaves it. */
static int
set_up(void **state)
{
	root = support_certs_new(
	    &(struct support_certs_plan){ .subject = "Test Root", .authority = true });
	leaf = support_certs_new(
	    &(struct support_certs_plan){ .subject = "leaf", .issuer = root });
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/bundle.pem", folder);
	snprintf(hashed, sizeof(hashed), "%s/hashed", folder);
	snprintf(hash_link, sizeof(hash_link), "%s/%08lx.0", hashed,
	    X509_NAME_hash_ex(
	        X509_get_subject_name(support_certs_x509(root)), NULL, NULL, NULL));
	support_certs_write(root, file, NULL);
	if (mkdir(hashed, 0700) != 0)
		return -1;
	support_certs_write(root, hash_link, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	support_certs_free(leaf);
	support_certs_free(root);
	unlink(hash_link);
	rmdir(hashed);
	unlink(file);
	return rmdir(folder);
}

static void
set_environment(const char *cert_file, const char *cert_dir)
{
	unsetenv("SSL_CERT_FILE");
	unsetenv("SSL_CERT_DIR");
	if (cert_file != NULL)
		setenv("SSL_CERT_FILE", cert_file, 1);
	if (cert_dir != NULL)
		setenv("SSL_CERT_DIR", cert_dir, 1);
}

static int
count_loaded(const struct tls_roots *roots)
{
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(tls_roots_store(roots)));
}

static bool
is_trusted(const struct tls_roots *roots)
{
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	bool            trusted;

	X509_STORE_CTX_init(context, tls_roots_store(roots), support_certs_x509(leaf), NULL);
	trusted = X509_verify_cert(context) == 1;
	X509_STORE_CTX_free(context);
	return trusted;
}

static void
test_configured_file(void **state)
{
	struct err        err;
	struct tls_roots *roots = tls_roots_new(file, &err);

	assert_non_null(roots);
	assert_string_equal(tls_roots_origin(roots), file);
	assert_int_equal(count_loaded(roots), 1);
	assert_true(is_trusted(roots));
	/* The client context of the handshakes has the very same store. */
	assert_ptr_equal(
	    SSL_CTX_get_cert_store(tls_roots_client(roots)), tls_roots_store(roots));
	tls_roots_free(roots);
	tls_roots_free(NULL);
}

static void
test_folder_is_read_as_needed(void **state)
{
	struct tls_roots *roots;
	struct err        err;

	set_environment(NULL, hashed);
	roots = tls_roots_new("", &err);
	assert_non_null(roots);
	assert_string_equal(tls_roots_origin(roots), hashed);
	assert_int_equal(count_loaded(roots), 0);
	assert_true(is_trusted(roots));
	assert_int_equal(count_loaded(roots), 1);
	assert_true(is_trusted(roots));
	assert_int_equal(count_loaded(roots), 1);
	tls_roots_free(roots);
}

static void
test_environment(void **state)
{
	static const char none[] = "/nonexistent";
	const struct {
		const char *name, *cert_file, *cert_dir, *origin;
		bool        trusted;
	} cases[] = {
		{ "file before folder", file, hashed, file, true },
		{ "file alone", file, none, file, true },
		{ "folder without links", none, folder, "", false },
		{ "neither is there", none, none, "", false },
		{ "file missing, folder good", none, hashed, hashed, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tls_roots *roots;
		struct err        err;

		print_message("%s\n", cases[i].name);
		set_environment(cases[i].cert_file, cases[i].cert_dir);
		roots = tls_roots_new(NULL, &err);
		assert_non_null(roots);
		assert_string_equal(tls_roots_origin(roots), cases[i].origin);
		assert_int_equal(is_trusted(roots), cases[i].trusted);
		tls_roots_free(roots);
	}
}

/* Naming the built-in bundle, as some images do, must not cost what the folder saves. */
static void
test_built_in_file_named(void **state)
{
	struct tls_roots *roots;
	struct err        err;

	set_environment(X509_get_default_cert_file(), hashed);
	roots = tls_roots_new(NULL, &err);
	if (access(X509_get_default_cert_file(), R_OK) != 0)
		skip(); /* this machine has no bundle */
	assert_string_equal(tls_roots_origin(roots), hashed);
	assert_int_equal(count_loaded(roots), 0);
	tls_roots_free(roots);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_configured_file),
		cmocka_unit_test(test_folder_is_read_as_needed),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_built_in_file_named),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
