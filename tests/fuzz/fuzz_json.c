/* Any bytes as a JSON document: taken, or refused with a place and a reason in clean text; what is
 * taken, written, is read as equal. */
#include "base/json.h"

#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void
check_error(const struct err *err)
{
	char copy[sizeof(err->text)];

	strcpy(copy, err->text);
	text_clean(copy);
	if (strncmp(copy, "in:", 3) != 0 || strcmp(copy, err->text) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct err  err = { .text = "" };
	json_t     *value = json_read((const char *)bytes, count, "in", &err);
	json_t     *again;
	struct wbuf out;

	if (value == NULL) {
		check_error(&err);
		return 0;
	}
	wbuf_init(&out);
	json_write(&out, value, 2);
	again = json_read(wbuf_text(&out), out.count, "in", &err);
	if (again == NULL || !json_equal(value, again))
		abort();
	json_decref(again);
	json_decref(value);
	wbuf_fini(&out);
	return 0;
}
