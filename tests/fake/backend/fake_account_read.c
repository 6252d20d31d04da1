#include "tests/fake/backend/fake_account.h"

#include "tests/fake/backend/fake_account_preset.h"
#include "tests/fake/backend/fake_answer.h"

#include "base/arena.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* While a file is read. */
struct reading {
	const struct fake_listeners *listeners;
	struct err                  *err;
	const char                  *what; /* of what kind the object at hand is */
};

typedef bool (*read_item)(struct reading *in, json_t *item, void *into);

static bool
refuse(struct reading *in, const json_error_t *error)
{
	return err_set(in->err, ERR_PARSE, "%s: %s", in->what, error->text);
}

/* A list of objects into an array of structs of `bytes` each; an absent list is empty. */
static bool
read_list(struct reading *in, json_t *list, const char *what, size_t bytes, read_item read,
    void *items, size_t *count)
{
	char *at = mem_array(json_array_size(list) + 1, bytes);

	memcpy(items, &at, sizeof(at)); /* whatever it points to, a pointer */
	for (*count = 0; *count < json_array_size(list); (*count)++, at += bytes) {
		in->what = what;
		if (!read(in, json_array_get(list, *count), at))
			return false;
	}
	return list == NULL || json_is_array(list) ||
	    err_set(in->err, ERR_PARSE, "a list is wanted of what is a %s", what);
}

/* A number, or "PROTOCOL:N". */
static bool
read_port(struct reading *in, json_t *value, uint16_t *port)
{
	const char *text = json_string_value(value);
	json_int_t  number = json_integer_value(value);

	*port = number > 0 && number <= UINT16_MAX ? (uint16_t)number : 0;
	for (unsigned i = 0; text != NULL && i < FAKE_PROTOCOLS; i++) {
		size_t length = strlen(fake_protocol_names[i]);

		if (strncmp(text, fake_protocol_names[i], length) == 0 && text[length] == ':')
			*port = fake_listeners_port(in->listeners, (enum fake_protocol)i,
			    strtoul(text + length + 1, NULL, 10));
	}
	return *port != 0 ||
	    err_set(in->err, ERR_PARSE, "%s: a port is wanted, or PROTOCOL:NUMBER", in->what);
}

static bool
read_place(struct reading *in, json_t *item, void *into)
{
	struct fake_place *place = into;
	json_t            *port = NULL;
	int                writable = 0;
	json_error_t       error;

	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s:s, s:o, s?b}", "name",
	        &place->name, "host", &place->host, "port", &port, "writable", &writable) != 0)
		return refuse(in, &error);
	place->writable = writable != 0;
	return read_port(in, port, &place->port);
}

static bool
read_replica(struct reading *in, json_t *item, void *into)
{
	struct fake_replica *replica = into;
	json_t              *port = NULL;
	int                  primary = 0, refreshed = 0, status = 401, substatus = 0;
	json_error_t         error;

	replica->protocol = "rntbd";
	replica->view = "";
	if (json_unpack_ex(item, &error, JSON_STRICT,
	        "{s:s, s:o, s:s, s?s, s?s, s?b, s?b, s?i, s?i}", "host", &replica->host, "port",
	        &port, "path", &replica->path, "protocol", &replica->protocol, "view",
	        &replica->view, "primary", &primary, "refreshed", &refreshed, "status", &status,
	        "substatus", &substatus) != 0)
		return refuse(in, &error);
	replica->primary = primary != 0;
	replica->refreshed = refreshed != 0;
	replica->status = (unsigned)status;
	replica->substatus = (unsigned)substatus;
	return read_port(in, port, &replica->port);
}

static bool
read_range(struct reading *in, json_t *item, void *into)
{
	struct fake_range *range = into;
	json_t            *replicas = NULL;
	json_error_t       error;

	range->min = "";
	range->max = "FF";
	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s?s, s?s, s?o}", "id", &range->id,
	        "min", &range->min, "max", &range->max, "replicas", &replicas) != 0)
		return refuse(in, &error);
	return read_list(in, replicas, "replica", sizeof(struct fake_replica), read_replica,
	    &range->replicas, &range->replica_count);
}

static bool
read_container(struct reading *in, json_t *item, void *into)
{
	struct fake_container *container = into;
	json_t                *ranges = NULL;
	json_error_t           error;

	container->partition_key = "/id";
	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s:s, s?s, s:o}", "id",
	        &container->id, "rid", &container->rid, "partition_key",
	        &container->partition_key, "ranges", &ranges) != 0)
		return refuse(in, &error);
	return read_list(in, ranges, "range", sizeof(struct fake_range), read_range,
	    &container->ranges, &container->range_count);
}

static bool
read_database(struct reading *in, json_t *item, void *into)
{
	struct fake_database *database = into;
	json_t               *containers = NULL;
	json_error_t          error;

	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s:s, s?o}", "id", &database->id,
	        "rid", &database->rid, "containers", &containers) != 0)
		return refuse(in, &error);
	return read_list(in, containers, "container", sizeof(struct fake_container),
	    read_container, &database->containers, &database->container_count);
}

static bool
read_token(struct reading *in, json_t *item, void *into)
{
	struct fake_token *token = into;
	json_t            *scopes = NULL;
	json_int_t         expires = 0;
	int                may_query = 0;
	json_error_t       error;

	token->principal = "00000000-0000-0000-0000-00000000aad0";
	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s?s, s?I, s?o, s?b}", "token",
	        &token->text, "principal", &token->principal, "expires", &expires, "scopes",
	        &scopes, "may_query", &may_query) != 0)
		return refuse(in, &error);
	token->expires_s = expires;
	token->scopes = scopes;
	token->may_query = may_query != 0;
	return true;
}

