#include "probe/nss/nss_kind.h"

#include "probe/nss/nss_record.h"

#include <stdlib.h>
#include <string.h>

/* A timer that fires later than this says that our own loop was late. */
static const int64_t late_us = 100 * US_PER_MS;

/* What all runs share. */
struct nss {
	struct nss_mailbox *mailbox; /* owned; NULL before the first run */
	struct loop_watch   watch;   /* of its descriptor */
};

struct nss_run {
	struct probe      *probe;  /* borrowed; outlives us */
	struct nss_lookup *lookup; /* owned; NULL: could not be started */
	const char        *host;   /* in the arena, without the last dot */
	struct err         err;    /* why it could not */
	struct loop_watch  timer;
	int64_t            due_us;
};

static void
free_run(void *arg)
{
	struct nss_run *run = arg;

	nss_lookup_free(run->lookup);
	loop_watch_fini(&run->timer);
	free(run);
}

/* The last thing that happens to the run. */
static void
finish(struct nss_run *run)
{
	struct probe *probe = run->probe;

	free_run(run);
	probe_over(probe);
}

static void
finish_failed(struct nss_run *run, enum outcome how, const char *detail)
{
	const struct probe_ask *ask = probe_ask(run->probe);

	nss_record_fail(ask->dns, how, arena_strdup(ask->arena, detail));
	finish(run);
}

static void
finish_answered(struct nss_run *run)
{
	const struct probe_ask *ask = probe_ask(run->probe);

	nss_record_fill(ask->dns, ask->arena, run->host, nss_lookup_answer(run->lookup));
	finish(run);
}

/* One at a time, since the end of a run may be the end of others: the descriptor stays readable
 * until the mailbox is empty. */
static void
on_mail(void *arg, unsigned what)
{
	struct nss     *nss = arg;
	struct nss_run *run = nss_mailbox_take(nss->mailbox);

	if (run != NULL)
		finish_answered(run);
}

static bool
is_late(const struct nss_run *run)
{
	return clock_mono_us(probe_options(run->probe)->clock) - run->due_us > late_us;
}

static void
finish_silent(struct nss_run *run)
{
	const struct probe_ask *ask = probe_ask(run->probe);

	if (is_late(run))
		finish_failed(run, OUTCOME_AGENT_LATE,
		    "our own loop was late; nothing is said of the system's resolver");
	else
		finish_failed(run, OUTCOME_TIMEOUT,
		    arena_printf(ask->arena, "getaddrinfo: no answer within %lld ms",
		        (long long)ask->limit_ms));
}

static void
on_due(void *arg, unsigned what)
{
	struct nss_run *run = arg;

	if (run->lookup == NULL) {
		finish_failed(run, OUTCOME_LOCAL, run->err.text);
		return;
	}
	switch (nss_lookup_stage(run->lookup)) {
	case NSS_WAITING: /* nothing was asked on its behalf, so nobody was silent */
		finish_failed(run, OUTCOME_LOCAL,
		    "not asked: getaddrinfo() of other names took all of the time");
		break;
	case NSS_RUNNING: finish_silent(run); break;
	case NSS_OVER: finish_answered(run); break;
	}
}

/* An application writes no dot at the end, and gets the search list for it. */
static const char *
cut_dot(struct arena *arena, const char *host)
{
	size_t bytes = strlen(host);

	return arena_strndup(
	    arena, host, bytes > 1 && host[bytes - 1] == '.' ? bytes - 1 : bytes);
}

static bool
open_mailbox(struct nss *nss, struct err *err)
{
	if (nss->mailbox != NULL)
		return true;
	nss->mailbox = nss_mailbox_open(err);
	if (nss->mailbox != NULL)
		loop_watch_keep(&nss->watch, nss_mailbox_fd(nss->mailbox), LOOP_READ);
	return nss->mailbox != NULL;
}

static void *
start_run(struct probe *probe, void *shared)
{
	const struct probe_ask     *ask = probe_ask(probe);
	const struct probe_options *options = probe_options(probe);
	struct nss_run             *run = mem_alloc(sizeof(*run));
	struct nss                 *nss = shared;
	int64_t                     wait_us = ask->limit_ms * US_PER_MS;

	run->probe = probe;
	run->host = cut_dot(ask->arena, ask->host);
	loop_watch_init(&run->timer, options->loop, on_due, run);
	if (open_mailbox(nss, &run->err))
		run->lookup = nss_lookup_start(nss->mailbox, run->host, run, &run->err);
	if (run->lookup == NULL)
		wait_us = 0; /* to say so from the loop */
	run->due_us = clock_mono_us(options->clock) + wait_us;
	loop_watch_set(&run->timer, -1, 0, wait_us);
	return run;
}

static bool
init_nss(struct probes *probes, void **shared, struct err *err)
{
	struct nss *nss = mem_alloc(sizeof(*nss));

	loop_watch_init(&nss->watch, probes_options(probes)->loop, on_mail, nss);
	*shared = nss;
	return true;
}

static void
fini_nss(void *shared)
{
	struct nss *nss = shared;

	loop_watch_fini(&nss->watch);
	nss_mailbox_close(nss->mailbox);
	free(nss);
}

const struct probe_kind probe_nss = {
	.name = "nss",
	.own_line = true,
	.init = init_nss,
	.fini = fini_nss,
	.start = start_run,
	.cancel = free_run,
};
