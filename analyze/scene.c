#include "analyze/scene.h"

#include "analyze/names.h"
#include "analyze/scene_modes.h"
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool
scene_reached(const struct site *site, enum stage stage)
{
	return (site->reached & (1u << stage)) != 0;
}

bool
scene_has_address(const struct view *view, const struct addr *addr)
{
	for (size_t i = 0; i < view->addr_count; i++) {
		if (addr_equal(&view->addrs[i], addr))
			return true;
	}
	return false;
}

static bool
covers(const struct view *whole, const struct view *part)
{
	for (size_t i = 0; i < part->addr_count; i++) {
		if (!scene_has_address(whole, &part->addrs[i]))
			return false;
	}
	return true;
}

bool
scene_views_agree(const struct view *left, const struct view *right)
{
	if (left->kind != right->kind)
		return false;
	return left->kind != VIEW_PRIVATE || (covers(left, right) && covers(right, left));
}

/* Addresses that lead to no other machine: DNS filters answer with them [rfc6890 2.2]. */
static bool
is_dead_end(const struct addr *addr)
{
	switch (addr_class(addr)) {
	case ADDR_LOOPBACK:
	case ADDR_LINK_LOCAL:
	case ADDR_MULTICAST: return true;
	case ADDR_RESERVED: return addr->bytes[0] == 0 || addr->bytes[0] >= 240;
	default: return false;
	}
}

/* The ranges for documents and benchmarks are no one's network either, but are no filter's sign:
 * they count as not private. */
static bool
is_public(const struct addr *addr)
{
	enum addr_class class = addr_class(addr);

	return class == ADDR_PUBLIC || (class == ADDR_RESERVED && !is_dead_end(addr));
}

/* Somebody does answer there: a tunnel or a proxy on this machine. */
static bool
has_handshake(const struct site *site, const struct addr *addr)
{
	for (size_t i = 0; i < site->attempt_count; i++) {
		if (site->attempts[i].end->tls == OUTCOME_OK &&
		    addr_equal(&site->attempts[i].addr, addr))
			return true;
	}
	return false;
}

bool
scene_is_public(const struct view *view, size_t at)
{
	return view->claims[at].entry == NULL && is_public(&view->addrs[at]);
}

/* Public addresses are there, IPv6 all of them, and private ones too. */
static bool
does_escape(const struct view *view)
{
	bool escapes = false, stays = false;

	for (size_t i = 0; i < view->addr_count; i++) {
		if (!scene_is_public(view, i))
			stays |= view->addrs[i].family == 4;
		else if (view->addrs[i].family == 6)
			escapes = true;
		else
			return false;
	}
	return escapes && stays;
}

static enum view_kind
sort_answer(const struct site *site, const struct view *view)
{
	bool any_public = false;

	for (size_t i = 0; i < view->addr_count; i++) {
		if (is_dead_end(&view->addrs[i]) && !has_handshake(site, &view->addrs[i]))
			return VIEW_BLOCKED;
		any_public |= scene_is_public(view, i);
	}
	if (!any_public || view->escapes)
		return VIEW_PRIVATE;
	return view->alias ? VIEW_PUBLIC : VIEW_OPEN;
}

static enum view_kind
sort_view(const struct site *site, const struct view *view)
{
	if (view->addr_count > 0)
		return sort_answer(site, view);
	switch ((enum outcome)view->dns->outcome) {
	case OUTCOME_OK:
	case OUTCOME_NXDOMAIN:
	case OUTCOME_NODATA: return VIEW_MISSING;
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE:
	case OUTCOME_POLICY:
	case OUTCOME_LOCAL: return VIEW_NONE;
	case OUTCOME_TIMEOUT:
		/* A late loop may have slept through the answer. */
		return site->seen->agent_late ? VIEW_NONE : VIEW_FAILED;
	default: return VIEW_FAILED;
	}
}

static bool
is_in_zone(const char *name, const char *zone)
{
	size_t count = strlen(name);
	char   copy[256];

	if (count > 0 && name[count - 1] == '.')
		count--;
	if (count >= sizeof(copy))
		return false;
	memcpy(copy, name, count);
	copy[count] = '\0';
	return text_ends_nocase(copy, zone) && strlen(copy) > strlen(zone) &&
	    copy[count - strlen(zone) - 1] == '.';
}

