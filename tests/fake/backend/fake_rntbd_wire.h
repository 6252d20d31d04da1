/* fake_rntbd_wire: bytes of RNTBD as a back end reads and writes them [rntbd-sdk]; no I/O.
 *
 * Strict where a real one may be lenient: what a client of ours sends has to be right.
 */
#ifndef TESTS_FAKE_RNTBD_WIRE_H
#define TESTS_FAKE_RNTBD_WIRE_H

#include "base/err.h"
#include "base/wbuf.h"

enum {
	FAKE_RNTBD_HEAD = 24,
	FAKE_RNTBD_MAX = 64 * 1024,
	FAKE_RNTBD_ACTIVITY = 16,
	FAKE_RNTBD_TEXT = 512
};

/* A frame of a client's: a context request when both types are zero. */
struct fake_frame {
	uint32_t length;
	uint16_t resource, operation;
	uint8_t  activity[FAKE_RNTBD_ACTIVITY];
	/* Of a context request. */
	bool     has_version, has_client, has_agent;
	uint32_t version;
	char     client[256], agent[256];
	/* Of a request. */
	bool     has_payload_flag, has_payload, has_transport_id, has_path, has_authorization;
	uint32_t transport_id;
	char     path[FAKE_RNTBD_TEXT];
};

bool fake_frame_is_context(const struct fake_frame *frame);
/* Length of the frame that starts with these four bytes; 0 when it cannot be one. */
uint32_t fake_frame_length(const uint8_t head[4]);
/* The whole frame, without a body.  A refusal says what is wrong with it. */
bool fake_frame_parse(
    struct fake_frame *frame, const uint8_t *bytes, size_t count, struct err *err) MUST_CHECK;
/* Whether a context request says what it has to: the three tokens, version 1, a date. */
bool fake_frame_check_context(const struct fake_frame *frame, struct err *err) MUST_CHECK;

/* Answers to a context request.  R1, R2, R3 and E1 are those of the reference, byte for byte. */
enum fake_context {
	FAKE_CONTEXT_R1, /* as the service's */
	FAKE_CONTEXT_R2, /* all six tokens */
	FAKE_CONTEXT_R3, /* with tokens of the future */
	FAKE_CONTEXT_E1  /* refused, with a body */
};

void fake_context_put(struct wbuf *out, enum fake_context kind, uint32_t status,
    uint32_t unauthenticated_s, const uint8_t activity[FAKE_RNTBD_ACTIVITY]);

/* An answer to a request: a failure with a body (NULL: none). */
void fake_frame_put_answer(struct wbuf *out, const struct fake_frame *request, uint32_t status,
    uint32_t substatus, const char *body);

#endif
