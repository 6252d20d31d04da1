#include "agent/credential.h"

#include "agent/access.h"
#include "agent/agent_conf.h"
#include "agent/sign_local.h"
#include "base/base64.h"
#include "base/file.h"
#include "tests/support/support_dir.h"
#include "tests/support/support_memory.h"
#include "tests/support/support_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* The sample key of the vendor's documentation, and what it makes of its example. */
#define KEY                                                                              \
	"dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/" \
	"t4bQtVNw=="
#define SIGNED \
	"type%3dmaster%26ver%3d1.0%26sig%3dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d"

static const struct signer_ask ask = { .account = "contoso",
	.host = "contoso.documents.azure.com",
	.verb = "GET",
	.type = "dbs",
	.link = "dbs/ToDoList",
	.date = "Thu, 27 Apr 2017 00:51:12 GMT" };

struct fixture {
	char         *dir, *path;
	struct arena *arena;
	struct loop  *loop;
	unsigned      overs;
	char          header[512], why[512];
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->dir = support_dir_new();
	f->path = mem_printf("%s/secret", f->dir);
	f->arena = arena_new();
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	loop_free(f->loop);
	support_dir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void
write_text(const char *path, const char *text)
{
	struct err err;

	if (!file_replace(path, text, strlen(text), 0600, &err))
		fail_msg("%s", err.text);
}

static const struct file_case {
	const char     *name;
	enum credential kind;
	const char     *text, *header, *why; /* header NULL: refused */
} file_cases[] = {
	{ "key", CREDENTIAL_KEY, KEY "\n", SIGNED, NULL },
	{ "key, CR LF", CREDENTIAL_KEY, KEY "\r\n", SIGNED, NULL },
	{ "no base64", CREDENTIAL_KEY,
	    "s3cret-s3cret-s3cret-s3cret-s3cret-s3cret-s3cret-s3cret\n", NULL, "base64" },
	{ "short key", CREDENTIAL_KEY, "czNjcmV0\n", NULL, "base64 of 16 to 128 bytes" },
	{ "cut key", CREDENTIAL_KEY, "s3cretBp8ufDToSxLzR4yO0Ht4bQtVNw=\n", NULL, "base64" },
	{ "a connection string", CREDENTIAL_KEY,
	    "AccountEndpoint=https://contoso.documents.azure.com:443/;AccountKey=" KEY ";\n",
	    NULL, "account key" },
	{ "no key", CREDENTIAL_KEY, "", NULL, "empty" },
	{ "two keys", CREDENTIAL_KEY, KEY "\n" KEY "\n", NULL, "several lines" },
	{ "token", CREDENTIAL_ENTRA, "eyJ0.a-_b.c\n",
	    "type%3daad%26ver%3d1.0%26sig%3deyJ0.a-_b.c", NULL },
	{ "token in JSON", CREDENTIAL_ENTRA, "{\"accessToken\":\"s3cret\"}\n", NULL,
	    "the access token alone wanted" },
	{ "token in quotes", CREDENTIAL_ENTRA, "\"s3cret\"\n", NULL,
	    "the access token alone wanted" },
	{ "token behind a word", CREDENTIAL_ENTRA, "Bearer s3cret\n", NULL,
	    "the access token alone wanted" },
	{ "no token", CREDENTIAL_ENTRA, "\n", NULL, "empty" },
};

static struct credential_source
from_file(enum credential kind, const char *path)
{
	return kind == CREDENTIAL_KEY ? credential_from_key_file(path)
	                              : credential_from_token_file(path);
}

static void
test_files(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(file_cases) / sizeof(file_cases[0]); i++) {
		const struct file_case  *c = &file_cases[i];
		struct credential_source source = from_file(c->kind, f->path);
		struct err               err = { .text = "" }, again = { .text = "" };
		const char              *header;

		write_text(f->path, c->text);
		header = credential_sign(&source, f->arena, &ask, &err);
		assert_int_equal(credential_check(&source, &again), header != NULL);
		if (header != NULL) {
			if (c->header == NULL || strcmp(header, c->header) != 0)
				fail_msg("%s: %s", c->name, header);
			continue;
		}
		if (c->header != NULL || strstr(err.text, c->why) == NULL)
			fail_msg("%s: %s", c->name, err.text);
		assert_string_equal(err.text, again.text);
		assert_non_null(strstr(err.text, f->path));
		assert_null(strstr(err.text, "s3cret"));
		assert_null(strstr(err.text, "dsZQi3KtZmCv"));
	}
}