static void
build_view(
    struct scene *scene, const struct site *site, struct view *view, const struct dns *dns)
{
	struct addr *addrs = arena_array(
	    scene->arena, dns->addresses_count + 1, sizeof(struct addr));
	struct claim *claims = arena_array(
	    scene->arena, dns->addresses_count + 1, sizeof(struct claim));
	const char *host = site->place->target->host;
	const char *zone = scene->ask->account->zone;

	view->dns = dns;
	view->addrs = addrs;
	view->claims = claims;
	for (size_t i = 0; i < dns->addresses_count; i++) {
		struct addr *addr = &addrs[view->addr_count];

		if (addr_parse(addr, dns->addresses[i].address, 0, NULL))
			claims[view->addr_count++] = claim_find(&scene->claims, host, addr);
	}
	for (size_t i = 0; i < dns->hops_count; i++) {
		if (is_in_zone(dns->hops[i].target, zone))
			view->alias = true;
		if (is_in_zone(dns->hops[i].owner, zone))
			view->zone_ttl_s = dns->hops[i].ttl_s;
	}
	view->by_zone = view->alias && is_in_zone(dns->hops[dns->hops_count - 1].target, zone);
	view->host = host;
	view->escapes = does_escape(view);
	view->kind = sort_view(site, view);
}

const char *
scene_chain(struct arena *arena, const struct view *view)
{
	const struct dns *dns = view->dns;
	const char       *text = dns->hops_count == 0 ? "" : view->host;

	for (size_t i = 0; i < dns->hops_count; i++)
		text = arena_printf(arena, "%s%s -> %s (%u s)", i == 0 ? "" : text,
		    i == 0 ? dns->hops[i].owner : "", dns->hops[i].target, dns->hops[i].ttl_s);
	for (size_t i = 0; i < dns->addresses_count; i++)
		text = arena_printf(arena, "%s%s%s (%u s)", text,
		    i > 0               ? ", "
		        : *text != '\0' ? " -> "
		                        : "",
		    dns->addresses[i].address, dns->addresses[i].ttl_s);
	return text;
}

const struct attempt *
scene_attempt(const struct site *site, const struct addr *addr)
{
	for (size_t i = 0; i < site->attempt_count; i++) {
		if (addr_equal(&site->attempts[i].addr, addr))
			return &site->attempts[i];
	}
	return NULL;
}

bool
scene_tcp_failed(const struct site *site, const struct attempt *attempt)
{
	switch (attempt->end->tcp) {
	case OUTCOME_REFUSED:
	case OUTCOME_UNREACHABLE:
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return true;
	case OUTCOME_TIMEOUT: return !site->seen->agent_late;
	default: return false;
	}
}

enum outcome
scene_answer(const struct endpoint *end)
{
	return (enum outcome)(end->greeting != NULL ? end->greeting->outcome : end->http);
}

bool
scene_is_answered(const struct endpoint *end)
{
	return scene_answer(end) == OUTCOME_OK;
}

bool
scene_is_absent(const struct scene *scene)
{
	bool any = false;

	for (size_t i = 0; i < scene->site_count; i++) {
		const struct site *site = &scene->sites[i];

		for (size_t j = 0; j < site->view_count; j++) {
			if (site->views[j].kind != VIEW_MISSING || site->views[j].alias)
				return false;
			any = true;
		}
	}
	return any;
}

bool
scene_says_something(const struct view *view)
{
	return view->kind != VIEW_NONE && view->kind != VIEW_FAILED;
}

/* The documents say that the address is wrong, or that another endpoint would have been right. */
static bool
is_astray(const struct scene *scene, const struct site *site, const struct attempt *attempt)
{
	switch (attempt->claim.kind) {
	case CLAIM_UNTOLD: return false;
	case CLAIM_RIGHT:
		return scene_tcp_failed(site, attempt) &&
		    claim_endpoint(&scene->claims, site->place->target->host, 1) != NULL;
	case CLAIM_OTHER_NAME:
	case CLAIM_OTHER_SERVICE:
	case CLAIM_OTHER_ACCOUNT:
	case CLAIM_NOBODY: return true;
	}
	return false;
}

/* Whether a client is sent to the address: by an answer that is right as far as it can be told. */
static bool
is_right_in(const struct view *view, const struct addr *addr)
{
	if (view->kind != VIEW_PRIVATE && view->kind != VIEW_OPEN)
		return false;
	for (size_t i = 0; i < view->addr_count; i++) {
		if (addr_equal(&view->addrs[i], addr))
			return !view->escapes || !scene_is_public(view, i);
	}
	return false;
}

