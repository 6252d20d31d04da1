/* skeleton_record: what a skeleton probe saw, as fields of the record; and the kind itself.
 *
 * Compiled and tested, but not in the registry: it measures nothing that exists.
 */
#ifndef PROBE_SKELETON_SKELETON_RECORD_H
#define PROBE_SKELETON_SKELETON_RECORD_H

struct arena;
struct conn_seen;
struct endpoint;
struct skeleton_dialog;

extern const struct probe_kind probe_skeleton;

/* dialog is NULL when the spec was refused. */
void skeleton_record(struct endpoint *endpoint, const struct conn_seen *seen,
    const struct skeleton_dialog *dialog, struct arena *arena);

#endif