/* One that can be given after a request has been heard. */
static bool
want_answer(struct reading *in, const char *name)
{
	const struct fake_answer *answer = fake_answer_find(name);

	return *name == '\0' ||
	    (answer != NULL && !answer->by_account && answer->before_tls == NULL &&
	        answer->after_tls == NULL) ||
	    err_set(in->err, ERR_PARSE, "%s: no answer \"%s\" to a request", in->what, name);
}

static bool
read_view(struct reading *in, json_t *item, void *into)
{
	struct fake_view *view = into;
	json_t           *hosts = NULL, *locals = NULL, *clients = NULL;
	json_error_t      error;

	view->answer = "";
	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s?o, s?o, s?o, s?s}", "name",
	        &view->name, "hosts", &hosts, "locals", &locals, "clients", &clients, "answer",
	        &view->answer) != 0)
		return refuse(in, &error);
	view->hosts = hosts;
	view->locals = locals;
	view->clients = clients;
	return want_answer(in, view->answer);
}

static bool
read_step(struct reading *in, json_t *item, void *into)
{
	struct fake_step *step = into;
	int               delay = 0, times = 0;
	json_error_t      error;

	step->answer = "";
	if (json_unpack_ex(item, &error, JSON_STRICT, "{s:s, s?s, s?s, s?i, s?i}", "path",
	        &step->path, "answer", &step->answer, "body", &step->body, "delay", &delay,
	        "times", &times) != 0)
		return refuse(in, &error);
	step->delay_ms = (uint32_t)delay;
	step->times = (uint32_t)times;
	return want_answer(in, step->answer);
}

/* The lists of an account, each into its own array. */
struct parts {
	json_t *regions, *thin, *tokens, *views, *steps, *databases, *master;
};

static bool
read_parts(struct reading *in, const struct parts *parts, struct fake_account *account)
{
	account->master.id = "M";
	return read_list(in, parts->regions, "region", sizeof(struct fake_place), read_place,
	           &account->regions, &account->region_count) &&
	    read_list(in, parts->thin, "thin", sizeof(struct fake_place), read_place,
	        &account->thin, &account->thin_count) &&
	    read_list(in, parts->tokens, "token", sizeof(struct fake_token), read_token,
	        &account->tokens, &account->token_count) &&
	    read_list(in, parts->views, "view", sizeof(struct fake_view), read_view,
	        &account->views, &account->view_count) &&
	    read_list(in, parts->steps, "step", sizeof(struct fake_step), read_step,
	        &account->steps, &account->step_count) &&
	    read_list(in, parts->databases, "database", sizeof(struct fake_database),
	        read_database, &account->databases, &account->database_count) &&
	    read_list(in, parts->master, "replica", sizeof(struct fake_replica), read_replica,
	        &account->master.replicas, &account->master.replica_count);
}

static bool
read_account(struct reading *in, json_t *item, void *into)
{
	struct fake_account *account = into;
	struct parts         parts = { 0 };
	json_t              *keys = NULL, *readonly_keys = NULL;
	json_int_t           clock = 0;
	int                  local_auth = 1, chunked = 0, page = 0;
	json_error_t         error;

	account->suffix = "documents.azure.com";
	if (json_unpack_ex(item, &error, JSON_STRICT,
	        "{s:s, s?s, s?o, s?o, s?b, s?I, s?b, s?i, s:o, s?o, s?o, s?o, s?o, s?o, s?o}",
	        "name", &account->name, "suffix", &account->suffix, "keys", &keys,
	        "readonly_keys", &readonly_keys, "local_auth", &local_auth, "clock", &clock,
	        "chunked", &chunked, "page", &page, "regions", &parts.regions, "thin",
	        &parts.thin, "tokens", &parts.tokens, "views", &parts.views, "steps",
	        &parts.steps, "databases", &parts.databases, "master", &parts.master) != 0)
		return refuse(in, &error);
	account->keys = keys;
	account->readonly_keys = readonly_keys;
	account->local_auth = local_auth != 0;
	account->clock_s = clock;
	account->chunked = chunked != 0;
	account->page = (unsigned)page;
	return read_parts(in, &parts, account);
}

bool
fake_accounts_read(const char *path, const struct fake_listeners *listeners, struct err *err)
{
	struct reading in = { listeners, err, "the file" };
	json_error_t   error;
	json_t        *list = NULL;
	json_t *root = path != NULL ? json_load_file(path, JSON_REJECT_DUPLICATES, &error)
	                            : fake_account_preset(listeners);

	if (root == NULL)
		return err_set(
		    err, ERR_PARSE, "%s:%d:%d: %s", path, error.line, error.column, error.text);
	fake_book.root = root;
	if (json_unpack_ex(root, &error, JSON_STRICT, "{s:o}", "accounts", &list) != 0)
		return refuse(&in, &error);
	if (!read_list(&in, list, "account", sizeof(struct fake_account), read_account,
	        &fake_book.items, &fake_book.count))
		return path != NULL ? err_in(err, "%s", path) : false;
	return fake_book.count > 0 || err_set(err, ERR_PARSE, "there is no account");
}
