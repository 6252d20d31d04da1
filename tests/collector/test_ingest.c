/* The collector as a process of its own, and clients of every kind over real TLS. */
#include "collector/auth.h"
#include "collector/collector.h"
#include "collector/ingest.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/support/support_certs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	char folder[64], conf[96], cert[96], key[96], log[96];
	char token[AUTH_TOKEN_ROOM], other_token[AUTH_TOKEN_ROOM], third_token[AUTH_TOKEN_ROOM];
	pid_t       pid;
	struct addr ingest, page;
} server;

/* One request as a client makes it, and the answer. */
struct call {
	const char    *path, *method; /* NULL: POST */
	const uint8_t *body;
	size_t         count;
	const char    *token;  /* NULL: none is shown */
	const char    *type;   /* NULL: the right one */
	const char    *digest; /* NULL: of the body; "": none */
	const char    *more;   /* another header */
	struct wbuf    answer, headers;
	long           status;
};

static void
write_conf(const char *more)
{
	FILE *file = fopen(server.conf, "w");

	assert_non_null(file);
	fprintf(file,
	    "listen: 127.0.0.1:0\npage: 127.0.0.1:0\ncertificate: cert.pem\nkey: key.pem\n"
	    "store: sqlite:%s/store.db\nstate_dir: %s\naccounts_dir: %s/accounts\n"
	    "log_level: warn\n%s",
	    server.folder, server.folder, server.folder, more);
	assert_int_equal(fclose(file), 0);
}

static void
write_document(void)
{
	static const char text[] =
	    "{\"name\":\"contoso\",\"kind\":\"GlobalDocumentDB\",\"documentEndpoint\":"
	    "\"https://contoso.documents.azure.com:443/\",\"provisioningState\":\"Succeeded\","
	    "\"locations\":[{\"locationName\":\"East US\",\"failoverPriority\":0,"
	    "\"provisioningState\":\"Succeeded\",\"documentEndpoint\":"
	    "\"https://contoso-eastus.documents.azure.com:443/\"}]}";
	char *path = mem_printf("%s/accounts/contoso.json", server.folder);

	*strrchr(path, '/') = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	path[strlen(path)] = '/';
	assert_true(file_replace(path, text, strlen(text), 0600, NULL));
	free(path);
}

static void
write_certs(void)
{
	const char *const               names[] = { "127.0.0.1", "localhost", NULL };
	const struct support_certs_plan plan = { .subject = "localhost", .names = names };
	struct support_certs           *certs = support_certs_new(&plan);

	support_certs_write(certs, server.cert, server.key);
	support_certs_free(certs);
}

/* In the child: says where it listens, and runs. */
static void
serve(int pipe_fd)
{
	struct err        err = { 0 };
	struct collector *collector;
	struct addr       at[2];

	if (freopen(server.log, "a", stderr) == NULL)
		_exit(9);
	collector = collector_new(server.conf, &err);
	if (collector == NULL) {
		fprintf(stderr, "%s\n", err.text);
		_exit(9);
	}
	at[0] = collector_ingest_addr(collector);
	at[1] = collector_page_addr(collector);
	if (write(pipe_fd, at, sizeof(at)) != sizeof(at))
		_exit(9);
	close(pipe_fd);
	collector_run(collector);
	collector_free(collector);
	exit(0);
}

static void
start_server(void)
{
	struct addr at[2];
	int         fds[2];

	assert_int_equal(pipe(fds), 0);
	server.pid = fork();
	if (server.pid == 0)
		serve(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], at, sizeof(at)), sizeof(at));
	close(fds[0]);
	server.ingest = at[0];
	server.page = at[1];
}

static void
stop_server(void)
{
	int status;

	assert_int_equal(kill(server.pid, SIGTERM), 0);
	assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static size_t
on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	wbuf_put(arg, bytes, size * count);
	return size * count;
}