/* Finds what leads to the address. */
void
scene_trace(const struct scene *scene, const struct site *site, struct attempt *attempt)
{
	const struct addr *addr = &attempt->addr;
	bool               listed = false, right = false, any_says = false;
	bool by_system = site->system != NULL && scene_has_address(site->system, addr);

	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		any_says |= scene_says_something(view);
		listed |= scene_has_address(view, addr);
		right |= is_right_in(view, addr);
	}
	attempt->claim = claim_find(&scene->claims, site->place->target->host, addr);
	attempt->beside = !listed && !by_system && site->control != NULL &&
	    scene_has_address(site->control, addr);
	attempt->excused = (listed && !right) || attempt->beside ||
	    (!listed && by_system && any_says) || is_astray(scene, site, attempt);
}

static void
build_attempts(struct scene *scene, struct site *site)
{
	const struct measurement *seen = site->seen;

	site->attempts = arena_array(
	    scene->arena, seen->endpoints_count + 1, sizeof(struct attempt));
	for (size_t i = 0; i < seen->endpoints_count; i++) {
		struct attempt *attempt = &site->attempts[site->attempt_count];
		char            text[ADDR_TEXT];

		attempt->end = &seen->endpoints[i];
		if (!addr_parse(&attempt->addr, attempt->end->address,
		        (uint16_t)attempt->end->port, NULL))
			continue;
		attempt->peer = arena_strdup(
		    scene->arena, addr_render_port(&attempt->addr, text, sizeof(text)));
		site->attempt_count++;
	}
}

static unsigned
find_reach(const struct site *site)
{
	unsigned reached = 1u << STAGE_NAME;
	bool     current = false;

	if (*site->place->target->region != '\0')
		reached |= 1u << STAGE_REGION;
	for (size_t i = 0; i < site->view_count; i++) {
		if (site->views[i].addr_count > 0 && !site->views[i].outdated)
			reached |= 1u << STAGE_ANSWER;
		current |= !site->views[i].outdated;
	}
	/* Nobody was asked who counts: it is none of the names that have to agree. */
	if (site->view_count > 0 && !current)
		return 0;
	for (size_t i = 0; i < site->attempt_count; i++) {
		const struct attempt *attempt = &site->attempts[i];

		if (attempt->excused || attempt->end->tcp == OUTCOME_NOT_RUN)
			continue;
		reached |= 1u << STAGE_TCP;
		if (attempt->end->tcp == OUTCOME_OK)
			reached |= 1u << STAGE_TLS;
		if (attempt->end->tls == OUTCOME_OK)
			reached |= 1u << STAGE_HTTP;
	}
	return reached;
}

static struct view *
take_view(struct scene *scene, struct site *site, const struct dns *dns)
{
	switch ((enum source)dns->source) {
	case SOURCE_SYSTEM:
		site->system = arena_alloc(scene->arena, sizeof(struct view));
		return site->system;
	case SOURCE_AZURE:
		site->control = arena_alloc(scene->arena, sizeof(struct view));
		return site->control;
	default: return &site->views[site->view_count++];
	}
}

static bool
is_of_client(const struct dns *dns)
{
	return dns->source != SOURCE_SYSTEM && dns->source != SOURCE_AZURE;
}

static bool
asks_server(const struct scene *scene, const char *resolver)
{
	for (size_t i = 0; i < scene->server_count; i++) {
		if (strcmp(scene->servers[i], resolver) == 0)
			return true;
	}
	return false;
}

/* What a server of before said counts for nothing. */
static void
drop_outdated(const struct scene *scene, struct site *site)
{
	if (scene->server_count == 0 ||
	    (scene->newest != NULL && scene->newest->started_ms <= site->seen->started_ms))
		return;
	for (size_t i = 0; i < site->view_count; i++) {
		struct view *view = &site->views[i];

		if (!is_of_client(view->dns) || asks_server(scene, view->dns->resolver))
			continue;
		view->outdated = true;
		view->escapes = false;
		view->kind = VIEW_NONE;
	}
}