/* Who writes the file anew needs to tell nobody. */
static void
test_read_each_time(void **state)
{
	struct fixture          *f = *state;
	struct credential_source source = credential_from_token_file(f->path);
	struct err               err;

	write_text(f->path, "first");
	assert_string_equal(credential_sign(&source, f->arena, &ask, &err),
	    "type%3daad%26ver%3d1.0%26sig%3dfirst");
	write_text(f->path, "second");
	assert_string_equal(credential_sign(&source, f->arena, &ask, &err),
	    "type%3daad%26ver%3d1.0%26sig%3dsecond");
	assert_int_equal(unlink(f->path), 0);
	assert_null(credential_sign(&source, f->arena, &ask, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
}

static void
test_of_access(void **state)
{
	struct agent_conf conf = { .imds = "http://127.0.0.1:9" };
	struct access access = { .key_file = "", .token_file = "/t", .managed_identity = "" };
	struct credential_source source = credential_of(&conf, NULL);

	assert_int_equal(source.kind, CREDENTIAL_NONE);
	source = credential_of(&conf, &access);
	assert_int_equal(source.kind, CREDENTIAL_ENTRA);
	assert_string_equal(source.path, "/t");
	access.token_file = "";
	assert_int_equal(credential_of(&conf, &access).kind, CREDENTIAL_NONE);
	access.managed_identity = "system";
	source = credential_of(&conf, &access);
	assert_int_equal(source.kind, CREDENTIAL_ENTRA);
	assert_string_equal(source.path, "");
	assert_string_equal(source.client_id, "");
	assert_string_equal(source.imds, "http://127.0.0.1:9");
	access.managed_identity = "01234567-89ab-cdef-0123-456789abcdef";
	assert_string_equal(credential_of(&conf, &access).client_id, access.managed_identity);
	access = (struct access){ .key_file = "/k", .token_file = "", .managed_identity = "" };
	assert_int_equal(credential_of(&conf, &access).kind, CREDENTIAL_KEY);
}

/* sign_local: the same from a loop. */

static void
on_signed(void *arg, const char *header, const char *why)
{
	struct fixture *f = arg;

	assert_true((header == NULL) != (why == NULL));
	snprintf(f->header, sizeof(f->header), "%s", header != NULL ? header : "");
	snprintf(f->why, sizeof(f->why), "%s", why != NULL ? why : "");
	f->overs++;
	loop_stop(f->loop);
}

static void
on_never(void *arg, const char *header, const char *why)
{
	fail_msg("an answer after cancel");
}

static void
sign_once(struct fixture *f, const struct signer *signer)
{
	f->overs = 0;
	assert_non_null(signer->start(signer->arg, &ask, on_signed, f));
	assert_int_equal(f->overs, 0); /* never from inside */
	loop_run(f->loop);
	assert_int_equal(f->overs, 1);
}

static void
test_sign_local(void **state)
{
	struct fixture          *f = *state;
	struct credential_source source = credential_from_key_file(f->path);
	struct err               err;
	struct sign_local       *sign = sign_local_new(f->loop, &source, &err);
	const struct signer     *signer = sign_local_signer(sign);
	void                    *first, *last;

	assert_int_equal(signer->kind, CREDENTIAL_KEY);
	sign_once(f, signer);
	assert_non_null(strstr(f->why, "No such file"));
	write_text(f->path, KEY "\n");
	sign_once(f, signer);
	assert_string_equal(f->header, SIGNED);
	first = signer->start(signer->arg, &ask, on_never, f);
	f->overs = 0;
	assert_non_null(signer->start(signer->arg, &ask, on_signed, f));
	last = signer->start(signer->arg, &ask, on_never, f);
	signer->cancel(last);
	signer->cancel(first);
	loop_run(f->loop);
	assert_int_equal(f->overs, 1);
	assert_non_null(signer->start(signer->arg, &ask, on_never, f));
	sign_local_free(sign); /* with one that waits */
	sign_local_free(NULL);
}

static void
test_sign_by_identity(void **state)
{
	static char              answer[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	                                    "{\"access_token\":\"eyJ0.x\",\"expires_in\":\"3600\"}";
	struct fixture          *f = *state;
	struct support_peer     *peer = support_peer_start(support_peer_says, answer);
	struct addr              addr = support_peer_addr(peer);
	struct credential_source source = credential_from_managed_identity("");
	struct sign_local       *sign;
	const struct signer     *signer;
	char                     text[ADDR_TEXT];
	struct err               err;

	source.imds = arena_printf(
	    f->arena, "http://%s", addr_render_port(&addr, text, sizeof(text)));
	assert_true(credential_check(&source, &err));
	sign = sign_local_new(f->loop, &source, &err);
	assert_non_null(sign);
	signer = sign_local_signer(sign);
	assert_int_equal(signer->kind, CREDENTIAL_ENTRA);
	sign_once(f, signer);
	assert_string_equal(f->header, "type%3daad%26ver%3d1.0%26sig%3deyJ0.x");
	signer->cancel(signer->start(signer->arg, &ask, on_never, f));
	assert_non_null(signer->start(signer->arg, &ask, on_never, f));
	sign_local_free(sign);
	support_peer_stop(peer);
}

/* Nothing is left of a secret. */

enum { CHARS = 88, KEY_BYTES = CHARS / 4 * 3 };

/* The bytes of the key, masked, found out by another process. */
static void
read_masked_key(const char *path, const char *key_path, uint8_t masked[KEY_BYTES])
{
	struct arena *arena = arena_new();
	struct err    err;
	size_t        count;
	int           status;
	pid_t         child = fork();
	char         *text;

	if (child == 0) {
		text = file_read(arena, path, CHARS, &count, &err);
		if (text == NULL || !base64_decode(text, count, masked, KEY_BYTES))
			_exit(1);
		support_memory_mask(masked, KEY_BYTES);
		_exit(file_replace(key_path, masked, KEY_BYTES, 0600, &err) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	text = file_read(arena, key_path, KEY_BYTES, &count, &err);
	assert_non_null(text);
	memcpy(masked, text, KEY_BYTES);
	arena_free(arena);
}

static void
on_dropped(void *arg, const char *header, const char *why)
{
	struct fixture *f = arg;

	if (header == NULL)
		fail_msg("%s", why);
	loop_stop(f->loop);
}

static void
sign_and_drop(struct fixture *f, enum credential kind)
{
	struct credential_source source = from_file(kind, f->path);
	struct err               err;
	struct sign_local       *sign = sign_local_new(f->loop, &source, &err);
	const struct signer     *signer = sign_local_signer(sign);

	signer->start(signer->arg, &ask, on_dropped, f);
	loop_run(f->loop);
	assert_true(credential_check(&source, &err));
	sign_local_free(sign);
}

/* The text of a key, its bytes, and a token are looked for in all of the memory, freed or not. */
static void
test_nothing_is_left(void **state)
{
	struct fixture *f = *state;
	const char     *key_path = arena_printf(f->arena, "%s/bytes", f->dir);
	uint8_t         masked[CHARS], key[KEY_BYTES];
	size_t          count;
	struct err      err;

	support_memory_make(masked, CHARS);
	support_memory_write(f->path, masked, CHARS);
	read_masked_key(f->path, key_path, key);
	sign_and_drop(f, CREDENTIAL_KEY);
	assert_int_equal(support_memory_count(key, 16), 0);
	assert_int_equal(support_memory_count(key + KEY_BYTES - 16, 16), 0);
	sign_and_drop(f, CREDENTIAL_ENTRA);
	assert_int_equal(support_memory_count(masked, 16), 0);
	assert_int_equal(support_memory_count(masked + CHARS - 16, 16), 0);
	/* And is found where somebody is careless. */
	assert_non_null(file_read(f->arena, f->path, CHARS, &count, &err));
	assert_true(support_memory_count(masked, CHARS) >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_each_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_access, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sign_local, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sign_by_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
