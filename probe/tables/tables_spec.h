/* tables_spec: what a table probe asks, checked and made before anything is sent. */
#ifndef PROBE_TABLES_TABLES_SPEC_H
#define PROBE_TABLES_TABLES_SPEC_H

#include "base/wbuf.h"
#include "probe/head.h"

enum { TABLES_DATE_ROOM = 30 };

struct tables_spec {
	char host[HEAD_HOST_MAX + 1];
	char date[TABLES_DATE_ROOM]; /* "Sun, 06 Nov 1994 08:49:37 GMT" [rfc9110 5.6.7] */
};

/* now_ms: Unix time, for the header; from 0 to the year 9999. */
bool tables_spec_make(
    struct tables_spec *spec, const char *host, int64_t now_ms, struct err *err) MUST_CHECK;

void tables_request_put(struct wbuf *out, const struct tables_spec *spec);

#endif
