/* Enrolment, renewal and certificates at a collector that runs, over real TLS. */
#include "collector/admit.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/file.h"
#include "collector/auth.h"
#include "collector/collector.h"
#include "collector/roster_edit.h"
#include "proto/decode.h"
#include "proto/encode.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_dir.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
	char       *folder, *conf, *cert, *roster, *client_ca;
	pid_t       pid;
	struct addr at;
} server;

static const char *show; /* a bearer token with every request; NULL: none */

enum { SHORT_S = 10 };

/* A key with, once it is enrolled, its certificate behind it. */
struct client {
	EVP_PKEY *key;
	char     *pem; /* owned; NULL: shows nothing */
	int64_t   ends_ms, renew_ms;
	char      agent[65], network[129];
};

/* An answer. */
struct answer {
	long        status;
	struct wbuf body;
};

static char *
take_text(BIO *bio)
{
	char *bytes;
	long  count = BIO_get_mem_data(bio, &bytes);
	char *text = mem_printf("%.*s", (int)count, bytes);

	BIO_free(bio);
	return text;
}

static struct client
make_client(void)
{
	return (struct client){ .key = EVP_EC_gen("P-256") };
}

static void
free_client(struct client *client)
{
	EVP_PKEY_free(client->key);
	free(client->pem);
}

/* As PEM, key first. */
static char *
join(EVP_PKEY *key, X509 *cert)
{
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
	return take_text(bio);
}

/* The signing request of a key, as it travels. */
static char *
make_csr(EVP_PKEY *key)
{
	X509_REQ      *csr = X509_REQ_new();
	unsigned char *der = NULL;
	int            count;
	char          *text;

	X509_REQ_set_pubkey(csr, key);
	X509_REQ_sign(csr, key, EVP_sha256());
	count = i2d_X509_REQ(csr, &der);
	assert_true(count > 0);
	text = mem_alloc(BASE64_ROOM((size_t)count));
	base64_encode(der, (size_t)count, text);
	OPENSSL_free(der);
	X509_REQ_free(csr);
	return text;
}

static size_t
on_bytes(char *bytes, size_t size, size_t count, void *arg)
{
	wbuf_put(arg, bytes, size * count);
	return size * count;
}

static void
send_request(
    struct answer *answer, const char *pem, const char *path, const void *body, size_t count)
{
	CURL              *curl = curl_easy_init();
	char               at[ADDR_TEXT], *url, header[200];
	uint8_t            digest[DIGEST_BYTES];
	char               text[BASE64_ROOM(DIGEST_BYTES)];
	struct curl_slist *headers = curl_slist_append(
	    NULL, "Content-Type: application/vnd.msgpack");
	CURLcode code;

	addr_render_port(&server.at, at, sizeof(at));
	url = mem_printf("https://%s%s", at, path);
	wbuf_init(&answer->body);
	if (pem != NULL) {
		struct curl_blob blob = { (void *)(uintptr_t)pem, strlen(pem), CURL_BLOB_COPY };

		curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &blob);
		curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &blob);
	}
	digest_sha256(body, count, digest);
	snprintf(header, sizeof(header),
	    "Content-Digest: sha-256=:%s:", base64_encode(digest, DIGEST_BYTES, text));
	headers = curl_slist_append(headers, header);
	if (show != NULL) {
		snprintf(header, sizeof(header), "Authorization: Bearer %s", show);
		headers = curl_slist_append(headers, header);
	}
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, server.cert);
	curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)count);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		fail_msg("%s: %s", url, curl_easy_strerror(code));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
	curl_easy_cleanup(curl);
	curl_slist_free_all(headers);
	free(url);
}

/* Fails unless the answer has the status and says the words. */
static void
expect(struct answer *answer, long status, const char *words)
{
	if (answer->status != status || strstr(wbuf_text(&answer->body), words) == NULL)
		fail_msg("%ld %s instead of %ld %s", answer->status, wbuf_text(&answer->body),
		    status, words);
	wbuf_fini(&answer->body);
}