/* The newest that asked servers which a client asks. */
static const struct measurement *
find_newest(const struct judge_ask *ask)
{
	const struct measurement *newest = NULL;

	for (size_t i = 0; i < ask->seen_count; i++) {
		const struct measurement *seen = ask->seen[i];
		bool                      asked = false;

		for (size_t j = 0; j < seen->dns_count; j++)
			asked |= is_of_client(&seen->dns[j]);
		if (asked && seen->target != NULL && seen->target->role != ROLE_SWEEP &&
		    (newest == NULL || seen->started_ms > newest->started_ms))
			newest = seen;
	}
	return newest;
}

/* Which servers a client asks now, somebody says, or else the newest measurement. */
static void
take_servers(struct scene *scene)
{
	const struct measurement *newest = find_newest(scene->ask);
	const char              **servers;

	scene->servers = scene->ask->servers;
	scene->server_count = scene->ask->server_count;
	if (scene->servers != NULL || newest == NULL)
		return;
	servers = arena_array(scene->arena, newest->dns_count + 1, sizeof(*servers));
	for (size_t i = 0; i < newest->dns_count; i++) {
		if (is_of_client(&newest->dns[i]))
			servers[scene->server_count++] = newest->dns[i].resolver;
	}
	scene->servers = servers;
	scene->newest = newest;
}

static void
build_views(struct scene *scene, struct site *site)
{
	const struct measurement *seen = site->seen;

	site->views = arena_array(scene->arena, seen->dns_count + 1, sizeof(struct view));
	for (size_t i = 0; i < seen->dns_count; i++)
		build_view(scene, site, take_view(scene, site, &seen->dns[i]), &seen->dns[i]);
	drop_outdated(scene, site);
	/* The only server that was asked is the one that counts. */
	if (site->view_count == 0 && site->control != NULL) {
		site->views[site->view_count++] = *site->control;
		site->control = NULL;
	}
}

static void
build_site(struct scene *scene, struct site *site)
{
	if (site->seen == NULL)
		return;
	build_attempts(scene, site);
	build_views(scene, site);
	for (size_t i = 0; i < site->attempt_count; i++)
		scene_trace(scene, site, &site->attempts[i]);
	if (!site->pending)
		site->reached = find_reach(site);
}

/* The newest measurement of a name; of two that began together the one that took longer, so that
 * the order in which they come never counts.  Gateway V2 is where the gateway says that it is, and
 * so known by its region. */
const struct measurement *
scene_seen(const struct judge_ask *ask, const struct target *target, enum mode mode)
{
	const struct measurement *best = NULL;

	for (size_t i = 0; i < ask->seen_count; i++) {
		const struct measurement *seen = ask->seen[i];

		/* The region first: it is short, and tells nearly all apart. */
		if (seen->target == NULL || seen->target->api != target->api ||
		    seen->target->mode != mode ||
		    strcmp(seen->target->region, target->region) != 0 ||
		    (mode != MODE_GATEWAY_V2 &&
		        !text_equal_nocase(seen->target->host, target->host)))
			continue;
		if (best == NULL || seen->started_ms > best->started_ms ||
		    (seen->started_ms == best->started_ms && seen->took_us > best->took_us))
			best = seen;
	}
	return best;
}

/* What shows the name's DNS when the gateway was not asked. */
static const struct measurement *
find_other_mode(const struct scene *scene, const struct target *target)
{
	const struct measurement *direct = scene_seen(scene->ask, target, MODE_DIRECT);
	const struct measurement *thin = direct != NULL
	    ? NULL
	    : scene_seen(scene->ask, target, MODE_GATEWAY_V2);

	return thin != NULL && text_equal_nocase(thin->target->host, target->host) ? thin
	                                                                           : direct;
}

struct site *
scene_add(struct scene *scene, struct site *list, size_t *count, const struct target *target,
    const struct location *location)
{
	struct site *site = &list[(*count)++];

	memset(site, 0, sizeof(*site));
	site->place = arena_alloc(scene->arena, sizeof(struct place));
	site->place->target = target;
	site->place->seen = scene_seen(scene->ask, target, (enum mode)target->mode);
	site->place->worst = FINDING_COUNT;
	site->location = location;
	site->pending = location != NULL && location->pending;
	site->seen = site->place->seen;
	if (target->mode != MODE_GATEWAY)
		return site;
	if (site->seen == NULL && target->role != ROLE_SWEEP)
		site->seen = find_other_mode(scene, target);
	build_site(scene, site);
	return site;
}

