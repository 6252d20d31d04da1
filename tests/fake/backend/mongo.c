#include "tests/fake/backend/mongo.h"

#include "base/addr.h"
#include "base/clock.h"
#include "tests/fake/backend/bson.h"

#include <ctype.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { OP_REPLY = 1, OP_QUERY = 2004, OP_MSG = 2013 };
enum { HEAD_BYTES = 16, REQUEST_MAX = 64 * 1024, DEPTH = 100 };
enum { MORE_TO_COME = 2 }; /* the client wants no answer */

#define BLOCKED "This is blocked by your CosmosDB account firewall settings."
#define COSMOS  .set_name = "globaldb", .region = "West Europe", .wire_most = 18

const struct mongo_manner mongo_manners[] = {
	{ "good", COSMOS },
	{ "takes-hello", COSMOS, .takes_hello = true },
	{ "old", .set_name = "globaldb", .region = "West Europe", .wire_most = 2 },
	{ "many-hosts", COSMOS,
	    .hosts = "contoso-westeurope.mongo.cosmos.azure.com:10255 "
	             "contoso-northeurope.mongo.cosmos.azure.com:10255" },
	{ "dirty-hosts", COSMOS,
	    .hosts = "a\x1b[2J:10255 b.example:10255 c.example:0 d.example" },
	{ "blocked-public", COSMOS, .refuses_code = 13, .refuses_name = "Unauthorized",
	    .refuses_text = "Error=13, Details='Request originated from IP %s through public "
	                    "internet. " BLOCKED },
	{ "blocked-service-endpoint", COSMOS, .refuses_code = 13,
	    .refuses_name = "Unauthorized",
	    .refuses_text = "Error=13, Details='Request originated from VNET through service "
	                    "endpoint. " BLOCKED },
	{ "blocked-private-endpoint", COSMOS, .refuses_code = 13,
	    .refuses_name = "Unauthorized",
	    .refuses_text = "Error=13, Details='Request originated from client VNET through "
	                    "private endpoint." },
	{ "no-account", COSMOS, .refuses_code = 18, .refuses_name = "AuthenticationFailed",
	    .refuses_text = "Unable to find the account: send SNI or appName" },
	{ "throttled", COSMOS, .refuses_code = 16500, .refuses_name = "RequestRateTooLarge",
	    .refuses_text = "Error=16500, RetryAfterMs=34, Details='Request rate is large" },
	{ "silent", COSMOS, .fault = SPEECH_SILENT },
	{ "closes", COSMOS, .fault = SPEECH_CLOSES },
	{ "resets", COSMOS, .fault = SPEECH_RESETS },
	{ "http", COSMOS, .fault = SPEECH_HTTP },
	{ "garbage", COSMOS, .fault = SPEECH_GARBAGE },
	{ "cut", COSMOS, .fault = SPEECH_CUT },
	{ "drip", COSMOS, .fault = SPEECH_DRIP },
	{ "hello-silent", COSMOS, .hello_fault = SPEECH_SILENT },
	{ "hello-closes", COSMOS, .hello_fault = SPEECH_CLOSES },
	{ "hello-garbage", COSMOS, .hello_fault = SPEECH_GARBAGE },
	{ "other-request", COSMOS, .wrong = MONGO_OTHER_REQUEST },
	{ "no-documents", COSMOS, .wrong = MONGO_NO_DOCUMENTS },
	{ "claims-2-gib", COSMOS, .wrong = MONGO_CLAIMS_2_GIB },
	{ "negative", COSMOS, .wrong = MONGO_NEGATIVE },
	{ "deep", COSMOS, .wrong = MONGO_DEEP },
	{ "strange-type", COSMOS, .wrong = MONGO_STRANGE_TYPE },
	{ "no-server", COSMOS, .wrong = MONGO_NO_SERVER },
	{ .name = NULL },
};

const struct mongo_manner *
mongo_manner_find(const char *name)
{
	const struct mongo_manner *manner = mongo_manners;

	while (manner->name != NULL && strcmp(manner->name, name) != 0)
		manner++;
	return manner->name != NULL ? manner : NULL;
}

/* One request. */
struct request {
	uint32_t id, op, flags;
	char     command[64]; /* "ismaster", as it came */
};