static void
take_certificate(struct client *client, const struct answer *answer)
{
	struct arena           *arena = arena_new();
	const struct admission *got = decode_message(
	    &admission_desc, arena, answer->body.bytes, answer->body.count, NULL);
	size_t               chars, count;
	unsigned char        der[4000];
	const unsigned char *at = der;
	X509                *cert;

	assert_non_null(got);
	chars = strlen(got->certificate);
	count = base64_bytes(got->certificate, chars);
	assert_true(count > 0 && count <= sizeof(der));
	assert_true(base64_decode(got->certificate, chars, der, count));
	cert = d2i_X509(NULL, &at, (long)count);
	assert_non_null(cert);
	free(client->pem);
	client->pem = join(client->key, cert);
	client->ends_ms = got->ends_ms;
	client->renew_ms = got->renew_ms;
	snprintf(client->agent, sizeof(client->agent), "%s", got->agent);
	snprintf(client->network, sizeof(client->network), "%s", got->network);
	X509_free(cert);
	arena_free(arena);
}

/* What an enrolment or a renewal says. */
struct said {
	const char *token, *agent, *network, *csr, *proof;
	uint32_t    v;
};

static void
ask(struct answer *answer, const struct client *client, const char *path, struct said said)
{
	char            *csr = make_csr(client->key);
	struct enrolment asks = { .v = said.v != 0 ? said.v : PROTO_VERSION,
		.token = said.token,
		.agent = said.agent,
		.network = said.network,
		.csr = said.csr != NULL ? said.csr : csr,
		.proof = said.proof };
	struct wbuf      body;

	wbuf_init(&body);
	encode_message(&enrolment_desc, &asks, &body);
	send_request(answer, client->pem, path, body.bytes, body.count);
	wbuf_fini(&body);
	free(csr);
}

static void
enrol(struct client *client, const char *token, const char *agent)
{
	struct answer answer;

	ask(&answer, client, "/v1/enroll", (struct said){ .token = token, .agent = agent });
	if (answer.status != 200)
		fail_msg("%ld %s", answer.status, wbuf_text(&answer.body));
	take_certificate(client, &answer);
	wbuf_fini(&answer.body);
}

static void
refuse_enrol(const struct said *said, long status, const char *words)
{
	struct client client = make_client();
	struct answer answer;

	ask(&answer, &client, "/v1/enroll", *said);
	expect(&answer, status, words);
	free_client(&client);
}

/* A batch of the agent: whether it may speak, and as whom. */
static void
deliver(const struct client *client, const char *agent, long status, const char *words)
{
	static uint32_t seq;
	struct batch    batch = { .v = PROTO_VERSION,
		   .agent = agent,
		   .epoch = 7,
		   .seq = ++seq,
		   .created_ms = clock_wall_ms(clock_system()) };
	struct wbuf     body;
	struct answer   answer;

	wbuf_init(&body);
	encode_message(&batch_desc, &batch, &body);
	send_request(&answer, client->pem, "/v1/batches", body.bytes, body.count);
	expect(&answer, status, words);
	wbuf_fini(&body);
}

static void
pull(const struct client *client, long status, const char *words)
{
	struct answer answer;

	send_request(&answer, client->pem, "/v1/assignment", NULL, 0);
	expect(&answer, status, words);
}

static void
create(char *token, const char *agent, const char *network, int64_t uses, int64_t life_ms,
    bool replace)
{
	int64_t            now_ms = clock_wall_ms(clock_system());
	struct roster_line line = { .agent = agent,
		.network = network,
		.uses = uses,
		.ends_ms = now_ms + life_ms,
		.replace = replace };

	assert_true(roster_edit_create(server.roster, &line, now_ms, token, NULL));
}

static void
end_all(const char *what)
{
	struct roster_revoked revoked;

	assert_true(roster_edit_revoke(
	    server.roster, what, clock_wall_ms(clock_system()), &revoked, NULL));
}

static void
test_good(void **state)
{
	char          token[ROSTER_TOKEN_ROOM];
	struct client client = make_client();
	int64_t       now_ms = clock_wall_ms(clock_system());

	create(token, "good", "vnet-a", 1, MS_PER_HOUR, false);
	pull(&client, 401, "who are you");
	enrol(&client, token, "");
	assert_string_equal(client.agent, "good");
	assert_string_equal(client.network, "vnet-a");
	assert_in_range(client.ends_ms - now_ms, MS_PER_DAY - 5000, MS_PER_DAY + 5000);
	assert_in_range(
	    client.renew_ms - now_ms, MS_PER_DAY * 2 / 3 - 5000, MS_PER_DAY * 2 / 3 + 5000);
	pull(&client, 200, "");
	deliver(&client, "good", 200, "stored");
	free_client(&client);
}