static struct curl_slist *
add_header(struct curl_slist *list, const char *name, const char *value)
{
	char *line = mem_printf("%s: %s", name, value);

	list = curl_slist_append(list, line);
	free(line);
	return list;
}

static struct curl_slist *
make_headers(const struct call *call)
{
	struct curl_slist *list = NULL;
	uint8_t            digest[DIGEST_BYTES];
	char               text[BASE64_ROOM(DIGEST_BYTES)], field[100], bearer[100];

	digest_sha256(call->body, call->count, digest);
	snprintf(
	    field, sizeof(field), "sha-256=:%s:", base64_encode(digest, DIGEST_BYTES, text));
	if (call->digest == NULL)
		list = add_header(list, "Content-Digest", field);
	else if (call->digest[0] != '\0')
		list = add_header(list, "Content-Digest", call->digest);
	if (call->token != NULL) {
		snprintf(bearer, sizeof(bearer), "Bearer %s", call->token);
		list = add_header(list, "Authorization", bearer);
	}
	list = add_header(
	    list, "Content-Type", call->type != NULL ? call->type : "application/vnd.msgpack");
	if (call->more == NULL || strncmp(call->more, "Expect:", 7) != 0)
		list = curl_slist_append(list, "Expect:");
	return call->more != NULL ? curl_slist_append(list, call->more) : list;
}

static void
run_call(struct call *call)
{
	CURL              *curl = curl_easy_init();
	struct curl_slist *headers = make_headers(call);
	char               at[ADDR_TEXT], *url;
	CURLcode           code;

	addr_render_port(&server.ingest, at, sizeof(at));
	url = mem_printf("https://%s%s", at, call->path != NULL ? call->path : "/v1/batches");
	wbuf_init(&call->answer);
	wbuf_init(&call->headers);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_CAINFO, server.cert);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (call->method == NULL || strcmp(call->method, "POST") == 0) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->count);
		curl_easy_setopt(
		    curl, CURLOPT_POSTFIELDS, call->count > 0 ? (const char *)call->body : "");
	} else {
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
	}
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &call->answer);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, &call->headers);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		fail_msg("%s: %s", url, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &call->status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	free(url);
}

static void
free_call(struct call *call)
{
	wbuf_fini(&call->answer);
	wbuf_fini(&call->headers);
}

/* Fails unless the answer has the status and says the words. */
static void
expect(struct call call, long status, const char *words)
{
	run_call(&call);
	if (call.status != status || strstr(wbuf_text(&call.answer), words) == NULL)
		fail_msg("%ld %s instead of %ld %s", call.status, wbuf_text(&call.answer),
		    status, words);
	free_call(&call);
}

static void
encode(struct wbuf *body, const struct batch *batch)
{
	wbuf_init(body);
	encode_message(&batch_desc, batch, body);
}

static struct batch
make_batch(uint64_t epoch, uint32_t seq)
{
	return (struct batch){ .v = PROTO_VERSION,
		.agent = "vm-a",
		.epoch = epoch,
		.seq = seq,
		.network = "vnet-a",
		.created_ms = clock_wall_ms(clock_system()) };
}

static void
expect_batch(const struct batch *batch, long status, const char *words)
{
	struct wbuf body;

	encode(&body, batch);
	expect((struct call){ .body = body.bytes, .count = body.count, .token = server.token },
	    status, words);
	wbuf_fini(&body);
}

static void
test_identity(void **state)
{
	struct batch batch = make_batch(11, 1);

	expect_batch(&batch, 200, "\"stored\"");
	expect_batch(&batch, 200, "\"duplicate\"");
	batch.network = "elsewhere";
	expect_batch(&batch, 409, "\"conflict\"");
	batch.seq = 2;
	expect_batch(&batch, 200, "\"stored\"");
}

