#include "agent/gate.h"

#include "agent/learned.h"
#include "agent/policy.h"
#include "agent/policy_file.h"
#include "base/arena.h"

#include <stdlib.h>

struct gate {
	const struct clock      *clock; /* borrowed, as is conf */
	const struct agent_conf *conf;
	struct learned          *learned; /* owned */
	int64_t     tokens, filled_us;    /* connections that may begin, in millionths */
	uint64_t    refused;
	const char *reason;
};

struct gate *
gate_new(const struct clock *clock)
{
	struct gate *gate = mem_alloc(sizeof(*gate));

	*gate = (struct gate){ .clock = clock, .learned = learned_new(), .reason = "" };
	gate->filled_us = clock_mono_us(clock);
	return gate;
}

void
gate_free(struct gate *gate)
{
	if (gate == NULL)
		return;
	learned_free(gate->learned);
	free(gate);
}

void
gate_set(struct gate *gate, const struct agent_conf *conf)
{
	gate->conf = conf;
	gate->tokens = conf->policy->connect_rate * US_PER_S;
}

void
gate_learn(struct gate *gate, const char *host, const struct dns *seen, bool direct)
{
	int64_t     now_us = clock_mono_us(gate->clock);
	struct addr addr;

	/* Replicas' hosts are no names of the account, but stand beside them. */
	if (!policy_follows(gate->conf, host))
		return;
	for (size_t i = 0; i < seen->addresses_count; i++) {
		if (addr_parse(&addr, seen->addresses[i].address, 0, NULL))
			learned_add(gate->learned, &addr, direct, now_us);
	}
}

/* A second's worth may begin at once. */
static bool
take_token(struct gate *gate, int64_t now_us)
{
	int64_t rate = gate->conf->policy->connect_rate;
	int64_t most = rate * US_PER_S;
	int64_t since_us = now_us - gate->filled_us;

	gate->filled_us = now_us;
	gate->tokens += since_us > US_PER_S ? most : since_us * rate;
	if (gate->tokens > most)
		gate->tokens = most;
	if (gate->tokens < US_PER_S)
		return false;
	gate->tokens -= US_PER_S;
	return true;
}

static bool
is_in_nets(const struct policy_file *file, const struct addr *peer)
{
	for (size_t i = 0; i < file->net_count; i++) {
		if (policy_net_has(&file->nets[i], peer))
			return true;
	}
	return file->net_count == 0;
}

static const char *
find_reason(struct gate *gate, const struct addr *peer)
{
	const struct policy_file *file = gate->conf->policy;
	int64_t                   now_us = clock_mono_us(gate->clock);
	bool                      direct = false;

	if (policy_is_resolver(gate->conf, peer))
		return NULL;
	if (!policy_allows((void *)gate->conf, peer))
		return "address of the platform or of this machine";
	if (!learned_knows(gate->learned, peer, &direct, now_us))
		return "address that no resolver answered";
	if (!is_in_nets(file, peer))
		return "outside the networks of 'connect'";
	if (!file->public && addr_class(peer) == ADDR_PUBLIC)
		return "public address, and 'public' is false";
	if (!direct && !policy_has_port(gate->conf, peer->port))
		return "port that is not one of 'ports'";
	if (!learned_knock(gate->learned, peer, (unsigned)file->ports_per_address, now_us))
		return "more ports of one address than 'ports_per_address'";
	if (!take_token(gate, now_us))
		return "more connections a second than 'connect_rate'";
	return NULL;
}

bool
gate_allows(void *arg, const struct addr *peer)
{
	struct gate *gate = arg;
	const char  *reason = find_reason(gate, peer);

	if (reason == NULL)
		return true;
	gate->refused++;
	gate->reason = reason;
	return false;
}

uint64_t
gate_refused(const struct gate *gate)
{
	return gate->refused;
}

const char *
gate_reason(const struct gate *gate)
{
	return gate->reason;
}
