#include "probe/rntbd/rntbd_wire.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* The only version there is, since 2016. */
enum { PROTOCOL_VERSION = 1 };

/* Tokens of the context request and of its answer share their first three ids by chance; a third
 * space of ids, of requests, is not spoken here. */
enum { ASK_PROTOCOL_VERSION = 0, ASK_CLIENT_VERSION = 1, ASK_USER_AGENT = 2 };

/* What a length reads as when something else is spoken. */
static const uint32_t http_length = 0x50545448; /* "HTTP" */

enum { TLS_ALERT = 0x15, TLS_HANDSHAKE = 0x16, TLS_MAJOR = 0x03, TLS_MINOR_MAX = 0x04 };

/* Bytes of a value, or of the length in front of it. */
static const struct {
	uint8_t fixed, length;
} shapes[RNTBD_TYPE_COUNT] = {
	[RNTBD_BYTE] = { 1, 0 },
	[RNTBD_USHORT] = { 2, 0 },
	[RNTBD_ULONG] = { 4, 0 },
	[RNTBD_LONG] = { 4, 0 },
	[RNTBD_ULONGLONG] = { 8, 0 },
	[RNTBD_LONGLONG] = { 8, 0 },
	[RNTBD_GUID] = { RNTBD_ID_BYTES, 0 },
	[RNTBD_SMALL_STRING] = { 0, 1 },
	[RNTBD_STRING] = { 0, 2 },
	[RNTBD_ULONG_STRING] = { 0, 4 },
	[RNTBD_SMALL_BYTES] = { 0, 1 },
	[RNTBD_BYTES] = { 0, 2 },
	[RNTBD_ULONG_BYTES] = { 0, 4 },
	[RNTBD_FLOAT] = { 4, 0 },
	[RNTBD_DOUBLE] = { 8, 0 },
};

static uint64_t
read_number(const uint8_t *bytes, size_t count)
{
	uint64_t number = 0;

	for (size_t i = count; i > 0; i--)
		number = number << 8 | bytes[i - 1];
	return number;
}

static size_t
take_length(struct rcur *in, uint8_t width)
{
	const uint8_t *bytes = rcur_bytes(in, width);

	return bytes != NULL ? (size_t)read_number(bytes, width) : 0;
}

bool
rntbd_token_parse(struct rntbd_token *token, struct rcur *in, struct err *err)
{
	size_t left = rcur_left(in);

	token->id = rcur_u16le(in);
	token->type = rcur_u8(in);
	token->number = 0;
	token->bytes = NULL;
	token->count = 0;
	if (!rcur_ok(in))
		return err_set(err, ERR_PARSE, "%zu bytes are no token", left);
	if (token->type >= RNTBD_TYPE_COUNT)
		return err_set(err, ERR_PARSE,
		    "token 0x%04x has type 0x%02x, 0x00 to 0x%02x wanted", token->id,
		    token->type, RNTBD_TYPE_COUNT - 1);
	token->count = shapes[token->type].fixed;
	if (token->count == 0)
		token->count = take_length(in, shapes[token->type].length);
	token->bytes = rcur_bytes(in, token->count);
	if (!rcur_ok(in))
		return err_set(
		    err, ERR_PARSE, "token 0x%04x passes the end of its frame", token->id);
	if (token->type <= RNTBD_LONGLONG)
		token->number = read_number(token->bytes, token->count);
	return true;
}

static void
put_token(struct wbuf *out, uint16_t id, enum rntbd_type type)
{
	wbuf_u16le(out, id);
	wbuf_u8(out, (uint8_t)type);
}

static void
put_small_string(struct wbuf *out, uint16_t id, const char *text)
{
	size_t count = strlen(text);

	assert(count <= UINT8_MAX);
	put_token(out, id, RNTBD_SMALL_STRING);
	wbuf_u8(out, (uint8_t)count);
	wbuf_put(out, text, count);
}

void
rntbd_request_put(struct wbuf *out, const struct rntbd_request *request)
{
	struct wbuf tokens;

	wbuf_init(&tokens);
	put_token(&tokens, ASK_PROTOCOL_VERSION, RNTBD_ULONG);
	wbuf_u32le(&tokens, PROTOCOL_VERSION);
	put_small_string(&tokens, ASK_CLIENT_VERSION, request->client_version);
	put_small_string(&tokens, ASK_USER_AGENT, request->user_agent);
	wbuf_u32le(out, (uint32_t)(RNTBD_HEAD_BYTES + tokens.count));
	/* Resource type and operation type "Connection": all zero only in this request. */
	wbuf_u32le(out, 0);
	wbuf_put(out, request->activity_id, RNTBD_ID_BYTES);
	wbuf_put(out, tokens.bytes, tokens.count);
	wbuf_fini(&tokens);
}

/* Tokens of the context response; `at` is a uint32_t for RNTBD_ULONG, else a struct rntbd_text. */
static const struct known {
	const char     *name;
	enum rntbd_type type;
	bool            required;
	size_t          at;
} known[] = {
#define AT(member) offsetof(struct rntbd_context, member)
	{ "ProtocolVersion", RNTBD_ULONG, false, AT(protocol_version) },
	{ "ClientVersion", RNTBD_SMALL_STRING, false, AT(client_version) },
	{ "ServerAgent", RNTBD_SMALL_STRING, true, AT(server_agent) },
	{ "ServerVersion", RNTBD_SMALL_STRING, true, AT(server_version) },
	{ "IdleTimeoutInSeconds", RNTBD_ULONG, false, AT(idle_timeout_s) },
	{ "UnauthenticatedTimeoutInSeconds", RNTBD_ULONG, false,
	    AT(unauthenticated_timeout_s) },
	{ "MutualTlsAuthThumbprint", RNTBD_SMALL_STRING, false, AT(thumbprint) },
#undef AT
};

