#include "agent/sign_service.h"

#include "agent/access.h"
#include "agent/sign_remote.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/file.h"
#include "base/log.h"
#include "probe/feed/feed_sign.h"
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
#include <unistd.h>
#include <cmocka.h>

#define KEY                                                                              \
	"dsZQi3KtZmCv1ljt3VNWNm7sQUF1y5rJfC6kv5JiwvW0EndXdDku/dkKBp8/ufDToSxLzR4y+O/0H/" \
	"t4bQtVNw=="
#define TOKEN "eyJ0.s3cret"

/* Both processes in one: the prober's end with its signer, the shipper's with the service. */
struct fixture {
	char                *dir, *key_path, *token_path, *log_path;
	struct loop         *loop;
	struct channel      *prober, *shipper;
	struct sign_remote  *remote;
	struct sign_service *service;
	struct support_peer *peer;
	struct access        rows[3];
	struct agent_conf    conf;
	const char          *unread; /* what the service could not read */
	unsigned             overs, wanted, good;
	char                 date[DATE_TEXT];
	char                 header[512], why[512];
};

static void
on_asked(void *arg, enum channel_type type, const uint8_t *bytes, size_t count)
{
	struct fixture *f = arg;
	struct err      err;

	assert_int_equal(type, CHANNEL_SIGN);
	f->unread = sign_service_take(f->service, bytes, count, &err) ? NULL : "refused";
	if (f->unread != NULL)
		loop_stop(f->loop);
}

static void
on_answered(void *arg, enum channel_type type, const uint8_t *bytes, size_t count)
{
	struct fixture *f = arg;
	struct err      err;

	assert_int_equal(type, CHANNEL_SIGNED);
	if (!sign_remote_take(f->remote, bytes, count, &err))
		fail_msg("%s", err.text);
}

static void
on_closed(void *arg, const char *why)
{
	fail_msg("the channel ended: %s", why);
}

static void
fill_conf(struct fixture *f)
{
	for (size_t i = 0; i < 3; i++)
		f->rows[i] = (struct access){
			.key_file = "", .token_file = "", .managed_identity = ""
		};
	f->rows[0].account = "contoso";
	f->rows[0].key_file = f->key_path;
	f->rows[1].account = "fabrikam";
	f->rows[1].token_file = f->token_path;
	f->rows[2].account = "litware*";
	f->rows[2].managed_identity = "system";
	f->conf.access = (struct conf_list){ f->rows, 3 };
	f->conf.imds = "http://127.0.0.1:1";
}

static void
write_text(const char *path, const char *text)
{
	struct err err;

	if (!file_replace(path, text, strlen(text), 0600, &err))
		fail_msg("%s", err.text);
}

static int
setup(void **state)
{
	struct fixture    *f = mem_alloc(sizeof(*f));
	struct channel_ops asked = { .on_message = on_asked, .on_closed = on_closed, .arg = f };
	struct channel_ops answered = {
		.on_message = on_answered, .on_closed = on_closed, .arg = f
	};
	struct err err;
	int        ends[2];

	f->dir = support_dir_new();
	f->key_path = mem_printf("%s/key", f->dir);
	f->token_path = mem_printf("%s/token", f->dir);
	f->log_path = mem_printf("%s/log", f->dir);
	write_text(f->key_path, KEY "\n");
	write_text(f->token_path, TOKEN "\n");
	f->loop = loop_new(&err);
	assert_non_null(f->loop);
	assert_true(channel_pair(ends, &err));
	f->prober = channel_new(f->loop, ends[0], &answered);
	f->shipper = channel_new(f->loop, ends[1], &asked);
	f->remote = sign_remote_new(f->loop, f->prober);
	fill_conf(f);
	f->service = sign_service_new(f->loop, f->shipper, &f->conf);
	date_render(f->date, clock_wall_ms(clock_system()));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	sign_service_free(f->service);
	sign_remote_free(f->remote);
	channel_free(f->prober);
	channel_free(f->shipper);
	support_peer_stop(f->peer);
	loop_free(f->loop);
	support_dir_free(f->dir);
	free(f->key_path);
	free(f->token_path);
	free(f->log_path);
	free(f);
	return 0;
}

