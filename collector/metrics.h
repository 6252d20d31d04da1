/* metrics: the page that Prometheus reads.
 *
 * Names of blackbox_exporter where the meaning is the same.  A failed probe is a 0; what is not
 * known, because the agent is silent or nothing was measured, has no sample, and
 * plprobe_agent_up says so.  No addresses and no free text as labels.
 */
#ifndef COLLECTOR_METRICS_H
#define COLLECTOR_METRICS_H

#include "base/wbuf.h"
#include "collector/board.h"

/* What is measured, appended as text format 0.0.4. */
void metrics_board(const struct board *board, int64_t now_ms, struct wbuf *out);

#endif
