#include "tests/fake/backend/fake_rntbd_wire.h"

#include "base/rcur.h"

#include <stdio.h>
#include <string.h>

/* Types of tokens. */
enum { BYTE = 0x00, USHORT = 0x01, ULONG = 0x02, SMALL_STRING = 0x07, STRING = 0x08 };

/* A token: numbers in `number`, the others as bytes. */
struct token {
	uint16_t       id;
	uint8_t        type;
	uint64_t       number;
	const uint8_t *bytes;
	size_t         count;
};

/* By type: bytes of the value, or of the length in front of it. */
static const struct {
	uint8_t size;
	bool    counted;
} types[] = { { 1, false }, { 2, false }, { 4, false }, { 4, false }, { 8, false },
	{ 8, false }, { 16, false }, { 1, true }, { 2, true }, { 4, true }, { 1, true },
	{ 2, true }, { 4, true }, { 4, false }, { 8, false } };

static uint64_t
read_number(struct rcur *in, size_t size)
{
	const uint8_t *bytes = rcur_bytes(in, size);
	uint64_t       number = 0;

	for (size_t i = size; bytes != NULL && i > 0; i--)
		number = number << 8 | bytes[i - 1];
	return number;
}

static bool
read_token(struct token *token, struct rcur *in, struct err *err)
{
	token->id = rcur_u16le(in);
	token->type = rcur_u8(in);
	if (!rcur_ok(in))
		return err_set(err, ERR_PARSE, "a token is cut short");
	if (token->type >= sizeof(types) / sizeof(types[0]))
		return err_set(
		    err, ERR_PARSE, "token 0x%04x has the type 0x%02x", token->id, token->type);
	if (types[token->type].counted)
		token->count = (size_t)read_number(in, types[token->type].size);
	else if (types[token->type].size <= 8)
		token->number = read_number(in, types[token->type].size);
	else
		token->count = types[token->type].size;
	token->bytes = token->count > 0 ? rcur_bytes(in, token->count) : NULL;
	return rcur_ok(in) ||
	    err_set(err, ERR_PARSE, "token 0x%04x runs past the frame", token->id);
}

static bool
want_type(const struct token *token, uint8_t type, struct err *err)
{
	return token->type == type ||
	    err_set(err, ERR_PARSE, "token 0x%04x has the type 0x%02x, not 0x%02x", token->id,
	        token->type, type);
}

static bool
take_text(char *text, size_t room, const struct token *token, struct err *err)
{
	if (token->count >= room)
		return err_set(
		    err, ERR_LIMIT, "token 0x%04x has %zu bytes", token->id, token->count);
	memcpy(text, token->bytes != NULL ? token->bytes : (const uint8_t *)"", token->count);
	text[token->count] = '\0';
	return true;
}

static bool
take_context_token(struct fake_frame *frame, const struct token *token, struct err *err)
{
	switch (token->id) {
	case 0x0000:
		frame->has_version = true;
		frame->version = (uint32_t)token->number;
		return want_type(token, ULONG, err);
	case 0x0001:
		frame->has_client = true;
		return want_type(token, SMALL_STRING, err) &&
		    take_text(frame->client, sizeof(frame->client), token, err);
	case 0x0002:
		frame->has_agent = true;
		return want_type(token, SMALL_STRING, err) &&
		    take_text(frame->agent, sizeof(frame->agent), token, err);
	default: return true;
	}
}

static bool
take_request_token(struct fake_frame *frame, const struct token *token, struct err *err)
{
	switch (token->id) {
	case 0x0001:
		frame->has_authorization = token->count > 0;
		return want_type(token, STRING, err);
	case 0x0002:
		frame->has_payload_flag = true;
		frame->has_payload = token->number != 0;
		return want_type(token, BYTE, err);
	case 0x0013:
		frame->has_path = true;
		return want_type(token, STRING, err) &&
		    take_text(frame->path, sizeof(frame->path), token, err);
	case 0x004D:
		frame->has_transport_id = true;
		frame->transport_id = (uint32_t)token->number;
		return want_type(token, ULONG, err);
	default: return true;
	}
}

bool
fake_frame_is_context(const struct fake_frame *frame)
{
	return frame->resource == 0 && frame->operation == 0;
}

