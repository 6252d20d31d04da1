/* skeleton_spec: what a skeleton probe shall ask, checked before anything is sent.
 */
#ifndef PROBE_SKELETON_SKELETON_SPEC_H
#define PROBE_SKELETON_SKELETON_SPEC_H

#include "base/err.h"

enum { SKELETON_WORD_MAX = 63 };

struct skeleton_spec {
	char word[SKELETON_WORD_MAX + 1]; /* to be echoed; ends with NUL */
};

/* One to SKELETON_WORD_MAX letters, digits, '-' and '.'. */
bool skeleton_spec_parse(
    struct skeleton_spec *spec, const char *text, struct err *err) MUST_CHECK;

#endif
