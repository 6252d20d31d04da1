#include "probe/tls/tls_record.h"

#include "probe/conn_probe.h"
#include "probe/tcp/tcp_record.h"

void
tls_record(struct endpoint *endpoint, const struct conn_seen *seen, struct arena *arena)
{
	const struct conn_tls_facts *facts = &seen->facts;

	tcp_record(endpoint, seen, arena);
	endpoint->tls = seen->tls;
	endpoint->tls_us = seen->tls_us;
	endpoint->tls_version = facts->version;
	endpoint->verify_code = facts->verify_code;
	endpoint->verify_text = facts->verify_text;
	endpoint->subject = facts->subject;
	endpoint->sans = facts->sans;
	endpoint->issuer = facts->issuer;
	endpoint->not_before_ms = facts->not_before_ms;
	endpoint->not_after_ms = facts->not_after_ms;
	endpoint->chain_length = facts->chain_length;
}

static void
record_tls(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	tls_record(ask->endpoint, seen, ask->arena);
}

static const struct conn_recipe recipe = { .tls = true, .record = record_tls };

static void *
start_tls(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_tls = {
	.name = "tls",
	.start = start_tls,
	.cancel = conn_probe_cancel,
};
