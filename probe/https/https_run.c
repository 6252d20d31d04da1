#include "probe/https/https.h"

#include "probe/https/https_request.h"

#include <stdlib.h>

/* A gateway's 401 has 200 bytes of body.  The first 16 KiB are kept: an error that is worth
 * decoding fits. */
enum { BODY_MAX = 64 * 1024, BODY_KEPT = 16 * 1024 };

static void
on_over(void *arg, const struct https_seen *seen, const struct https_answer *answer)
{
	struct probe           *probe = arg;
	const struct probe_ask *ask = probe_ask(probe);

	https_record(seen, answer, ask->arena, ask->endpoint);
	probe_over(probe);
}

static void *
start_https(struct probe *probe, void *shared)
{
	const struct probe_ask        *ask = probe_ask(probe);
	const struct https_request_ask request = {
		.probe = probe,
		.host = ask->host,
		.peer = ask->peer,
		.target = "/",
		.body_max = BODY_MAX,
		.body_kept = BODY_KEPT,
		.limit_ms = ask->limit_ms,
		.on_over = on_over,
		.arg = probe,
	};

	return https_request_start(shared, &request);
}

static void
cancel_https(void *run)
{
	https_request_cancel(run);
}

static bool
init_https(struct probes *probes, void **shared, struct err *err)
{
	*shared = https_requests_new(probes, err);
	return *shared != NULL;
}

static void
free_https(void *shared)
{
	https_requests_free(shared);
}

const struct probe_kind probe_https = {
	.name = "https",
	.init = init_https,
	.fini = free_https,
	.start = start_https,
	.cancel = cancel_https,
};
