/* assignment: what the agents are asked to measure, made of the account documents. */
#ifndef COLLECTOR_ASSIGNMENT_H
#define COLLECTOR_ASSIGNMENT_H

#include "base/wbuf.h"
#include "collector/documents.h"

#include <stdint.h>

enum { ASSIGNMENT_VERSION_ROOM = 20 };

struct assignment_plan {
	int64_t  interval_ms, limit_ms;
	int64_t  direct_ms; /* the interval in modes other than gateway */
	unsigned modes;     /* NAMES_GATEWAY, NAMES_API() and the like; 0: gateway */
	bool     sweep;
	/* Where the number of the edition is kept, NULL for none; now, as Unix time. */
	const char *folder;
	int64_t     now_ms;
};

/* Appends the message, encoded; version holds ASSIGNMENT_VERSION_ROOM bytes and is the same for
 * the same content.  false: more targets than one assignment may have; the first are in.  err: of
 * a number that could not be kept; ERR_NONE otherwise. */
bool assignment_make(const struct documents *documents, const struct assignment_plan *plan,
    struct wbuf *out, char *version, struct err *err);

#endif
