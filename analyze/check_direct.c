#include "analyze/checks.h"

#include "analyze/scene_modes.h"
#include "base/text.h"

#include <string.h>

enum { CONTACTS_QUOTED = 3 };

/* Both handshakes ended alike, for the same reason where one is told. */
static bool
fails_alike(const struct contact *contact, const struct endpoint *gateway)
{
	const struct endpoint *end = contact->replica->end;

	if (gateway->tls == OUTCOME_OK || gateway->tls == OUTCOME_NOT_RUN)
		return false;
	return contact->outcome == (enum outcome)gateway->tls &&
	    (end == NULL || end->verify_code == gateway->verify_code);
}

/* Not a failure that the name's gateway shows at the same address, nor at an address that a wrong
 * answer names: these are told there.  What got further than the gateway, or fails at TLS in another
 * way, has a cause of its own. */
static bool
follows(const struct contact *contact)
{
	const struct attempt *gateway = contact->gateway;
	bool gateway_failed = gateway != NULL && gateway->end->tcp != OUTCOME_OK &&
	    gateway->end->tcp != OUTCOME_NOT_RUN;

	if (contact->attempt.excused &&
	    (contact->attempt.claim.kind != CLAIM_RIGHT || gateway_failed))
		return true;
	if (gateway == NULL)
		return false;
	if (contact->stage == CONTACT_TCP)
		return gateway_failed;
	return contact->stage == CONTACT_TLS && fails_alike(contact, gateway->end);
}

/* 443 showed a certificate that verifies, to the gateway's probe or to a signed request. */
static bool
is_verified_beside(const struct site *site, const struct contact *contact)
{
	const struct feed *feed = site->seen->feed;

	if (contact->gateway != NULL && contact->gateway->end->tls != OUTCOME_NOT_RUN)
		return contact->gateway->end->tls == OUTCOME_OK;
	return feed != NULL && feed->http_status != 0;
}

static enum finding_code
find_handshake_failure(const struct site *site, const struct contact *contact)
{
	switch (contact->outcome) {
	case OUTCOME_TLS_REJECTED:
		return is_verified_beside(site, contact) ? FINDING_DIRECT_TLS_INTERCEPTED
		                                         : FINDING_DIRECT_TLS_FAILED;
	case OUTCOME_NOT_TLS: return FINDING_DIRECT_NOT_RNTBD;
	/* A RST behind the last packet of the TCP handshake is seen at the next stage. */
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return FINDING_DIRECT_RESET;
	default: return FINDING_DIRECT_TLS_FAILED;
	}
}

static enum finding_code
find_context_failure(const struct contact *contact)
{
	if (contact->replica->status != 0)
		return FINDING_DIRECT_CONTEXT_REFUSED;
	switch (contact->outcome) {
	case OUTCOME_TIMEOUT:
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return FINDING_DIRECT_CONTEXT_SILENT;
	default: return FINDING_DIRECT_NOT_RNTBD;
	}
}

static enum finding_code
find_failure(const struct site *site, const struct contact *contact)
{
	switch (contact->stage) {
	case CONTACT_DNS: return FINDING_REPLICA_NAME_MISSING;
	case CONTACT_TLS: return find_handshake_failure(site, contact);
	case CONTACT_CONTEXT: return find_context_failure(contact);
	case CONTACT_TCP:
	case CONTACT_OVER: break;
	}
	switch (contact->outcome) {
	case OUTCOME_REFUSED: return FINDING_DIRECT_REFUSED;
	case OUTCOME_UNREACHABLE: return FINDING_DIRECT_UNREACHABLE;
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return FINDING_DIRECT_RESET;
	default: return FINDING_DIRECT_TIMEOUT;
	}
}

/* TransportErrorCode of the SDKs, so that people find it in the logs of an application [rntbd-sdk]. */
static const char *
name_sdk_code(unsigned code)
{
	static const char *const names[] = {
		[3] = " DnsResolutionFailed",
		[4] = " DnsResolutionTimeout",
		[5] = " ConnectFailed",
		[6] = " ConnectTimeout",
		[7] = " SslNegotiationFailed",
		[8] = " SslNegotiationTimeout",
		[9] = " TransportNegotiationTimeout",
		[15] = " ReceiveFailed",
		[16] = " ReceiveTimeout",
		[17] = " ReceiveStreamClosed",
		[18] = " ConnectionBroken",
	};

	return code < sizeof(names) / sizeof(names[0]) && names[code] != NULL ? names[code]
	                                                                      : "";
}