static void
on_signed(void *arg, const char *header, const char *why)
{
	struct fixture *f = arg;

	snprintf(f->header, sizeof(f->header), "%s", header != NULL ? header : "");
	if (why != NULL)
		snprintf(f->why, sizeof(f->why), "%s", why);
	f->good += header != NULL;
	if (++f->overs == f->wanted)
		loop_stop(f->loop);
}

static void
start(struct fixture *f, const char *account, const char *type)
{
	const struct signer *signer = sign_remote_signer(f->remote, CREDENTIAL_KEY);
	char                *host = mem_printf("%s.documents.azure.com", account);
	struct signer_ask    ask = { account, host, "GET", type, "", f->date };

	assert_non_null(signer->start(signer->arg, &ask, on_signed, f));
	free(host);
}

static void
sign(struct fixture *f, const char *account, const char *type, unsigned times)
{
	f->overs = f->good = 0;
	f->wanted = times;
	for (unsigned i = 0; i < times; i++)
		start(f, account, type);
	loop_run(f->loop);
	assert_int_equal(f->overs, times);
}

static void
test_signs(void **state)
{
	struct fixture   *f = *state;
	struct arena     *arena = arena_new();
	struct signer_ask ask = { "contoso", "", "GET", "dbs", "", f->date };
	struct feed_key   key;
	struct err        err;

	assert_true(feed_key_parse(&key, KEY, &err));
	sign(f, "contoso", "dbs", 1);
	assert_string_equal(f->header, feed_sign_key(arena, &key, &ask));
	sign(f, "fabrikam", "", 1);
	assert_string_equal(f->header, feed_sign_token(arena, TOKEN));
	assert_int_equal(sign_service_stats(f->service).given, 2);
	assert_int_equal(sign_service_stats(f->service).refused, 0);
	arena_free(arena);
}

static void
test_refuses(void **state)
{
	struct fixture *f = *state;

	sign(f, "contoso", "users", 1);
	assert_string_equal(f->header, "");
	assert_non_null(strstr(f->why, "resource type 'users' is not read here"));
	sign(f, "northwind", "", 1);
	assert_non_null(strstr(f->why, "no credential for the account northwind"));
	assert_int_equal(sign_service_stats(f->service).refused, 2);
}

static void
test_rate(void **state)
{
	struct fixture *f = *state;

	sign(f, "contoso", "", 200);
	assert_in_range(f->good, 100, 120);
	assert_non_null(strstr(f->why, "more than 20 a second"));
	sign(f, "fabrikam", "", 1);
	assert_int_equal(f->good, 1);
}

