/* rntbd_json: the body behind a context response that refuses: {"code":"...","message":"..."}.
 */
#ifndef PROBE_RNTBD_RNTBD_JSON_H
#define PROBE_RNTBD_RNTBD_JSON_H

#include "base/arena.h"

#include <stdint.h>

enum { RNTBD_CODE_MAX_BYTES = 63, RNTBD_MESSAGE_MAX_BYTES = 255 };

/* Both are sane, in the arena, and "" where the body has none.  A body that is no such object is
 * the message itself: what a peer says when it refuses is worth showing in any form. */
void rntbd_json_read(const uint8_t *bytes, size_t count, struct arena *arena, const char **code,
    const char **message);

#endif
