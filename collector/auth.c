#include "collector/auth.h"

#include "base/base64.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/owner.h"
#include "base/wbuf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ID_BYTES = 6, ID_CHARS = 12, SECRET_BYTES = 32, SECRET_CHARS = 43, FILE_MAX = 16 << 20 };

struct token {
	struct auth_agent who;
	uint8_t           digest[DIGEST_BYTES]; /* of the secret's text */
};

struct token_list {
	struct arena *arena;  /* owned; NULL before the first reading */
	struct token *tokens; /* in the arena */
	size_t        count;
};

struct auth {
	char             *path; /* owned */
	struct token_list list;
	struct stat       seen;    /* of the file that was read; all 0: none */
	bool              current; /* the last reading went well */
};

bool
auth_is_agent(const char *text)
{
	size_t count = strspn(
	    text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return count > 0 && count <= AUTH_AGENT_MAX && text[count] == '\0' && text[0] != '.' &&
	    text[0] != '-';
}

bool
auth_is_network(const char *text)
{
	size_t count = strlen(text);

	if (count > AUTH_NETWORK_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7f)
			return false;
	}
	return true;
}

/* "id agent network sha256hex created_ms", the network "-" for none. */
static bool
parse_line(struct token *token, char *line)
{
	char *words[6], *rest = line;
	int   count = 0;

	while (count < 6 && (words[count] = strtok_r(rest, " ", &rest)) != NULL)
		count++;
	if (count != 5 || strlen(words[0]) != ID_CHARS || !auth_is_agent(words[1]) ||
	    !auth_is_network(words[2]) || strlen(words[3]) != DIGEST_HEX - 1 ||
	    !digest_unhex(words[3], token->digest, DIGEST_BYTES))
		return false;
	token->who.id = words[0];
	token->who.agent = words[1];
	token->who.network = strcmp(words[2], "-") == 0 ? "" : words[2];
	errno = 0;
	token->who.created_ms = strtoll(words[4], &rest, 10);
	return errno == 0 && *rest == '\0';
}

