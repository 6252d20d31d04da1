/* collector: the daemon, all its parts in one loop and one writer thread. */
#ifndef COLLECTOR_COLLECTOR_H
#define COLLECTOR_COLLECTOR_H

#include "base/addr.h"
#include "base/err.h"

struct collector;

/* Reads the configuration file (NULL: the system's), opens store and tokens, and listens. */
struct collector *collector_new(const char *conf_path, struct err *err);
/* Until SIGTERM or SIGINT; then answers what is parked. */
void collector_run(struct collector *collector);
void collector_free(struct collector *collector); /* NULL is fine */

/* Where it listens, with the ports it has. */
struct addr collector_ingest_addr(const struct collector *collector);
struct addr collector_page_addr(const struct collector *collector);

#endif
