#include "tests/fake/backend/cassandra.h"

#include "base/wbuf.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

enum {
	ERROR = 0x00,
	STARTUP = 0x01,
	READY = 0x02,
	AUTHENTICATE = 0x03,
	OPTIONS = 0x05,
	SUPPORTED = 0x06,
	REGISTER = 0x0b,
	EVENT = 0x0c,
	AUTH_RESPONSE = 0x0f
};
enum { HEAD_BYTES = 9, BODY_MAX = 64 * 1024, LEAST_VERSION = 3, MOST_VERSION = 4 };
enum { PROTOCOL_ERROR = 0x0a, BAD_CREDENTIALS = 0x0100 };

#define COSMOS                                            \
	.versions = "3.4.4", .compression = "snappy lz4", \
	.authenticator = "org.apache.cassandra.auth.PasswordAuthenticator"

const struct cassandra_manner cassandra_manners[] = {
	{ "good", COSMOS },
	{ "open", .versions = "3.4.4", .compression = "snappy lz4" },
	{ "many-versions", .versions = "3.4.5 3.3.0 3.0.0", .compression = "lz4" },
	{ "protocol-error", COSMOS, .refuses_opcode = OPTIONS, .refuses_code = PROTOCOL_ERROR,
	    .refuses_text = "Invalid or unsupported protocol version (4); the lowest supported "
	                    "version is 2 and the greatest is 3" },
	{ "overloaded", COSMOS, .refuses_opcode = STARTUP, .refuses_code = 0x1001,
	    .refuses_text = "Request rate is large" },
	{ "blocked", COSMOS, .refuses_opcode = STARTUP, .refuses_code = 0x2100,
	    .refuses_text = "Request originated from client VNET through private endpoint." },
	{ "blocked-public", COSMOS, .refuses_opcode = STARTUP, .refuses_code = 0x2100,
	    .refuses_text = "Request originated from IP 203.0.113.9 through public internet. "
	                    "This is blocked by your CosmosDB account firewall settings." },
	{ "silent", COSMOS, .fault = SPEECH_SILENT },
	{ "closes", COSMOS, .fault = SPEECH_CLOSES },
	{ "resets", COSMOS, .fault = SPEECH_RESETS },
	{ "http", COSMOS, .fault = SPEECH_HTTP },
	{ "garbage", COSMOS, .fault = SPEECH_GARBAGE },
	{ "cut", COSMOS, .fault = SPEECH_CUT },
	{ "drip", COSMOS, .fault = SPEECH_DRIP },
	{ "startup-silent", COSMOS, .startup_fault = SPEECH_SILENT },
	{ "startup-closes", COSMOS, .startup_fault = SPEECH_CLOSES },
	{ "v3", COSMOS, .answer_version = 3 },
	{ "v5", COSMOS, .answer_version = 5 },
	{ "v2", COSMOS, .answer_version = 2 },
	{ "asks", COSMOS, .asks = true },
	{ "bad-stream", COSMOS, .stream_off = 1 },
	{ "event", COSMOS, .answer_opcode = EVENT },
	{ "compressed", COSMOS, .flags = 0x01 },
	{ "claims-2-gib", COSMOS, .claims_bytes = INT32_MAX },
	{ "negative", COSMOS, .claims_bytes = -1 },
	{ "huge-lists", COSMOS, .huge_lists = true },
	{ .name = NULL },
};

const struct cassandra_manner *
cassandra_manner_find(const char *name)
{
	const struct cassandra_manner *manner = cassandra_manners;

	while (manner->name != NULL && strcmp(manner->name, name) != 0)
		manner++;
	return manner->name != NULL ? manner : NULL;
}

struct request {
	uint8_t  version, opcode;
	uint16_t stream;
	uint8_t  body[BODY_MAX];
	size_t   count;
};

/* Its head has had one form since version 3, and a version that we do not know gets an answer. */
static bool
hear_request(SSL *ssl, struct request *request)
{
	uint8_t head[HEAD_BYTES];

	if (!speech_hear(ssl, head, sizeof(head)))
		return false;
	request->version = head[0];
	request->stream = (uint16_t)(head[2] << 8 | head[3]);
	request->opcode = head[4];
	request->count = (size_t)head[5] << 24 | (size_t)head[6] << 16 | (size_t)head[7] << 8 |
	    head[8];
	return request->count <= sizeof(request->body) &&
	    speech_hear(ssl, request->body, request->count);
}

