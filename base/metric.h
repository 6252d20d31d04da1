/* metric: counters and gauges, and Prometheus text from them.
 *
 * The writer keeps the rules of text format 0.0.4: families contiguous, one HELP and TYPE each,
 * label values escaped.  Counters end in _total, units stand in the name.  Not thread safe, but
 * for metric_add() on a `struct metric`, which is atomic.
 */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base/wbuf.h"

#include <stdint.h>

enum metric_type { METRIC_COUNTER, METRIC_GAUGE };

/* A metric without labels or with fixed ones, that lives as long as the program. */
struct metric {
	const char      *name, *help;
	enum metric_type type;
	_Atomic int64_t  value;
};

void metric_add(struct metric *metric, int64_t by);
void metric_set(struct metric *metric, int64_t value);

/* Writing a page: family, then its samples, then the next family. */
void metric_family(struct wbuf *out, const char *name, enum metric_type type, const char *help);
/* labels: name, value, name, value, ..., NULL; NULL itself for none. */
void metric_sample(struct wbuf *out, const char *name, const char *const *labels, double value);
/* Family and one sample. */
void metric_write(struct wbuf *out, const struct metric *metric);

#endif