static void
test_who(void **state)
{
	struct batch batch = make_batch(12, 1);
	struct wbuf  body;
	char         wrong[AUTH_TOKEN_ROOM];

	encode(&body, &batch);
	expect((struct call){ .body = body.bytes, .count = body.count }, 401, "who are you");
	memcpy(wrong, server.token, sizeof(wrong));
	wrong[20] ^= 1;
	expect((struct call){ .body = body.bytes, .count = body.count, .token = wrong }, 401,
	    "who are you");
	expect(
	    (struct call){
	        .body = body.bytes, .count = body.count, .token = server.other_token },
	    403, "another agent's");
	wbuf_fini(&body);
}

/* Two came without a token that is known; the log names the first. */
static void
test_strangers_in_the_log(void **state)
{
	char         line[512];
	unsigned     told = 0;
	struct batch batch = make_batch(19, 1);
	struct wbuf  body;
	FILE        *log;

	encode(&body, &batch);
	for (int i = 0; i < 2; i++)
		expect((struct call){ .body = body.bytes, .count = body.count }, 401,
		    "who are you");
	wbuf_fini(&body);
	log = fopen(server.log, "r");
	assert_non_null(log);
	while (fgets(line, sizeof(line), log) != NULL) {
		if (strstr(line, "level=warn msg=\"127.0.0.1:") != NULL &&
		    strstr(line, "showed no token that we know") != NULL)
			told++;
	}
	assert_int_equal(told, 1);
	fclose(log);
}

static void
test_senseless_batches(void **state)
{
	struct target      target = { .account = "contoso" };
	struct measurement no_target = { .started_ms = 1 };
	struct measurement no_host = { .target = &target };
	struct gap         gap = { .records = 1 };
	struct record      two_kinds = { .measurement = &no_host, .gap = &gap };
	struct record      targetless = { .measurement = &no_target };
	struct record      hostless = { .measurement = &no_host };
	struct batch       batch = make_batch(13, 0);

	expect_batch(&batch, 422, "seq");
	batch = make_batch(13, 1);
	batch.v = 2;
	expect_batch(&batch, 415, "version 2");
	batch = make_batch(13, 1);
	batch.created_ms -= 15 * MS_PER_DAY;
	expect_batch(&batch, 410, "older than 14 days");
	batch = make_batch(13, 1);
	batch.records_count = 1;
	batch.records = &two_kinds;
	expect_batch(&batch, 422, "2 kinds");
	batch.records = &targetless;
	expect_batch(&batch, 422, "without target");
	batch.records = &hostless;
	expect_batch(&batch, 422, "without account or host");
}

static void
expect_age(const struct batch *batch, const char *age, long status, const char *words)
{
	struct wbuf body;

	encode(&body, batch);
	expect(
	    (struct call){
	        .body = body.bytes, .count = body.count, .token = server.token, .more = age },
	    status, words);
	wbuf_fini(&body);
}

/* An agent whose clock stands in 1970 knows how old its batch is all the same. */
static void
test_age_of_a_wrong_clock(void **state)
{
	struct batch batch = make_batch(20, 1);

	batch.created_ms = 1000;
	expect_age(&batch, "Batch-Age: garbage", 410, "older than 14 days");
	expect_age(&batch, "Batch-Age: 1209601", 410, "older than 14 days");
	expect_age(&batch, "Batch-Age: 99999999999", 410, "older than 14 days");
	expect_age(&batch, "Batch-Age: 60", 200, "\"stored\"");
	/* The age is no part of what it is. */
	expect_age(&batch, "Batch-Age: 61", 200, "\"duplicate\"");
	batch = make_batch(20, 2);
	expect_age(&batch, "Batch-Age: 1209601", 410, "older than 14 days");
}