static size_t
count_lines(const char *text)
{
	size_t count = 1;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

static bool
parse_tokens(struct token_list *list, char *text, const char *path, struct err *err)
{
	unsigned number = 0;
	char    *line;

	list->tokens = arena_array(list->arena, count_lines(text), sizeof(*list->tokens));
	list->count = 0;
	while ((line = strsep(&text, "\n")) != NULL) {
		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (!parse_line(&list->tokens[list->count], line))
			return err_set(err, ERR_PARSE,
			    "%s:%u: want \"id agent network sha256 created_ms\"", path, number);
		list->count++;
	}
	return true;
}

static bool
read_tokens(struct token_list *list, const char *path, struct err *err)
{
	size_t count = 0;
	char  *text;

	*list = (struct token_list){ .arena = arena_new() };
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	text = file_read(list->arena, path, FILE_MAX, &count, err);
	if (text != NULL && strlen(text) != count)
		err_set(err, ERR_PARSE, "%s: holds a NUL", path);
	else if (text != NULL && parse_tokens(list, text, path, err))
		return true;
	arena_free(list->arena);
	*list = (struct token_list){ 0 };
	return false;
}

static bool
has_changed(const struct auth *auth, struct stat *now)
{
	if (stat(auth->path, now) != 0)
		memset(now, 0, sizeof(*now));
	return now->st_ino != auth->seen.st_ino || now->st_size != auth->seen.st_size ||
	    now->st_mtim.tv_sec != auth->seen.st_mtim.tv_sec ||
	    now->st_mtim.tv_nsec != auth->seen.st_mtim.tv_nsec;
}

bool
auth_reload(struct auth *auth, struct err *err)
{
	struct token_list fresh;
	struct stat       now;

	if (!has_changed(auth, &now))
		return true;
	/* Stamped even if it cannot be read: it is complained of once, and tried when it changes. */
	auth->seen = now;
	auth->current = read_tokens(&fresh, auth->path, err);
	if (!auth->current)
		return false;
	arena_free(auth->list.arena);
	auth->list = fresh;
	return true;
}

struct auth *
auth_open(const char *path, const struct clock *clock, struct err *err)
{
	struct auth *auth = mem_alloc(sizeof(*auth));

	auth->path = mem_strdup(path);
	auth->current = true;
	if (auth_reload(auth, err))
		return auth;
	auth_free(auth);
	return NULL;
}

void
auth_free(struct auth *auth)
{
	if (auth == NULL)
		return;
	arena_free(auth->list.arena);
	free(auth->path);
	free(auth);
}

static const struct token *
find_token(const struct auth *auth, const char *id)
{
	for (size_t i = 0; i < auth->list.count; i++) {
		if (strncmp(auth->list.tokens[i].who.id, id, ID_CHARS) == 0)
			return &auth->list.tokens[i];
	}
	return NULL;
}

/* A peer that we do not know costs the same as one that we do. */
static bool
is_secret_of(const struct token *token, const char *secret)
{
	static const uint8_t nobody[DIGEST_BYTES];
	uint8_t              digest[DIGEST_BYTES];
	bool                 equal;

	digest_sha256(secret, strlen(secret), digest);
	equal = digest_equal(token != NULL ? token->digest : nobody, digest, DIGEST_BYTES);
	digest_wipe(digest, sizeof(digest));
	return equal && token != NULL;
}

/* A broken file keeps what was in force; whoever asks auth_is_current() says so. */
static void
look(struct auth *auth)
{
	if (!auth_reload(auth, NULL))
		auth->current = false;
}

const struct auth_agent *
auth_check(struct auth *auth, const char *authorization)
{
	static const char   scheme[] = "Bearer ";
	const struct token *token;
	const char         *text;

	look(auth);
	if (authorization == NULL ||
	    strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return NULL;
	text = authorization + sizeof(scheme) - 1;
	if (strlen(text) != ID_CHARS + 1 + SECRET_CHARS || text[ID_CHARS] != '.')
		return NULL;
	token = find_token(auth, text);
	return is_secret_of(token, text + ID_CHARS + 1) ? &token->who : NULL;
}

bool
auth_is_current(const struct auth *auth)
{
	return auth->current;
}

size_t
auth_count(const struct auth *auth)
{
	return auth->list.count;
}

const struct auth_agent *
auth_at(const struct auth *auth, size_t at)
{
	return &auth->list.tokens[at].who;
}

static void
write_token(struct wbuf *out, const struct token *token)
{
	char hex[DIGEST_HEX];

	wbuf_printf(out, "%s %s %s %s %" PRId64 "\n", token->who.id, token->who.agent,
	    token->who.network[0] != '\0' ? token->who.network : "-",
	    digest_hex(token->digest, DIGEST_BYTES, hex), token->who.created_ms);
}

static bool
write_tokens(const char *path, const char *without, const struct token *added, size_t *removed,
    struct err *err)
{
	struct token_list list;
	struct wbuf       out;
	int               lock = file_lock(path, err);
	bool              done = false;

	if (lock < 0)
		return false;
	wbuf_init(&out);
	if (read_tokens(&list, path, err)) {
		for (size_t i = 0; i < list.count; i++) {
			const struct auth_agent *who = &list.tokens[i].who;

			if (without != NULL &&
			    (strcmp(who->agent, without) == 0 || strcmp(who->id, without) == 0))
				(*removed)++;
			else
				write_token(&out, &list.tokens[i]);
		}
		if (added != NULL)
			write_token(&out, added);
		done = file_replace(path, out.bytes, out.count, 0600, err);
		arena_free(list.arena);
	}
	wbuf_fini(&out);
	close(lock);
	return done;
}

/* Writes the file with all tokens but those of `without`, and with `added` (either may be NULL). */
static bool
rewrite(const char *path, const char *without, const struct token *added, size_t *removed,
    struct err *err)
{
	struct owner_ids owner;
	bool             done;

	/* A token that root makes must be one that the collector can read. */
	if (!owner_enter(&owner, path, err))
		return false;
	done = write_tokens(path, without, added, removed, err);
	owner_leave(&owner);
	return done;
}

bool
auth_create(const char *path, const char *agent, const char *network, int64_t now_ms,
    char *text, struct err *err)
{
	struct token token = { .who = { .agent = agent,
		                   .network = network != NULL ? network : "",
		                   .created_ms = now_ms } };
	uint8_t      id[ID_BYTES], secret[SECRET_BYTES];
	char         id_text[ID_CHARS + 1], secret_text[BASE64_ROOM(SECRET_BYTES)];
	bool         done;

	if (!auth_is_agent(agent))
		return err_set(err, ERR_USAGE,
		    "%s: an agent is named by 1 to %d letters, digits, '.', '_' or '-'", agent,
		    AUTH_AGENT_MAX);
	if (!auth_is_network(token.who.network))
		return err_set(err, ERR_USAGE,
		    "%s: a network is named by at most %d printable characters without space",
		    network, AUTH_NETWORK_MAX);
	digest_random(id, sizeof(id));
	digest_random(secret, sizeof(secret));
	token.who.id = digest_hex(id, sizeof(id), id_text);
	base64_url_encode(secret, sizeof(secret), secret_text);
	digest_sha256(secret_text, SECRET_CHARS, token.digest);
	done = rewrite(path, NULL, &token, NULL, err);
	if (done)
		snprintf(text, AUTH_TOKEN_ROOM, "%s.%s", id_text, secret_text);
	digest_wipe(secret, sizeof(secret));
	digest_wipe(secret_text, sizeof(secret_text));
	return done;
}

bool
auth_revoke(const char *path, const char *agent_or_id, size_t *removed, struct err *err)
{
	*removed = 0;
	return rewrite(path, agent_or_id, NULL, removed, err);
}