static uint32_t
get_u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void
set_u32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* The name of a document's first element is the command. */
static bool
read_command(struct request *request, const uint8_t *document, const uint8_t *end)
{
	const uint8_t *name = document + 5;
	size_t count = end - document > 6 ? strnlen((const char *)name, (size_t)(end - name))
	                                  : 0;

	if (count == 0 || count >= sizeof(request->command))
		return false;
	memcpy(request->command, name, count);
	request->command[count] = '\0';
	return true;
}

static bool
read_body(struct request *request, const uint8_t *body, size_t count)
{
	const uint8_t *end = body + count;

	if (count < 5)
		return false;
	request->flags = get_u32(body);
	switch (request->op) {
	case OP_QUERY:
		body += 4;
		body += strnlen((const char *)body, (size_t)(end - body));
		return end - body > 9 && read_command(request, body + 9, end);
	case OP_MSG:
		if (body[4] != 0)
			return false;
		return read_command(request, body + 5, end);
	default: return false;
	}
}

static bool
hear_request(SSL *ssl, struct request *request)
{
	uint8_t  head[HEAD_BYTES], body[REQUEST_MAX];
	uint32_t count;

	if (!speech_hear(ssl, head, sizeof(head)))
		return false;
	count = get_u32(head) - HEAD_BYTES;
	request->id = get_u32(head + 4);
	request->op = get_u32(head + 12);
	return count <= sizeof(body) && speech_hear(ssl, body, count) &&
	    read_body(request, body, count);
}

static struct addr
find_address(SSL *ssl, int (*get)(int fd, struct sockaddr *at, socklen_t *count))
{
	struct sockaddr_storage at;
	socklen_t               count = sizeof(at);

	if (get(SSL_get_fd(ssl), (struct sockaddr *)&at, &count) != 0)
		return (struct addr){ 0 };
	return addr_from_sockaddr((struct sockaddr *)&at);
}

/* host:port, as the client calls us where it said so. */
static void
render_reached(SSL *ssl, char *text, size_t room)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct addr addr = find_address(ssl, getsockname);

	if (name != NULL)
		snprintf(text, room, "%s:%u", name, addr.port);
	else
		addr_render_port(&addr, text, room);
}

/* In the order in which the service was recorded to say it. */
static void
put_server(struct wbuf *out, SSL *ssl, const struct mongo_manner *manner, bool hello)
{
	char        reached[256], primary[256];
	const char *hosts, *me;
	size_t      at;

	render_reached(ssl, reached, sizeof(reached));
	hosts = manner->hosts != NULL ? manner->hosts : reached;
	snprintf(primary, sizeof(primary), "%s", hosts);
	primary[strcspn(primary, " ")] = '\0';
	me = strstr(hosts, reached) != NULL ? reached : primary;
	bson_put_bool(out, hello ? "isWritablePrimary" : "ismaster", true);
	bson_put_int(out, "maxBsonObjectSize", 16777216);
	bson_put_int(out, "maxMessageSizeBytes", 48000000);
	bson_put_int(out, "maxWriteBatchSize", 1000);
	bson_put_date(out, "localTime", clock_wall_ms(clock_system()));
	bson_put_int(out, "logicalSessionTimeoutMinutes", 30);
	bson_put_int(out, "minWireVersion", manner->wire_least);
	bson_put_int(out, "maxWireVersion", manner->wire_most);
	bson_put_bool(out, "readOnly", false);
	at = bson_open(out, "tags");
	bson_put_text(out, "region", manner->region);
	bson_close(out, at);
	bson_put_words(out, "hosts", hosts);
	bson_put_text(out, "setName", manner->set_name);
	bson_put_int(out, "setVersion", 1);
	bson_put_text(out, "primary", primary);
	bson_put_text(out, "me", me);
}

static void
put_error(struct wbuf *out, int code, const char *name, const char *text)
{
	bson_put_double(out, "ok", 0);
	bson_put_text(out, "errmsg", text);
	bson_put_int(out, "code", code);
	bson_put_text(out, "codeName", name);
}

static void
put_refusal(struct wbuf *out, SSL *ssl, const struct mongo_manner *manner)
{
	const char *mark = strstr(manner->refuses_text, "%s");
	struct addr addr = find_address(ssl, getpeername);
	char        client[ADDR_TEXT], text[512];

	addr_render(&addr, client, sizeof(client));
	if (mark == NULL)
		snprintf(text, sizeof(text), "%s", manner->refuses_text);
	else
		snprintf(text, sizeof(text), "%.*s%s%s", (int)(mark - manner->refuses_text),
		    manner->refuses_text, client, mark + 2);
	put_error(out, manner->refuses_code, manner->refuses_name, text);
}

