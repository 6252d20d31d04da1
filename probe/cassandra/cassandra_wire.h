/* cassandra_wire: frames of the CQL binary protocol to structs and back, without I/O
 * [cql-protocol].
 *
 * Two requests of version 4 and the answers to them, with nothing agreed on before: no
 * compression, no tracing, no payload of anybody's.
 */
#ifndef PROBE_CASSANDRA_CASSANDRA_WIRE_H
#define PROBE_CASSANDRA_CASSANDRA_WIRE_H

#include "base/arena.h"
#include "base/rcur.h"
#include "base/wbuf.h"

enum {
	CASSANDRA_HEAD_BYTES = 9,
	CASSANDRA_BODY_MAX_BYTES = 64 * 1024, /* an answer before login has about 100 */
	CASSANDRA_VERSION_MAX_BYTES = 16,     /* of CQL that we say */
	CASSANDRA_LIST_MAX_BYTES = 255,       /* of a list that we keep, joined */
	CASSANDRA_CLASS_MAX_BYTES = 255,
	CASSANDRA_WORDS_MAX_BYTES = 1024
};

enum cassandra_opcode {
	CASSANDRA_ERROR = 0x00,
	CASSANDRA_STARTUP = 0x01,
	CASSANDRA_READY = 0x02,
	CASSANDRA_AUTHENTICATE = 0x03,
	CASSANDRA_OPTIONS = 0x05,
	CASSANDRA_SUPPORTED = 0x06
};

enum cassandra_parse {
	CASSANDRA_WHOLE,
	CASSANDRA_MORE, /* the frame is not all there; in is where it was */
	CASSANDRA_BAD
};

/* An answer; borrowed from the bytes that were parsed. */
struct cassandra_frame {
	uint8_t     version; /* 3 to 5 */
	uint8_t     opcode;
	struct rcur body; /* behind the warnings, where there are some */
};

/* Texts are sane, in the arena and never NULL. */
struct cassandra_supported {
	const char *versions;    /* CQL_VERSION, space between */
	const char *compression; /* COMPRESSION, likewise */
	/* The first of the versions, to be said in STARTUP; "3.0.0" where none is fit for it. */
	char first[CASSANDRA_VERSION_MAX_BYTES + 1];
};

struct cassandra_error {
	uint32_t    code;
	const char *words;
};

void cassandra_options_put(struct wbuf *out, int16_t stream);
/* With the version of CQL, of at most CASSANDRA_VERSION_MAX_BYTES, and nothing else: the service
 * refuses STARTUP with COMPRESSION. */
void cassandra_startup_put(struct wbuf *out, int16_t stream, const char *version);

/* Takes the answer to the request of that stream off in. */
enum cassandra_parse cassandra_frame_parse(
    struct cassandra_frame *frame, int16_t stream, struct rcur *in, struct err *err) MUST_CHECK;

/* The bodies; each fills what is given in any case. */
bool cassandra_supported_parse(struct cassandra_supported *supported, struct rcur body,
    struct arena *arena, struct err *err) MUST_CHECK;
bool cassandra_authenticate_parse(const char **authenticator, struct rcur body,
    struct arena *arena, struct err *err) MUST_CHECK;
bool cassandra_error_parse(struct cassandra_error *error, struct rcur body, struct arena *arena,
    struct err *err) MUST_CHECK;

#endif
