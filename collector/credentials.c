#include "collector/credentials.h"

#include "base/clock.h"
#include "base/conf_unit.h"
#include "base/digest.h"
#include "collector/auth.h"
#include "collector/command.h"
#include "collector/listen_pin.h"
#include "collector/readers_command.h"
#include "collector/readers_edit.h"
#include "collector/roster_edit.h"

#include <stdio.h>
#include <stdlib.h>

static bool
refuse_words(const char *why, struct err *err)
{
	return err_set(err, ERR_USAGE, "token create: %s; see --help", why);
}

/* Which options go together. */
static bool
check_create(const struct words *words, struct err *err)
{
	if (words->count == 0 && !words->any)
		return refuse_words(words->reader ? "the NAME of the program that reads wanted"
		                                  : "an AGENT wanted, or --any",
		    err);
	if (words->count == 1 && words->any)
		return refuse_words("either an AGENT or --any wanted", err);
	if (words->reader &&
	    (words->any || words->uses || words->network || words->replace || words->bearer))
		return refuse_words("--reader goes with a NAME and --expires alone", err);
	if (words->bearer && (words->any || words->uses || words->expires || words->replace))
		return refuse_words("--bearer goes with an AGENT and --network alone", err);
	return true;
}

/* What a token for enrolment is good for. */
static bool
read_limits(
    struct roster_line *line, const struct words *words, int64_t now_ms, struct err *err)
{
	int64_t life_ms = MS_PER_HOUR;
	char   *end;

	*line = (struct roster_line){ .agent = words->any ? "" : words->operands[0],
		.network = words->network != NULL ? words->network : "",
		.from = "",
		.uses = 1,
		.replace = words->replace };
	if (words->uses != NULL) {
		line->uses = strtoll(words->uses, &end, 10);
		if (*end != '\0' || words->uses[0] < '0' || words->uses[0] > '9')
			return err_set(
			    err, ERR_USAGE, "--uses: '%.40s': a number wanted", words->uses);
	}
	if (words->expires != NULL && !conf_unit_parse(&life_ms, CONF_MS, words->expires, err))
		return err_in(err, "--expires");
	if (life_ms < MS_PER_S || life_ms > 366 * MS_PER_DAY)
		return err_set(err, ERR_USAGE, "--expires: 1s to 366d wanted");
	line->ends_ms = now_ms + life_ms;
	return true;
}

static bool
make_token(
    const struct collector_conf *conf, const struct words *words, char *token, struct err *err)
{
	int64_t            now_ms = clock_wall_ms(clock_system());
	struct roster_line line;

	if (words->bearer)
		return auth_create(
		    conf->tokens, words->operands[0], words->network, now_ms, token, err);
	return read_limits(&line, words, now_ms, err) &&
	    roster_edit_create(conf->roster, &line, now_ms, token, err);
}

/* With the key by which the machine that enrols knows that it speaks to this collector. */
static void
print_token(const struct collector_conf *conf, const struct words *words, const char *token)
{
	char       pin[LISTEN_PIN_ROOM];
	struct err err;
	bool       root;

	if (words->bearer) {
		puts(token);
		return;
	}
	if (listen_pin_read(pin, &root, conf->certificate, &err)) {
		printf("%s.%s\n", token, pin);
		return;
	}
	puts(token);
	fprintf(stderr,
	    "plprobe-collector: %s; the token names no authority, and `plprobe enroll` needs "
	    "--ca, or a certificate of one that the machine knows\n",
	    err.text);
}

int
credentials_create(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	char                  token[AUTH_TOKEN_ROOM];
	int                   code = COMMAND_FAILED;

	if (!check_create(words, &err)) {
		code = words_complain(&err, COMMAND_USAGE);
	} else if (words->reader) {
		code = readers_command_token(words);
	} else if (words_read_conf(&conf, arena, words)) {
		if (make_token(&conf, words, token, &err)) {
			print_token(&conf, words, token);
			code = COMMAND_WELL;
		} else {
			code = words_complain(
			    &err, err.kind == ERR_USAGE ? COMMAND_USAGE : COMMAND_FAILED);
		}
		digest_wipe(token, sizeof(token));
	}
	arena_free(arena);
	return code;
}

/* What agents and readers show, opened for a listing; some are NULL when false is returned. */
struct listing {
	struct arena         *arena;
	struct collector_conf conf;
	struct auth          *auth;
	struct roster        *roster;
	struct readers       *readers;
	int64_t               now_ms;
};

static void
close_listing(struct listing *listing)
{
	auth_free(listing->auth);
	roster_free(listing->roster);
	readers_free(listing->readers);
	arena_free(listing->arena);
}

static bool
open_listing(struct listing *listing, const struct words *words)
{
	struct err err = { 0 };

	*listing = (struct listing){ .arena = arena_new(),
		.now_ms = clock_wall_ms(clock_system()) };
	if (!words_read_conf(&listing->conf, listing->arena, words))
		return false;
	listing->auth = auth_open(listing->conf.tokens, clock_system(), &err);
	if (listing->auth != NULL)
		listing->roster = roster_open(listing->conf.roster, &err);
	if (listing->roster != NULL)
		listing->readers = readers_open(listing->conf.readers, &err);
	if (listing->readers == NULL)
		words_complain(&err, COMMAND_FAILED);
	return listing->readers != NULL;
}

static const char *
or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

