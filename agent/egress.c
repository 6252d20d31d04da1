#include "agent/egress.h"

#include "agent/learned.h"
#include "agent/pace.h"
#include "agent/policy.h"
#include "agent/policy_file.h"
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

struct egress {
	const struct clock      *clock; /* borrowed, as is conf */
	const struct agent_conf *conf;
	struct learned          *learned; /* owned */
	struct pace              names, connects;
	uint64_t                 refused;
	const char              *reason;
};

struct egress *
egress_new(const struct clock *clock)
{
	struct egress *egress = mem_alloc(sizeof(*egress));

	*egress = (struct egress){ .clock = clock, .learned = learned_new(), .reason = "" };
	return egress;
}

void
egress_free(struct egress *egress)
{
	if (egress == NULL)
		return;
	learned_free(egress->learned);
	free(egress);
}

void
egress_set(struct egress *egress, const struct agent_conf *conf)
{
	const struct policy_file *file = conf->policy;
	int64_t                   now_us = clock_mono_us(egress->clock);

	egress->conf = conf;
	pace_init(&egress->names, file->names_per_minute, MS_PER_MIN * US_PER_MS, now_us);
	pace_init(&egress->connects, file->connect_rate, US_PER_S, now_us);
}

/* Whoever answers from outside leads nobody to an address in here, nor anywhere where the local
 * configuration wants nobody to ask outside. */
static bool
may_lead(const struct egress *egress, const struct dns *seen, const struct addr *addr)
{
	return seen->source != SOURCE_OUTSIDE ||
	    (policy_outside(egress->conf) > 0 && addr_is_public(addr));
}

void
egress_learn(struct egress *egress, const char *host, const struct dns *seen, bool direct)
{
	int64_t     now_us = clock_mono_us(egress->clock);
	bool        any_port = direct && seen->source != SOURCE_OUTSIDE;
	struct addr addr;

	/* Replicas' hosts are no names of the account, but stand beside them. */
	if (!policy_follows(egress->conf, host))
		return;
	for (size_t i = 0; i < seen->addresses_count; i++) {
		if (addr_parse(&addr, seen->addresses[i].address, 0, NULL) &&
		    may_lead(egress, seen, &addr))
			learned_add(egress->learned, &addr, any_port, now_us);
	}
}

static bool
is_in_nets(const struct policy_file *file, const struct addr *peer)
{
	for (size_t i = 0; i < file->net_count; i++) {
		if (net_has(&file->nets[i], peer))
			return true;
	}
	return file->net_count == 0;
}

/* The proxy of the local configuration: named by address it is held to that, named otherwise to
 * its port, since libcurl resolves it. */
static bool
is_proxy(const struct agent_conf *conf, const struct addr *peer)
{
	const char *host = conf->proxy != NULL ? strstr(conf->proxy, "://") : NULL;
	const char *port = host != NULL ? strrchr(host + 3, ':') : NULL;
	struct addr addr;

	if (port == NULL)
		return false;
	if (addr_parse(&addr, host + 3, 0, NULL))
		return addr_equal(&addr, peer) && addr.port == peer->port;
	return strtoul(port + 1, NULL, 10) == peer->port;
}

static const char *
find_reason(struct egress *egress, const struct addr *peer)
{
	const struct policy_file *file = egress->conf->policy;
	int64_t                   now_us = clock_mono_us(egress->clock);
	bool                      direct = false;

	if (policy_is_resolver(egress->conf, peer))
		return NULL;
	if (!policy_allows((void *)egress->conf, peer))
		return "address of the platform or of this machine";
	if (is_proxy(egress->conf, peer))
		return NULL;
	if (!learned_knows(egress->learned, peer, &direct, now_us))
		return "address that no resolver answered";
	if (!is_in_nets(file, peer))
		return "outside the networks of 'connect'";
	if (!file->public && addr_class(peer) == ADDR_PUBLIC)
		return "public address, and 'public' is false";
	if (!direct && !policy_has_port(egress->conf, peer->port))
		return "port that is not one of 'ports'";
	if (!learned_knock(egress->learned, peer, (unsigned)file->ports_per_address, now_us))
		return "more ports of one address than 'ports_per_address'";
	if (!pace_take(&egress->connects, now_us))
		return "more connections a second than 'connect_rate'";
	return NULL;
}

bool
egress_allows(void *arg, const struct addr *peer)
{
	struct egress *egress = arg;
	const char    *reason = find_reason(egress, peer);

	if (reason == NULL)
		return true;
	egress->refused++;
	egress->reason = reason;
	return false;
}

bool
egress_names(struct egress *egress, int64_t *wait_us)
{
	int64_t now_us = clock_mono_us(egress->clock);

	if (pace_take(&egress->names, now_us))
		return true;
	*wait_us = pace_wait_us(&egress->names, now_us);
	return false;
}

uint64_t
egress_refused(const struct egress *egress)
{
	return egress->refused;
}

const char *
egress_reason(const struct egress *egress)
{
	return egress->reason;
}
