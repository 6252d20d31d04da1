/* listen_metrics: a listener's counters, and when its certificate ends, as Prometheus text. */
#ifndef COLLECTOR_LISTEN_METRICS_H
#define COLLECTOR_LISTEN_METRICS_H

#include "base/wbuf.h"
#include "collector/listen.h"

/* Of the listener for agents, with the names that are documented. */
void listen_metrics_write(
    const struct listen *server, const struct listen_tls *tls, struct wbuf *out);

#endif
