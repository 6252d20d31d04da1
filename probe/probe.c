#include "probe/probe.h"

#include "probe/cassandra/cassandra_record.h"
#include "probe/dns/dns_kind.h"
#include "probe/feed/feed.h"
#include "probe/gremlin/gremlin_record.h"
#include "probe/https/https.h"
#include "probe/mongo/mongo_record.h"
#include "probe/nss/nss_kind.h"
#include "probe/rntbd/rntbd_record.h"
#include "probe/tables/tables_record.h"
#include "probe/tcp/tcp_record.h"
#include "probe/thin/thin_record.h"
#include "probe/tls/tls_record.h"
#include "probe/tls_roots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS_MAX = 16, IN_FLIGHT_PRESET = 64 };

struct probe {
	struct probes           *probes; /* borrowed; outlives us */
	const struct probe_kind *kind;
	struct probe_ask         ask;
	void                    *run; /* owned by the kind; NULL while waiting in line */
	bool                     running;
	struct probe            *previous, *next; /* in probes->waiting or probes->running */
};

struct list {
	struct probe *first, *last;
};

struct probes {
	struct probe_options options;
	struct tls_roots    *roots;                           /* owned */
	void                *shared[KINDS_MAX];               /* owned, by kind */
	struct list          waiting, waiting_aside, running; /* aside: kinds with own_line */
	unsigned             in_flight;
	struct loop_watch    starter; /* starts what waits, from the loop */
	bool                 closing;
};

const struct probe_kind *const probe_kinds[] = {
	&probe_dns,
	&probe_nss,
	&probe_tcp,
	&probe_tls,
	&probe_https,
	&probe_rntbd,
	&probe_thin,
	&probe_feed,
	&probe_mongo,
	&probe_cassandra,
	&probe_gremlin,
	&probe_tables,
	NULL,
};

static void
append(struct list *list, struct probe *probe)
{
	probe->next = NULL;
	probe->previous = list->last;
	if (list->last != NULL)
		list->last->next = probe;
	else
		list->first = probe;
	list->last = probe;
}

static void
take_out(struct list *list, struct probe *probe)
{
	if (probe->previous != NULL)
		probe->previous->next = probe->next;
	else
		list->first = probe->next;
	if (probe->next != NULL)
		probe->next->previous = probe->previous;
	else
		list->last = probe->previous;
}

static size_t
find_index(const struct probe_kind *const *kinds, const char *name)
{
	size_t i = 0;

	while (kinds[i] != NULL && strcmp(kinds[i]->name, name) != 0)
		i++;
	return i;
}

const struct probe_kind *
probe_kind_find(const char *name)
{
	return probe_kinds[find_index(probe_kinds, name)];
}

static void **
find_shared(struct probes *probes, const struct probe_kind *kind)
{
	return &probes->shared[find_index(probes->options.kinds, kind->name)];
}

static struct list *
line_of(struct probes *probes, const struct probe_kind *kind)
{
	return kind->own_line ? &probes->waiting_aside : &probes->waiting;
}

static void
start_first(struct probes *probes, struct list *line)
{
	struct probe *probe = line->first;

	take_out(line, probe);
	append(&probes->running, probe);
	probe->running = true;
	probes->in_flight += !probe->kind->own_line;
	probe->run = probe->kind->start(probe, *find_shared(probes, probe->kind));
}

static void
start_waiting(void *arg, unsigned what)
{
	struct probes *probes = arg;

	while (probes->waiting_aside.first != NULL)
		start_first(probes, &probes->waiting_aside);
	while (
	    probes->waiting.first != NULL && probes->in_flight < probes->options.in_flight_max)
		start_first(probes, &probes->waiting);
}

static bool
init_kinds(struct probes *probes, struct err *err)
{
	const struct probe_kind *kind;

	for (size_t i = 0; (kind = probes->options.kinds[i]) != NULL; i++) {
		assert(i < KINDS_MAX);
		if (kind->init != NULL && !kind->init(probes, &probes->shared[i], err))
			return false;
	}
	return true;
}

