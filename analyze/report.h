/* report: from what the checks saw to findings: gathered, worded, sorted.
 *
 * The rules of gathering stand in judge.c's head, since they decide what a person reads.
 */
#ifndef ANALYZE_REPORT_H
#define ANALYZE_REPORT_H

#include "analyze/scene.h"

struct report;

/* One thing that one check saw at one name. */
struct sighting {
	enum finding_code  code;
	const struct site *site;     /* NULL: of the account as a whole */
	enum state         severity; /* STATE_OK: as the table says */
	const char        *resolver; /* whose answer shows it; NULL: no one's */
	const char        *address;  /* NULL: none */
	unsigned           port;
	const char        *connection; /* NULL: none */
	const char        *detail;     /* NULL: none */
	const char *group; /* sightings of one code and group are one finding; NULL: by name */
	bool
	    aside; /* is about something else than the name: its place is none the worse for it */
	const char *evidence;
};

struct report *report_new(const struct scene *scene);
/* The sighting is copied; its texts are borrowed and outlive the report (arena). */
void report_add(struct report *report, const struct sighting *sighting);
/* Whether the name shows it, by this resolver. */
bool report_shows(const struct report *report, const struct site *site, enum finding_code code,
    const char *resolver);
/* The worst that the name shows in that mode, of the codes before `end`; NULL: nothing. */
const struct sighting *report_worst(
    const struct report *report, const struct site *site, enum finding_code end);
/* Whether that is critical; site NULL: no. */
bool report_is_down(
    const struct report *report, const struct site *site, enum finding_code end);
/* Worst first; of equals, what concerns all names. */
void report_sort(struct finding *findings, size_t count);
/* Gathers, words and sorts; and marks each place with its worst. */
void report_finish(struct report *report, struct verdict *verdict);

#endif
