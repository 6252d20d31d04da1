#include "analyze/template.h"

#include "analyze/facet.h"
#include "analyze/region.h"
#include "base/addr.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

/* What is left for the person to fill in. */
static const struct {
	const char *name, *meaning;
} variables[] = {
	{ "RG", "resource group of the resource in that line" },
	{ "PE", "this network's private endpoint for the account" },
	{ "IP", "the address that the endpoint has for this name" },
	{ "ZONE_ID", "resource id of the private DNS zone" },
	{ "VNET_ID", "resource id of this virtual network" },
	{ "VNET", "this virtual network" },
	{ "SUBNET", "the subnet" },
	{ "NIC", "network interface of this VM" },
	{ "NSG", "network security group of this VM's subnet" },
	{ "PRINCIPAL_ID", "object id of the identity that the token is for" },
	{ "VM", "name of this VM" },
	{ "CREDENTIAL_FILE", "the file that holds the key or the token" },
	{ "HOST", "host of an rntbd URI in the application's diagnostics" },
	{ "PORT", "its port" },
	{ "REPLICA_HOST", "host of a replica, as the evidence names it" },
	{ "ACCOUNT_ID", "resource id of the account" },
};

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* The resource group in an id; NULL when the id does not tell. */
static const char *
find_group_in(const struct words *words, const char *id)
{
	static const char marker[] = "/resourceGroups/";
	const char       *at = text_find_nocase(id, marker);

	if (at == NULL)
		return NULL;
	at += strlen(marker);
	return arena_strndup(words->arena, at, strcspn(at, "/"));
}

static const char *
find_group(const struct words *words)
{
	return find_group_in(words, words->account->id);
}

static const char *
find_endpoint_group(const struct words *words)
{
	return words->endpoint != NULL ? find_group_in(words, words->endpoint->id) : NULL;
}

static const char *
find_zone_group(const struct words *words)
{
	return words->zone_id != NULL ? find_group_in(words, words->zone_id) : NULL;
}

static const char *
find_wanted(const struct words *words)
{
	const struct addr *addr = words->endpoint == NULL || words->target == NULL
	    ? NULL
	    : endpoint_find(words->endpoint, words->target->host);
	char               text[ADDR_TEXT];

	return addr == NULL ? "$IP"
	                    : arena_strdup(words->arena, addr_render(addr, text, sizeof(text)));
}

/* Arguments of dig for the resolver: "@10.0.0.2 -p 5353".  What is no address gives none. */
static const char *
find_server(const struct words *words)
{
	struct addr addr;
	char        text[ADDR_TEXT];

	if (words->first_resolver == NULL ||
	    !addr_parse(&addr, words->first_resolver, 53, NULL))
		return "";
	addr_render(&addr, text, sizeof(text));
	if (addr.port == 53)
		return arena_printf(words->arena, "@%s", text);
	return arena_printf(words->arena, "@%s -p %u", text, addr.port);
}

static const char *
find_peer(const struct words *words)
{
	struct addr addr;
	char        text[ADDR_TEXT];

	if (words->first_address == NULL ||
	    !addr_parse(&addr, words->first_address, (uint16_t)words->port, NULL))
		return "";
	return arena_strdup(words->arena, addr_render_port(&addr, text, sizeof(text)));
}

static const char *
find_record(const struct words *words)
{
	const char *host = words->target != NULL ? words->target->host : words->account->host;

	return arena_strndup(words->arena, host, strcspn(host, "."));
}

/* Values that are commands' arguments already: made here, of checked parts. */
static const char *
find_ready(const struct words *words, const char *name)
{
	const char *group = find_group(words);

	if (strcmp(name, "server") == 0)
		return find_server(words);
	if (strcmp(name, "peer") == 0)
		return find_peer(words);
	if (strcmp(name, "addresses") == 0)
		return *text_or_empty(words->addresses) != '\0' ? words->addresses : "$IP";
	if (strcmp(name, "group") == 0 && group == NULL)
		return "$RG";
	if (strcmp(name, "account_id") == 0 && *words->account->id == '\0')
		return "$ACCOUNT_ID";
	if (strcmp(name, "wanted") == 0)
		return find_wanted(words);
	if (strcmp(name, "endpoint") == 0 && words->endpoint == NULL)
		return "$PE";
	if (strcmp(name, "endpoint_group") == 0 && find_endpoint_group(words) == NULL)
		return "$RG";
	if (strcmp(name, "zone_group") == 0 && find_zone_group(words) == NULL)
		return "$RG";
	if (strcmp(name, "zone_id") == 0 && words->zone_id == NULL)
		return "$ZONE_ID";
	if (strcmp(name, "vnet_id") == 0 && words->vnet_id == NULL)
		return "$VNET_ID";
	return NULL;
}

