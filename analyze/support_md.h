/* support_md: SUPPORT.md, from the same table. */
#ifndef ANALYZE_SUPPORT_MD_H
#define ANALYZE_SUPPORT_MD_H

#include "base/wbuf.h"

void support_md(struct wbuf *out);

#endif
