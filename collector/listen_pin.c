#include "collector/listen_pin.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static X509 *
read_last(const char *path)
{
	BIO  *file = BIO_new_file(path, "r");
	X509 *last = NULL, *next;

	while (file != NULL && (next = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL) {
		X509_free(last);
		last = next;
	}
	BIO_free(file);
	ERR_clear_error();
	return last;
}

bool
listen_pin_read(char *pin, bool *root, const char *certificate_path, struct err *err)
{
	X509          *last = read_last(certificate_path);
	unsigned char *der = NULL;
	uint8_t        digest[DIGEST_BYTES];
	int            count;

	if (last == NULL)
		return err_set(
		    err, ERR_PARSE, "%s: no certificate that can be read", certificate_path);
	count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(last), &der);
	*root = X509_NAME_cmp(X509_get_subject_name(last), X509_get_issuer_name(last)) == 0;
	X509_free(last);
	if (count <= 0)
		return err_set(err, ERR_PARSE, "%s: a key that is none", certificate_path);
	digest_sha256(der, (size_t)count, digest);
	base64_url_encode(digest, sizeof(digest), pin);
	OPENSSL_free(der);
	return true;
}
