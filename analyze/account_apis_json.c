#include "analyze/account_apis.h"

#include "base/text.h"

#include <jansson.h>
#include <string.h>

/* Text of an element "EnableGremlin", or of its member `name`. */
static bool
has_capability(const json_t *capabilities, const char *name)
{
	size_t  index;
	json_t *value;

	json_array_foreach ((json_t *)capabilities, index, value) {
		const char *text = json_string_value(
		    json_is_object(value) ? json_object_get(value, "name") : value);

		if (text != NULL && text_equal_nocase(text, name))
			return true;
	}
	return false;
}

/* Which APIs the account serves, by all that its document tells [cosmos-account]. */
static const struct api_mark {
	enum api    api;
	const char *capability; /* of `capabilities` */
	const char *type;       /* of `EnabledApiTypes` */
	const char *endpoint;   /* member with the API's own endpoint */
} api_marks[] = {
	{ API_SQL, NULL, "Sql", "sqlEndpoint" },
	{ API_MONGO, "EnableMongo", "MongoDB", "mongoEndpoint" },
	{ API_CASSANDRA, "EnableCassandra", "Cassandra", "cassandraEndpoint" },
	{ API_GREMLIN, "EnableGremlin", "Gremlin", "gremlinEndpoint" },
	{ API_TABLE, "EnableTable", "Table", "tableEndpoint" },
};

enum { MARK_COUNT = sizeof(api_marks) / sizeof(api_marks[0]) };

/* "Gremlin, Sql" */
static bool
has_type(const char *types, const char *type)
{
	size_t length = strlen(type);

	for (const char *at = types; *at != '\0'; at += strcspn(at, ", ")) {
		at += strspn(at, ", ");
		if (strcspn(at, ", ") == length && text_starts_nocase(at, type))
			return true;
	}
	return false;
}

/* The host of an endpoint of one API, where it is a name of this account; its port is 443 in
 * recorded documents, whatever the API's is, and does not count. */
static bool
read_api_host(const struct arm_reader *in, const struct arm_spot *at, struct account *account,
    const struct api_mark *mark)
{
	size_t      length = strlen(account->name);
	const char *host;
	uint16_t    port;

	if (!arm_endpoint(in, at, mark->endpoint, &host, &port))
		return false;
	/* An account of MongoDB 3.2 has one below the suffix of NoSQL. */
	if (strncmp(host, account->name, length) == 0 && host[length] == '.' &&
	    strcmp(host, account->host) != 0)
		account->hosts.of[mark->api] = host;
	return true;
}

static unsigned
find_apis(const struct account *account, const char *types, const json_t *capabilities)
{
	unsigned apis = text_equal_nocase(account->kind, "MongoDB") ? 1u << API_MONGO : 0;

	for (size_t i = 0; i < MARK_COUNT; i++) {
		const struct api_mark *mark = &api_marks[i];

		if (has_type(types, mark->type) ||
		    (mark->capability != NULL &&
		        has_capability(capabilities, mark->capability)))
			apis |= 1u << mark->api;
	}
	/* An account of Gremlin or Table has the endpoint of NoSQL too; one that is nothing else
	 * is of NoSQL. */
	if (apis == 0 || (apis & (1u << API_GREMLIN | 1u << API_TABLE)) != 0)
		apis |= 1u << API_SQL;
	return apis;
}

bool
account_apis_read(
    const struct arm_reader *in, const struct arm_spot *at, struct account *account)
{
	const json_t   *capabilities;
	struct arm_spot properties;
	const char     *types;

	account->api = API_SQL;
	account->server_version = "";
	if (!arm_text(in, at, "EnabledApiTypes", &types) ||
	    !arm_array(in, at, "capabilities", &capabilities) ||
	    !arm_object(in, at, "apiProperties", &properties))
		return false;
	if (properties.value != NULL &&
	    !arm_text(in, &properties, "serverVersion", &account->server_version))
		return false;
	for (size_t i = 0; i < MARK_COUNT; i++) {
		if (!read_api_host(in, at, account, &api_marks[i]))
			return false;
	}
	account->apis = find_apis(account, types, capabilities);
	return true;
}
