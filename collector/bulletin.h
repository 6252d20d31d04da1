/* bulletin: `plprobe-collector report`: the grid and the findings, for a terminal or a program.
 *
 * Asks the running collector over its page's listener; when none runs, reads the store without
 * changing it and judges that.  In bulletin_json.c; what fetches is bulletin_fetch.c.
 */
#ifndef COLLECTOR_BULLETIN_H
#define COLLECTOR_BULLETIN_H

#include "collector/collector_conf.h"

struct json_t;

struct bulletin_ask {
	const struct collector_conf *conf;
	const char                  *format; /* "table", "json", "csv"; NULL: as stdout is */
	bool                         colour; /* where a terminal can */
	bool                         exit_zero;
	bool                         failover; /* instead of grid and findings */
};

/* Prints to stdout; returns the exit code of the Nagios convention. */
int bulletin_run(const struct bulletin_ask *ask);

/* The report as text, from the answers of /v1/state and /v1/findings. */
void bulletin_table(const struct json_t *state, const struct json_t *findings, unsigned width,
    bool colour, struct wbuf *out);
void bulletin_csv(const struct json_t *findings, struct wbuf *out);
/* One field of it, quoted, and what stands behind. */
void bulletin_field(struct wbuf *out, const char *text, const char *behind);

/* From the answers of /v1/incidents, /v1/propagation and /v1/failover.  In
 * bulletin_fleet_json.c. */
void bulletin_incidents(const struct json_t *incidents, bool colour, struct wbuf *out);
void bulletin_propagation(const struct json_t *regions, struct wbuf *out);
void bulletin_failover_table(
    const struct json_t *failover, unsigned width, bool colour, struct wbuf *out);
void bulletin_failover_csv(const struct json_t *failover, struct wbuf *out);

/* GET of a path at the page's listener into out, or at its local socket where the page asks for a
 * login; false with err. */
bool bulletin_fetch(const struct collector_conf *conf, const char *path, struct wbuf *out,
    struct err *err) MUST_CHECK;
/* The HTTP library's name and version. */
const char *bulletin_library(void);

#endif
