#include "probe/tls_roots.h"

#include "base/arena.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A list of 4500 names in one certificate passes OpenSSL's own limit of 100 kB. */
enum { CERT_LIST_BYTES = 64 * 1024 };

struct tls_roots {
	X509_STORE *store;  /* owned */
	SSL_CTX    *client; /* owned */
	char       *origin; /* owned */
};

/* "5ed36f99.0", as openssl rehash makes them. */
static bool
is_hash_link(const char *name)
{
	for (size_t i = 0; i < 8; i++) {
		if (!isxdigit((unsigned char)name[i]))
			return false;
	}
	return name[8] == '.' && isdigit((unsigned char)name[9]);
}

static bool
has_hash_links(const char *folder)
{
	DIR           *dir = opendir(folder);
	struct dirent *entry;
	bool           found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL)
		found = is_hash_link(entry->d_name);
	if (dir != NULL)
		closedir(dir);
	return found;
}

static bool
load_file(struct tls_roots *roots, const char *path, struct err *err)
{
	if (access(path, R_OK) != 0)
		return err_errno(err, "root certificates '%s'", path);
	if (X509_STORE_load_file(roots->store, path) != 1) {
		ERR_clear_error();
		return err_set(err, ERR_PARSE,
		    "root certificates '%s': no certificate in PEM form found", path);
	}
	roots->origin = mem_strdup(path);
	return true;
}

static bool
load_folder(struct tls_roots *roots, const char *path)
{
	X509_LOOKUP *lookup;

	if (!has_hash_links(path))
		return false;
	lookup = X509_STORE_add_lookup(roots->store, X509_LOOKUP_hash_dir());
	if (lookup == NULL || X509_LOOKUP_add_dir(lookup, path, X509_FILETYPE_PEM) != 1)
		return false;
	roots->origin = mem_strdup(path);
	return true;
}

static bool
is_same_file(const char *left, const char *right)
{
	struct stat one, other;

	return stat(left, &one) == 0 && stat(right, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* SSL_CERT_FILE and SSL_CERT_DIR replace the built-in paths, as everywhere with OpenSSL.  A file
 * that somebody named goes before the folder, the built-in one, named or not, behind it. */
static void
load_system(struct tls_roots *roots)
{
	const char *file = secure_getenv(X509_get_default_cert_file_env());
	const char *folder = secure_getenv(X509_get_default_cert_dir_env());

	if (file != NULL && is_same_file(file, X509_get_default_cert_file()))
		file = NULL;
	if (file != NULL && load_file(roots, file, NULL))
		return;
	if (load_folder(roots, folder != NULL ? folder : X509_get_default_cert_dir()))
		return;
	if (file == NULL && load_file(roots, X509_get_default_cert_file(), NULL))
		return;
	roots->origin = mem_strdup("");
}

static SSL_CTX *
make_client(X509_STORE *store)
{
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());

	if (client == NULL)
		return NULL;
	SSL_CTX_set_min_proto_version(client, TLS1_2_VERSION);
	SSL_CTX_set_session_cache_mode(client, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(client, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(client,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
	        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* A flight is five records, and each would be read in two halves otherwise. */
	SSL_CTX_set_read_ahead(client, 1);
	SSL_CTX_set_max_cert_list(client, CERT_LIST_BYTES);
	SSL_CTX_set1_cert_store(client, store);
	return client;
}

struct tls_roots *
tls_roots_new(const char *ca_file, struct err *err)
{
	struct tls_roots *roots = mem_alloc(sizeof(*roots));

	roots->store = X509_STORE_new();
	roots->client = make_client(roots->store);
	if (roots->client == NULL) {
		err_set(err, ERR_SYSTEM, "OpenSSL gives no client context: %s",
		    ERR_reason_error_string(ERR_get_error()));
		goto fail;
	}
	if (ca_file == NULL || ca_file[0] == '\0')
		load_system(roots);
	else if (!load_file(roots, ca_file, err))
		goto fail;
	/* Roots that cannot be read are said once, above; they are no error of the next call. */
	ERR_clear_error();
	return roots;
fail:
	tls_roots_free(roots);
	return NULL;
}

void
tls_roots_free(struct tls_roots *roots)
{
	if (roots == NULL)
		return;
	SSL_CTX_free(roots->client);
	X509_STORE_free(roots->store);
	free(roots->origin);
	free(roots);
}

struct x509_store_st *
tls_roots_store(const struct tls_roots *roots)
{
	return roots->store;
}

struct ssl_ctx_st *
tls_roots_client(const struct tls_roots *roots)
{
	return roots->client;
}

const char *
tls_roots_origin(const struct tls_roots *roots)
{
	return roots->origin;
}
