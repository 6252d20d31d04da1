#include "agent/bundle.h"

#include "agent/redact.h"
#include "analyze/verdict.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BUNDLE_VERSION = 1, INDENT = 2 };

struct writer {
	struct arena *arena;
	json_t       *commands; /* of one place */
};

static void add_command(struct writer *writer, const char *format, ...) PRINTF_LIKE(2, 3);

static void
add_command(struct writer *writer, const char *format, ...)
{
	char    line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	json_array_append_new(writer->commands, json_string(line));
}

/* What dig(1) wants of "10.0.0.4" or "127.0.0.1:5300". */
static void
add_dns(struct writer *writer, const char *host, const struct dns *dns)
{
	struct addr server;
	char        text[ADDR_TEXT];

	if (!addr_parse(&server, dns->resolver, 53, NULL)) {
		add_command(writer, "getent ahosts %s", host);
		return;
	}
	addr_render(&server, text, sizeof(text));
	if (server.port == 53)
		add_command(writer, "dig @%s %s A %s AAAA", text, host, host);
	else
		add_command(
		    writer, "dig @%s -p %u %s A %s AAAA", text, server.port, host, host);
}

/* An address as it stands in front of a port. */
static const char *
bracket(struct writer *writer, const char *address)
{
	return strchr(address, ':') != NULL ? arena_printf(writer->arena, "[%s]", address)
	                                    : address;
}

static void
add_tls(struct writer *writer, const char *host, const struct endpoint *end)
{
	add_command(writer,
	    "openssl s_client -connect %s:%u -servername %s -verify_hostname %s -showcerts "
	    "</dev/null",
	    bracket(writer, end->address), end->port, host, host);
}

static void
add_gateway(struct writer *writer, const struct target *target, const struct endpoint *end)
{
	if (end->greeting == NULL)
		add_command(writer, "curl -sv --connect-to %s:%u:%s:%u https://%s:%u/",
		    target->host, end->port, bracket(writer, end->address), end->port,
		    target->host, end->port);
	add_tls(writer, target->host, end);
}

static void
add_thin(struct writer *writer, const struct thin *thin)
{
	if (thin->end == NULL)
		return;
	add_command(writer,
	    "curl -sv --http2 -X POST --connect-to %s:%u:%s:%u "
	    "https://%s:%u/connectivity-probe",
	    thin->host, thin->port, bracket(writer, thin->end->address), thin->port, thin->host,
	    thin->port);
}

static void
add_outside(struct writer *writer, const struct target *target, const struct outside *outside)
{
	for (size_t i = 0; i < outside->dns_count; i++)
		add_dns(writer, target->host, &outside->dns[i]);
	for (size_t i = 0; i < outside->endpoints_count; i++)
		add_gateway(writer, target, &outside->endpoints[i]);
}

/* No other program speaks RNTBD: its connection and handshake can be seen. */
static json_t *
commands_json(struct arena *arena, const struct measurement *seen)
{
	struct writer        writer = { arena, json_array() };
	const struct target *target = seen->target;

	for (size_t i = 0; i < seen->dns_count; i++)
		add_dns(&writer, target->host, &seen->dns[i]);
	for (size_t i = 0; i < seen->endpoints_count; i++)
		add_gateway(&writer, target, &seen->endpoints[i]);
	for (size_t i = 0; i < seen->replicas_count; i++) {
		if (seen->replicas[i].end != NULL)
			add_tls(&writer, seen->replicas[i].host, seen->replicas[i].end);
	}
	for (size_t i = 0; i < seen->thins_count; i++)
		add_thin(&writer, &seen->thins[i]);
	if (seen->outside != NULL)
		add_outside(&writer, target, seen->outside);
	return writer.commands;
}

static json_t *
account_json(struct arena *arena, const struct survey_result *result)
{
	const struct verdict *verdict = result->verdict;
	json_t               *value = verdict_json(result->account, verdict);
	json_t               *places = json_object_get(value, "places");

	for (size_t i = 0; i < verdict->place_count; i++) {
		if (verdict->places[i].seen != NULL)
			json_object_set_new(json_array_get(places, i), "commands",
			    commands_json(arena, verdict->places[i].seen));
	}
	return value;
}

static json_t *
text_value(struct arena *arena, const char *text)
{
	return json_string(text_sane(arena, text, strlen(text), 1024));
}