static const char *
name_state(const struct listing *listing, const struct roster_card *card)
{
	switch (roster_card_state(listing->roster, card, listing->now_ms)) {
	case ROSTER_VALID: return card->used ? "valid" : "not used yet";
	case ROSTER_REVOKED: return "revoked";
	case ROSTER_ENDED: return "ended";
	case ROSTER_REPLACED:
	case ROSTER_UNKNOWN: break;
	}
	return NULL;
}

/* Certificates that a later one has replaced are left out. */
int
credentials_list_agents(const struct words *words)
{
	struct listing listing;
	char           since[CLOCK_TEXT], ends[CLOCK_TEXT];
	bool           good = open_listing(&listing, words);

	if (good)
		printf("%-24s  %-24s  %-32s  %-24s  %-24s  %s\n", "AGENT", "NETWORK",
		    "CERTIFICATE OR TOKEN", "SINCE", "ENDS", "STATE");
	for (size_t i = 0; good && i < roster_cards(listing.roster); i++) {
		const struct roster_card *card = roster_card_at(listing.roster, i);
		const char               *state = name_state(&listing, card);

		if (state != NULL)
			printf("%-24s  %-24s  %-32s  %-24s  %-24s  %s\n", card->line.agent,
			    or_dash(card->line.network), card->line.id,
			    clock_render(card->line.at_ms, since, sizeof(since)),
			    clock_render(card->line.ends_ms, ends, sizeof(ends)), state);
	}
	for (size_t i = 0; good && i < auth_count(listing.auth); i++) {
		const struct auth_agent *who = auth_at(listing.auth, i);

		printf("%-24s  %-24s  %-32s  %-24s  %-24s  %s\n", who->agent,
		    or_dash(who->network), who->id,
		    clock_render(who->created_ms, since, sizeof(since)), "-", "token");
	}
	close_listing(&listing);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

static const char *
name_token_state(const struct listing *listing, const struct roster_token *token)
{
	if (token->revoked)
		return "revoked";
	if (token->used >= token->line.uses)
		return "used up";
	return listing->now_ms >= token->line.ends_ms ? "expired" : "usable";
}

static void
print_readers(const struct listing *listing)
{
	char ends[CLOCK_TEXT];

	for (size_t i = 0; i < readers_count(listing->readers); i++) {
		const struct reader *reader = readers_at(listing->readers, i);

		if (!reader->person)
			printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", reader->id,
			    reader->name, "-", "-",
			    reader->ends_ms != 0
			        ? clock_render(reader->ends_ms, ends, sizeof(ends))
			        : "-",
			    readers_has_ended(reader, listing->now_ms) ? "reader, expired"
			                                               : "reader");
	}
}

int
credentials_list_tokens(const struct words *words)
{
	struct listing listing;
	char           ends[CLOCK_TEXT], uses[48];
	bool           good = open_listing(&listing, words);

	if (good)
		printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", "TOKEN", "AGENT OR READER",
		    "NETWORK", "USED", "EXPIRES", "STATE");
	for (size_t i = 0; good && i < roster_tokens(listing.roster); i++) {
		const struct roster_token *token = roster_token_at(listing.roster, i);

		snprintf(uses, sizeof(uses), "%lld of %lld", (long long)token->used,
		    (long long)token->line.uses);
		printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", token->line.id,
		    token->line.agent[0] != '\0' ? token->line.agent : "(any)",
		    or_dash(token->line.network), uses,
		    clock_render(token->line.ends_ms, ends, sizeof(ends)),
		    name_token_state(&listing, token));
	}
	for (size_t i = 0; good && i < auth_count(listing.auth); i++) {
		const struct auth_agent *who = auth_at(listing.auth, i);

		printf("%-12s  %-24s  %-24s  %-10s  %-24s  %s\n", who->id, who->agent,
		    or_dash(who->network), "-", "-", "bearer");
	}
	if (good)
		print_readers(&listing);
	close_listing(&listing);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

/* The certificates of an authority of the operator's are not counted here. */
static int
tell_revoked(const char *what, size_t tokens, size_t cards, const char *client_ca)
{
	printf("revoked of %s: %zu token%s, %zu certificate%s\n", what, tokens,
	    tokens != 1 ? "s" : "", cards, cards != 1 ? "s" : "");
	if (client_ca[0] != '\0')
		printf("refused: what %s has signed for it until now\n", client_ca);
	if (tokens + cards > 0 || client_ca[0] != '\0')
		return COMMAND_WELL;
	fprintf(stderr, "plprobe-collector: %s has neither token nor certificate\n", what);
	return COMMAND_FAILED;
}

/* Of an agent everything that lets it in; or one certificate; or one token. */
int
credentials_revoke(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct roster_revoked revoked = { 0 };
	size_t                bearer = 0;
	const char           *what = words->operands[0];
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		if (auth_revoke(conf.tokens, what, &bearer, &err) &&
		    roster_edit_revoke(
		        conf.roster, what, clock_wall_ms(clock_system()), &revoked, &err))
			code = tell_revoked(
			    what, bearer + revoked.tokens, revoked.cards, conf.client_ca);
		else
			words_complain(&err, COMMAND_FAILED);
	}
	arena_free(arena);
	return code;
}

int
credentials_revoke_token(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct roster_revoked revoked = { 0 };
	const char           *id = words->operands[0];
	size_t                readers = 0;
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		if (roster_edit_revoke_token(
		        conf.roster, id, clock_wall_ms(clock_system()), &revoked, &err) &&
		    readers_edit_end_token(conf.readers, id, &readers, &err))
			code = tell_revoked(id, revoked.tokens + readers, 0, "");
		else
			words_complain(&err, COMMAND_FAILED);
	}
	arena_free(arena);
	return code;
}
