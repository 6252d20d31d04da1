/* checks: the rules, each a function of what was seen to sightings.
 *
 * A check looks at one thing and adds what it finds; which sightings become one finding is
 * report.c's matter.  check_<rule>.c holds those that look at the same stage.
 */
#ifndef ANALYZE_CHECKS_H
#define ANALYZE_CHECKS_H

#include "analyze/report.h"

/* Called for each name that is judged, and was measured. */
void check_agent(const struct scene *scene, const struct site *site, struct report *out);
void check_dns_failures(const struct scene *scene, const struct site *site, struct report *out);
void check_missing(const struct scene *scene, const struct site *site, struct report *out);
void check_public(const struct scene *scene, const struct site *site, struct report *out);
void check_odd_answers(const struct scene *scene, const struct site *site, struct report *out);
void check_disagreement(const struct scene *scene, const struct site *site, struct report *out);
void check_shared(const struct scene *scene, const struct site *site, struct report *out);
void check_claims(const struct scene *scene, const struct site *site, struct report *out);
void check_escapes(const struct scene *scene, const struct site *site, struct report *out);
void check_transport(const struct scene *scene, const struct site *site, struct report *out);
void check_system(const struct scene *scene, const struct site *site, struct report *out);
void check_proxy(const struct scene *scene, const struct site *site, struct report *out);
void check_outside(const struct scene *scene, const struct site *site, struct report *out);
/* Last: these look at what the others have added. */
void check_records(const struct scene *scene, const struct site *site, struct report *out);
void check_ttl(const struct scene *scene, const struct site *site, struct report *out);

/* Called for each address of such a name that no wrong answer led to. */
void check_tcp(const struct scene *scene, const struct site *site,
    const struct attempt *attempt, struct report *out);
void check_tls(const struct scene *scene, const struct site *site,
    const struct attempt *attempt, struct report *out);
void check_http(const struct scene *scene, const struct site *site,
    const struct attempt *attempt, struct report *out);

/* Likewise, for other APIs than NoSQL. */
void check_greeting(const struct scene *scene, const struct site *site,
    const struct attempt *attempt, struct report *out);

/* Called for each name, behind the checks of all gateways: what signed requests were told. */
void check_feed(const struct scene *scene, const struct site *site, struct report *out);
/* Called for each name of the mode that was measured, behind those. */
void check_direct(const struct scene *scene, const struct site *site, struct report *out);
void check_replicas(const struct scene *scene, const struct site *site, struct report *out);
void check_thin(const struct scene *scene, const struct site *site, struct report *out);

/* Called once. */
void check_swept(const struct scene *scene, struct report *out);
void check_connections(const struct scene *scene, struct report *out);
void check_failed_endpoints(const struct scene *scene, struct report *out);
void check_last_endpoint(const struct scene *scene, struct report *out);
void check_regions(const struct scene *scene, struct report *out);
void check_slow(const struct scene *scene, struct report *out);
/* Before all others: what the documents alone say of the API. */
void check_modes(const struct scene *scene, struct report *out);
void check_version(const struct scene *scene, struct report *out);
void check_group(const struct scene *scene, struct report *out);
void check_suffix(const struct scene *scene, struct report *out);

/* Whether the connection is for a private endpoint of the scene's API. */
bool check_is_for_api(const struct scene *scene, const struct connection *connection);
/* The groups of the account's endpoints when none is for the API, by the documents and as far as
 * DNS shows: told as API_GROUP_MISSING, and so is that the firewall refuses what comes over the
 * internet.  NULL: nothing says so. */
const char *check_other_groups(const struct scene *scene);
/* Another API of the account to which the same server gives private addresses; NULL: none. */
const char *check_private_api(const struct scene *scene, const struct view *view);
/* Likewise, when the server knows no name of this API at all, which the account serves. */
const char *check_unforwarded(const struct scene *scene, const struct view *view);
/* "port 443 of it answers", of another API where only the port can be what differs; NULL: none. */
const char *check_open_neighbour(
    const struct scene *scene, const struct site *site, const struct attempt *attempt);
/* A front end of MongoDB sends drivers to the name; NULL: none does, else where it was heard. */
const char *check_sender(const struct scene *scene, const struct site *site);

/* TRUNCATED_NO_TCP, or AZURE_TCP_BLOCKED, when that is how the view failed; else FINDING_COUNT. */
enum finding_code check_cut_code(const struct view *view);

/* What a refusal with status 403 is: of the firewall, by its way, or GATEWAY_ANSWERS_OTHER. */
enum finding_code check_refusal(unsigned path, const char *text);
/* How the requests of the site's own measurement that were signed failed; FINDING_COUNT: they did
 * not, or it says nothing. */
enum finding_code check_feed_code(const struct site *site);
/* The state and words of a place of Gateway V2 without a finding; words NULL: nothing was tried. */
void check_thin_describe(const struct scene *scene, const struct site *site);
/* It was tried, so that there is something to say of its own. */
bool check_thin_is_told(const struct site *site);

/* Evidence that several checks quote.  "resolver 10.0.0.2: a -> b (300 s) -> 10.1.0.4 (10 s)". */
const char *check_describe_view(const struct scene *scene, const struct view *view);
/* "; a gateway answers there", "; there: tcp timeout, ..."; "" when it was not tried. */
const char *check_describe_attempt(const struct scene *scene, const struct attempt *attempt);
/* "10.1.0.4:443: http-other, status 403 Forbidden, ...": what a gateway, or a front end, said. */
const char *check_describe_http(
    const struct scene *scene, const char *peer, const struct endpoint *end);
const char *check_describe_greeting(
    const struct scene *scene, const char *peer, const struct greeting *greeting);
/* "endpoint pe-contoso in vnet-a/default (pe.json)". */
const char *check_describe_endpoint(
    const struct scene *scene, const struct private_endpoint *endpoint);
/* "; 168.63.129.16 says private 10.1.0.4"; "" when it was not asked beside. */
const char *check_describe_control(const struct scene *scene, const struct site *site);

/* Each tells of it in the place of what follows from it, and is false when it is not so: an endpoint
 * that is being made, or failed to be, or lacks what the account requires, and so no endpoint has an
 * address for the name; a record in the zone although the account has no endpoint. */
bool check_unready(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out);
bool check_without_endpoint(const struct scene *scene, const struct site *site,
    const struct view *view, struct report *out);
/* Likewise of a name that does not exist, by the evidence: the gateways no longer name its region, and
 * only a document that is older than the account does. */
bool check_gone(const struct scene *scene, const struct site *site, const char *evidence,
    struct report *out);
/* Azure's own resolver gave it, or was asked. */
bool check_is_azure(const struct dns *dns);
/* The set of records that a zone's document has for the name, with the address when it is not NULL;
 * NULL: none. */
const struct zone_record *check_zone_record(
    const struct scene *scene, const struct site *site, const char *address);
/* The endpoint that made the record of the address, when the account has no such endpoint any
 * more; NULL: not known to be so. */
const char *check_orphan(
    const struct scene *scene, const struct site *site, const char *address);
/* "; private zone /subscriptions/... (zone.json)", of the public zone's own name and not known to
 * be without links; NULL: none was given. */
const char *check_public_zone(const struct scene *scene);
/* "; its record was made by no zone group (zone.json)"; "": no document holds the record,
 * with the address when it is not NULL. */
const char *check_describe_record(
    const struct scene *scene, const struct site *site, const char *address);

/* The connection that keeps all addresses of the account silent, and its finding: the first that
 * is not approved when none is; NULL otherwise. */
const struct connection *check_blocking_connection(
    const struct scene *scene, enum finding_code *code);

#endif
