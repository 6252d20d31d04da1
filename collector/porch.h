/* porch: where people come in: the listener of the page with its certificate, its readers, their
 * login and the doorkeeper; and, where a login is asked for, a socket of this machine by which
 * `report` asks without one.
 */
#ifndef COLLECTOR_PORCH_H
#define COLLECTOR_PORCH_H

#include "base/wbuf.h"
#include "collector/collector_conf.h"
#include "collector/listen.h"

struct porch;

struct porch_options {
	struct loop                 *loop; /* all borrowed; they outlive the porch */
	const struct clock          *clock;
	const struct collector_conf *conf;
	const char                  *conf_path; /* for what a person is told to type; or NULL */
	void (*on_request)(
	    void *arg, struct request *request); /* of whoever may see the page */
	void *arg;
};

/* Refuses to open where a login is asked for and nobody has one. */
struct porch *porch_open(const struct porch_options *options, struct err *err);
/* Requests that wait for their login are answered.  NULL is fine. */
void        porch_close(struct porch *porch);
struct addr porch_addr(const struct porch *porch); /* with the port it has */
/* "https" or "http". */
const char *porch_scheme(const struct porch *porch);
/* Reads readers and certificate again, where the page has none of its own that which fresh names;
 * on an error what was in force stays of what is at fault. */
bool porch_reload(
    struct porch *porch, const struct collector_conf *fresh, struct err *err) MUST_CHECK;
/* Says once in the log when the file of readers cannot be read, or can again.  Now and then. */
void porch_look(struct porch *porch);
/* Accepts no more, and closes each connection behind its next answer. */
void porch_drain(struct porch *porch);
void porch_write_metrics(const struct porch *porch, struct wbuf *out);
/* As listen_tls_warning(), of a certificate of the page's own. */
const char *porch_warning(const struct porch *porch, struct arena *arena, int64_t now_ms);

/* Whether it would open, as far as files can tell: certificate, key and readers. */
bool porch_check(
    const struct collector_conf *conf, const char *conf_path, struct err *err) MUST_CHECK;

#endif
