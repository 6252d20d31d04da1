#include "analyze/checks.h"

#include "analyze/scene_modes.h"
#include "base/text.h"

#include <string.h>

/* 443 is closed and the replicas at the same address answer. */
static void
check_reverse(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->direct->count; i++) {
		const struct contact *contact = &site->direct->contacts[i];

		if (contact->kind != CONTACT_WELL || contact->gateway == NULL ||
		    !scene_tcp_failed(site->name, contact->gateway))
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_GATEWAY_ONLY_DOWN,
		        .site = site,
		        .address = contact->gateway->end->address,
		        .port = contact->gateway->end->port,
		        .evidence = arena_printf(scene->arena, "%s: a good context; %s: %s",
		            scene_modes_peer(scene->arena, contact->replica),
		            contact->gateway->peer, outcome_name(contact->gateway->end->tcp)),
		    });
		return;
	}
}

static void
check_short(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct feed *feed = site->seen->feed;

	if (feed == NULL || feed->partitions_short == 0)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_REPLICA_SET_SHORT,
	        .site = site,
	        .detail = arena_printf(
	            scene->arena, "%u of %u", feed->partitions_short, feed->partitions),
	        .evidence = arena_printf(scene->arena, "the address feed of %s for %s: %s",
	            feed->address,
	            text_is_said(feed->container) ? feed->container : "the account",
	            text_is_said(feed->short_detail) ? feed->short_detail : "sets are short"),
	    });
}

/* By the documents, or by the alias in public DNS, which comes with the first endpoint. */
static bool
has_private_endpoint(const struct scene *scene, const struct site *site)
{
	bool any = scene->claims.own_count > 0;

	for (size_t i = 0; i < scene->connection_count; i++)
		any |= text_equal_nocase(scene->connections[i].status, "Approved");
	for (size_t i = 0; site->name != NULL && i < site->name->view_count; i++)
		any |= site->name->views[i].alias;
	return any;
}

/* The gateway tells the replicas' public hosts to who came in from the internet.  Where a public
 * answer sent the request there, that is the finding. */
static void
check_public_hosts(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct direct *direct = site->direct;
	const char          *account = scene->ask->account->name;

	if (direct->origin != ORIGIN_FEED || !has_private_endpoint(scene, site) ||
	    report_is_down(out, site->name, FINDING_TCP_REFUSED))
		return;
	for (size_t i = 0; i < direct->count; i++) {
		const struct contact *contact = &direct->contacts[i];

		if (strncmp(contact->replica->host, account, strlen(account)) == 0)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = FINDING_DIRECT_PUBLIC_HOSTS,
		        .site = site,
		        .detail = contact->replica->host,
		        .evidence = arena_printf(scene->arena,
		            "the address feed of %s tells %s, not %s",
		            site->seen->feed != NULL ? site->seen->feed->address
		                                     : "the gateway",
		            scene_modes_peer(scene->arena, contact->replica),
		            site->place->target->host),
		    });
		return;
	}
}

void
check_replicas(const struct scene *scene, const struct site *site, struct report *out)
{
	if (site->direct->origin == ORIGIN_SAMPLE)
		return;
	check_reverse(scene, site, out);
	check_short(scene, site, out);
	check_public_hosts(scene, site, out);
}
