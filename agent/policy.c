#include "agent/policy.h"

#include "agent/agent_conf.h"
#include "agent/policy_file.h"
#include "analyze/support.h"
#include "base/clock.h"
#include "base/text.h"
#include "probe/vantages.h"
#include "probe/visit.h"

#include <fnmatch.h>
#include <string.h>

enum {
	LABEL_MAX = 63,
	WIRESERVER_PORT = 53, /* of DNS */
	PORT_PRESET = 443,
	/* What the settings `interval` and `timeout` allow. */
	INTERVAL_LEAST_MS = 1000,
	LIMIT_MOST_MS = 300000
};

/* The platform's own server: DNS is its only service that concerns us [azure-168-63-129-16]. */
static const uint8_t wireserver[4] = { 168, 63, 129, 16 };

static const char zone_prefix[] = "privatelink.";

static bool
is_first_label_sane(const char *host)
{
	size_t length = strcspn(host, ".");

	return length >= 3 && length <= LABEL_MAX &&
	    strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-") >= length;
}

/* A suffix of Azure Cosmos DB in any cloud, or of the setting `suffixes`, and exactly one label
 * before it: nothing is sent out in names. */
static bool
is_suffix_known(const struct agent_conf *conf, const char *host, bool dns_only)
{
	struct support_more  own = { conf->suffixes.texts, conf->suffixes.count };
	const char          *rest = strchr(host, '.');
	struct support_place place;

	if (rest == NULL)
		return false;
	rest++;
	/* Names of the private zone itself are looked up, and never connected to. */
	if (dns_only && text_starts_nocase(rest, zone_prefix))
		rest += strlen(zone_prefix);
	place = support_place_of(rest, &own);
	return place.kind != SUPPORT_STRANGE && place.kind != SUPPORT_DEAD;
}

/* The zones of the policy file, with what stands in front of them. */
static bool
is_zone_allowed(const struct agent_conf *conf, const char *host)
{
	const struct policy_file *file = conf->policy;

	if (file == NULL || file->zones.count == 0)
		return true;
	for (size_t i = 0; i < file->zones.count; i++) {
		const char *zone = file->zones.texts[i];
		size_t      length = strlen(host), tail = strlen(zone);

		if (length > tail && host[length - tail - 1] == '.' &&
		    text_ends_nocase(host, zone))
			return true;
	}
	return false;
}

static bool
is_one_of(const struct conf_texts *patterns, const char *account)
{
	for (size_t i = 0; i < patterns->count; i++) {
		if (fnmatch(patterns->texts[i], account, 0) == 0)
			return true;
	}
	return patterns->count == 0;
}

