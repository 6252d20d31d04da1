#include "tests/sim/sim_made.h"

#include <inttypes.h>

enum { NETWORKS = 100 };

static const char *const regions[SIM_NAMES] = { "", "eastus", "westeurope", "northeurope" };

/* FNV-1a over "agent/number". */
static uint32_t
make_sign(struct arena *arena, unsigned agent, uint64_t number)
{
	uint32_t sign = UINT32_C(2166136261);

	for (const char *at = arena_printf(arena, "%u/%" PRIu64, agent, number); *at != '\0';
	     at++)
		sign = (sign ^ (unsigned char)*at) * UINT32_C(16777619);
	return sign;
}

static bool
is_missing(unsigned agent, unsigned account, unsigned name, uint64_t round)
{
	if (agent % NETWORKS % 10 == 0 && name == 2)
		return true;
	return (agent + round) % 100 == 7 && account == 0 && name == 1;
}

void
sim_made_fill(struct arena *arena, struct measurement *seen, unsigned agent, unsigned accounts,
    uint64_t number, uint32_t interval_ms, int64_t now_ms)
{
	unsigned         names = accounts * SIM_NAMES, at = (unsigned)(number % names);
	unsigned         account = at / SIM_NAMES, name = at % SIM_NAMES;
	bool             missing = is_missing(agent, account, name, number / names);
	struct target   *target = arena_alloc(arena, sizeof(*target));
	struct dns      *dns = arena_alloc(arena, sizeof(*dns));
	struct hop      *hop = arena_alloc(arena, sizeof(*hop));
	struct rdata    *address = arena_alloc(arena, sizeof(*address));
	struct endpoint *endpoint = arena_alloc(arena, sizeof(*endpoint));
	const char      *label = arena_printf(
	         arena, "account%u%s%s", account, name > 0 ? "-" : "", regions[name]);

	target->account = arena_printf(arena, "account%u", account);
	target->region = regions[name];
	target->host = arena_printf(arena, "%s.documents.azure.com", label);
	target->port = 443;
	target->interval_ms = interval_ms;
	hop->owner = target->host;
	hop->target = arena_printf(arena, "%s.privatelink.documents.azure.com", label);
	address->address = arena_printf(arena, "10.%u.0.%u", account, name + 4);
	*dns = (struct dns){ .resolver = "10.0.0.2",
		.outcome = missing ? OUTCOME_NXDOMAIN : OUTCOME_OK,
		.rcode = missing ? 3 : 0,
		.hops = hop,
		.hops_count = 1,
		.addresses = address,
		.addresses_count = missing ? 0 : 1 };
	*endpoint = (struct endpoint){ .address = address->address,
		.port = 443,
		.tcp = OUTCOME_OK,
		.tls = OUTCOME_OK,
		.http = OUTCOME_OK,
		.http_status = 401 };
	*seen = (struct measurement){ .target = target,
		.started_ms = now_ms,
		.took_us = make_sign(arena, agent, number),
		.detail = arena_printf(arena, "%" PRIu64, number),
		.dns = dns,
		.dns_count = 1,
		.endpoints = endpoint,
		.endpoints_count = missing ? 0 : 1 };
}