static void
test_identity(void **state)
{
	static char     answer[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
	                           "{\"access_token\":\"" TOKEN "\",\"expires_in\":\"3600\"}";
	struct fixture *f = *state;
	struct addr     addr;
	char            text[ADDR_TEXT];
	char           *url;

	f->peer = support_peer_start(support_peer_says, answer);
	addr = support_peer_addr(f->peer);
	url = mem_printf("http://%s", addr_render_port(&addr, text, sizeof(text)));
	f->conf.imds = url;
	sign(f, "litware-1", "", 3);
	assert_int_equal(f->good, 3);
	assert_non_null(strstr(f->header, TOKEN));
	free(url);
	f->conf.imds = "";
}

/* One that is under way and does not end: the metadata service is silent. */
static void
start_held(struct fixture *f)
{
	static char url[ADDR_TEXT + 8];
	struct addr addr;
	char        text[ADDR_TEXT];

	f->peer = support_peer_start(support_peer_silent, NULL);
	addr = support_peer_addr(f->peer);
	snprintf(url, sizeof(url), "http://%s", addr_render_port(&addr, text, sizeof(text)));
	f->conf.imds = url;
	f->wanted = 1;
	start(f, "litware", "");
	for (int i = 0; i < 20; i++)
		loop_run_once(f->loop, false);
	assert_int_equal(f->overs, 0);
}

/* Another configuration: who waits is told, and the next is signed by the new one. */
static void
test_read_again(void **state)
{
	struct fixture *f = *state;

	start_held(f);
	f->rows[2].managed_identity = "";
	f->rows[2].token_file = f->token_path;
	sign_service_set(f->service, &f->conf);
	loop_run(f->loop);
	assert_non_null(strstr(f->why, "the configuration is read again"));
	sign(f, "litware", "", 1);
	assert_non_null(strstr(f->header, TOKEN));
}

/* What is under way when the shipper ends. */
static void
test_free_while_under_way(void **state)
{
	struct fixture *f = *state;

	start_held(f);
	sign_service_free(f->service);
	sign_service_free(NULL);
	f->service = NULL;
	loop_run(f->loop);
	assert_int_equal(f->overs, 1);
	assert_string_equal(f->header, "");
}

static void
test_garbage(void **state)
{
	struct fixture *f = *state;

	assert_true(channel_send(f->prober, CHANNEL_SIGN, "\0\0\0\1\377\377", 6));
	loop_run(f->loop);
	assert_non_null(f->unread);
	sign(f, "contoso", "", 1); /* and it goes on */
	assert_int_equal(f->good, 1);
}

/* Every way to fail, with the log in a file: no part of a secret in it, nor in an answer. */
static void
test_no_secret_is_told(void **state)
{
	static const char *const wrong[] = { "s3cret", "s3cret s3cret\n", KEY "\ns3cret",
		"\"s3cret\"" };
	struct fixture          *f = *state;
	struct arena            *arena = arena_new();
	int                      kept = dup(STDERR_FILENO);
	size_t                   count;
	struct err               err;
	char                    *log;

	assert_non_null(freopen(f->log_path, "w", stderr));
	log_open("test", LOG_LEVEL_DEBUG, LOG_FORMAT_LOGFMT);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_text(f->key_path, wrong[i]);
		write_text(f->token_path, wrong[i]);
		sign_service_set(f->service, &f->conf); /* it is told again */
		sign(f, "contoso", "", 2);
		assert_int_equal(f->good, 0);
		assert_null(strstr(f->why, "s3cret"));
		sign(f, "litware", "", 1);
		assert_int_equal(f->good, 0);
		assert_non_null(strstr(f->why, "cannot be reached"));
	}
	fflush(stderr);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	close(kept);
	log = file_read(arena, f->log_path, 1 << 20, &count, &err);
	assert_non_null(log);
	assert_non_null(strstr(log, f->key_path));
	assert_non_null(strstr(log, "access 'litware*'"));
	assert_null(strstr(log, "s3cret"));
	assert_null(strstr(log, "dsZQi3KtZmCv"));
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

/* A token goes through all of it, the channel too, and nothing of it stays. */
static void
test_nothing_is_left(void **state)
{
	enum { CHARS = 200 };
	struct fixture      *f = *state;
	const struct signer *signer = sign_remote_signer(f->remote, CREDENTIAL_ENTRA);
	struct signer_ask    ask = { "fabrikam", "fabrikam.documents.azure.com", "GET", "", "",
		   f->date };
	uint8_t              masked[CHARS];

	support_memory_make(masked, CHARS);
	support_memory_write(f->token_path, masked, CHARS);
	signer->start(signer->arg, &ask, on_dropped, f);
	loop_run(f->loop);
	assert_int_equal(support_memory_count(masked, 16), 0);
	assert_int_equal(support_memory_count(masked + CHARS - 16, 16), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_signs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_free_while_under_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_garbage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_secret_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_left, setup, teardown),
	};

	log_open("test", LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