static void
test_malformed(void **state)
{
	static const struct {
		const char *bytes;
		size_t      count;
	} bodies[] = { { "", 0 }, { "\xdd\xff\xff\xff\xff", 5 }, { "\xdf\xff\xff\xff\xff", 5 },
		{ "{\"v\":1}", 7 }, { "\x81\x01", 2 }, { "\x81\x01\x01\x01", 4 },
		{ "\xc0", 1 } };
	struct batch batch = make_batch(14, 1);
	struct wbuf  body;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		expect((struct call){ .body = (const uint8_t *)bodies[i].bytes,
		           .count = bodies[i].count,
		           .token = server.token },
		    400, "\"refused\"");
	encode(&body, &batch);
	for (size_t cut = 1; cut < body.count; cut++)
		expect((struct call){ .body = body.bytes, .count = cut, .token = server.token },
		    400, "\"refused\"");
	wbuf_fini(&body);
}

static void
test_digest_and_type(void **state)
{
	static const char *const digests[] = { "", "sha-256=:AAAA:", "sha-256=x",
		"md5=:AAAA:", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:" };
	struct batch             batch = make_batch(15, 1);
	struct wbuf              body;
	struct call              call;

	encode(&body, &batch);
	call = (struct call){ .body = body.bytes, .count = body.count, .token = server.token };
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		call.digest = digests[i];
		expect(call, 400, "Content-Digest");
	}
	call.digest = NULL;
	call.type = "application/json";
	expect(call, 415, "msgpack");
	call.type = NULL;
	call.more = "Content-Encoding: gzip";
	expect(call, 415, "not compressed");
	call.more = NULL;
	expect(call, 200, "\"stored\"");
	wbuf_fini(&body);
}

static void
test_too_large(void **state)
{
	uint8_t *body = mem_alloc(INGEST_BODY_MAX + 1);

	/* Who asks first gets the answer; to who does not, the end of the connection may come
	 * before it. */
	expect((struct call){ .body = body,
	           .count = INGEST_BODY_MAX + 1,
	           .token = server.token,
	           .more = "Expect: 100-continue" },
	    413, "");
	expect((struct call){ .body = body, .count = INGEST_BODY_MAX, .token = server.token },
	    400, "\"refused\"");
	free(body);
}

static void
test_paths_and_methods(void **state)
{
	static const struct {
		const char *method, *path;
		long        status;
	} cases[] = { { "POST", "/v1/batches/", 404 }, { "POST", "//v1/batches", 404 },
		{ "POST", "/v1/./batches", 404 }, { "POST", "/v1/x/../batches", 404 },
		{ "POST", "/V1/batches", 404 }, { "POST", "/v1/batche%73", 404 },
		{ "POST", "/v1/batches%00", 400 }, { "POST", "/metrics", 404 },
		{ "POST", "/v1/state", 404 }, { "GET", "/", 404 },
		{ "GET", "/v1/batches", 405 }, { "PUT", "/v1/batches", 405 },
		{ "DELETE", "/v1/batches", 405 }, { "POST", "/v1/assignment", 405 },
		{ "GET", "/healthz", 200 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s %s\n", cases[i].method, cases[i].path);
		expect((struct call){ .method = cases[i].method,
		           .path = cases[i].path,
		           .token = server.token },
		    cases[i].status, "");
	}
}

/* Says the bytes over TLS and hears what comes until the server closes. */
static void
say_raw(const char *bytes, struct wbuf *heard)
{
	SSL_CTX                *context = SSL_CTX_new(TLS_client_method());
	SSL                    *ssl = SSL_new(context);
	struct sockaddr_storage to;
	unsigned                count = addr_to_sockaddr(&server.ingest, &to);
	int                     fd = socket(to.ss_family, SOCK_STREAM, 0), got;
	struct timeval          patience = { .tv_sec = 20 };
	char                    buffer[4096];

	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, count), 0);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(SSL_write(ssl, bytes, (int)strlen(bytes)), strlen(bytes));
	while ((got = SSL_read(ssl, buffer, sizeof(buffer))) > 0)
		wbuf_put(heard, buffer, (size_t)got);
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
}