static bool
is_port_among(const uint16_t *ports, size_t count, uint32_t port)
{
	for (size_t i = 0; i < count; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

bool
policy_has_port(const struct agent_conf *conf, uint32_t port)
{
	const struct policy_file *file = conf->policy;

	if (port == 0)
		port = PORT_PRESET;
	if (file != NULL && file->port_count > 0 &&
	    !is_port_among(file->ports, file->port_count, port))
		return false;
	return is_port_among(conf->ports, conf->port_count, port);
}

bool
policy_follows(const struct agent_conf *conf, const char *host)
{
	return is_suffix_known(conf, host, false) && is_zone_allowed(conf, host);
}

/* A name of another account must not pass for one of this. */
static bool
is_name_of_account(const char *account, const char *host)
{
	size_t length = strlen(account);

	return length >= 3 && strncmp(host, account, length) == 0 &&
	    (host[length] == '.' || host[length] == '-');
}

static bool
check_times(const struct target *target, struct err *err)
{
	if (target->interval_ms != 0 && target->interval_ms < INTERVAL_LEAST_MS)
		return err_set(err, ERR_LIMIT, "%.80s: every %u ms; %d at least wanted",
		    target->host, target->interval_ms, INTERVAL_LEAST_MS);
	if (target->limit_ms > LIMIT_MOST_MS)
		return err_set(err, ERR_LIMIT, "%.80s: for %u ms; %d at most wanted",
		    target->host, target->limit_ms, LIMIT_MOST_MS);
	return true;
}

static bool
check_names(const struct agent_conf *conf, const char *account, const char *host, bool dns_only,
    struct err *err)
{
	if (!is_first_label_sane(host))
		return err_set(
		    err, ERR_LIMIT, "%.80s: not the name of an account or region", host);
	if (!is_suffix_known(conf, host, dns_only))
		return err_set(err, ERR_LIMIT,
		    "%.80s: not a name of Azure Cosmos DB, nor of 'suffixes'", host);
	if (!is_name_of_account(account, host))
		return err_set(
		    err, ERR_LIMIT, "%.80s: not a name of the account %.60s", host, account);
	if (!is_zone_allowed(conf, host))
		return err_set(err, ERR_LIMIT, "%.80s: not in a zone of the policy file", host);
	if (!is_one_of(&conf->allow_accounts, account))
		return err_set(
		    err, ERR_LIMIT, "%.60s: no pattern of 'allow_accounts' fits", account);
	if (conf->policy != NULL && !is_one_of(&conf->policy->accounts, account))
		return err_set(err, ERR_LIMIT,
		    "%.60s: no pattern of 'accounts' of the policy file fits", account);
	return true;
}

bool
policy_names(
    const struct agent_conf *conf, const char *account, const char *host, struct err *err)
{
	return check_names(conf, account, host, false, err);
}

bool
policy_takes(const struct agent_conf *conf, const struct target *target, struct err *err)
{
	if (!check_names(conf, target->account, target->host, target->dns_only, err))
		return false;
	if (!policy_has_port(conf, target->port))
		return err_set(err, ERR_LIMIT, "%.80s: port %u is not one of 'ports'",
		    target->host, target->port);
	/* Direct mode has probes of its own, and belongs to NoSQL alone. */
	if (target->mode == MODE_DIRECT ? target->api != API_SQL
	                                : !visit_knows(target->api, target->mode))
		return err_set(err, ERR_LIMIT, "%.80s: no probe for the API %s in mode %s",
		    target->host, api_name(target->api), mode_name(target->mode));
	if (conf->policy != NULL && !conf->policy->direct && target->mode == MODE_DIRECT)
		return err_set(err, ERR_LIMIT, "%.80s: 'direct' of the policy file is false",
		    target->host);
	return check_times(target, err);
}

bool
policy_spends(const struct agent_conf *conf, const struct target *target, int64_t interval_ms,
    struct policy_budget *budget, struct err *err)
{
	int64_t most = conf->policy->names_per_minute;
	double  rate;

	if (target->interval_ms != 0)
		interval_ms = target->interval_ms;
	rate = (double)MS_PER_MIN / (double)interval_ms;
	if (target->role == ROLE_SWEEP && target->dns_only)
		return true;
	if (budget->names_per_minute + rate > (double)most)
		return err_set(err, ERR_LIMIT,
		    "%.80s: more than the %lld measurements a minute of 'names_per_minute'",
		    target->host, (long long)most);
	budget->names_per_minute += rate;
	return true;
}

static bool
is_platform(const struct addr *peer)
{
	if (peer->family == 4 && memcmp(peer->bytes, wireserver, sizeof(wireserver)) == 0)
		return peer->port != WIRESERVER_PORT;
	switch (addr_class(peer)) {
	case ADDR_LINK_LOCAL:
	case ADDR_MULTICAST: return true;
	case ADDR_RESERVED: /* 0/8, 240/4, ::; not the ranges of examples and benchmarks */
		return peer->family == 4 ? peer->bytes[0] == 0 || peer->bytes[0] >= 240
		                         : peer->bytes[0] == 0;
	case ADDR_PUBLIC:
	case ADDR_PRIVATE:
	case ADDR_SHARED:
	case ADDR_LOOPBACK: break;
	}
	return false;
}

size_t
policy_outside(const struct agent_conf *conf)
{
	const struct policy_file *file = conf->policy;

	return file == NULL || (file->outside && file->public) ? conf->outside_count : 0;
}

static bool
is_outside(const struct agent_conf *conf, const struct addr *peer)
{
	for (size_t i = 0; i < policy_outside(conf); i++) {
		if (addr_equal(&conf->outside[i], peer) && conf->outside[i].port == peer->port)
			return true;
	}
	return false;
}

/* The metadata service, which gives tokens to whoever asks [azure-imds].  At 53 a resolver may be
 * there, in other places than Azure. */
static bool
is_metadata(const struct addr *peer)
{
	static const uint8_t bytes[4] = { 169, 254, 169, 254 };
	struct addr          end = addr_unwrap(peer);

	return end.family == 4 && memcmp(end.bytes, bytes, sizeof(bytes)) == 0 &&
	    peer->port != WIRESERVER_PORT;
}

bool
policy_is_resolver(const struct agent_conf *conf, const struct addr *peer)
{
	const struct vantages *vantages = conf->vantages;

	if (is_metadata(peer))
		return false;
	for (size_t i = 0; vantages != NULL && i < vantages->count; i++) {
		const struct addr *resolver = &vantages->list[i].resolver;

		if (addr_equal(resolver, peer) && resolver->port == peer->port)
			return true;
	}
	return is_outside(conf, peer);
}

bool
policy_allows(void *conf_arg, const struct addr *peer)
{
	const struct agent_conf *conf = conf_arg;
	struct addr              end = addr_unwrap(peer);

	if (policy_is_resolver(conf, peer))
		return true;
	if (addr_class(&end) == ADDR_LOOPBACK)
		return conf->allow_loopback;
	return !is_platform(&end);
}

bool
policy_allows_by_hand(void *nothing, const struct addr *peer)
{
	struct addr end = addr_unwrap(peer);

	/* A resolver may be link-local: it is what the user or resolv.conf names. */
	return peer->port == 53 || !is_platform(&end);
}
