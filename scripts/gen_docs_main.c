/* gen-docs: prints a document that is generated from the program's own tables. */
#include "analyze/findings_md.h"
#include "analyze/support_md.h"
#include "proto/render.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	void (*print)(struct wbuf *out);
} documents[] = {
	{ "fields", render_fields_md },
	{ "findings", findings_md },
	{ "support", support_md },
};

int
main(int argc, char **argv)
{
	struct wbuf out;
	int         status = 2;

	wbuf_init(&out);
	for (size_t i = 0; argc == 2 && i < sizeof(documents) / sizeof(documents[0]); i++) {
		if (strcmp(argv[1], documents[i].name) != 0)
			continue;
		documents[i].print(&out);
		status = fwrite(out.bytes, 1, out.count, stdout) == out.count &&
		        fflush(stdout) == 0
		    ? 0
		    : 1;
	}
	if (status == 2)
		fprintf(stderr, "usage: gen-docs fields|findings|support\n");
	wbuf_fini(&out);
	return status;
}
