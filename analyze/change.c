#include "analyze/change.h"

#include "base/wbuf.h"

#include <stdlib.h>
#include <string.h>

enum { TOLD_MAX = 8, LINE_MAX_BYTES = 1000 };

/* Something that a document says of something: two states differ where their facts do.  The kinds in
 * the order in which they are told. */
enum kind {
	ACCOUNT,
	REGION,
	WRITE_REGION,
	ACCESS,
	ACCOUNT_STATE,
	CONNECTION,
	ENDPOINT,
	ADDRESS,
	RECORD,
	LINK,
	NEED,
	KINDS
};

static const char *const kind_words[KINDS] = {
	[ACCOUNT] = "account",
	[REGION] = "region",
	[WRITE_REGION] = "write region",
	[ACCESS] = "public network access",
	[ACCOUNT_STATE] = "account state",
	[CONNECTION] = "connection",
	[ENDPOINT] = "private endpoint",
	[ADDRESS] = "address",
	[RECORD] = "record",
	[LINK] = "network link",
	[NEED] = "needed name",
};

struct fact {
	enum kind   kind;
	const char *name; /* "" where the kind says it all */
	const char *value;
};

struct facts {
	struct arena *arena;
	struct fact  *facts;
	size_t        count, room;
	bool          many; /* of several accounts: each name says whose it is */
};

static void
add_fact(struct facts *facts, enum kind kind, const char *name, const char *value)
{
	if (facts->count == facts->room) {
		struct fact *grown = arena_array(
		    facts->arena, 2 * facts->room + 16, sizeof(*grown));

		if (facts->count > 0)
			memcpy(grown, facts->facts, facts->count * sizeof(*grown));
		facts->facts = grown;
		facts->room = 2 * facts->room + 16;
	}
	facts->facts[facts->count++] = (struct fact){ kind, name, value };
}

static void
add_of_account(struct facts *facts, const struct account *account, enum kind kind,
    const char *name, const char *value)
{
	if (facts->many)
		name = arena_printf(
		    facts->arena, "%s%s%s", account->name, *name != '\0' ? " " : "", name);
	add_fact(facts, kind, name, value);
}

static void
add_connection(struct facts *facts, const struct connection *connection)
{
	add_fact(facts, CONNECTION, connection->name, connection->status);
}

static void
add_account(struct facts *facts, const struct account *account)
{
	add_fact(facts, ACCOUNT, account->name, "");
	for (size_t i = 0; i < account->location_count; i++) {
		const struct location *location = &account->locations[i];

		add_of_account(
		    facts, account, REGION, location->name, location->provisioning_state);
		if (location->failover_priority == 0)
			add_of_account(facts, account, WRITE_REGION, "", location->name);
	}
	add_of_account(facts, account, ACCESS, "", account->public_network_access);
	add_of_account(facts, account, ACCOUNT_STATE, "", account->provisioning_state);
	for (size_t i = 0; i < account->connection_count; i++)
		add_connection(facts, &account->connections[i]);
}

static void
add_endpoint(struct facts *facts, const struct private_endpoint *endpoint)
{
	const char *status = *endpoint->status != '\0' ? endpoint->status
	                                               : endpoint->provisioning_state;

	add_fact(facts, ENDPOINT, endpoint->name, status);
	for (size_t i = 0; i < endpoint->address_count; i++) {
		const struct endpoint_address *address = &endpoint->addresses[i];
		char                           text[ADDR_TEXT];

		add_fact(facts, ADDRESS,
		    arena_printf(facts->arena, "%s %s", address->fqdn,
		        addr_render(&address->addr, text, sizeof(text))),
		    "");
	}
}

static void
add_zone(struct facts *facts, const struct zone *zone)
{
	for (size_t i = 0; i < zone->record_count; i++) {
		const struct zone_record *record = &zone->records[i];
		const char               *all = "";
		char                      text[ADDR_TEXT];

		for (size_t j = 0; j < record->addr_count; j++)
			all = arena_printf(facts->arena, "%s%s%s", all, j > 0 ? " " : "",
			    addr_render(&record->addrs[j], text, sizeof(text)));
		add_fact(facts, RECORD, record->fqdn, all);
	}
	for (size_t i = 0; i < zone->link_count; i++)
		add_fact(facts, LINK,
		    arena_printf(facts->arena, "%s of %s", zone->links[i].name, zone->name),
		    zone->links[i].policy);
}

static void
add_plinks(struct facts *facts, const struct plink_list *list)
{
	for (size_t i = 0; i < list->connection_count; i++)
		add_connection(facts, &list->connections[i].connection);
	for (size_t i = 0; i < list->resource_count; i++) {
		const struct plink_resource *resource = list->resources[i];

		for (size_t j = 0; j < resource->member_count; j++)
			add_fact(facts, NEED,
			    arena_printf(
			        facts->arena, "%s (%s)", resource->members[j], resource->group),
			    "");
	}
}

