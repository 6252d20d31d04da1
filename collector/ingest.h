/* ingest: what agents may ask of the collector: to take a batch, and what to measure.
 *
 * The order of defences: connection limits (listen), credential, share of this agent, body size,
 * digest, validator, decoder, bounded queue; then the request is parked until the batch is on the
 * disk.  Whoever may not speak learns nothing but that.
 */
#ifndef COLLECTOR_INGEST_H
#define COLLECTOR_INGEST_H

#include "base/clock.h"
#include "base/wbuf.h"
#include "collector/board.h"
#include "collector/gate.h"
#include "collector/listen.h"
#include "collector/writer.h"

struct ingest;

enum { INGEST_BODY_MAX = 256 << 10 };

struct ingest_options {
	const struct clock *clock; /* all borrowed */
	struct gate        *gate;
	struct writer      *writer;
	struct board       *board;
	int64_t             horizon_ms;
};

struct ingest *ingest_new(const struct ingest_options *options);
/* No batch may be parked: the writer is gone before. */
void ingest_free(struct ingest *ingest); /* NULL is fine */

/* What is older is refused from the next batch on. */
void ingest_set_horizon(struct ingest *ingest, int64_t horizon_ms);
/* The bytes of the assignment in force are borrowed until the next call. */
void ingest_set_assignment(
    struct ingest *ingest, const uint8_t *bytes, size_t count, const char *version);

/* POST /v1/batches and GET /v1/assignment. */
void ingest_on_batch(struct ingest *ingest, struct request *request);
void ingest_on_assignment(struct ingest *ingest, struct request *request);

/* Counters as Prometheus text. */
void ingest_write_metrics(const struct ingest *ingest, struct wbuf *out);

#endif
