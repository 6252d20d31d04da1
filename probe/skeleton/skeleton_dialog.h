/* skeleton_dialog: who says what when: the peer greets, we say a word, it comes back.
 */
#ifndef PROBE_SKELETON_SKELETON_DIALOG_H
#define PROBE_SKELETON_SKELETON_DIALOG_H

#include "base/arena.h"
#include "probe/dialog.h"
#include "probe/skeleton/skeleton_spec.h"

struct skeleton_dialog {
	struct skeleton_spec spec;
	struct arena        *arena; /* borrowed; outlives us */
	bool                 greeted;
	const char          *banner; /* sane; in the arena; NULL before it came */
	struct err           broken; /* why, after NEXT_BROKEN */
};

/* self is a struct skeleton_dialog with spec and arena set, all else zero. */
extern const struct dialog_ops skeleton_ops;

#endif