struct probes *
probes_new(const struct probe_options *options, struct err *err)
{
	struct probes *probes = mem_alloc(sizeof(*probes));

	probes->options = *options;
	if (probes->options.in_flight_max == 0)
		probes->options.in_flight_max = IN_FLIGHT_PRESET;
	if (probes->options.kinds == NULL)
		probes->options.kinds = probe_kinds;
	loop_watch_init(&probes->starter, options->loop, start_waiting, probes);
	probes->roots = tls_roots_new(options->ca_file, err);
	if (probes->roots == NULL || !init_kinds(probes, err)) {
		probes_free(probes);
		return NULL;
	}
	return probes;
}

void
probes_free(struct probes *probes)
{
	const struct probe_kind *kind;

	if (probes == NULL)
		return;
	probes->closing = true;
	while (probes->waiting.first != NULL)
		probe_cancel(probes->waiting.first);
	while (probes->waiting_aside.first != NULL)
		probe_cancel(probes->waiting_aside.first);
	while (probes->running.first != NULL)
		probe_cancel(probes->running.first);
	loop_watch_fini(&probes->starter);
	for (size_t i = 0; (kind = probes->options.kinds[i]) != NULL; i++) {
		if (kind->fini != NULL && probes->shared[i] != NULL)
			kind->fini(probes->shared[i]);
	}
	tls_roots_free(probes->roots);
	free(probes);
}

struct probe *
probe_start(struct probes *probes, const struct probe_ask *ask)
{
	struct probe *probe = mem_alloc(sizeof(*probe));

	probe->probes = probes;
	probe->ask = *ask;
	probe->kind = probes->options.kinds[find_index(probes->options.kinds, ask->kind)];
	assert(probe->kind != NULL && ask->limit_ms > 0 && ask->on_over != NULL);
	append(line_of(probes, probe->kind), probe);
	loop_watch_set(&probes->starter, -1, 0, 0);
	return probe;
}

/* Takes the probe out of its list and frees it; what waits may go on. */
static void
drop(struct probe *probe)
{
	struct probes *probes = probe->probes;

	take_out(probe->running ? &probes->running : line_of(probes, probe->kind), probe);
	if (probe->running)
		probes->in_flight -= !probe->kind->own_line;
	if (!probes->closing && probes->waiting.first != NULL)
		loop_watch_set(&probes->starter, -1, 0, 0);
	free(probe);
}

void
probe_cancel(struct probe *probe)
{
	if (probe == NULL)
		return;
	if (probe->running)
		probe->kind->cancel(probe->run);
	drop(probe);
}

static void
tell_answer(const struct probe *probe)
{
	const struct probe_options *options = &probe->probes->options;

	if (options->answered != NULL && probe->ask.dns != NULL)
		options->answered(options->answered_arg, probe->ask.host, probe->ask.dns);
}

void
probe_over(struct probe *probe)
{
	void (*on_over)(void *arg) = probe->ask.on_over;
	void *arg = probe->ask.arg;

	tell_answer(probe);
	drop(probe);
	on_over(arg);
}

const struct probe_ask *
probe_ask(const struct probe *probe)
{
	return &probe->ask;
}

const struct probe_options *
probe_options(const struct probe *probe)
{
	return &probe->probes->options;
}

const struct probe_options *
probes_options(const struct probes *probes)
{
	return &probes->options;
}

struct tls_roots *
probes_roots(const struct probes *probes)
{
	return probes->roots;
}

struct probes *
probe_probes(const struct probe *probe)
{
	return probe->probes;
}

bool
probe_allows(const struct probe *probe, const struct addr *peer)
{
	const struct probe_options *options = &probe->probes->options;

	return options->allows == NULL || options->allows(options->allows_arg, peer);
}