static void
test_smuggling(void **state)
{
	static const char *const requests[] = {
		"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: "
		"1\r\n\r\na",
		"POST /v1/batches HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nAuthorization: "
		"b\r\n\r\n",
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct wbuf heard;

		wbuf_init(&heard);
		say_raw(requests[i], &heard);
		if (strncmp(wbuf_text(&heard), "HTTP/1.1 400", 12) != 0)
			fail_msg("case %zu: %s", i, wbuf_text(&heard));
		wbuf_fini(&heard);
	}
}

static void
test_assignment(void **state)
{
	struct call              call = { .method = "GET", .path = "/v1/assignment" };
	struct arena            *arena = arena_new();
	const struct assignment *assignment;
	struct err               err;
	char                    *etag, *line;

	expect(call, 401, "who are you");
	call.token = server.token;
	run_call(&call);
	assert_int_equal(call.status, 200);
	assignment = decode_message(
	    &assignment_desc, arena, call.answer.bytes, call.answer.count, &err);
	if (assignment == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(assignment->interval_ms, 60000);
	assert_true(assignment->targets_count > 10); /* with the sweep */
	assert_string_equal(assignment->targets[0].host, "contoso.documents.azure.com");
	assert_string_equal(assignment->targets[1].host, "contoso-eastus.documents.azure.com");
	assert_int_equal(assignment->targets[1].role, ROLE_CONFIGURED);
	assert_int_equal(assignment->targets[2].role, ROLE_SWEEP);
	line = strstr((char *)(uintptr_t)wbuf_text(&call.headers), "ETag: ");
	assert_non_null(line);
	etag = mem_printf("If-None-Match: %.*s", (int)strcspn(line + 6, "\r\n"), line + 6);
	free_call(&call);
	call.more = etag;
	expect(call, 304, "");
	call.more = "If-None-Match: \"other\"";
	expect(call, 200, "");
	free(etag);
	arena_free(arena);
}

/* The disk keeps the writer waiting: of one agent only so many batches wait with it. */
static void
test_disk_holds(void **state)
{
	char        *path = mem_printf("%s/store.db", server.folder);
	sqlite3     *holder = NULL;
	pid_t        clients[4];
	struct batch batch = make_batch(77, 9);
	int          status;

	assert_int_equal(sqlite3_open(path, &holder), SQLITE_OK);
	assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (uint32_t i = 0; i < 4; i++) {
		clients[i] = fork();
		if (clients[i] == 0) {
			batch.seq = i + 1;
			expect_batch(&batch, 200, "\"stored\"");
			_exit(0);
		}
	}
	usleep(1000000);
	expect_batch(&batch, 429, "waiting for the disk");
	assert_int_equal(sqlite3_exec(holder, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(holder);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(waitpid(clients[i], &status, 0), clients[i]);
		assert_int_equal(status, 0);
	}
	expect_batch(&batch, 200, "\"stored\"");
	free(path);
}

static void
test_share(void **state)
{
	struct batch batch = make_batch(16, 1);
	struct wbuf  body;
	bool         refused = false;

	encode(&body, &batch);
	for (int i = 0; i < 400 && !refused; i++) {
		struct call call = {
			.body = body.bytes, .count = body.count, .token = server.other_token
		};

		run_call(&call);
		refused = call.status == 429;
		if (refused)
			assert_non_null(strstr(wbuf_text(&call.headers), "Retry-After: 5"));
		free_call(&call);
	}
	assert_true(refused);
	/* Another agent has a share of its own. */
	expect_batch(&batch, 200, "\"stored\"");
	wbuf_fini(&body);
}

/* An agent that starts without end would make repeats unrecognizable: it has to wait.  What it
 * sends of an epoch that is known is taken all the same. */
static void
test_epochs(void **state)
{
	struct batch batch = make_batch(0, 1);

	batch.agent = "vm-c";
	for (uint64_t epoch = 1; epoch <= 66; epoch++) {
		struct call call = { .token = server.third_token };
		struct wbuf body;

		batch.epoch = epoch <= 65 ? epoch : 64;
		encode(&body, &batch);
		call.body = body.bytes;
		call.count = body.count;
		run_call(&call);
		assert_int_equal(call.status, epoch == 65 ? 429 : 200);
		if (epoch == 65)
			assert_non_null(strstr(wbuf_text(&call.headers), "Retry-After: 900"));
		free_call(&call);
		wbuf_fini(&body);
	}
}

static void
test_restart_keeps(void **state)
{
	struct batch batch = make_batch(17, 1);

	expect_batch(&batch, 200, "\"stored\"");
	stop_server();
	start_server();
	expect_batch(&batch, 200, "\"duplicate\"");
}

/* A client that trusts only the new certificate gets through after SIGHUP. */
static void
test_new_certificate(void **state)
{
	struct batch batch = make_batch(18, 1);

	write_certs();
	assert_int_equal(kill(server.pid, SIGHUP), 0);
	usleep(300000);
	expect_batch(&batch, 200, "\"stored\"");
}

static bool
log_says(const char *words)
{
	char *command = mem_printf("grep -q '%s' %s", words, server.log);
	int   code = system(command);

	free(command);
	return code == 0;
}

static void
reload(const char *more)
{
	write_conf(more);
	assert_int_equal(kill(server.pid, SIGHUP), 0);
	usleep(500000);
}

/* Settings that can change while it runs do, and those that cannot are named. */
static void
test_reload(void **state)
{
	struct batch batch = make_batch(19, 1);

	reload("auth: certificate\nconnections: 7\nsilent_after: 9m\n");
	expect_batch(&batch, 403, "takes certificates, and no tokens");
	assert_true(log_says("only after a restart: silent_after, connections"));
	/* All or nothing: with a key that is none the rest does not count either. */
	reload("auth: token\nclient_ca: key.pem\n");
	expect_batch(&batch, 403, "takes certificates, and no tokens");
	assert_true(log_says("no certificates of authorities.*stays in force"));
	reload("");
	expect_batch(&batch, 200, "\"stored\"");
}

static int
set_up(void **state)
{
	snprintf(server.folder, sizeof(server.folder), "/tmp/plprobe-ingest-XXXXXX");
	if (mkdtemp(server.folder) == NULL)
		return -1;
	snprintf(server.conf, sizeof(server.conf), "%s/c.yaml", server.folder);
	snprintf(server.cert, sizeof(server.cert), "%s/cert.pem", server.folder);
	snprintf(server.key, sizeof(server.key), "%s/key.pem", server.folder);
	snprintf(server.log, sizeof(server.log), "%s/log", server.folder);
	write_conf("");
	write_document();
	write_certs();
	char *tokens = mem_printf("%s/tokens", server.folder);

	assert_true(auth_create(tokens, "vm-a", "vnet-a", 1, server.token, NULL));
	assert_true(auth_create(tokens, "vm-b", NULL, 1, server.other_token, NULL));
	assert_true(auth_create(tokens, "vm-c", NULL, 1, server.third_token, NULL));
	free(tokens);
	start_server();
	return 0;
}

static int
tear_down(void **state)
{
	char *command = mem_printf("rm -rf %s", server.folder);

	stop_server();
	assert_int_equal(system(command), 0);
	free(command);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_strangers_in_the_log),
		cmocka_unit_test(test_senseless_batches),
		cmocka_unit_test(test_age_of_a_wrong_clock),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_digest_and_type),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_paths_and_methods),
		cmocka_unit_test(test_smuggling),
		cmocka_unit_test(test_assignment),
		cmocka_unit_test(test_restart_keeps),
		cmocka_unit_test(test_new_certificate),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_disk_holds),
		cmocka_unit_test(test_share),
		cmocka_unit_test(test_epochs),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
