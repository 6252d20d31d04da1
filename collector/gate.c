#include "collector/gate.h"

#include "base/arena.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gate {
	struct gate_options options;
};

static const char *const mode_names[GATE_MODES] = {
	[GATE_BOTH] = "both", [GATE_CERTIFICATE] = "certificate", [GATE_TOKEN] = "token"
};

bool
gate_mode_parse(enum gate_mode *mode, const char *text, struct err *err)
{
	for (int i = 0; i < GATE_MODES; i++) {
		if (strcmp(mode_names[i], text) == 0) {
			*mode = (enum gate_mode)i;
			return true;
		}
	}
	return err_set(err, ERR_USAGE, "'%.40s': both, certificate or token wanted", text);
}

struct gate *
gate_new(const struct gate_options *options)
{
	struct gate *gate = mem_alloc(sizeof(*gate));

	gate->options = *options;
	return gate;
}

void
gate_free(struct gate *gate)
{
	free(gate);
}

void
gate_change(struct gate *gate, enum gate_mode mode, int64_t grace_ms)
{
	gate->options.mode = mode;
	gate->options.grace_ms = grace_ms;
}

static bool
refuse(struct gate_pass *pass, unsigned status, const char *why)
{
	pass->status = status;
	snprintf(pass->why, sizeof(pass->why), "%s", why);
	return false;
}

static bool
refuse_ended(struct gate_pass *pass, int64_t ends_ms)
{
	char when[CLOCK_TEXT];

	pass->status = 403;
	snprintf(pass->why, sizeof(pass->why),
	    "the certificate has ended %s; enrol the agent again",
	    clock_render(ends_ms, when, sizeof(when)));
	return false;
}

/* The first time that it is shown: from now on the one before it counts no more. */
static void
mark_used(struct roster *roster, const char *serial, int64_t now_ms)
{
	const struct roster_line line = { .kind = ROSTER_USED, .id = serial, .at_ms = now_ms };
	struct err               err = { 0 };

	if (!roster_begin(roster, &err)) {
		log_warn("auth", "%s", err.text);
		return;
	}
	if (!roster_add(roster, &line, &err))
		log_warn("auth", "%s", err.text);
	roster_end(roster);
}

static bool
refuse_copy(struct gate_pass *pass)
{
	return refuse(pass, 403,
	    "a later certificate of this agent is in use: is this machine a copy of another "
	    "one? enrol "
	    "it again, by a name of its own");
}

static bool
check_ours(
    struct gate *gate, const struct listen_peer *peer, bool renewing, struct gate_pass *pass)
{
	struct roster            *roster = gate->options.roster;
	int64_t                   now_ms = clock_wall_ms(gate->options.clock);
	const struct roster_card *card = roster_find_card(roster, peer->serial);

	if (card != NULL && strcmp(card->line.agent, peer->agent) != 0)
		card = NULL;
	switch (roster_card_state(roster, card, now_ms)) {
	case ROSTER_UNKNOWN:
		return refuse(pass, 403,
		    "this collector has no record of the certificate; enrol the agent again");
	case ROSTER_REVOKED:
		return refuse(pass, 403, "the certificate was revoked at the collector");
	case ROSTER_REPLACED: return refuse_copy(pass);
	case ROSTER_ENDED:
		if (!renewing || now_ms >= card->line.ends_ms + gate->options.grace_ms)
			return refuse_ended(pass, card->line.ends_ms);
		break;
	case ROSTER_VALID: break;
	}
	/* Else a copy could get the next one while the last of the original's requests are under
	 * way, and take its place. */
	if (renewing && !roster_is_newest(roster, card))
		return refuse_copy(pass);
	if (!card->used) {
		mark_used(roster, peer->serial, now_ms);
		card = roster_find_card(roster, peer->serial); /* it may have moved */
		/* ... or gone, with a file that was put back or cannot be read any more. */
		if (card == NULL)
			return refuse(pass, 403,
			    "this collector has no record of the certificate now; try again, "
			    "or enrol the agent again");
		if (card->revoked)
			return refuse(
			    pass, 403, "the certificate was revoked at the collector");
	}
	pass->agent = card->line.agent;
	pass->network = card->line.network;
	pass->serial = card->line.id;
	pass->ours = true;
	return true;
}

/* Of the operator's authority we know only what is revoked here. */
static bool
check_operators(struct gate *gate, const struct listen_peer *peer, struct gate_pass *pass)
{
	int64_t now_ms = clock_wall_ms(gate->options.clock);

	if (peer->starts_ms <= roster_revoked_ms(gate->options.roster, peer->agent))
		return refuse(pass, 403, "the agent was revoked at the collector");
	if (roster_is_revoked(gate->options.roster, peer->serial))
		return refuse(pass, 403, "the certificate was revoked at the collector");
	if (now_ms >= peer->ends_ms)
		return refuse_ended(pass, peer->ends_ms);
	pass->agent = peer->agent;
	pass->network = "";
	pass->serial = peer->serial;
	return true;
}

static bool
check_token(struct gate *gate, const struct request *request, struct gate_pass *pass)
{
	const struct auth_agent *who = auth_check(
	    gate->options.auth, request_header(request, "Authorization"));

	if (who == NULL)
		return refuse(pass, 401, "who are you?");
	if (gate->options.mode == GATE_CERTIFICATE)
		return refuse(pass, 403,
		    "this collector takes certificates, and no tokens; enrol the agent");
	pass->agent = who->agent;
	pass->network = who->network;
	pass->serial = "";
	return true;
}

bool
gate_check(
    struct gate *gate, const struct request *request, bool renewing, struct gate_pass *pass)
{
	const struct listen_peer *peer = request_shown(request);

	*pass = (struct gate_pass){ .agent = "", .network = "", .serial = "" };
	/* A roster that cannot be read now is the one from before; the collector's timer says so. */
	if (peer == NULL || peer->kind == LISTEN_PEER_NONE)
		return check_token(gate, request, pass);
	if (!roster_refresh(gate->options.roster, NULL))
		log_debug("auth", "the roster from before stays in force");
	if (peer->kind == LISTEN_PEER_STRANGER)
		return refuse(pass, 403, peer->why);
	pass->agent = peer->agent;
	if (gate->options.mode == GATE_TOKEN)
		return refuse(pass, 403, "this collector takes tokens, and no certificates");
	return peer->kind == LISTEN_PEER_OURS ? check_ours(gate, peer, renewing, pass)
	                                      : check_operators(gate, peer, pass);
}