/* "contoso-westeurope...:21226 (10.1.1.6): connect_timeout, SDK TransportErrorCode 6 ..." */
static const char *
describe_contact(const struct scene *scene, const struct contact *contact)
{
	const struct replica  *replica = contact->replica;
	const struct endpoint *end = replica->end;
	const char            *text = arena_printf(scene->arena, "%s: %s",
	               scene_modes_peer(scene->arena, contact->replica),
            text_is_said(replica->stage) ? replica->stage : outcome_name(contact->outcome));

	if (replica->sdk_code != 0)
		text = arena_printf(scene->arena, "%s, SDK TransportErrorCode %u%s", text,
		    replica->sdk_code, name_sdk_code(replica->sdk_code));
	if (contact->stage == CONTACT_DNS)
		return arena_printf(
		    scene->arena, "%s, %s", text, outcome_name(contact->outcome));
	if (replica->status != 0)
		text = arena_printf(scene->arena, "%s, status %u", text, replica->status);
	if (text_is_said(replica->error_code))
		text = arena_printf(scene->arena, "%s %s", text, replica->error_code);
	if (text_is_said(replica->error_text))
		text = arena_printf(scene->arena, "%s: \"%s\"", text, replica->error_text);
	if (contact->stage == CONTACT_TLS && text_is_said(end->verify_text))
		text = arena_printf(scene->arena, "%s, %s", text, end->verify_text);
	if (contact->stage == CONTACT_TLS && text_is_said(end->issuer))
		text = arena_printf(scene->arena, "%s; issuer %s", text, end->issuer);
	if (contact->stage < CONTACT_CONTEXT && text_is_said(end->detail))
		text = arena_printf(scene->arena, "%s (%s)", text, end->detail);
	if (contact->stage == CONTACT_CONTEXT && text_is_said(replica->detail))
		text = arena_printf(scene->arena, "%s (%s)", text, replica->detail);
	return text;
}

/* "1 of 4 ports answers, 1 of 1 inside 10000-20000, 0 of 3 outside". */
static const char *
describe_ports(const struct scene *scene, const struct direct *direct)
{
	size_t low = 0, low_well = 0, tried = 0;

	for (size_t i = 0; i < direct->count; i++) {
		const struct contact *contact = &direct->contacts[i];
		bool                  is_low = scene_modes_is_low(contact->replica);

		if (contact->kind == CONTACT_NONE)
			continue;
		tried++;
		low += is_low ? 1 : 0;
		low_well += is_low && contact->kind == CONTACT_WELL ? 1 : 0;
	}
	return arena_printf(scene->arena,
	    "%zu of %zu ports answer: %zu of %zu inside 10000-20000, %zu of %zu outside",
	    direct->well, tried, low_well, low, direct->well - low_well, tried - low);
}

/* What 443 of the same address shows. */
static const char *
describe_gateway(const struct scene *scene, const struct contact *contact)
{
	if (contact->gateway == NULL)
		return "";
	if (contact->gateway->end->http == OUTCOME_OK)
		return arena_printf(
		    scene->arena, "; the gateway at %s answers", contact->gateway->peer);
	return arena_printf(scene->arena, "; the gateway at %s: tcp %s, tls %s",
	    contact->gateway->peer, outcome_name(contact->gateway->end->tcp),
	    outcome_name(contact->gateway->end->tls));
}

/* The failures of one code (FINDING_COUNT: of any) behind one name, as one sighting. */
struct tally {
	enum finding_code     code;
	const struct contact *first;
	const char           *lines;
	size_t                count;
	bool                  primary; /* one of them is a primary */
};

static void
tally_contact(const struct scene *scene, struct tally *tally, const struct contact *contact)
{
	tally->primary |= contact->replica->primary;
	if (tally->count++ == 0)
		tally->first = contact;
	if (tally->count <= CONTACTS_QUOTED)
		tally->lines = arena_printf(scene->arena, "%s%s%s", tally->lines,
		    tally->count > 1 ? "; " : "", describe_contact(scene, contact));
}

static const char *
find_detail(const struct scene *scene, const struct tally *tally)
{
	const struct replica *replica = tally->first->replica;

	switch (tally->code) {
	case FINDING_DIRECT_CONTEXT_REFUSED:
		return arena_printf(scene->arena, "status %u%s%s", replica->status,
		    text_is_said(replica->error_code) ? " " : "",
		    text_is_said(replica->error_code) ? replica->error_code : "");
	case FINDING_DIRECT_TLS_INTERCEPTED:
		return text_is_said(replica->end->issuer) ? replica->end->issuer
		                                          : "an unnamed issuer";
	case FINDING_REPLICA_NAME_MISSING: return replica->host;
	default: return outcome_name(tally->first->outcome);
	}
}

static const char *
address_of(const struct contact *contact)
{
	const struct endpoint *end = contact->replica->end;

	return end != NULL && text_is_said(end->address) ? end->address
	                                                 : contact->replica->host;
}

static void
add_tally(const struct scene *scene, const struct site *site, const struct tally *tally,
    struct sighting *sighting, struct report *out)
{
	const char *more = tally->count <= CONTACTS_QUOTED
	    ? ""
	    : arena_printf(
	          scene->arena, "; and %zu more alike", tally->count - CONTACTS_QUOTED);

	sighting->site = site;
	sighting->address = address_of(tally->first);
	sighting->port = tally->first->replica->port;
	sighting->evidence = arena_printf(scene->arena, "%s%s; %s%s%s", tally->lines, more,
	    describe_ports(scene, site->direct), describe_gateway(scene, tally->first),
	    site->direct->origin == ORIGIN_PASTED
	        ? "; the addresses were given by hand, and replicas move"
	        : "");
	report_add(out, sighting);
}