const struct site *
scene_sites(const struct scene *scene, enum mode mode, size_t *count)
{
	switch (mode) {
	case MODE_DIRECT: *count = scene->direct_count; return scene->direct;
	case MODE_GATEWAY_V2: *count = scene->thin_count; return scene->thin;
	case MODE_GATEWAY:
	case MODE_COUNT: break;
	}
	*count = scene->site_count;
	return scene->sites;
}

enum mode
scene_mode(const struct site *site)
{
	return (enum mode)site->place->target->mode;
}

static bool
admits(const struct site *site)
{
	const struct measurement *seen = site->place->seen;

	return seen != NULL && seen->feed != NULL && seen->feed->admitted;
}

bool
scene_admitted(const struct scene *scene, const struct site *site)
{
	if (admits(site))
		return true;
	for (size_t i = 0; i < scene->direct_count; i++) {
		if (scene->direct[i].name == site && admits(&scene->direct[i]))
			return true;
	}
	return false;
}

enum existence { EXISTS, EXISTS_NOT, EXISTS_PERHAPS };

/* The alias of a name stands in public DNS for the regions that the account has, and only for
 * them; an address speaks for itself. */
static enum existence
find_existence(const struct site *site)
{
	enum existence answer = EXISTS_PERHAPS;

	for (size_t i = 0; i < site->view_count; i++) {
		const struct view *view = &site->views[i];

		/* A filter answers for names that do not exist, too. */
		if (view->kind == VIEW_BLOCKED)
			continue;
		if (view->addr_count > 0 || (view->kind == VIEW_MISSING && view->alias))
			return EXISTS;
		if (view->kind == VIEW_MISSING)
			answer = EXISTS_NOT;
	}
	return answer;
}

static void
add_swept(struct scene *scene, const struct target *target)
{
	bool         has_document = scene->ask->has_document;
	size_t      *count = has_document ? &scene->swept_count : &scene->site_count;
	struct site *site = scene_add(
	    scene, has_document ? scene->swept : scene->sites, count, target, NULL);
	enum existence exists;

	/* Stays only if it does exist. */
	if (site->seen == NULL) {
		(*count)--;
		return;
	}
	scene->swept_asked++;
	exists = find_existence(site);
	if (exists != EXISTS)
		(*count)--;
	scene->swept_silent += exists == EXISTS_PERHAPS ? 1 : 0;
}

static bool
has_region(const struct name_list *names, const char *label)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->targets[i].mode == MODE_GATEWAY &&
		    strcmp(names->targets[i].region, label) == 0)
			return true;
	}
	return false;
}

/* Regions that somebody added to the table where it was measured: only the measurements know. */
static void
add_swept_beside(struct scene *scene, struct name_list *names)
{
	const struct judge_ask *ask = scene->ask;

	for (size_t i = 0; i < ask->seen_count; i++) {
		const struct target *target = ask->seen[i]->target;

		if (target == NULL || target->role != ROLE_SWEEP ||
		    target->api != ask->account->api ||
		    strcmp(target->account, ask->account->name) != 0 ||
		    has_region(names, target->region))
			continue;
		names->targets[names->count++] = *target;
		add_swept(scene, &names->targets[names->count - 1]);
	}
}

static bool
is_connected(const struct scene *scene, const struct private_endpoint *endpoint)
{
	for (size_t i = 0; i < scene->connection_count; i++) {
		const struct connection *connection = &scene->connections[i];

		if (text_equal_nocase(connection->endpoint, endpoint->id) ||
		    text_equal_nocase(connection->name, endpoint->name))
			return true;
	}
	return false;
}

/* Of an endpoint that both tell of, the account's word counts: it decides. */
static void
take_connections(struct scene *scene)
{
	const struct account *account = scene->ask->account;
	const struct claims  *claims = &scene->claims;

	scene->connections = account->connections;
	scene->connection_count = account->connection_count;
	if (claims->own_count == 0)
		return;
	scene->connections = arena_array(scene->arena,
	    account->connection_count + claims->own_count, sizeof(struct connection));
	for (size_t i = 0; i < account->connection_count; i++)
		scene->connections[i] = account->connections[i];
	for (size_t i = 0; i < claims->own_count; i++) {
		const struct private_endpoint *endpoint = claims->own[i];

		if (*endpoint->status == '\0' || is_connected(scene, endpoint))
			continue;
		scene->connections[scene->connection_count++] = (struct connection){
			.name = endpoint->name,
			.endpoint = endpoint->id,
			.group = endpoint->group,
			.status = endpoint->status,
			.source = endpoint->source,
			.description = endpoint->description,
			.actions_required = endpoint->actions_required,
			.provisioning_state = endpoint->provisioning_state
		};
	}
}