static json_t *
root_json(struct arena *arena, const struct bundle_facts *facts)
{
	json_t *root = json_object(), *accounts = json_array();
	char    at[CLOCK_TEXT];

	for (size_t i = 0; i < facts->seen->count; i++)
		json_array_append_new(accounts, account_json(arena, &facts->seen->results[i]));
	json_object_set_new(root, "bundle", json_integer(BUNDLE_VERSION));
	json_object_set_new(root, "plprobe_version", json_string(PLPROBE_VERSION));
	json_object_set_new(
	    root, "made", json_string(clock_render(facts->at_ms, at, sizeof(at))));
	json_object_set_new(root, "redacted", json_boolean(facts->redact));
	/* Of names as short as "vm" the words of this text are not cleared: said here. */
	json_object_set_new(root, "machine",
	    facts->redact ? json_string("machine-1") : text_value(arena, facts->machine));
	json_object_set_new(root, "kernel", text_value(arena, facts->kernel));
	json_object_set_new(root, "resolvers",
	    text_value(arena, vantages_render(&facts->seen->vantages, arena)));
	if (text_is_said(facts->options->vnet.id))
		json_object_set_new(root, "vnet", text_value(arena, facts->options->vnet.id));
	json_object_set_new(root, "interrupted", json_boolean(facts->seen->interrupted));
	json_object_set_new(root, "accounts", accounts);
	return root;
}

/* Redacting: what is known beforehand, what certain members hold, and then every text there is. */

static void
name_endpoint(struct redact *redact, const struct private_endpoint *endpoint)
{
	redact_word(redact, REDACT_ACCOUNT, endpoint->account);
	redact_word(redact, REDACT_NAME, endpoint->name);
	redact_id(redact, endpoint->id);
	redact_id(redact, endpoint->subnet);
	redact_id(redact, endpoint->service);
	for (size_t i = 0; i < endpoint->zone_count; i++)
		redact_id(redact, endpoint->zones[i]);
	redact_word(redact, REDACT_DOCUMENT, endpoint->source);
}

static void
name_connection(struct redact *redact, const struct connection *connection)
{
	redact_word(redact, REDACT_NAME, connection->name);
	redact_id(redact, connection->endpoint);
	redact_word(redact, REDACT_DOCUMENT, connection->source);
}

static void
name_account(struct redact *redact, const struct account *account)
{
	redact_word(redact, REDACT_ACCOUNT, account->name);
	redact_id(redact, account->id);
	redact_word(redact, REDACT_DOCUMENT, account->source);
	for (size_t i = 0; i < account->connection_count; i++)
		name_connection(redact, &account->connections[i]);
}

static void
name_zone(struct redact *redact, const struct zone *zone)
{
	redact_id(redact, zone->id);
	redact_word(redact, REDACT_DOCUMENT, zone->source);
	for (size_t i = 0; i < zone->link_count; i++) {
		redact_word(redact, REDACT_NAME, zone->links[i].name);
		redact_id(redact, zone->links[i].vnet);
		redact_word(redact, REDACT_DOCUMENT, zone->links[i].source);
	}
}

/* Of other accounts too: the same words may stand in a finding. */
static void
name_documented(struct redact *redact, const struct account_list *documents)
{
	for (size_t i = 0; i < documents->count; i++)
		name_account(redact, documents->accounts[i]);
	for (size_t i = 0; i < documents->endpoints.count; i++)
		name_endpoint(redact, documents->endpoints.endpoints[i]);
	for (size_t i = 0; i < documents->zones.count; i++)
		name_zone(redact, documents->zones.zones[i]);
	for (size_t i = 0; i < documents->plinks.connection_count; i++) {
		redact_word(redact, REDACT_ACCOUNT, documents->plinks.connections[i].account);
		name_connection(redact, &documents->plinks.connections[i].connection);
	}
}

static void
name_known(struct redact *redact, const struct bundle_facts *facts)
{
	const struct check_options *options = facts->options;

	for (size_t i = 0; i < facts->seen->count; i++)
		name_account(redact, facts->seen->results[i].account);
	name_documented(redact, facts->seen->documents);
	for (size_t i = 0; i < options->document_count; i++)
		redact_word(redact, REDACT_DOCUMENT, options->documents[i]);
	redact_id(redact, options->vnet.id);
	redact_id(redact, options->vnet.subnet);
	redact_word(redact, REDACT_DATABASE, options->means.database);
	redact_word(redact, REDACT_DATABASE, options->means.container);
	redact_word(redact, REDACT_MACHINE, facts->machine);
}

/* An interceptor's certificate says whose it is; that of Azure's own authorities does not. */
static bool
is_makers(const char *name)
{
	return text_find_nocase(name, "Microsoft") != NULL ||
	    text_find_nocase(name, "DigiCert") != NULL;
}

