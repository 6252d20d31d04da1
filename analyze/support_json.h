/* support_json: the table of support.h for programs.  Members are only ever added. */
#ifndef ANALYZE_SUPPORT_JSON_H
#define ANALYZE_SUPPORT_JSON_H

#include "analyze/support.h"
#include "base/wbuf.h"

/* Which part: CLOUD_COUNT and SUPPORT_SERVICE_COUNT for all. */
struct support_choice {
	enum cloud           cloud;
	enum support_service service;
};

void support_json_write(const struct support_choice *choice, struct wbuf *out);

#endif
