/* credential: where the credential of an account is, and how it signs.
 *
 * A file with a read-only key, a file with a token of Entra ID, or the managed identity of the VM.
 * Knows the way to a secret and never keeps one: a file is read just before it is used, so that
 * whoever writes it anew needs to tell nobody, and wiped just after.
 */
#ifndef AGENT_CREDENTIAL_H
#define AGENT_CREDENTIAL_H

#include "base/arena.h"
#include "probe/signer.h"

struct access;
struct agent_conf;

/* A value; texts are borrowed. */
struct credential_source {
	enum credential kind;
	const char     *path; /* as secret_file.h has it; "": managed identity */
	/* Of a managed identity: "" the VM's own; and "" Azure's metadata service. */
	const char *client_id, *imds;
};

struct credential_source credential_from_key_file(const char *path);
struct credential_source credential_from_token_file(const char *path);
/* "" or "system": the identity that the VM has by itself. */
struct credential_source credential_from_managed_identity(const char *client_id);
/* What the row says; of kind CREDENTIAL_NONE when it says none, or is NULL. */
struct credential_source credential_of(
    const struct agent_conf *conf, const struct access *access);

/* Does the file hold what is wanted just now?  True for a managed identity, which only a question
 * can tell. */
bool credential_check(const struct credential_source *source, struct err *err) MUST_CHECK;

/* The value of the authorization header by what the file holds now, in the arena, which is to be
 * freed by arena_free_wiped(); NULL with err, which names the file and quotes nothing of it.  Not
 * for a managed identity. */
const char *credential_sign(const struct credential_source *source, struct arena *arena,
    const struct signer_ask *ask, struct err *err) MUST_CHECK;

#endif
