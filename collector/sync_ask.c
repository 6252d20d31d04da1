#include "collector/sync_ask.h"

#include "base/digest.h"
#include "base/text.h"
#include "collector/sync_json.h"

#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 200, LIST_BYTES_MAX = 4 << 20 };

/* The newest first, and an older one for clouds that do not have it yet.  Only the newest tells the
 * resolution policy of a link. */
static const char *const versions[SYNC_SERVICES][2] = {
	[SYNC_DATABASE] = { "2025-10-15", "2023-11-15" },
	[SYNC_NETWORK] = { "2024-05-01", "2022-01-01" },
	[SYNC_ZONES] = { "2024-06-01", "2020-06-01" },
};

struct sync_ask {
	struct sync_ask_options options;
	struct sync_http       *http;  /* owned */
	struct token_answer     token; /* secret */
	bool                    token_is_fresh;
	unsigned                version[SYNC_SERVICES]; /* index of `versions` */
	bool                    over; /* the token is refused, or the time is up */
	struct err              why;  /* of over */
};

struct sync_ask *
sync_ask_open(const struct sync_ask_options *options, struct err *err)
{
	struct sync_ask         *client = mem_alloc(sizeof(*client));
	struct sync_http_options http = { .ca_file = options->ca_file,
		.limit_ms = options->limit_ms };

	client->options = *options;
	client->http = sync_http_new(&http);
	client->token_is_fresh = true;
	if (sync_token_get(client->http, &options->token, &client->token, err))
		return client;
	sync_ask_close(client);
	return NULL;
}

void
sync_ask_close(struct sync_ask *client)
{
	if (client == NULL)
		return;
	sync_http_free(client->http);
	digest_wipe(client, sizeof(*client));
	free(client);
}

const struct err *
sync_ask_is_over(const struct sync_ask *client)
{
	return client->over ? &client->why : NULL;
}

static bool
give_up(struct sync_ask *client, const struct err *err)
{
	if (!client->over)
		client->why = *err;
	client->over = true;
	return false;
}

static bool
is_unknown_version(const char *code)
{
	static const char *const codes[] = { "NoRegisteredProviderFound",
		"InvalidApiVersionParameter", "UnsupportedApiVersion", "InvalidResourceType" };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (text_equal_nocase(code, codes[i]))
			return true;
	}
	return false;
}

/* One question with a token; a token that has just ended is asked for anew, once. */
static bool
ask_signed(struct sync_ask *client, const char *url, const char *etag,
    struct sync_http_answer *answer, struct err *err)
{
	struct sync_http_ask ask = { .url = url, .bearer = client->token.text, .etag = etag };

	if (client->over)
		return err_set(err, ERR_PEER, "%s", client->why.text);
	if (!sync_http_ask(client->http, &ask, answer, err))
		return sync_http_is_over(client->http) ? give_up(client, err) : false;
	if (answer->status == 401 && !client->token_is_fresh &&
	    sync_token_get(client->http, &client->options.token, &client->token, err)) {
		client->token_is_fresh = true;
		if (!sync_http_ask(client->http, &ask, answer, err))
			return false;
	}
	if (answer->status == 401) {
		err_set(err, ERR_PEER, "%s: 401: the token is refused",
		    client->options.resource_manager);
		return give_up(client, err);
	}
	client->token_is_fresh = false;
	return true;
}

/* A question below the resource manager, in the newest version that it knows. */
static bool
ask_path(struct sync_ask *client, struct arena *arena, enum sync_service service,
    const char *path, const char *etag, struct sync_http_answer *answer, struct err *err)
{
	for (;;) {
		unsigned   *version = &client->version[service];
		const char *code;

		if (!ask_signed(client,
		        arena_printf(arena, "%s%s?api-version=%s",
		            client->options.resource_manager, path,
		            versions[service][*version]),
		        etag, answer, err))
			return false;
		if (answer->status != 400 || *version > 0)
			return true;
		sync_json_trouble(
		    arena, (const char *)answer->body.bytes, answer->body.count, &code);
		if (!is_unknown_version(code))
			return true;
		++*version;
	}
}

/* "/subscriptions/S/.../providers/Microsoft.Network/privateDnsZones/Z/A" ->
 * "Microsoft.Network/privateDnsZones/A/read": the types in it, without the names. */
static const char *
name_right(struct arena *arena, const char *path)
{
	static const char mark[] = "/providers/";
	const char       *rest = path, *found, *right = "";
	bool              type = true;

	while ((found = text_find_nocase(rest, mark)) != NULL)
		rest = found + strlen(mark);
	right = arena_strndup(arena, rest, strcspn(rest, "/"));
	rest += strcspn(rest, "/");
	for (; *rest == '/'; type = !type) {
		size_t count = strcspn(++rest, "/");

		if (type)
			right = arena_printf(arena, "%s/%.*s", right, (int)count, rest);
		rest += count;
	}
	return arena_printf(arena, "%s/read", right);
}

/* Why an answer holds no document, for people; true: it is not visible to us. */
static bool
explain(struct arena *arena, const char *path, const struct sync_http_answer *answer,
    struct err *err)
{
	const char *code,
	    *trouble = sync_json_trouble(
	        arena, (const char *)answer->body.bytes, answer->body.count, &code);
	bool hidden = answer->status == 403 || answer->status == 404;

