#include "agent/check.h"

#include "analyze/verdict.h"
#include "base/json.h"

#include <jansson.h>

enum { CHECK_JSON_VERSION = 1, CHECK_JSON_INDENT = 2 };

void
check_json_write(
    const struct survey_result *results, size_t count, bool interrupted, struct wbuf *out)
{
	json_t *root = json_object();
	json_t *accounts = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
		    accounts, verdict_json(results[i].account, results[i].verdict));
	json_object_set_new(root, "version", json_integer(CHECK_JSON_VERSION));
	if (interrupted)
		json_object_set_new(root, "interrupted", json_true());
	json_object_set_new(root, "accounts", accounts);
	json_write(out, root, CHECK_JSON_INDENT);
	wbuf_puts(out, "\n");
	json_decref(root);
}