/* Whatever it says, it is who its certificate says. */
static void
test_only_itself(void **state)
{
	char          token[ROSTER_TOKEN_ROOM];
	struct client client = make_client();

	create(token, "self", "", 1, MS_PER_HOUR, false);
	enrol(&client, token, "self");
	deliver(&client, "self", 200, "stored");
	deliver(&client, "good", 403, "another agent's");
	free_client(&client);
}

static void
test_tokens_that_do_not_let_in(void **state)
{
	char          token[ROSTER_TOKEN_ROOM], any[ROSTER_TOKEN_ROOM], old[ROSTER_TOKEN_ROOM];
	struct client client = make_client();

	create(token, "tok", "vnet-a", 1, MS_PER_HOUR, false);
	create(any, "", "", 5, MS_PER_HOUR, false);
	create(old, "tok", "", 1, -1, false);
	refuse_enrol(&(struct said){ .token = old }, 403, "the token has expired");
	refuse_enrol(&(struct said){ .token = token, .network = "vnet-b" }, 403,
	    "the token is for network 'vnet-a'");
	refuse_enrol(&(struct said){ .token = token, .agent = "tik" }, 403,
	    "the token is for agent 'tok'");
	refuse_enrol(&(struct said){ .token = any }, 422, "an agent is named");
	refuse_enrol(&(struct said){ .token = any, .agent = "a b" }, 422, "an agent is named");
	refuse_enrol(&(struct said){ .token = any, .agent = "x", .csr = "AAAA" }, 422,
	    "signing request: not one");
	refuse_enrol(&(struct said){ .token = any, .agent = "x", .csr = "-" }, 422,
	    "signing request: not base64");
	refuse_enrol(&(struct said){ .token = any, .agent = "x", .v = 2 }, 415, "version 2");
	refuse_enrol(&(struct said){ .token = any, .agent = "x", .proof = "imds" }, 422,
	    "a proof of a kind");
	/* None of these was a use of it. */
	enrol(&client, token, "tok");
	refuse_enrol(&(struct said){ .token = token }, 403, "the token is used up");
	free_client(&client);
}

/* The answer was lost: the same key asks again, and no other may. */
static void
test_answer_lost(void **state)
{
	char          token[ROSTER_TOKEN_ROOM];
	struct client client = make_client();

	create(token, "lost", "", 1, MS_PER_HOUR, false);
	enrol(&client, token, "lost");
	free(client.pem);
	client.pem = NULL;
	enrol(&client, token, "lost");
	refuse_enrol(&(struct said){ .token = token }, 403, "the token is used up");
	pull(&client, 200, "");
	/* Once it has been used, it is no lost answer any more. */
	struct answer answer;

	ask(&answer, &client, "/v1/enroll", (struct said){ .token = token });
	expect(&answer, 403, "the token is used up");
	free_client(&client);
}

static void
test_live_stays(void **state)
{
	char          first[ROSTER_TOKEN_ROOM], second[ROSTER_TOKEN_ROOM];
	char          third[ROSTER_TOKEN_ROOM];
	struct client client = make_client(), other = make_client(), heir = make_client();

	create(first, "live", "", 1, MS_PER_HOUR, false);
	create(second, "live", "", 1, MS_PER_HOUR, false);
	create(third, "live", "", 1, MS_PER_HOUR, true);
	enrol(&client, first, "live");
	pull(&client, 200, "");
	refuse_enrol(&(struct said){ .token = second }, 409, "agent 'live' is enrolled");
	enrol(&heir, third, "live"); /* made for that */
	pull(&client, 200, "");      /* until the other is there */
	pull(&heir, 200, "");
	usleep(2200000);
	pull(&client, 403, "is this machine a copy");
	end_all("live");
	pull(&heir, 403, "was revoked");
	/* A token from before the revocation ended with it. */
	refuse_enrol(&(struct said){ .token = second }, 403, "the token was revoked");
	create(second, "live", "", 1, MS_PER_HOUR, false);
	enrol(&other, second, "live");
	pull(&other, 200, "");
	free_client(&client);
	free_client(&other);
	free_client(&heir);
}

