#include "probe/dns/dns_kind.h"

#include "probe/dns/dns_alone.h"
#include "probe/dns/dns_question.h"

#include <stdlib.h>

/* A and AAAA of one name, and A over TCP alone when that is wanted, asked of one resolver at the
 * same time. */
struct dns_run {
	struct probe        *probe;    /* borrowed; outlives us */
	struct dns_question *a, *aaaa; /* owned */
	struct dns_alone    *tcp;      /* owned; NULL: not asked */
	unsigned             open;     /* questions that are not over */
	struct loop_watch    ender;    /* ends the probe from the loop, whoever was last */
};

static void
free_run(void *arg)
{
	struct dns_run *run = arg;

	dns_question_free(run->a);
	dns_question_free(run->aaaa);
	dns_alone_free(run->tcp);
	loop_watch_fini(&run->ender);
	free(run);
}

static void
write_record(const struct dns_run *run)
{
	const struct probe_ask *ask = probe_ask(run->probe);
	const struct dns_heard *a = dns_question_heard(run->a);
	const char             *name = dns_question_name(run->a);
	char                    text[ADDR_TEXT];

	if (name == NULL)
		name = "";
	if (ask->peer.port == 53)
		addr_render(&ask->peer, text, sizeof(text));
	else
		addr_render_port(&ask->peer, text, sizeof(text));
	ask->dns->resolver = arena_strdup(ask->arena, text);
	dns_record_fill(ask->dns, ask->arena, name, a, dns_question_heard(run->aaaa));
	if (run->tcp != NULL)
		dns_record_compare(ask->dns, ask->arena, name, a, dns_alone_heard(run->tcp));
}

static void
on_end(void *arg, unsigned what)
{
	struct dns_run *run = arg;
	struct probe   *probe = run->probe;

	write_record(run);
	free_run(run);
	probe_over(probe);
}

static void
on_question_over(void *arg)
{
	struct dns_run *run = arg;

	if (--run->open == 0)
		loop_watch_set(&run->ender, -1, 0, 0);
}

static void *
start_run(struct probe *probe, void *shared)
{
	struct dns_run *run = mem_alloc(sizeof(*run));

	run->probe = probe;
	run->open = probe_ask(probe)->tcp_too ? 3 : 2;
	loop_watch_init(&run->ender, probe_options(probe)->loop, on_end, run);
	run->a = dns_question_start(probe, DNS_TYPE_A, on_question_over, run);
	run->aaaa = dns_question_start(probe, DNS_TYPE_AAAA, on_question_over, run);
	if (probe_ask(probe)->tcp_too)
		run->tcp = dns_alone_start(probe, DNS_TYPE_A, on_question_over, run);
	return run;
}

const struct probe_kind probe_dns = {
	.name = "dns",
	.start = start_run,
	.cancel = free_run,
};