/* Of two that came together the one that says more, and then by the target, so that the order in
 * which they come never counts. */
static bool
is_newer(const struct measurement *left, const struct measurement *right)
{
	int by_region;

	if (left->started_ms != right->started_ms)
		return left->started_ms > right->started_ms;
	if (left->feed->regions_count != right->feed->regions_count)
		return left->feed->regions_count > right->feed->regions_count;
	by_region = strcmp(left->target->region, right->target->region);
	return by_region != 0 ? by_region < 0 : left->target->mode < right->target->mode;
}

/* The newest that a gateway told of the account. */
static void
take_feed(struct scene *scene)
{
	const struct measurement *best = NULL;

	for (size_t i = 0; i < scene->ask->seen_count; i++) {
		const struct measurement *seen = scene->ask->seen[i];

		if (seen->target != NULL && seen->feed != NULL &&
		    seen->target->api == scene->ask->account->api &&
		    seen->feed->regions_count > 0 && (best == NULL || is_newer(seen, best)))
			best = seen;
	}
	scene->feed = best != NULL ? best->feed : NULL;
}

/* Names that a front end of MongoDB handed out, and no document lists. */
static void
add_handed_out(struct scene *scene, struct name_list *names)
{
	size_t begin = names->count;

	if (scene->ask->account->api != API_MONGO)
		return;
	scene_modes_add_beside(scene, names, MODE_GATEWAY);
	for (size_t i = begin; i < names->count; i++)
		scene_add(scene, scene->sites, &scene->site_count, &names->targets[i], NULL);
}

static void
add_gateways(struct scene *scene, struct name_list *names)
{
	const struct account *account = scene->ask->account;

	for (size_t i = 0; i < names->count; i++) {
		const struct target *target = &names->targets[i];

		if (target->role == ROLE_SWEEP)
			add_swept(scene, target);
		else if (target->mode == MODE_GATEWAY)
			scene_add(scene, scene->sites, &scene->site_count, target,
			    i == 0 ? NULL : &account->locations[i - 1]);
	}
	add_handed_out(scene, names);
	add_swept_beside(scene, names);
}

/* An API that was asked for in Direct mode alone, and has none: one place says so. */
static void
add_unsupported(struct scene *scene)
{
	const struct account *account = scene->ask->account;
	struct target        *target;

	if ((names_without_mode(account, scene->ask->wanted) & (1u << account->api)) == 0)
		return;
	target = arena_alloc(scene->arena, sizeof(*target));
	target->account = account->name;
	target->api = account->api;
	target->mode = MODE_DIRECT;
	target->region = "";
	target->host = account->host;
	target->port = account->port;
	scene_add(scene, scene->direct, &scene->direct_count, target, NULL);
}

struct scene *
scene_new(struct arena *arena, const struct judge_ask *ask, const struct scenes *apis)
{
	struct name_list *names = names_targets(arena, ask->account,
	    NAMES_API(ask->account->api) | NAMES_SWEEP | NAMES_GATEWAY | NAMES_DIRECT |
	        NAMES_V2);
	size_t            room = names->count + ask->seen_count + 1;
	struct target    *targets = arena_array(arena, room, sizeof(*targets));
	struct scene     *scene = arena_alloc(arena, sizeof(*scene));

	scene->arena = arena;
	scene->ask = ask;
	scene->apis = apis;
	scene->claims = claims_of(ask->endpoints, ask->account);
	take_connections(scene);
	take_feed(scene);
	take_servers(scene);
	scene->sites = arena_array(arena, room, sizeof(struct site));
	scene->swept = arena_array(arena, room, sizeof(struct site));
	memcpy(targets, names->targets, names->count * sizeof(*targets));
	names->targets = targets;
	if (scene->feed != NULL)
		names_advertise(names, scene->feed);
	add_gateways(scene, names);
	scene_modes_add(scene, names, room);
	add_unsupported(scene);
	return scene;
}