static void
renew(struct client *next, const struct client *by, long status, const char *words)
{
	struct client shown = *next;
	struct answer answer;

	shown.pem = by->pem;
	ask(&answer, &shown, "/v1/renew", (struct said){ .agent = "somebody-else" });
	if (status == 200 && answer.status == 200)
		take_certificate(next, &answer);
	if (status == 200)
		assert_int_equal(answer.status, 200);
	expect(&answer, status, words);
}

/* Each gets the next; of two copies only one goes on. */
static void
test_renewal(void **state)
{
	char          token[ROSTER_TOKEN_ROOM];
	struct client first = make_client(), second = make_client(), third = make_client();
	struct client nobody = make_client();

	create(token, "renew", "vnet-r", 1, MS_PER_HOUR, false);
	enrol(&first, token, "renew");
	renew(&nobody, &nobody, 401, "who are you");
	renew(&second, &first, 200, "");
	assert_string_equal(second.agent, "renew"); /* not what it said */
	assert_string_equal(second.network, "vnet-r");
	renew(&third, &first, 200, ""); /* the answer was lost: again */
	pull(&first, 200, "");
	pull(&third, 200, "");
	renew(&nobody, &first, 403, "is this machine a copy");
	pull(&second, 403, "is this machine a copy"); /* never used, and older */
	free_client(&first);
	free_client(&second);
	free_client(&third);
	free_client(&nobody);
}

static void
test_revoked_on_the_same_connection(void **state)
{
	char             token[ROSTER_TOKEN_ROOM], at[ADDR_TEXT], *url;
	struct client    client = make_client();
	CURL            *curl = curl_easy_init();
	struct curl_blob blob;
	struct wbuf      body;
	long             status = 0, connects = 0;

	create(token, "same", "", 1, MS_PER_HOUR, false);
	enrol(&client, token, "same");
	addr_render_port(&server.at, at, sizeof(at));
	url = mem_printf("https://%s/v1/assignment", at);
	wbuf_init(&body);
	blob = (struct curl_blob){ client.pem, strlen(client.pem), CURL_BLOB_COPY };
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_CAINFO, server.cert);
	curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &blob);
	curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &blob);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	assert_int_equal(status, 200);
	end_all("same");
	assert_int_equal(curl_easy_perform(curl), CURLE_OK);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
	assert_int_equal(connects, 0);
	assert_int_equal(status, 403);
	curl_easy_cleanup(curl);
	wbuf_fini(&body);
	free(url);
	free_client(&client);
}

