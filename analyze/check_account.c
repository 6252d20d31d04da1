#include "analyze/checks.h"

#include "analyze/facet.h"
#include "base/text.h"

static const struct {
	const char       *status;
	enum finding_code code;
} statuses[] = {
	{ "Pending", FINDING_CONNECTION_PENDING },
	{ "Rejected", FINDING_CONNECTION_REJECTED },
	{ "Disconnected", FINDING_CONNECTION_DISCONNECTED },
};

/* Endpoints of other APIs say nothing about this one; the group's case is not stable. */
bool
check_is_for_api(const struct scene *scene, const struct connection *connection)
{
	return *connection->group == '\0' ||
	    text_equal_nocase(connection->group, facet_group(scene->ask->account));
}

static enum finding_code
find_code(const struct scene *scene, const struct connection *connection)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		if (check_is_for_api(scene, connection) &&
		    text_equal_nocase(connection->status, statuses[i].status))
			return statuses[i].code;
	}
	return FINDING_COUNT;
}

const struct connection *
check_blocking_connection(const struct scene *scene, enum finding_code *code)
{
	const struct connection *blocking = NULL;

	for (size_t i = 0; i < scene->connection_count; i++) {
		const struct connection *connection = &scene->connections[i];
		enum finding_code        found = find_code(scene, connection);

		if (check_is_for_api(scene, connection) && found == FINDING_COUNT)
			return NULL; /* approved, or of a state that we do not know */
		if (blocking == NULL && found != FINDING_COUNT) {
			blocking = connection;
			*code = found;
		}
	}
	return blocking;
}

/* What whoever decided has left for the other side; "" for nothing. */
static const char *
describe_words(const struct scene *scene, const struct connection *connection)
{
	const char *text = "";

	if (connection->description != NULL && *connection->description != '\0')
		text = arena_printf(scene->arena, "; description: %s", connection->description);
	if (connection->actions_required != NULL && *connection->actions_required != '\0' &&
	    !text_equal_nocase(connection->actions_required, "None"))
		text = arena_printf(scene->arena, "%s; actions required: %s", text,
		    connection->actions_required);
	return text;
}

void
check_connections(const struct scene *scene, struct report *out)
{
	enum finding_code ignored;
	bool              blocking = check_blocking_connection(scene, &ignored) != NULL;

	for (size_t i = 0; i < scene->connection_count; i++) {
		const struct connection *connection = &scene->connections[i];
		enum finding_code        code = find_code(scene, connection);

		if (code == FINDING_COUNT)
			continue;
		report_add(out,
		    &(struct sighting){
		        .code = code,
		        .severity = blocking ? STATE_CRITICAL : STATE_WARNING,
		        .connection = connection->name,
		        .group = "account",
		        .evidence = arena_printf(scene->arena,
		            "%s: connection %s has the status %s%s%s%s", connection->source,
		            connection->name, connection->status,
		            *connection->endpoint != '\0' ? ", endpoint " : "",
		            connection->endpoint, describe_words(scene, connection)),
		    });
	}
}

static bool
is_of_status(const struct connection *connection, const char *status)
{
	return text_equal_nocase(connection->status, status);
}

/* Once for the account, whatever its APIs: rules and connections are of all of them. */
void
check_last_endpoint(const struct scene *scene, struct report *out)
{
	const struct account    *account = scene->ask->account;
	const struct connection *gone = NULL;

	if (scene->apis->of[0] != scene || !scene->ask->has_document || !account->ruleless ||
	    !text_equal_nocase(account->public_network_access, "Enabled"))
		return;
	for (size_t i = 0; i < scene->connection_count; i++) {
		const struct connection *connection = &scene->connections[i];

		if (is_of_status(connection, "Rejected") ||
		    is_of_status(connection, "Disconnected"))
			gone = connection;
		else if (!is_of_status(connection, "Pending"))
			return; /* approved, or of a state that we do not know */
	}
	if (gone == NULL)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = FINDING_LAST_ENDPOINT_GONE,
	        .group = "account",
	        .connection = gone->name,
	        .evidence = arena_printf(scene->arena,
	            "%s: publicNetworkAccess Enabled, no IP and no virtual network rules; no "
	            "connection is approved, and %s is %s",
	            account->source, gone->name, gone->status),
	    });
}