uint32_t
fake_frame_length(const uint8_t head[4])
{
	uint32_t length = (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
	    (uint32_t)head[3] << 24;

	return length < FAKE_RNTBD_HEAD || length > FAKE_RNTBD_MAX ? 0 : length;
}

bool
fake_frame_parse(struct fake_frame *frame, const uint8_t *bytes, size_t count, struct err *err)
{
	struct rcur    in = rcur_of(bytes, count);
	const uint8_t *activity;
	struct token   token;

	memset(frame, 0, sizeof(*frame));
	frame->length = rcur_u32le(&in);
	frame->resource = rcur_u16le(&in);
	frame->operation = rcur_u16le(&in);
	activity = rcur_bytes(&in, FAKE_RNTBD_ACTIVITY);
	if (!rcur_ok(&in))
		return err_set(err, ERR_PARSE, "the head is cut short");
	if (frame->length != count)
		return err_set(
		    err, ERR_PARSE, "length %u, but %zu bytes", frame->length, count);
	memcpy(frame->activity, activity, FAKE_RNTBD_ACTIVITY);
	while (rcur_left(&in) > 0) {
		memset(&token, 0, sizeof(token));
		if (!read_token(&token, &in, err))
			return false;
		if (!(fake_frame_is_context(frame) ? take_context_token(frame, &token, err)
		                                   : take_request_token(frame, &token, err)))
			return false;
	}
	return true;
}

bool
fake_frame_check_context(const struct fake_frame *frame, struct err *err)
{
	unsigned year, month, day;

	if (!frame->has_version || !frame->has_client || !frame->has_agent)
		return err_set(err, ERR_PARSE, "a token is missing: %s",
		    !frame->has_version      ? "ProtocolVersion"
		        : !frame->has_client ? "ClientVersion"
		                             : "UserAgent");
	if (frame->version != 1)
		return err_set(err, ERR_PARSE, "ProtocolVersion %u", frame->version);
	if (strlen(frame->client) != 10 ||
	    sscanf(frame->client, "%4u-%2u-%2u", &year, &month, &day) != 3)
		return err_set(err, ERR_PARSE, "ClientVersion \"%s\"", frame->client);
	return true;
}

static void
put_id(struct wbuf *out, uint16_t id, uint8_t type)
{
	wbuf_u16le(out, id);
	wbuf_u8(out, type);
}

static void
put_ulong(struct wbuf *out, uint16_t id, uint32_t value)
{
	put_id(out, id, ULONG);
	wbuf_u32le(out, value);
}

static void
put_small(struct wbuf *out, uint16_t id, const char *text)
{
	put_id(out, id, SMALL_STRING);
	wbuf_u8(out, (uint8_t)strlen(text));
	wbuf_puts(out, text);
}

/* The head of the frame whose tokens are in `tokens`, and these. */
static void
put_frame(struct wbuf *out, uint32_t status, const uint8_t *activity, struct wbuf *tokens)
{
	wbuf_u32le(out, (uint32_t)(FAKE_RNTBD_HEAD + tokens->count));
	wbuf_u32le(out, status);
	wbuf_put(out, activity, FAKE_RNTBD_ACTIVITY);
	wbuf_put(out, tokens->bytes, tokens->count);
	wbuf_fini(tokens);
}

static void
put_body(struct wbuf *out, const char *body)
{
	wbuf_u32le(out, (uint32_t)strlen(body));
	wbuf_puts(out, body);
}

/* The versions that the service wants stand in what is refused, and in R2. */
static void
put_versions(struct wbuf *out, enum fake_context kind)
{
	if (kind != FAKE_CONTEXT_R2 && kind != FAKE_CONTEXT_E1)
		return;
	put_ulong(out, 0x0000, 1);
	put_small(out, 0x0001, kind == FAKE_CONTEXT_R2 ? "2020-07-15" : "2014-08-21");
}

void
fake_context_put(struct wbuf *out, enum fake_context kind, uint32_t status,
    uint32_t unauthenticated_s, const uint8_t activity[FAKE_RNTBD_ACTIVITY])
{
	struct wbuf tokens;

	wbuf_init(&tokens);
	put_versions(&tokens, kind);
	put_small(
	    &tokens, 0x0002, kind == FAKE_CONTEXT_R2 ? "RntbdServer" : "DocumentDB Server");
	put_small(&tokens, 0x0003, " version=2.14.0.0");
	if (kind == FAKE_CONTEXT_R1 || kind == FAKE_CONTEXT_R2) {
		put_ulong(&tokens, 0x0004, 120);
		put_ulong(&tokens, 0x0005, unauthenticated_s);
	}
	if (kind == FAKE_CONTEXT_R3) {
		put_id(&tokens, 0x00F0, STRING);
		wbuf_u16le(&tokens, 6);
		wbuf_puts(&tokens, "future");
		put_ulong(&tokens, 0x00F1, 7);
	}
	put_frame(out, status, activity, &tokens);
	if (status < 200 || status >= 400)
		put_body(out,
		    "{\"code\":\"BadRequest\",\"message\":\"Unsupported protocol version\"}");
}

void
fake_frame_put_answer(struct wbuf *out, const struct fake_frame *request, uint32_t status,
    uint32_t substatus, const char *body)
{
	struct wbuf tokens;

	wbuf_init(&tokens);
	put_id(&tokens, 0x0000, BYTE);
	wbuf_u8(&tokens, body != NULL);
	/* Order does not matter to a reader; these two are as the examples of the reference. */
	if (body == NULL)
		put_ulong(&tokens, 0x001C, substatus);
	put_ulong(&tokens, 0x0035, request->transport_id);
	if (body != NULL)
		put_ulong(&tokens, 0x001C, substatus);
	put_frame(out, status, request->activity, &tokens);
	if (body != NULL)
		put_body(out, body);
}