/* A certificate that another authority has signed, with our words in it. */
static char *
forge(const struct support_certs *issuer, const char *uri, const char *dns, const char *name,
    const char *usage)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509     *cert = X509_new();
	char     *pem;
	const struct {
		int         nid;
		const char *value;
	} extensions[] = { { NID_subject_alt_name, uri }, { NID_subject_alt_name, dns },
		{ NID_ext_key_usage, usage } };

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x4d4d4d4d);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert,
	    issuer != NULL ? X509_get_subject_name(support_certs_x509(issuer))
	                   : X509_get_subject_name(cert));
	X509_set_pubkey(cert, key);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		X509_EXTENSION *extension;

		if (extensions[i].value == NULL)
			continue;
		extension = X509V3_EXT_conf_nid(
		    NULL, NULL, extensions[i].nid, extensions[i].value);
		assert_non_null(extension);
		X509_add_ext(cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	X509_sign(cert, issuer != NULL ? support_certs_key(issuer) : key, EVP_sha256());
	pem = join(key, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
	return pem;
}

/* Signed by itself, by the collector's server certificate, by a stranger: nobody. */
static void
test_other_authorities(void **state)
{
	const struct support_certs_plan plan = { .subject = "plprobe agents",
		.authority = true };
	struct support_certs           *stranger = support_certs_new(&plan);
	const struct support_certs     *issuers[] = { NULL, stranger };

	for (size_t i = 0; i < 2; i++) {
		struct client client = { .key = EVP_EC_gen("P-256"),
			.pem = forge(issuers[i], "URI:urn:plprobe:agent:good", NULL, "good",
			    "clientAuth") };

		pull(&client, 403, "of no authority");
		deliver(&client, "good", 403, "of no authority");
		renew(&client, &client, 403, "of no authority");
		free_client(&client);
	}
	support_certs_free(stranger);
}

static struct support_certs *operators;

static const struct operator_case {
	const char *uri, *dns, *name, *usage;
	const char *agent; /* as whom it may speak; NULL: nobody */
	const char *words;
} operator_cases[] = {
	{ "URI:urn:plprobe:agent:op-uri", NULL, "x", "clientAuth", "op-uri", "stored" },
	{ "DNS:op-dns,URI:urn:plprobe:agent:op-uri", NULL, "x", "clientAuth", "op-uri",
	    "stored" },
	{ NULL, "DNS:op-dns.example", "x", "clientAuth", "op-dns.example", "stored" },
	{ NULL, NULL, "op-cn", "clientAuth", "op-cn", "stored" },
	{ NULL, NULL, "op-any", NULL, "op-any", "stored" }, /* without a usage: any */
	{ NULL, NULL, "op cn", "clientAuth", NULL, "names no agent" },
	{ NULL, NULL, "op-cn", "serverAuth", NULL, "of no authority" },
};

static void
test_operators_authority(void **state)
{
	struct client client;

	for (size_t i = 0; i < sizeof(operator_cases) / sizeof(operator_cases[0]); i++) {
		const struct operator_case *one = &operator_cases[i];

		client = (struct client){ .pem = forge(operators, one->uri, one->dns, one->name,
			                      one->usage) };
		deliver(&client, one->agent != NULL ? one->agent : "x",
		    one->agent != NULL ? 200 : 403, one->words);
		if (one->agent != NULL)
			deliver(&client, "good", 403, "another agent's");
		free_client(&client);
	}
	client = (struct client){ .key = EVP_EC_gen("P-256"),
		.pem = forge(operators, NULL, NULL, "op-cn", "clientAuth") };
	renew(&client, &client, 403, "own authority");
	end_all("0badcafe");
	pull(&client, 200, "");
	end_all("4d4d4d4d"); /* the serial number of forge() */
	pull(&client, 403, "the certificate was revoked");
	free_client(&client);
	client = (struct client){ .pem = forge(
		                      operators, NULL, "DNS:op-dns", "x", "clientAuth") };
	end_all("op-dns");
	pull(&client, 403, "revoked");
	free_client(&client);
}

static void
test_garbage(void **state)
{
	static const struct {
		const char *bytes;
		size_t      count;
	} bodies[] = { { "", 0 }, { "\xdd\xff\xff\xff\xff", 5 }, { "\xdf\xff\xff\xff\xff", 5 },
		{ "{\"v\":1}", 7 }, { "\x81\x01", 2 }, { "\xc0", 1 } };
	struct answer answer;
	char         *huge = mem_alloc(20 << 10);

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		send_request(&answer, NULL, "/v1/enroll", bodies[i].bytes, bodies[i].count);
		expect(&answer, 400, "not an enrolment");
	}
	send_request(&answer, NULL, "/v1/enroll", huge, 20 << 10);
	expect(&answer, 413, "more than");
	send_request(&answer, NULL, "/v1/enroll", NULL, 0);
	assert_int_equal(answer.status, 405);
	wbuf_fini(&answer.body);
	free(huge);
}

static void
test_guessing(void **state)
{
	char          token[ROSTER_TOKEN_ROOM];
	bool          limited = false;
	struct client client = make_client();

	create(token, "guess", "", 1, MS_PER_HOUR, false);
	for (int i = 0; i < 20 && !limited; i++) {
		struct answer answer;
		char          wrong[ROSTER_TOKEN_ROOM];

		memcpy(wrong, token, sizeof(wrong));
		wrong[30] = (char)('a' + i) == wrong[30] ? 'z' : (char)('a' + i);
		ask(&answer, &client, "/v1/enroll", (struct said){ .token = wrong });
		limited = answer.status == 429;
		expect(&answer, limited ? 429 : 401, limited ? "too many" : "not known here");
	}
	assert_true(limited);
	free_client(&client);
}

/* Past its end a certificate is good for one thing only, and for a while. */
static void
test_ended(void **state)
{
	char          token[ROSTER_TOKEN_ROOM];
	struct client client = make_client(), next = make_client();

	create(token, "ended", "", 1, MS_PER_HOUR, false);
	enrol(&client, token, "ended");
	deliver(&client, "ended", 200, "stored");
	sleep(SHORT_S + 1);
	deliver(&client, "ended", 403, "the certificate has ended 2");
	pull(&client, 403, "enrol the agent again");
	renew(&next, &client, 200, "");
	deliver(&next, "ended", 200, "stored");
	free_client(&client);
	free_client(&next);
}

