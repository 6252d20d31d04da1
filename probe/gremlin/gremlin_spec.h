/* gremlin_spec: what a gremlin probe says, checked and made before anything is sent. */
#ifndef PROBE_GREMLIN_GREMLIN_SPEC_H
#define PROBE_GREMLIN_GREMLIN_SPEC_H

#include "probe/gremlin/websocket.h"
#include "probe/head.h"

enum { GREMLIN_ID_BYTES = 16, GREMLIN_ID_ROOM = 37 };

struct gremlin_spec {
	char host[HEAD_HOST_MAX + 1];
	char key[WEBSOCKET_KEY_ROOM]; /* of this connection alone [rfc6455 4.1] */
	char id[GREMLIN_ID_ROOM];     /* of the request: a UUID */
};

/* The two random values are given, so that a test can say what follows from them. */
bool gremlin_spec_make(struct gremlin_spec *spec, const char *host,
    const uint8_t nonce[WEBSOCKET_NONCE_BYTES], const uint8_t id[GREMLIN_ID_BYTES],
    struct err *err) MUST_CHECK;

/* The upgrade, and the request that goes into the first frame. */
void gremlin_upgrade_put(struct wbuf *out, const struct gremlin_spec *spec);
void gremlin_request_put(struct wbuf *out, const struct gremlin_spec *spec);

#endif