enum { KNOWN_COUNT = sizeof(known) / sizeof(known[0]) };

static bool
keep_token(struct rntbd_context *context, const struct rntbd_token *token, unsigned *had,
    struct err *err)
{
	const struct known *as = &known[token->id];
	void               *to = (char *)context + as->at;

	if (token->type != as->type)
		return err_set(err, ERR_PARSE, "%s has type 0x%02x, 0x%02x wanted", as->name,
		    token->type, (unsigned)as->type);
	if (*had & 1u << token->id)
		return err_set(err, ERR_PARSE, "%s stands twice", as->name);
	*had |= 1u << token->id;
	if (as->type == RNTBD_ULONG)
		*(uint32_t *)to = (uint32_t)token->number;
	else
		*(struct rntbd_text *)to = (struct rntbd_text){ token->bytes, token->count };
	return true;
}

static bool
parse_tokens(struct rntbd_context *context, struct rcur *in, struct err *err)
{
	unsigned           had = 0; /* a bit for each known id */
	struct rntbd_token token;

	while (rcur_left(in) > 0) {
		size_t at = context->length - rcur_left(in);

		if (!rntbd_token_parse(&token, in, err) ||
		    (token.id < KNOWN_COUNT && !keep_token(context, &token, &had, err)))
			return err_in(err, "byte %zu of the context response", at);
	}
	for (unsigned id = 0; id < KNOWN_COUNT; id++) {
		if (known[id].required && !(had & 1u << id))
			return err_set(
			    err, ERR_PARSE, "the context response lacks %s", known[id].name);
	}
	return true;
}

/* The head of a TLS record, 15 or 16 and 03 0x: as a length it is far over our limit. */
static bool
is_tls_record(const uint8_t *bytes)
{
	return (bytes[0] == TLS_ALERT || bytes[0] == TLS_HANDSHAKE) && bytes[1] == TLS_MAJOR &&
	    bytes[2] <= TLS_MINOR_MAX;
}

/* Also names what is spoken instead, where the first bytes show it. */
static bool
check_length(const uint8_t *bytes, uint32_t length, struct err *err)
{
	if (length == http_length)
		return err_set(err, ERR_PARSE, "the peer speaks HTTP where RNTBD is wanted");
	if (length > RNTBD_FRAME_MAX && is_tls_record(bytes))
		return err_set(err, ERR_PARSE,
		    "the peer speaks TLS once more inside TLS where RNTBD is wanted");
	if (length < RNTBD_HEAD_BYTES || length > RNTBD_FRAME_MAX)
		return err_set(err, ERR_LIMIT, "a frame of %u bytes, %d to %d wanted", length,
		    RNTBD_HEAD_BYTES, RNTBD_FRAME_MAX);
	return true;
}

enum rntbd_parse
rntbd_context_parse(struct rntbd_context *context, struct rcur *in, struct err *err)
{
	struct rcur    at = *in, tokens;
	const uint8_t *id;

	*context = (struct rntbd_context){ .length = rcur_u32le(&at) };
	if (!rcur_ok(&at))
		return RNTBD_MORE;
	if (!check_length(in->at, context->length, err))
		return RNTBD_BAD;
	if (rcur_left(in) < context->length)
		return RNTBD_MORE;
	context->status = rcur_u32le(&at);
	id = rcur_bytes(&at, RNTBD_ID_BYTES);
	memcpy(context->activity_id, id, RNTBD_ID_BYTES);
	tokens = rcur_of(at.at, context->length - RNTBD_HEAD_BYTES);
	if (!parse_tokens(context, &tokens, err))
		return RNTBD_BAD;
	rcur_skip(in, context->length);
	return RNTBD_WHOLE;
}

bool
rntbd_context_is_refusal(const struct rntbd_context *context)
{
	return context->status < 200 || context->status >= 400;
}

enum rntbd_parse
rntbd_body_parse(struct rntbd_body *body, struct rcur *in, struct err *err)
{
	struct rcur at = *in;

	*body = (struct rntbd_body){ .count = rcur_u32le(&at) };
	if (!rcur_ok(&at))
		return RNTBD_MORE;
	if (body->count > RNTBD_BODY_MAX) {
		err_set(err, ERR_LIMIT, "a body of %u bytes, at most %d wanted", body->count,
		    RNTBD_BODY_MAX);
		return RNTBD_BAD;
	}
	body->bytes = rcur_bytes(&at, body->count);
	if (!rcur_ok(&at))
		return RNTBD_MORE;
	*in = at;
	return RNTBD_WHOLE;
}

char *
rntbd_id_render(const uint8_t *id, char *text)
{
	snprintf(text, RNTBD_ID_TEXT,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", id[3],
	    id[2], id[1], id[0], id[5], id[4], id[7], id[6], id[8], id[9], id[10], id[11],
	    id[12], id[13], id[14], id[15]);
	return text;
}
