/* reply_json: the error in a JSON body: of the Table API, of a gateway, or another's. */
#ifndef PROBE_REPLY_JSON_H
#define PROBE_REPLY_JSON_H

#include "base/arena.h"

#include <stddef.h>

enum reply_form {
	REPLY_NOT_JSON, /* not one JSON object */
	REPLY_ODATA, /* {"odata.error":{"code":...,"message":{"value":...}}} [odata-json-error] */
	REPLY_GATEWAY, /* {"code":...,"message":...} [cosmos-unauthorized] */
	REPLY_OTHER_JSON
};

struct reply_error {
	enum reply_form form;
	const char     *code, *message; /* sane, in the arena; "" when absent */
};

void reply_error_read(
    struct reply_error *error, const char *body, size_t count, struct arena *arena);

#endif