/* No tokens that last are taken here. */
static void
test_certificates_alone(void **state)
{
	char         *tokens = mem_printf("%s/tokens", server.folder), bearer[AUTH_TOKEN_ROOM];
	struct client nobody = { .key = NULL };

	assert_true(auth_create(tokens, "vm-a", NULL, 1, bearer, NULL));
	show = bearer;
	pull(&nobody, 403, "takes certificates, and no tokens");
	show = "0123456789ab.nonsense";
	pull(&nobody, 401, "who are you");
	show = NULL;
	free(tokens);
}

static void
serve(int pipe_fd)
{
	struct err        err = { 0 };
	struct collector *collector;
	struct addr       at;

	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(9);
	collector = collector_new(server.conf, &err);
	if (collector == NULL)
		_exit(9);
	at = collector_ingest_addr(collector);
	if (write(pipe_fd, &at, sizeof(at)) != sizeof(at))
		_exit(9);
	close(pipe_fd);
	collector_run(collector);
	collector_free(collector);
	exit(0);
}

static void
write_files(const char *more)
{
	const char *const               names[] = { "127.0.0.1", NULL };
	const struct support_certs_plan plan = { .subject = "localhost", .names = names };
	const struct support_certs_plan operator_plan = { .subject = "operator",
		.authority = true };
	struct support_certs           *certs = support_certs_new(&plan);
	char                           *key = mem_printf("%s/key.pem", server.folder);
	char                           *text;

	text = mem_printf("listen: 127.0.0.1:0\npage: 127.0.0.1:0\ncertificate: cert.pem\n"
	                  "key: key.pem\nstore: 'memory:'\nstate_dir: %s\n"
	                  "client_ca: operator.pem\n%s",
	    server.folder, more);
	operators = support_certs_new(&operator_plan);
	support_certs_write(certs, server.cert, key);
	support_certs_write(operators, server.client_ca, NULL);
	assert_true(file_replace(server.conf, text, strlen(text), 0600, NULL));
	support_certs_free(certs);
	free(key);
	free(text);
}

static int
start(const char *more)
{
	int fds[2];

	server.folder = support_dir_new();
	server.conf = mem_printf("%s/c.yaml", server.folder);
	server.cert = mem_printf("%s/cert.pem", server.folder);
	server.client_ca = mem_printf("%s/operator.pem", server.folder);
	server.roster = mem_printf("%s/roster", server.folder);
	write_files(more);
	assert_int_equal(pipe(fds), 0);
	server.pid = fork();
	if (server.pid == 0)
		serve(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &server.at, sizeof(server.at)), sizeof(server.at));
	close(fds[0]);
	return 0;
}

static int
set_up(void **state)
{
	return start("certificate_life: 1d\nauth: both\n");
}

static int
set_up_short(void **state)
{
	return start("certificate_life: 10s\nrenewal_grace: 1h\nauth: certificate\n");
}

static int
tear_down(void **state)
{
	int status;

	assert_int_equal(kill(server.pid, SIGTERM), 0);
	assert_int_equal(waitpid(server.pid, &status, 0), server.pid);
	assert_int_equal(status, 0);
	support_certs_free(operators);
	support_dir_free(server.folder);
	free(server.conf);
	free(server.cert);
	free(server.client_ca);
	free(server.roster);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_only_itself),
		cmocka_unit_test(test_tokens_that_do_not_let_in),
		cmocka_unit_test(test_answer_lost),
		cmocka_unit_test(test_live_stays),
		cmocka_unit_test(test_renewal),
		cmocka_unit_test(test_revoked_on_the_same_connection),
		cmocka_unit_test(test_other_authorities),
		cmocka_unit_test(test_operators_authority),
	};
	/* At a server of their own: they use up its patience with our address. */
	const struct CMUnitTest knocks[] = {
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_guessing),
	};

	const struct CMUnitTest brief[] = {
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_certificates_alone),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, set_up, tear_down) +
	    cmocka_run_group_tests(brief, set_up_short, tear_down) +
	    cmocka_run_group_tests(knocks, set_up, tear_down);
}
