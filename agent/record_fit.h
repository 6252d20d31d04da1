/* record_fit: a measurement as the bytes of a record that the spool takes.
 *
 * 128 replicas and a peer that fills each text to its limit make more than a record may hold.
 * Then texts are cut, those of replicas first; names and outcomes stay as they are.  What is lost
 * is words; to lose the record would be to lose that anything was measured.
 */
#ifndef AGENT_RECORD_FIT_H
#define AGENT_RECORD_FIT_H

#include "base/arena.h"
#include "base/wbuf.h"
#include "proto/record.h"

/* Appends to *out.  The measurement is changed when it is too long; its texts go to the arena.
 * false: it is still longer than bytes_max, and out holds it. */
bool record_fit(struct measurement *seen, size_t bytes_max, struct arena *arena,
    struct wbuf *out) MUST_CHECK;

#endif
