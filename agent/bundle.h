/* bundle: `plprobe bundle`: one file with all that a check has seen, to hand to somebody.
 *
 * The verdict with every measurement (answers of DNS servers as they came, aliases, certificates,
 * times), and for each the commands by which it can be seen without this program.  There is no
 * credential in it, ever; with --redact there is nothing either that tells whose it is.
 */
#ifndef AGENT_BUNDLE_H
#define AGENT_BUNDLE_H

#include "agent/check.h"
#include "agent/cli.h"

extern const struct cli_command bundle_command;

struct bundle_facts {
	const struct check_seen    *seen;
	const struct check_options *options;
	int64_t                     at_ms;
	const char                 *machine; /* host name */
	const char                 *kernel;  /* of uname(2) */
	bool                        redact;
};

/* The file, appended.  In bundle_json.c. */
void bundle_json_write(const struct bundle_facts *facts, struct wbuf *out);

/* Takes --redact and --file out of the arguments; the others are those of `check`.  false with
 * err.  Exposed for its test. */
struct bundle_options {
	bool        redact, help;
	const char *file; /* NULL: a name made of the time; "-": standard output */
};
bool bundle_options_take(
    struct bundle_options *options, int *argc, char **argv, struct err *err) MUST_CHECK;

#endif
