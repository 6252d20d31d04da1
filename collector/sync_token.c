#include "collector/sync_token.h"

#include "base/arena.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The content of a file with a secret, without the white space around it.  In the arena, which is to
 * be wiped. */
static char *
read_secret(struct arena *arena, const char *path, const char *what, struct err *err)
{
	size_t count, begin = 0;
	char  *text = file_read(arena, path, TOKEN_ROOM - 1, &count, err);

	if (text == NULL) {
		err_in(err, "%s", what);
		return NULL;
	}
	while (begin < count && strchr(" \t\r\n", text[begin]) != NULL)
		begin++;
	while (count > begin && strchr(" \t\r\n", text[count - 1]) != NULL)
		count--;
	text[count] = '\0';
	for (size_t i = begin; i < count; i++) {
		if (text[i] <= ' ' || text[i] > '~') {
			err_set(err, ERR_PARSE, "%s: %s is not one token", what, path);
			return NULL;
		}
	}
	if (begin == count) {
		err_set(err, ERR_PARSE, "%s: %s is empty", what, path);
		return NULL;
	}
	return text + begin;
}

static bool
take_file(const struct sync_token_source *source, struct token_answer *token, struct err *err)
{
	struct arena *arena = arena_new();
	const char   *text = read_secret(arena, source->file, "token", err);

	if (text != NULL)
		memcpy(token->text, text, strlen(text) + 1);
	arena_free_wiped(arena);
	return text != NULL;
}

/* The answer of a service that gives tokens. */
static bool
take_answer(struct token_answer *token, const char *who, struct sync_http_answer *answer,
    struct err *err)
{
	struct arena *arena = arena_new();
	const char   *trouble = "";
	bool          done = false;

	if (answer->status == 200) {
		done = token_json_read(
		    token, who, (const char *)answer->body.bytes, answer->body.count, err);
	} else {
		trouble = token_json_trouble(
		    arena, (const char *)answer->body.bytes, answer->body.count);
		err_set(err, ERR_PEER, "%s: no token: %u%s%s", who, answer->status,
		    *trouble != '\0' ? ", " : "", trouble);
	}
	digest_wipe(answer->body.bytes, answer->body.count);
	arena_free(arena);
	return done;
}

static bool
ask_for_token(struct sync_http *http, const struct sync_http_ask *ask, const char *who,
    struct token_answer *token, struct err *err)
{
	struct sync_http_answer answer = { .status = 0 };
	bool                    done;

	wbuf_init(&answer.body);
	done = sync_http_ask(http, ask, &answer, err);
	done = done ? take_answer(token, who, &answer, err) : err_in(err, "%s", who);
	wbuf_fini(&answer.body);
	return done;
}

static bool
ask_managed(struct sync_http *http, const struct sync_token_source *source,
    struct token_answer *token, struct err *err)
{
	char *audience = sync_http_escape(source->audience);
	char *client = sync_http_escape(source->client_id);
	char *url = mem_printf("%s/metadata/identity/oauth2/token?api-version=2018-02-01"
	                       "&resource=%s%s%s",
	    source->imds_url, audience, *client != '\0' ? "&client_id=" : "", client);
	const struct sync_http_ask ask = { .url = url, .metadata = true };
	bool done = ask_for_token(http, &ask, "managed identity of this machine", token, err);

	/* Elsewhere than on a VM of Azure something else may answer there. */
	if (!done && err != NULL) {
		struct err why = *err;

		err_set(err, why.kind,
		    "%s; wanted: a VM of Azure whose identity has the role Reader, or "
		    "--token-file, or a workload identity",
		    why.text);
	}

	free(url);
	free(client);
	free(audience);
	return done;
}

/* "https://management.core.windows.net/" -> "...//.default": the slash is part of the audience. */
static bool
ask_workload(struct sync_http *http, const struct sync_token_source *source,
    struct token_answer *token, struct err *err)
{
	struct arena *arena = arena_new();
	const char   *assertion = read_secret(arena, source->file, "workload identity", err);
	char         *audience, *client, *escaped, *form;
	size_t        count = strlen(source->authority);
	bool          done;

	if (assertion == NULL) {
		arena_free_wiped(arena);
		return false;
	}
	while (count > 0 && source->authority[count - 1] == '/')
		count--;
	audience = sync_http_escape(source->audience);
	client = sync_http_escape(source->client_id);
	escaped = sync_http_escape(assertion);
	form = mem_printf("grant_type=client_credentials&client_id=%s&scope=%s%%2F.default"
	                  "&client_assertion_type=urn%%3Aietf%%3Aparams%%3Aoauth%%3A"
	                  "client-assertion-type%%3Ajwt-bearer&client_assertion=%s",
	    client, audience, escaped);
	done = ask_for_token(http,
	    &(struct sync_http_ask){ .url = arena_printf(arena, "%.*s/%s/oauth2/v2.0/token",
	                                 (int)count, source->authority, source->tenant),
	        .form = form },
	    "workload identity", token, err);
	digest_wipe(form, strlen(form));
	digest_wipe(escaped, strlen(escaped));
	free(form);
	free(escaped);
	free(client);
	free(audience);
	arena_free_wiped(arena);
	return done;
}

bool
sync_token_get(struct sync_http *http, const struct sync_token_source *source,
    struct token_answer *token, struct err *err)
{
	bool done = false;

	*token = (struct token_answer){ .expires_s = -1, .left_s = -1 };
	switch (source->identity) {
	case SYNC_BY_FILE: done = take_file(source, token, err); break;
	case SYNC_BY_MANAGED: done = ask_managed(http, source, token, err); break;
	case SYNC_BY_WORKLOAD: done = ask_workload(http, source, token, err); break;
	}
	if (!done)
		digest_wipe(token, sizeof(*token));
	return done;
}
