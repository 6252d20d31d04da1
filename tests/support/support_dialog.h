/* support_dialog: a dialogue led as conn would lead it, against bytes that are there.
 */
#ifndef TESTS_SUPPORT_DIALOG_H
#define TESTS_SUPPORT_DIALOG_H

#include "probe/dialog.h"

/* The whole dialogue; the peer's bytes come `stride` at a time.  NEXT_HEAR: it would go on
 * waiting.  What we say is added to said. */
enum next support_dialog_run(const struct dialog_ops *ops, void *self, const void *bytes,
    size_t count, size_t stride, struct wbuf *said);

/* Adds the bytes of "3a00 0000..."; blanks are skipped. */
void support_hex_put(struct wbuf *out, const char *hex);

#endif
