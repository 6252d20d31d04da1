#include "collector/roster_edit.h"

#include "base/base64.h"
#include "base/owner.h"
#include "collector/auth.h"

#include <stdio.h>
#include <string.h>

enum { ID_BYTES = 6, SECRET_BYTES = 32 };

static bool
add_alone(const char *path, const struct roster_line *line, struct err *err)
{
	struct roster *roster = roster_open(path, err);
	bool           done = false;

	if (roster != NULL && roster_begin(roster, err)) {
		done = roster_add(roster, line, err);
		roster_end(roster);
	}
	roster_free(roster);
	return done;
}

static bool
check_token(const struct roster_line *line, struct err *err)
{
	if (line->agent[0] != '\0' && !auth_is_agent(line->agent))
		return err_set(err, ERR_USAGE,
		    "%s: an agent is named by 1 to %d letters, digits, '.', '_' or '-'",
		    line->agent, AUTH_AGENT_MAX);
	if (!auth_is_network(line->network))
		return err_set(err, ERR_USAGE,
		    "%s: a network is named by at most %d printable characters without space",
		    line->network, AUTH_NETWORK_MAX);
	if (line->uses < 1 || line->uses > ROSTER_USES_MAX)
		return err_set(err, ERR_USAGE, "a token is for 1 to %d uses", ROSTER_USES_MAX);
	return true;
}

bool
roster_edit_create(
    const char *path, struct roster_line *line, int64_t now_ms, char *text, struct err *err)
{
	uint8_t          id[ID_BYTES], secret[SECRET_BYTES];
	char             secret_text[BASE64_ROOM(SECRET_BYTES)];
	static char      id_text[ROSTER_ID_CHARS + 1];
	struct owner_ids owner;
	bool             done;

	if (!check_token(line, err) || !owner_enter(&owner, path, err))
		return false;
	digest_random(id, sizeof(id));
	digest_random(secret, sizeof(secret));
	line->kind = ROSTER_TOKEN;
	line->id = digest_hex(id, sizeof(id), id_text);
	line->at_ms = now_ms;
	base64_url_encode(secret, sizeof(secret), secret_text);
	digest_sha256(secret_text, ROSTER_SECRET_CHARS, line->digest);
	done = add_alone(path, line, err);
	owner_leave(&owner);
	if (done)
		snprintf(
		    text, ROSTER_TOKEN_ROOM, ROSTER_TOKEN_PREFIX "%s.%s", id_text, secret_text);
	digest_wipe(secret, sizeof(secret));
	digest_wipe(secret_text, sizeof(secret_text));
	return done;
}

static bool
has_token(const struct roster *roster, const char *id)
{
	for (size_t i = 0; i < roster_tokens(roster); i++) {
		if (strcmp(roster_token_at(roster, i)->line.id, id) == 0)
			return true;
	}
	return false;
}

static struct roster_revoked
count_of_agent(const struct roster *roster, const char *agent)
{
	struct roster_revoked count = { 0 };

	for (size_t i = 0; i < roster_cards(roster); i++)
		count.cards += !roster_card_at(roster, i)->revoked &&
		    strcmp(roster_card_at(roster, i)->line.agent, agent) == 0;
	for (size_t i = 0; i < roster_tokens(roster); i++)
		count.tokens += !roster_token_at(roster, i)->revoked &&
		    strcmp(roster_token_at(roster, i)->line.agent, agent) == 0;
	return count;
}

/* Serial numbers of other authorities are hex of some length; an agent may be called so as well,
 * and then both are meant. */
static bool
is_serial(const char *text)
{
	size_t count = strspn(text, "0123456789abcdef");

	return text[count] == '\0' && count >= 8 && count <= 40 && count % 2 == 0;
}

/* Also where there is nothing to revoke yet: a certificate of the operator's own authority is
 * known by its agent's name, or its serial number, alone. */
static bool
end_named(struct roster *roster, struct roster_line *line, struct roster_revoked *revoked,
    struct err *err)
{
	line->kind = ROSTER_REVOKE_CARD;
	if (roster_find_card(roster, line->id) != NULL) {
		revoked->cards = 1;
		return roster_add(roster, line, err);
	}
	if (!auth_is_agent(line->agent))
		return err_set(err, ERR_USAGE, "%s: no name of an agent", line->agent);
	*revoked = count_of_agent(roster, line->agent);
	if (is_serial(line->id) && !roster_add(roster, line, err))
		return false;
	line->kind = ROSTER_REVOKE_AGENT;
	return roster_add(roster, line, err);
}

static bool
end_all(struct roster *roster, const char *what, bool token, int64_t now_ms,
    struct roster_revoked *revoked, struct err *err)
{
	struct roster_line line = { .kind = ROSTER_REVOKE_TOKEN,
		.id = what,
		.agent = what,
		.network = "",
		.from = "",
		.at_ms = now_ms };

	if (!token)
		return end_named(roster, &line, revoked, err);
	revoked->tokens = has_token(roster, what);
	return revoked->tokens == 0 || roster_add(roster, &line, err);
}

static bool
revoke_alone(const char *path, const char *what, bool token, int64_t now_ms,
    struct roster_revoked *revoked, struct err *err)
{
	struct roster   *roster;
	struct owner_ids owner;
	bool             done = false;

	*revoked = (struct roster_revoked){ 0 };
	if (!owner_enter(&owner, path, err))
		return false;
	roster = roster_open(path, err);
	if (roster != NULL && roster_begin(roster, err)) {
		done = end_all(roster, what, token, now_ms, revoked, err);
		roster_end(roster);
	}
	roster_free(roster);
	owner_leave(&owner);
	return done;
}

bool
roster_edit_revoke(const char *path, const char *what, int64_t now_ms,
    struct roster_revoked *revoked, struct err *err)
{
	return revoke_alone(path, what, false, now_ms, revoked, err);
}

bool
roster_edit_revoke_token(const char *path, const char *id, int64_t now_ms,
    struct roster_revoked *revoked, struct err *err)
{
	return revoke_alone(path, id, true, now_ms, revoked, err);
}