	if (answer->status >= 300 && answer->status < 400)
		trouble = "a redirect, which is not followed";
	err_set(err, ERR_PEER, "%s%u%s%s%s%s%s", hidden ? "not visible to us: " : "answered ",
	    answer->status, *trouble != '\0' ? " " : "", trouble,
	    answer->status == 403 ? "; wanted: " : "",
	    answer->status == 403 ? name_right(arena, path) : "",
	    answer->status == 403 ? ", which the role Reader has" : "");
	return hidden;
}

/* The pages of one list, as they come. */
struct pages {
	struct sync_ask *client;
	struct arena    *arena;
	const char      *source;
	struct json_t   *list;             /* owned until it is taken */
	const char      *links[PAGES_MAX]; /* followed */
	size_t           count, bytes;
};

/* The token goes with the question for the next page: so no other host gets it. */
static bool
check_link(const struct pages *pages, const char *next, struct err *err)
{
	if (!sync_http_same_origin(next, pages->client->options.resource_manager))
		return err_set(err, ERR_PEER, "%s: nextLink leads to another host: %s",
		    pages->source, text_sane(pages->arena, next, strlen(next), 200));
	for (size_t i = 0; i < pages->count; i++) {
		if (strcmp(pages->links[i], next) == 0)
			return err_set(
			    err, ERR_PEER, "%s: nextLink leads in a circle", pages->source);
	}
	if (pages->count == PAGES_MAX || pages->bytes > LIST_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "%s: the list has no end", pages->source);
	return true;
}

/* Adds the page that is in the answer; next: of the page behind it, "" at the end. */
static bool
take_page(struct pages *pages, const struct sync_http_answer *answer, const char **next,
    struct err *err)
{
	struct json_t *page = NULL;
	struct err     why;
	bool           good;

	if (answer->status != 200) {
		explain(pages->arena, pages->source, answer, &why);
		return err_set(err, ERR_PEER, "%s: a page: %s", pages->source, why.text);
	}
	page = sync_json_object(
	    (const char *)answer->body.bytes, answer->body.count, pages->source, err);
	good = page != NULL &&
	    sync_json_add_page(pages->arena, &pages->list, page, pages->source, next, err);
	pages->bytes += answer->body.count;
	sync_json_free(page);
	return good && (**next == '\0' || check_link(pages, *next, err));
}

/* All pages as one list, the first of which is in the answer; NULL with err. */
static struct json_t *
read_pages(struct sync_ask *client, struct arena *arena, const char *source,
    struct sync_http_answer *answer, struct err *err)
{
	struct pages *pages = arena_alloc(arena, sizeof(*pages));
	const char   *next = "";

	pages->client = client;
	pages->arena = arena;
	pages->source = source;
	while (take_page(pages, answer, &next, err)) {
		if (*next == '\0')
			return pages->list;
		pages->links[pages->count++] = next;
		if (!ask_signed(client, next, NULL, answer, err))
			break;
	}
	sync_json_free(pages->list);
	return NULL;
}

/* What the answer is, and its value by the way in which it comes. */
static enum sync_ask_outcome
take_answer(
    struct arena *arena, const char *path, const struct sync_http_answer *from, struct err *err)
{
	if (from->status == 304)
		return SYNC_ASK_SAME;
	if (from->status == 200)
		return SYNC_ASK_GOT;
	return explain(arena, path, from, err) ? SYNC_ASK_HIDDEN : SYNC_ASK_FAILED;
}

enum sync_ask_outcome
sync_ask_get(struct sync_ask *client, struct arena *arena, enum sync_service service,
    const char *path, const char *etag, struct sync_ask_answer *answer, struct err *err)
{
	struct sync_http_answer from = { .status = 0 };
	enum sync_ask_outcome   outcome = SYNC_ASK_FAILED;

	answer->value = NULL;
	wbuf_init(&from.body);
	if (ask_path(client, arena, service, path, etag, &from, err))
		outcome = take_answer(arena, path, &from, err);
	if (outcome == SYNC_ASK_GOT)
		answer->value = sync_json_object(
		    (const char *)from.body.bytes, from.body.count, path, err);
	memcpy(answer->etag, from.etag, sizeof(answer->etag));
	wbuf_fini(&from.body);
	return outcome == SYNC_ASK_GOT && answer->value == NULL ? SYNC_ASK_FAILED : outcome;
}

enum sync_ask_outcome
sync_ask_list(struct sync_ask *client, struct arena *arena, enum sync_service service,
    const char *path, struct sync_ask_answer *answer, struct err *err)
{
	struct sync_http_answer from = { .status = 0 };
	enum sync_ask_outcome   outcome = SYNC_ASK_FAILED;

	answer->value = NULL;
	answer->etag[0] = '\0'; /* a page has one at most, and the list none */
	wbuf_init(&from.body);
	if (ask_path(client, arena, service, path, "", &from, err))
		outcome = take_answer(arena, path, &from, err);
	if (outcome == SYNC_ASK_GOT)
		answer->value = read_pages(client, arena, path, &from, err);
	wbuf_fini(&from.body);
	return outcome == SYNC_ASK_GOT && answer->value == NULL ? SYNC_ASK_FAILED : outcome;
}