/* None answers: each way in which they fail. */
static void
check_none(const struct scene *scene, const struct site *site, bool hidden, struct report *out)
{
	enum finding_code        cause = FINDING_COUNT;
	const struct connection *blocking = check_blocking_connection(scene, &cause);

	for (enum finding_code code = FINDING_DIRECT_TIMEOUT;
	     code <= FINDING_REPLICA_NAME_MISSING; code++) {
		struct tally    tally = { .code = code, .lines = "" };
		struct sighting sighting = { .code = code };

		for (size_t i = 0; i < site->direct->count; i++) {
			const struct contact *contact = &site->direct->contacts[i];

			if (contact->kind == CONTACT_FAILED && !(hidden && follows(contact)) &&
			    find_failure(site, contact) == code)
				tally_contact(scene, &tally, contact);
		}
		if (tally.count == 0)
			continue;
		sighting.detail = find_detail(scene, &tally);
		/* An endpoint that is not approved carries no traffic: nothing else is to
		 * blame. */
		if (blocking != NULL && code <= FINDING_DIRECT_UNREACHABLE &&
		    tally.first->own) {
			sighting.code = cause;
			sighting.connection = blocking->name;
			sighting.group = "account";
		}
		add_tally(scene, site, &tally, &sighting, out);
	}
}

/* Reads find another replica; writes have one primary, and nowhere else to go. */
static void
check_some(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct direct *direct = site->direct;
	struct tally         tally = { .code = FINDING_COUNT, .lines = "" };

	for (size_t i = 0; i < direct->count; i++) {
		if (direct->contacts[i].kind == CONTACT_FAILED)
			tally_contact(scene, &tally, &direct->contacts[i]);
	}
	add_tally(scene, site, &tally,
	    &(struct sighting){ .code = FINDING_DIRECT_SOME_REPLICAS,
	        .severity = tally.primary ? STATE_CRITICAL : STATE_WARNING,
	        .detail = arena_printf(
	            scene->arena, "%zu of %zu", direct->well, direct->well + direct->failed) },
	    out);
}

/* What guessed ports showed. */
static const char *
describe_sample(const struct scene *scene, const struct site *site)
{
	size_t      stages[CONTACT_OVER + 1] = { 0 };
	const char *address = "";

	for (size_t i = 0; i < site->direct->count; i++) {
		const struct contact *contact = &site->direct->contacts[i];

		stages[contact->stage]++;
		if (*address == '\0')
			address = address_of(contact);
	}
	return arena_printf(scene->arena,
	    "%zu guessed ports at %s: %zu gave no TCP connection, %zu connected and no more, "
	    "%zu "
	    "finished TLS; a guess shows nothing of replicas, good or bad",
	    site->direct->count, address, stages[CONTACT_DNS] + stages[CONTACT_TCP],
	    stages[CONTACT_TLS], stages[CONTACT_CONTEXT] + stages[CONTACT_OVER]);
}

static const char *
describe_unverifiable(const struct scene *scene, const struct site *site)
{
	const struct feed *feed = site->seen->feed;

	if (site->direct->count > 0 && site->direct->origin != ORIGIN_SAMPLE)
		return arena_printf(scene->arena, "%zu addresses are known, and none was tried",
		    site->direct->count);
	switch (site->direct->origin) {
	case ORIGIN_SAMPLE: return describe_sample(scene, site);
	case ORIGIN_FEED:
		if (feed == NULL)
			break;
		return arena_printf(scene->arena,
		    "the address feed of %s told no replica of %s", feed->address,
		    text_is_said(feed->container) ? feed->container : "the account");
	default: break;
	}
	return "nothing tells an address of a replica: ports cannot be guessed";
}

/* The name has none, and what is told of that says why, be it as bad or not. */
static bool
is_without_address(const struct site *site, const struct report *out)
{
	return site->name != NULL && !scene_reached(site->name, STAGE_ANSWER) &&
	    report_worst(out, site->name, FINDING_COUNT) != NULL;
}

static void
check_unverifiable(const struct scene *scene, const struct site *site, struct report *out)
{
	/* A region that comes or goes has no replicas to tell of; and what is the matter is told, and
	 * says more. */
	if (site->pending || is_without_address(site, out) ||
	    report_is_down(out, site->name, FINDING_COUNT) ||
	    check_feed_code(site) != FINDING_COUNT ||
	    report_worst(out, site, FINDING_COUNT) != NULL)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_DIRECT_UNVERIFIABLE,
	        .site = site,
	        .evidence = describe_unverifiable(scene, site),
	    });
}

void
check_direct(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct direct *direct = site->direct;
	/* Nothing is hidden unless something as bad is told in its place. */
	bool hidden = report_is_down(out, site->name, FINDING_COUNT);

	if (direct->origin == ORIGIN_SAMPLE || direct->well + direct->failed == 0) {
		check_unverifiable(scene, site, out);
		return;
	}
	if (direct->well == 0)
		check_none(scene, site, hidden, out);
	else if (direct->failed > 0)
		check_some(scene, site, out);
}
