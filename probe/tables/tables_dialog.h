/* tables_dialog: one request for the list of tables, one answer; nobody logs in. */
#ifndef PROBE_TABLES_TABLES_DIALOG_H
#define PROBE_TABLES_TABLES_DIALOG_H

#include "probe/dialog.h"
#include "probe/reply.h"
#include "probe/tables/tables_spec.h"

struct tables_dialog {
	struct tables_spec spec;
	struct reply       reply;
	struct err         broken; /* why, after NEXT_BROKEN */
};

/* self is a struct tables_dialog with spec and the reply's arena set, all else zero. */
extern const struct dialog_ops tables_ops;

#endif
