/* rntbd_wire: bytes of RNTBD to structs and back, without I/O: the context request, and the two
 * parts of its answer [rntbd-sdk].
 *
 * Every integer is little-endian.  A frame is a head of 24 bytes and a stream of tokens that fills
 * it; what may follow it (a body, with a length of its own) does not count as part of it.
 */
#ifndef PROBE_RNTBD_RNTBD_WIRE_H
#define PROBE_RNTBD_RNTBD_WIRE_H

#include "base/rcur.h"
#include "base/wbuf.h"

enum {
	RNTBD_HEAD_BYTES = 24,
	RNTBD_ID_BYTES = 16,
	RNTBD_FRAME_MAX = 64 *
	    1024, /* of a frame, its head included; the SDKs took 8000 once */
	RNTBD_BODY_MAX = 64 * 1024,
	RNTBD_ID_TEXT = 37 /* an activity id as text, with its NUL */
};

/* How a token's value is written; also how long it is, so that an unknown one can be skipped. */
enum rntbd_type {
	RNTBD_BYTE,
	RNTBD_USHORT,
	RNTBD_ULONG, /* 4 bytes */
	RNTBD_LONG,  /* 4 bytes, signed */
	RNTBD_ULONGLONG,
	RNTBD_LONGLONG,
	RNTBD_GUID,
	RNTBD_SMALL_STRING, /* length of 1 byte, UTF-8 */
	RNTBD_STRING,       /* 2 bytes */
	RNTBD_ULONG_STRING, /* 4 bytes */
	RNTBD_SMALL_BYTES,
	RNTBD_BYTES,
	RNTBD_ULONG_BYTES,
	RNTBD_FLOAT,
	RNTBD_DOUBLE,
	RNTBD_TYPE_COUNT
};

struct rntbd_token {
	uint16_t       id;
	uint8_t        type;   /* < RNTBD_TYPE_COUNT */
	uint64_t       number; /* of RNTBD_BYTE to RNTBD_LONGLONG, not sign-extended; else 0 */
	const uint8_t *bytes;  /* the value without its length; borrowed */
	size_t         count;
};

/* Takes one token off in.  The cursor ends where the stream does, so there is no "more": a value
 * that does not fit is refused, as is a type whose length nobody knows. */
bool rntbd_token_parse(struct rntbd_token *token, struct rcur *in, struct err *err) MUST_CHECK;

struct rntbd_text {
	const uint8_t *bytes; /* borrowed, not sane; NULL when the token was absent */
	size_t         count;
};

struct rntbd_request {
	uint8_t     activity_id[RNTBD_ID_BYTES];
	const char *client_version; /* date of the service's interface; at most 255 bytes */
	const char *user_agent;     /* likewise */
};

/* The three required tokens and no other: what every version of the server has taken. */
void rntbd_request_put(struct wbuf *out, const struct rntbd_request *request);

/* What a server answers; a number whose token was absent is 0. */
struct rntbd_context {
	uint32_t          length; /* of the frame; 0 until the head's first 4 bytes are there */
	uint32_t          status;
	uint8_t           activity_id[RNTBD_ID_BYTES];
	uint32_t          protocol_version;
	struct rntbd_text client_version, server_agent, server_version;
	uint32_t          idle_timeout_s, unauthenticated_timeout_s;
	struct rntbd_text thumbprint; /* of a client certificate that was refused */
};

enum rntbd_parse {
	RNTBD_WHOLE,
	RNTBD_MORE, /* not all there; in is where it was */
	RNTBD_BAD
};

/* Takes the frame of a context response off in.  The length is held against its limits before
 * anybody waits for so many bytes; the tokens are read when all of them are there.  Known ids must
 * have their type and come once; unknown ids are skipped, however often they come. */
enum rntbd_parse rntbd_context_parse(
    struct rntbd_context *context, struct rcur *in, struct err *err) MUST_CHECK;
/* Whether a body must follow: the server refuses. */
bool rntbd_context_is_refusal(const struct rntbd_context *context);

struct rntbd_body {
	uint32_t       count; /* 0 until it is known */
	const uint8_t *bytes; /* borrowed */
};

/* Takes a body with its length off in. */
enum rntbd_parse rntbd_body_parse(
    struct rntbd_body *body, struct rcur *in, struct err *err) MUST_CHECK;

/* As the SDKs log it: the first three groups are little-endian.  For people; an echo is compared
 * byte by byte.  text holds RNTBD_ID_TEXT bytes.  Returns text. */
char *rntbd_id_render(const uint8_t *activity_id, char *text);

#endif