static const char *
find_value(const struct words *words, const char *name)
{
	const struct target *target = words->target;

	if (strcmp(name, "account") == 0)
		return words->account->name;
	if (strcmp(name, "account_id") == 0)
		return words->account->id;
	if (strcmp(name, "group") == 0)
		return text_or_empty(find_group(words));
	if (strcmp(name, "endpoint") == 0)
		return words->endpoint != NULL ? words->endpoint->name : "";
	if (strcmp(name, "endpoint_group") == 0)
		return text_or_empty(find_endpoint_group(words));
	if (strcmp(name, "api") == 0)
		return api_name(words->account->api);
	if (strcmp(name, "group_id") == 0)
		return facet_group(words->account);
	if (strcmp(name, "region_name") == 0)
		return target != NULL ? region_name(target->region) : "";
	if (strcmp(name, "host") == 0)
		return target != NULL ? target->host : words->account->host;
	if (strcmp(name, "names") == 0)
		return words->names;
	if (strcmp(name, "record") == 0)
		return find_record(words);
	if (strcmp(name, "suffix") == 0)
		return words->account->suffix;
	if (strcmp(name, "zone_group") == 0)
		return text_or_empty(find_zone_group(words));
	if (strcmp(name, "zone_id") == 0)
		return words->zone_id;
	if (strcmp(name, "vnet_id") == 0)
		return words->vnet_id;
	if (strcmp(name, "zone") == 0)
		return words->account->zone;
	if (strcmp(name, "address") == 0)
		return words->address;
	if (strcmp(name, "port") == 0)
		return arena_printf(words->arena, "%u", words->port);
	if (strcmp(name, "resolver") == 0)
		return words->resolver;
	if (strcmp(name, "connection") == 0)
		return words->connection;
	assert(strcmp(name, "detail") == 0); /* a name that findings.def does not explain */
	return words->detail;
}

/* A new line would end the comment that a value may stand in, and run the rest of it. */
static const char *
blank_controls(struct arena *arena, const char *value)
{
	char *text = arena_strdup(arena, value);

	for (char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	return text;
}

/* As one word of a POSIX shell. */
static const char *
quote(struct arena *arena, const char *value)
{
	static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                               "0123456789._:/@%+=,-";
	const char       *text = "'";

	if (*value != '\0' && value[strspn(value, harmless)] == '\0')
		return value;
	for (; *value != '\0'; value += strcspn(value, "'")) {
		if (*value == '\'') {
			text = arena_printf(arena, "%s'\\''", text);
			value++;
		}
		text = arena_printf(arena, "%s%.*s", text, (int)strcspn(value, "'"), value);
	}
	return arena_printf(arena, "%s'", text);
}

static const char *
fill(const struct words *words, const char *text, bool for_shell)
{
	struct arena *arena = words->arena;
	const char   *out = "", *open, *close, *name, *value;

	while ((open = strchr(text, '{')) != NULL && (close = strchr(open, '}')) != NULL) {
		/* A brace of the shell or of a query, not one of ours. */
		if ((size_t)(close - open - 1) !=
		    strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_")) {
			out = arena_printf(arena, "%s%.*s", out, (int)(open - text + 1), text);
			text = open + 1;
			continue;
		}
		name = arena_strndup(arena, open + 1, (size_t)(close - open - 1));
		value = for_shell ? find_ready(words, name) : NULL;
		if (value == NULL) {
			value = text_or_empty(find_value(words, name));
			if (for_shell)
				value = quote(arena, blank_controls(arena, value));
		}
		out = arena_printf(arena, "%s%.*s%s", out, (int)(open - text), text, value);
		text = close + 1;
	}
	return arena_printf(arena, "%s%s", out, text);
}

const char *
template_sentence(const struct words *words, const char *text)
{
	return fill(words, text, false);
}

static bool
has_variable(const char *text, const char *name)
{
	size_t count = strlen(name);

	while ((text = strchr(text, '$')) != NULL) {
		text++;
		if (strncmp(text, name, count) == 0 &&
		    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == count)
			return true;
	}
	return false;
}

const char *
template_fix(const struct words *words, const char *text)
{
	const char *fix = fill(words, text, true);
	const char *comment = "";

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		if (has_variable(fix, variables[i].name))
			comment = arena_printf(words->arena, "%s%s $%s: %s", comment,
			    *comment == '\0' ? "#" : ";", variables[i].name,
			    variables[i].meaning);
	}
	return *comment == '\0' ? fix : arena_printf(words->arena, "%s\n%s", comment, fix);
}
