/* findings_md: the catalogue for people: FINDINGS.md, and the text of `plprobe explain`. */
#ifndef ANALYZE_FINDINGS_MD_H
#define ANALYZE_FINDINGS_MD_H

#include "analyze/judge.h"
#include "base/wbuf.h"

void findings_md(struct wbuf *out);
/* One finding: what it means, how it is recognised, how it is fixed. */
void findings_explain(enum finding_code code, struct wbuf *out);
/* One failure mode, by its label without case, and what it shows as; false when there is none. */
bool findings_explain_failure(const char *label, struct wbuf *out);

#endif
