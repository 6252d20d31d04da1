/* region: the regions of all clouds, and the one rule that makes a label of a name.
 *
 * The table is dated data for completion and for sweeps; a region that is not in it is never an
 * error, since new ones come every few months.  What an account really has stands in its document.
 */
#ifndef ANALYZE_REGION_H
#define ANALYZE_REGION_H

#include "base/err.h"

#include <stddef.h>

enum cloud {
	CLOUD_PUBLIC,
	CLOUD_USGOV,
	CLOUD_CHINA,
	CLOUD_USNAT,
	CLOUD_USSEC,
	CLOUD_BLEU,
	CLOUD_DELOS,
	CLOUD_GERMANY,
	CLOUD_COUNT
};

struct region {
	const char *label; /* "westeurope", as in host names */
	const char *name;  /* "West Europe", as in locationName */
	enum cloud  cloud;
	unsigned    hidden; /* canary, test or internal: not swept */
};

extern const struct region region_table[];      /* label NULL at the end */
extern const char          region_table_date[]; /* "2026-11-23" */

/* The label of a display name or of a label: white space out, ASCII lower case.  Writes at most
 * room bytes with a NUL; returns label. */
char *region_label(const char *name, char *label, size_t room);
/* The same for what somebody wrote: letters and digits wanted, at most REGION_LABEL_MAX. */
enum { REGION_LABEL_MAX = 40, REGION_LABEL_ROOM };
bool region_label_parse(
    char label[REGION_LABEL_ROOM], const char *name, struct err *err) MUST_CHECK;
/* NULL when unknown. */
const struct region *region_find(const char *label);
/* The display name where known, else the label. */
const char *region_name(const char *label);

#endif