static void
put_text(struct wbuf *out, const char *text)
{
	wbuf_u16be(out, (uint16_t)strlen(text));
	wbuf_puts(out, text);
}

static void
put_list(struct wbuf *out, const char *key, const char *words, bool huge)
{
	char    *copy = strdup(words), *rest = copy, *word;
	uint16_t count = 1;

	for (const char *c = words; *c != '\0'; c++)
		count += *c == ' ';
	put_text(out, key);
	wbuf_u16be(out, huge ? UINT16_MAX : count);
	while ((word = strsep(&rest, " ")) != NULL)
		put_text(out, word);
	free(copy);
}

static uint8_t
put_error(struct wbuf *body, uint32_t code, const char *text)
{
	wbuf_u32be(body, code);
	put_text(body, text);
	return ERROR;
}

static bool
has_word(const struct request *request, const char *word)
{
	return memmem(request->body, request->count, word, strlen(word)) != NULL;
}

static uint8_t
answer_startup(
    struct wbuf *body, const struct cassandra_manner *manner, const struct request *request)
{
	if (!has_word(request, "CQL_VERSION"))
		return put_error(
		    body, PROTOCOL_ERROR, "Missing value CQL_VERSION in STARTUP message");
	if (has_word(request, "COMPRESSION"))
		return put_error(
		    body, PROTOCOL_ERROR, "Cql request had unsupported headers Compression");
	if (manner->authenticator == NULL)
		return READY;
	put_text(body, manner->authenticator);
	return AUTHENTICATE;
}

static uint8_t
refuse_version(struct wbuf *body, unsigned version)
{
	char text[128];

	snprintf(text, sizeof(text),
	    "Invalid or unsupported protocol version (%u); the lowest supported version is %d "
	    "and the greatest is %d",
	    version, LEAST_VERSION, MOST_VERSION);
	return put_error(body, PROTOCOL_ERROR, text);
}

/* Writes the body, and returns the opcode. */
static uint8_t
answer(struct wbuf *body, const struct cassandra_manner *manner, const struct request *request)
{
	if (request->version < LEAST_VERSION || request->version > MOST_VERSION)
		return refuse_version(body, request->version);
	if (manner->refuses_code != 0 && manner->refuses_opcode == request->opcode)
		return put_error(body, manner->refuses_code, manner->refuses_text);
	switch (request->opcode) {
	case OPTIONS:
		wbuf_u16be(body, 2);
		put_list(body, "COMPRESSION", manner->compression, manner->huge_lists);
		put_list(body, "CQL_VERSION", manner->versions, manner->huge_lists);
		return SUPPORTED;
	case STARTUP: return answer_startup(body, manner, request);
	case AUTH_RESPONSE:
		return put_error(
		    body, BAD_CREDENTIALS, "Provided username and/or password are incorrect");
	case REGISTER: return READY;
	default: return put_error(body, PROTOCOL_ERROR, "Unexpected message before login");
	}
}

static bool
say_answer(SSL *ssl, const struct cassandra_manner *manner, const struct request *request)
{
	enum speech_fault fault = manner->fault;
	struct wbuf       body, out;
	uint8_t           opcode;
	bool              stands;

	wbuf_init(&body);
	wbuf_init(&out);
	opcode = answer(&body, manner, request);
	wbuf_u8(&out,
	    (uint8_t)((manner->asks ? 0 : 0x80) |
	        (manner->answer_version != 0 ? manner->answer_version : MOST_VERSION)));
	wbuf_u8(&out, manner->flags);
	wbuf_u16be(&out, (uint16_t)(request->stream + manner->stream_off));
	wbuf_u8(&out, manner->answer_opcode != 0 ? manner->answer_opcode : opcode);
	wbuf_u32be(&out,
	    (uint32_t)(manner->claims_bytes != 0 ? manner->claims_bytes : (int64_t)body.count));
	wbuf_put(&out, body.bytes, body.count);
	if (request->opcode == STARTUP && manner->startup_fault != SPEECH_WELL)
		fault = manner->startup_fault;
	stands = speech_say(ssl, fault, out.bytes, out.count);
	wbuf_fini(&body);
	wbuf_fini(&out);
	return stands;
}

void
cassandra_serve(SSL *ssl, const struct cassandra_manner *manner)
{
	struct request *request = malloc(sizeof(*request));

	while (
	    request != NULL && hear_request(ssl, request) && say_answer(ssl, manner, request))
		;
	free(request);
}