static int
compare_facts(const void *left, const void *right)
{
	const struct fact *a = left, *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void
gather(struct facts *facts, const struct account_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		add_account(facts, list->accounts[i]);
	for (size_t i = 0; i < list->endpoints.count; i++)
		add_endpoint(facts, list->endpoints.endpoints[i]);
	for (size_t i = 0; i < list->zones.count; i++)
		add_zone(facts, list->zones.zones[i]);
	add_plinks(facts, &list->plinks);
	if (facts->count > 0)
		qsort(facts->facts, facts->count, sizeof(*facts->facts), compare_facts);
}

/* Where a line grows. */
struct line {
	struct wbuf text;
	size_t      told, untold;
};

static void
tell(struct line *line, const char *text)
{
	if (line->told == TOLD_MAX ||
	    (line->told > 0 && line->text.count + strlen(text) > LINE_MAX_BYTES)) {
		line->untold++;
		return;
	}
	wbuf_printf(&line->text, "%s%s", line->told++ > 0 ? "; " : "", text);
}

static void
tell_one(struct line *line, struct arena *arena, const struct fact *fact, const char *what)
{
	bool valued = *fact->value != '\0';

	if (*fact->name == '\0' && !valued)
		return;
	if (*fact->name == '\0')
		tell(line,
		    arena_printf(
		        arena, "%s %s: %s", kind_words[fact->kind], what, fact->value));
	else
		tell(line,
		    arena_printf(arena, "%s %s: %s%s%s%s", kind_words[fact->kind], what,
		        fact->name, valued ? " (" : "", fact->value, valued ? ")" : ""));
}

static void
tell_both(
    struct line *line, struct arena *arena, const struct fact *old, const struct fact *now)
{
	if (strcmp(old->value, now->value) == 0)
		return;
	tell(line,
	    arena_printf(arena, "%s%s%s: %s -> %s", kind_words[now->kind],
	        *now->name != '\0' ? " " : "", now->name,
	        *old->value != '\0' ? old->value : "not told",
	        *now->value != '\0' ? now->value : "not told"));
}

/* Both are sorted: side by side. */
static void
compare_all(struct line *line, struct arena *arena, const struct facts *before,
    const struct facts *after)
{
	size_t i = 0, j = 0;

	while (i < before->count || j < after->count) {
		int order = i == before->count ? 1
		    : j == after->count        ? -1
		                        : compare_facts(&before->facts[i], &after->facts[j]);

		if (order < 0)
			tell_one(line, arena, &before->facts[i++], "removed");
		else if (order > 0)
			tell_one(line, arena, &after->facts[j++], "added");
		else
			tell_both(line, arena, &before->facts[i++], &after->facts[j++]);
	}
}

static const char *
finish(struct line *line, struct arena *arena, const char *nothing)
{
	const char *text;

	if (line->untold > 0)
		wbuf_printf(&line->text, "; and %zu more", line->untold);
	text = arena_strdup(arena, line->told > 0 ? wbuf_text(&line->text) : nothing);
	wbuf_fini(&line->text);
	return text;
}

/* What a new document says: its own facts, without each address. */
static const char *
tell_new(struct arena *arena, const struct account_list *list)
{
	struct facts facts = { .arena = arena, .many = list->count > 1 };
	struct line  line = { .told = 0 };

	wbuf_init(&line.text);
	gather(&facts, list);
	for (size_t i = 0; i < facts.count; i++) {
		const struct fact *fact = &facts.facts[i];

		if (fact->kind == ACCOUNT || fact->kind == REGION || fact->kind == CONNECTION ||
		    fact->kind == ENDPOINT || fact->kind == RECORD || fact->kind == LINK ||
		    fact->kind == NEED)
			tell(&line,
			    arena_printf(arena, "%s %s", kind_words[fact->kind], fact->name));
	}
	return arena_printf(arena, "first seen: %s", finish(&line, arena, "nothing in it"));
}

const char *
change_tell(
    struct arena *arena, const struct account_list *before, const struct account_list *after)
{
	struct facts old = { .arena = arena }, now = { .arena = arena };
	struct line  line = { .told = 0 };

	if (after == NULL)
		return "the document is gone";
	if (before == NULL)
		return tell_new(arena, after);
	old.many = now.many = before->count > 1 || after->count > 1;
	wbuf_init(&line.text);
	gather(&old, before);
	gather(&now, after);
	compare_all(&line, arena, &old, &now);
	return finish(&line, arena, "changed in what is not read here");
}

const char *
change_kind(const struct account_list *list)
{
	const struct {
		size_t      count;
		const char *words;
	} rows[] = {
		{ list->count, "account" },
		{ list->endpoints.count, "private endpoint" },
		{ list->zones.count, "zone" },
		{ list->plinks.connection_count + list->plinks.resource_count, "connections" },
	};
	const char *kind = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].count > 0 && *kind != '\0')
			return "several kinds";
		if (rows[i].count > 0)
			kind = rows[i].words;
	}
	return kind;
}

/* False when it is another one than those before. */
static bool
take_account(const char **account, const char *name)
{
	if (name == NULL || *name == '\0')
		return true;
	if (**account == '\0')
		*account = name;
	return strcmp(*account, name) == 0;
}

const char *
change_account(const struct account_list *list)
{
	const char *account = "";
	bool        one = true;

	for (size_t i = 0; i < list->count; i++)
		one = one && take_account(&account, list->accounts[i]->name);
	for (size_t i = 0; i < list->endpoints.count; i++)
		one = one && take_account(&account, list->endpoints.endpoints[i]->account);
	for (size_t i = 0; i < list->plinks.connection_count; i++)
		one = one && take_account(&account, list->plinks.connections[i].account);
	for (size_t i = 0; i < list->plinks.resource_count; i++)
		one = one && take_account(&account, list->plinks.resources[i]->account);
	return one ? account : "";
}