static void
put_not_yet(struct wbuf *out, const char *command)
{
	char text[128];

	snprintf(text, sizeof(text), "Command %c%s not supported prior to authentication",
	    toupper((unsigned char)command[0]), command + 1);
	put_error(out, 115, "CommandNotSupported", text);
}

static void
put_answer(struct wbuf *out, SSL *ssl, const struct mongo_manner *manner, const char *command)
{
	bool hello = strcmp(command, "hello") == 0;

	if (manner->refuses_code != 0 && (hello || !manner->refuses_hello_only)) {
		put_refusal(out, ssl, manner);
	} else if (strcasecmp(command, "ismaster") == 0 || (hello && manner->takes_hello)) {
		if (manner->wrong != MONGO_NO_SERVER)
			put_server(out, ssl, manner, hello);
		bson_put_int(out, "ok", 1);
	} else if (strcmp(command, "saslStart") == 0) {
		put_error(out, 18, "AuthenticationFailed", "Invalid key");
	} else {
		put_not_yet(out, command);
	}
}

/* What is wrong with its size; at is where it begins. */
static void
spoil(struct wbuf *out, size_t at, const struct mongo_manner *manner)
{
	switch (manner->wrong) {
	case MONGO_CLAIMS_2_GIB: set_u32(out->bytes + at, INT32_MAX); break;
	case MONGO_NEGATIVE: set_u32(out->bytes + at, (uint32_t)-5); break;
	default: break;
	}
}

static void
put_document(struct wbuf *out, SSL *ssl, const struct mongo_manner *manner, const char *command)
{
	size_t at = bson_open(out, NULL), deep[DEPTH];

	if (manner->wrong == MONGO_STRANGE_TYPE) {
		bson_put_name(out, 0x0b,
		    "expr\x1b"
		    "ssion");
		wbuf_put(out, "a*\0i", 5);
	}
	for (int i = 0; i < DEPTH && manner->wrong == MONGO_DEEP; i++)
		deep[i] = bson_open(out, "d");
	for (int i = DEPTH; i-- > 0 && manner->wrong == MONGO_DEEP;)
		bson_close(out, deep[i]);
	put_answer(out, ssl, manner, command);
	bson_close(out, at);
	spoil(out, at, manner);
}

static void
put_reply(struct wbuf *out, SSL *ssl, const struct mongo_manner *manner,
    const struct request *request)
{
	bool other = manner->wrong == MONGO_OTHER_REQUEST;

	wbuf_u32le(out, 0);
	wbuf_u32le(out, request->id + 1000); /* a number of our own */
	wbuf_u32le(out, request->id + other);
	wbuf_u32le(out, request->op == OP_QUERY ? OP_REPLY : OP_MSG);
	if (request->op == OP_QUERY) {
		wbuf_u32le(out, 8); /* flags: it can await */
		wbuf_u64le(out, 0); /* no cursor */
		wbuf_u32le(out, 0); /* from the first */
		wbuf_u32le(out, manner->wrong != MONGO_NO_DOCUMENTS);
	} else {
		wbuf_u32le(out, 0);
		wbuf_u8(out, 0);
	}
	put_document(out, ssl, manner, request->command);
	set_u32(out->bytes, (uint32_t)out->count);
}

static enum speech_fault
choose_fault(const struct mongo_manner *manner, const struct request *request)
{
	return strcmp(request->command, "hello") == 0 && manner->hello_fault != SPEECH_WELL
	    ? manner->hello_fault
	    : manner->fault;
}

void
mongo_serve(SSL *ssl, const struct mongo_manner *manner)
{
	struct request request;
	bool           stands = true;

	while (stands && hear_request(ssl, &request)) {
		struct wbuf out;

		if (request.op == OP_MSG && (request.flags & MORE_TO_COME) != 0)
			continue;
		wbuf_init(&out);
		put_reply(&out, ssl, manner, &request);
		stands = speech_say(ssl, choose_fault(manner, &request), out.bytes, out.count);
		wbuf_fini(&out);
	}
}
