#include "agent/credential.h"

#include "agent/access.h"
#include "agent/agent_conf.h"
#include "agent/secret_file.h"
#include "base/digest.h"
#include "probe/feed/feed_sign.h"

#include <assert.h>
#include <string.h>

/* A key of 128 bytes is 172 characters; tokens with many groups have some thousands. */
enum { KEY_TEXT_ROOM = 1024, TOKEN_ROOM = 16 << 10 };

struct credential_source
credential_from_key_file(const char *path)
{
	return (struct credential_source){
		.kind = CREDENTIAL_KEY, .path = path, .client_id = "", .imds = ""
	};
}

struct credential_source
credential_from_token_file(const char *path)
{
	return (struct credential_source){
		.kind = CREDENTIAL_ENTRA, .path = path, .client_id = "", .imds = ""
	};
}

struct credential_source
credential_from_managed_identity(const char *client_id)
{
	return (struct credential_source){ .kind = CREDENTIAL_ENTRA,
		.path = "",
		.client_id = strcmp(client_id, ACCESS_SYSTEM) != 0 ? client_id : "",
		.imds = "" };
}

struct credential_source
credential_of(const struct agent_conf *conf, const struct access *access)
{
	struct credential_source source = {
		.kind = CREDENTIAL_NONE, .path = "", .client_id = "", .imds = ""
	};

	if (access_credential(access) == CREDENTIAL_NONE)
		return source;
	if (access->key_file[0] != '\0')
		return credential_from_key_file(access->key_file);
	if (access->token_file[0] != '\0')
		return credential_from_token_file(access->token_file);
	source = credential_from_managed_identity(access->managed_identity);
	source.imds = conf->imds;
	return source;
}

static bool
read_key(const char *path, struct feed_key *key, struct err *err)
{
	char text[KEY_TEXT_ROOM];
	bool done = secret_file_read(path, text, sizeof(text), err);

	if (done && !feed_key_parse(key, text, err))
		done = err_in(err, "%s", path);
	digest_wipe(text, sizeof(text));
	return done;
}

/* Visible ASCII alone [rfc6750 2.1].  A file that somebody took from `az account
 * get-access-token` begins with a brace. */
static bool
is_token(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text <= ' ' || *text > '~' || strchr("\"{}", *text) != NULL)
			return false;
	}
	return true;
}

static bool
read_token(const char *path, char text[TOKEN_ROOM], struct err *err)
{
	bool done = secret_file_read(path, text, TOKEN_ROOM, err);

	if (done && !is_token(text)) {
		digest_wipe(text, TOKEN_ROOM);
		done = err_set(err, ERR_PARSE,
		    "%s: the access token alone wanted, without quotes, blanks and JSON", path);
	}
	return done;
}

bool
credential_check(const struct credential_source *source, struct err *err)
{
	struct feed_key key;
	char            token[TOKEN_ROOM];
	bool            good = true;

	if (source->path[0] == '\0')
		return true;
	if (source->kind == CREDENTIAL_KEY) {
		good = read_key(source->path, &key, err);
		digest_wipe(&key, sizeof(key));
	} else {
		good = read_token(source->path, token, err);
		digest_wipe(token, sizeof(token));
	}
	return good;
}

static const char *
sign_by_key(
    const char *path, struct arena *arena, const struct signer_ask *ask, struct err *err)
{
	struct feed_key key;
	const char     *header = NULL;

	if (read_key(path, &key, err))
		header = feed_sign_key(arena, &key, ask);
	digest_wipe(&key, sizeof(key));
	return header;
}

static const char *
sign_by_token(const char *path, struct arena *arena, struct err *err)
{
	char        token[TOKEN_ROOM];
	const char *header = NULL;

	if (read_token(path, token, err))
		header = feed_sign_token(arena, token);
	digest_wipe(token, sizeof(token));
	return header;
}

const char *
credential_sign(const struct credential_source *source, struct arena *arena,
    const struct signer_ask *ask, struct err *err)
{
	assert(source->kind != CREDENTIAL_NONE && source->path[0] != '\0');
	if (source->kind == CREDENTIAL_KEY)
		return sign_by_key(source->path, arena, ask, err);
	return sign_by_token(source->path, arena, err);
}
