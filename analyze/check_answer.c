#include "analyze/checks.h"

#include "base/text.h"

#include <string.h>

static bool
has_approved(const struct account *account)
{
	for (size_t i = 0; i < account->connection_count; i++) {
		if (text_equal_nocase(account->connections[i].status, "Approved"))
			return true;
	}
	return false;
}

/* What the service said to a request over the public address; "" when none was answered. */
static const char *
describe_consequence(
    const struct scene *scene, const struct site *site, const struct view *view)
{
	for (size_t i = 0; i < site->attempt_count; i++) {
		const struct endpoint *end = site->attempts[i].end;
		bool                   here = false;

		for (size_t j = 0; j < view->addr_count; j++)
			here |= addr_equal(&view->addrs[j], &site->attempts[i].addr);
		if (!here)
			continue;
		if (end->http == OUTCOME_OK)
			return "; a gateway answers there: traffic goes over the internet "
			       "unnoticed";
		if (end->http_status == 403)
			return arena_printf(scene->arena, "; refused there with 403: %s",
			    end->error_text != NULL ? end->error_text : "");
		return arena_printf(scene->arena, "; there: tcp %s, tls %s, http %s",
		    outcome_name(end->tcp), outcome_name(end->tls), outcome_name(end->http));
	}
	return "";
}

static const char *
describe_answer(const struct scene *scene, const struct view *view)
{
	return arena_printf(scene->arena, "resolver %s: %s", view->dns->resolver, view->chain);
}

static void
add_public(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_PUBLIC_ANSWER,
	        .site = site,
	        .resolver = view->dns->resolver,
	        .address = view->dns->addresses[0].address,
	        .evidence = arena_printf(scene->arena, "%s; public by its range (a hint)%s",
	            describe_answer(scene, view), describe_consequence(scene, site, view)),
	    });
}

static void
add_open(const struct scene *scene, const struct site *site, const struct view *view,
    struct report *out)
{
	const struct account *account = scene->ask->account;
	bool closed = text_equal_nocase(account->public_network_access, "Disabled");
	bool approved = has_approved(account);

	report_add(out,
	    &(struct sighting){
	        .code = FINDING_NO_PRIVATELINK_ALIAS,
	        .site = site,
	        .severity = closed || approved ? STATE_CRITICAL : STATE_OK,
	        .resolver = view->dns->resolver,
	        .address = view->dns->addresses[0].address,
	        .evidence = arena_printf(scene->arena,
	            "%s, no privatelink alias in the chain%s%s", describe_answer(scene, view),
	            closed ? "; the document says publicNetworkAccess Disabled" : "",
	            approved ? "; the document lists an approved private endpoint" : ""),
	    });
}

void
check_public(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		if (site->views[i].kind == VIEW_PUBLIC)
			add_public(scene, site, &site->views[i], out);
		if (site->views[i].kind == VIEW_OPEN)
			add_open(scene, site, &site->views[i], out);
	}
}

void
check_odd_answers(const struct scene *scene, const struct site *site, struct report *out)
{
	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];
		bool               bypassed = view->kind == VIEW_PRIVATE && !view->alias;

		if (!bypassed && view->kind != VIEW_BLOCKED)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = bypassed ? FINDING_ALIAS_BYPASSED : FINDING_ANSWER_BLOCKED,
		        .site = site,
		        .resolver = view->dns->resolver,
		        .address = view->dns->addresses[0].address,
		        .evidence = describe_answer(scene, view),
		    });
	}
}

static const char *
describe_kind(const struct scene *scene, const struct view *view)
{
	switch (view->kind) {
	case VIEW_MISSING: return "no such name";
	case VIEW_PRIVATE:
		return arena_printf(
		    scene->arena, "private %s", view->dns->addresses[0].address);
	case VIEW_PUBLIC:
	case VIEW_OPEN:
		return arena_printf(scene->arena, "public %s", view->dns->addresses[0].address);
	case VIEW_BLOCKED:
		return arena_printf(
		    scene->arena, "blocked %s", view->dns->addresses[0].address);
	case VIEW_NONE:
	case VIEW_FAILED: return "nothing";
	}
	return "nothing";
}

void
check_disagreement(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct view *first = NULL;
	const char        *detail = "";
	bool               differ = false;

	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		if (!scene_says_something(view)) /* only answers can disagree */
			continue;
		if (first == NULL)
			first = view;
		differ = differ || !scene_views_agree(first, view);
		detail = arena_printf(scene->arena, "%s%s%s says %s", detail,
		    *detail != '\0' ? ", " : "", view->dns->resolver,
		    describe_kind(scene, view));
	}
	if (!differ)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_RESOLVERS_DISAGREE,
	        .site = site,
	        .detail = detail,
	        .evidence = detail,
	    });
}

/* The private address of this name that another name has too; NULL when it has none. */
static const struct addr *
find_shared(const struct site *site, const struct site *other)
{
	for (size_t i = 0; i < site->view_count; i++) {
		for (size_t j = 0; j < other->view_count; j++) {
			const struct view *here = &site->views[i], *there = &other->views[j];

			if (here->kind != VIEW_PRIVATE || there->kind != VIEW_PRIVATE)
				continue;
			for (size_t k = 0; k < here->addr_count; k++) {
				for (size_t l = 0; l < there->addr_count; l++) {
					if (addr_equal(&here->addrs[k], &there->addrs[l]))
						return &here->addrs[k];
				}
			}
		}
	}
	return NULL;
}

void
check_shared(const struct scene *scene, const struct site *site, struct report *out)
{
	const struct addr *shared = NULL;
	char               text[ADDR_TEXT];

	for (size_t i = 0; i < scene->site_count && shared == NULL; i++) {
		const struct site *other = &scene->sites[i];

		if (other != site && !other->pending && !site->pending)
			shared = find_shared(site, other);
	}
	if (shared == NULL)
		return;
	addr_render(shared, text, sizeof(text));
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_REGION_ADDRESS_SHARED,
	        .site = site,
	        .address = arena_strdup(scene->arena, text),
	        .group = arena_strdup(scene->arena, text),
	        .evidence = arena_printf(scene->arena, "answered with %s", text),
	    });
}
