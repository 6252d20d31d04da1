#include "probe/tcp/tcp_record.h"

#include "probe/conn_probe.h"

void
tcp_record(struct endpoint *endpoint, const struct conn_seen *seen, struct arena *arena)
{
	char local[ADDR_TEXT] = "";

	if (seen->local.family != 0)
		addr_render(&seen->local, local, sizeof(local));
	endpoint->local = arena_strdup(arena, local);
	endpoint->tcp = seen->tcp;
	endpoint->tcp_us = seen->connect_us;
	endpoint->os_errno = (uint32_t)seen->os_errno;
	if (seen->detail[0] != '\0')
		endpoint->detail = seen->detail;
}

static void
record_tcp(const struct probe_ask *ask, const struct conn_seen *seen, const void *self)
{
	tcp_record(ask->endpoint, seen, ask->arena);
}

static const struct conn_recipe recipe = { .record = record_tcp };

static void *
start_tcp(struct probe *probe, void *shared)
{
	return conn_probe_start(probe, &recipe);
}

const struct probe_kind probe_tcp = {
	.name = "tcp",
	.start = start_tcp,
	.cancel = conn_probe_cancel,
};