/* Each value of "C = US, O = Contoso Ltd, CN = Contoso Proxy"; host names are known by their form. */
static void
name_certificate(struct redact *redact, struct arena *arena, const char *name)
{
	for (const char *at = name; (at = strchr(at, '=')) != NULL;) {
		const char *value;

		at += 1 + strspn(at + 1, " \"");
		value = arena_strndup(arena, at, strcspn(at, ",/\""));
		if (!is_makers(value) &&
		    (strchr(value, '.') == NULL || strchr(value, ' ') != NULL))
			redact_word(redact, REDACT_CERTIFICATE, value);
	}
}

/* "dbs/x/colls/y" */
static void
name_container(struct redact *redact, struct arena *arena, const char *path)
{
	for (const char *at = path; (at = strchr(at, '/')) != NULL;) {
		const char *end = at + 1 + strcspn(at + 1, "/");

		redact_word(redact, REDACT_DATABASE,
		    arena_strndup(arena, at + 1, (size_t)(end - at - 1)));
		at = strchr(end, '/') == NULL ? end : end + 1;
	}
}

static void
name_member(struct redact *redact, struct arena *arena, const char *key, const char *text)
{
	static const char *const accounts[] = { "account" };
	static const char *const certificates[] = { "subject", "issuer" };

	if (strcmp(key, accounts[0]) == 0)
		redact_word(redact, REDACT_ACCOUNT, text);
	if (strcmp(key, certificates[0]) == 0 || strcmp(key, certificates[1]) == 0)
		name_certificate(redact, arena, text);
	if (strcmp(key, "container") == 0)
		name_container(redact, arena, text);
	if (strcmp(key, "document") == 0)
		redact_word(redact, REDACT_DOCUMENT, text);
}

static void
name_seen(struct redact *redact, struct arena *arena, const json_t *value)
{
	const char   *key;
	const json_t *member;
	size_t        i;

	json_array_foreach ((json_t *)value, i, member)
		name_seen(redact, arena, member);
	json_object_foreach ((json_t *)value, key, member) {
		if (json_is_string(member))
			name_member(redact, arena, key, json_string_value(member));
		else
			name_seen(redact, arena, member);
	}
}

/* Packets and free words of servers cannot be rewritten, or not safely; versions look like
 * addresses. */
static bool
is_one_of(const char *const *keys, const char *key)
{
	while (*keys != NULL && strcmp(*keys, key) != 0)
		keys++;
	return *keys != NULL;
}

static const char *const dropped_keys[] = { "raw", "nsid", NULL };
static const char *const kept_keys[] = { "plprobe_version", "made", "kernel", "tls_version",
	"gateway_version", "server_agent", "server_version", "client_version", NULL };

/* Where a redirect leads within a host can be anything. */
static const char *
cut_location(struct arena *arena, const char *url)
{
	const char *host = strstr(url, "://");
	size_t      length = strcspn(host != NULL ? host + 3 : url, "/?#");

	if (host == NULL)
		return "(a path)";
	return arena_printf(arena, "%.*s/", (int)((size_t)(host + 3 - url) + length), url);
}

static json_t *redacted(
    struct redact *redact, struct arena *arena, const char *key, const json_t *value);

static json_t *
redacted_object(struct redact *redact, struct arena *arena, const json_t *value)
{
	json_t       *copy = json_object();
	const char   *key;
	const json_t *member;

	json_object_foreach ((json_t *)value, key, member) {
		if (!is_one_of(dropped_keys, key))
			json_object_set_new(copy, key, redacted(redact, arena, key, member));
	}
	return copy;
}

static json_t *
redacted(struct redact *redact, struct arena *arena, const char *key, const json_t *value)
{
	const char   *text = json_string_value(value);
	const json_t *element;
	json_t       *copy;
	size_t        i;

	if (json_is_object(value))
		return redacted_object(redact, arena, value);
	if (json_is_array(value)) {
		copy = json_array();
		json_array_foreach ((json_t *)value, i, element)
			json_array_append_new(copy, redacted(redact, arena, key, element));
		return copy;
	}
	if (text == NULL || is_one_of(kept_keys, key))
		return json_deep_copy(value);
	if (strcmp(key, "location") == 0)
		text = cut_location(arena, text);
	return json_string(redact_text(redact, text));
}

void
bundle_json_write(const struct bundle_facts *facts, struct wbuf *out)
{
	struct arena  *arena = arena_new();
	json_t        *root = root_json(arena, facts), *copy;
	struct redact *redact;

	if (facts->redact) {
		redact = redact_new(arena);
		name_known(redact, facts);
		name_seen(redact, arena, root);
		copy = redacted(redact, arena, "", root);
		json_decref(root);
		root = copy;
	}
	json_write(out, root, INDENT);
	wbuf_puts(out, "\n");
	json_decref(root);
	arena_free(arena);
}
