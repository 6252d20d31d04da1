#include "collector/admit.h"

#include "base/arena.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/text.h"
#include "collector/admit_rate.h"
#include "collector/query.h"
#include "proto/decode.h"
#include "proto/encode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AREA "enrol"

enum { BODY_MAX = 16 << 10 };

enum result {
	RESULT_ENROLLED,
	RESULT_RENEWED,
	RESULT_REFUSED,
	RESULT_LIMITED,
	RESULT_FAILED,
	RESULT_COUNT
};

static const char *const result_names[RESULT_COUNT] = { "enrolled", "renewed", "refused",
	"limited", "failed" };

struct admit {
	struct admit_options options;
	struct admit_rate   *rate; /* owned */
	uint64_t             results[RESULT_COUNT];
};

/* One request, on the handler's stack. */
struct visit {
	struct admit           *admit;
	struct request         *request;
	struct arena           *arena; /* wiped: holds the token */
	const struct enrolment *asks;
	struct ca_key          *key;
	uint8_t                 digest[DIGEST_BYTES]; /* of the key */
	const char             *agent, *network;
	const char             *from; /* the token's id, or "renewal" */
	bool     proven;              /* what it brought is known; the agent may be told why */
	unsigned status;              /* of a refusal */
	char     why[300];
};

struct admit *
admit_new(const struct admit_options *options)
{
	struct admit *admit = mem_alloc(sizeof(*admit));

	admit->options = *options;
	admit->rate = admit_rate_new(clock_mono_us(options->clock));
	return admit;
}

void
admit_free(struct admit *admit)
{
	if (admit == NULL)
		return;
	admit_rate_free(admit->rate);
	free(admit);
}

void
admit_change(struct admit *admit, bool closed, int64_t life_ms)
{
	admit->options.closed = closed;
	admit->options.life_ms = life_ms;
}

static bool refuse(struct visit *visit, unsigned status, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool
refuse(struct visit *visit, unsigned status, const char *format, ...)
{
	va_list args;

	visit->status = status;
	va_start(args, format);
	vsnprintf(visit->why, sizeof(visit->why), format, args);
	va_end(args);
	return false;
}

static void
answer(struct visit *visit, unsigned status, const char *word, const char *why)
{
	struct wbuf out;

	wbuf_init(&out);
	query_reply(&out, word, why);
	request_answer(visit->request, status, "application/json", out.bytes, out.count);
	wbuf_fini(&out);
}

static bool
is_limited(struct visit *visit)
{
	struct admit *admit = visit->admit;

	if (admit_rate_take(
	        admit->rate, request_from(visit->request), clock_mono_us(admit->options.clock)))
		return false;
	admit->results[RESULT_LIMITED]++;
	request_set(visit->request, "Retry-After", "60");
	log_debug(AREA, "%s: too many attempts", request_peer(visit->request));
	answer(visit, 429, "refused", "too many attempts; wait a minute");
	return true;
}

static bool
read_key(struct visit *visit)
{
	size_t     chars = strlen(visit->asks->csr);
	size_t     count = base64_bytes(visit->asks->csr, chars);
	uint8_t   *der = arena_alloc(visit->arena, count + 1);
	struct err err;

	if (count == 0 || !base64_decode(visit->asks->csr, chars, der, count))
		return refuse(visit, 422, "signing request: not base64");
	visit->key = ca_key_parse(der, count, &err);
	if (visit->key == NULL)
		return refuse(visit, 422, "%s", err.text);
	ca_key_digest(visit->key, visit->digest);
	return true;
}

static bool
read_body(struct visit *visit)
{
	size_t      count;
	const void *body = request_body(visit->request, &count);
	struct err  err;

	if (visit->admit->options.closed)
		return refuse(visit, 403,
		    "this collector gives no certificates (its setting auth is token)");
	if (count > BODY_MAX)
		return refuse(visit, 413, "more than %d bytes", BODY_MAX);
	visit->asks = decode_message(&enrolment_desc, visit->arena, body, count, &err);
	if (visit->asks == NULL)
		return refuse(visit, 400, "not an enrolment: %s", err.text);
	if (visit->asks->v != PROTO_VERSION)
		return refuse(visit, 415, "version %u of the format is not known here; 1 is",
		    (unsigned)visit->asks->v);
	return true;
}

/* The same key again, none of whose certificates has been used: our answer was lost. */
static bool
is_repeat(const struct visit *visit)
{
	const struct roster *roster = visit->admit->options.roster;
	bool                 found = false;

	for (size_t i = 0; i < roster_cards(roster); i++) {
		const struct roster_card *card = roster_card_at(roster, i);

		if (strcmp(card->line.from, visit->from) != 0 ||
		    !digest_equal(card->line.digest, visit->digest, DIGEST_BYTES))
			continue;
		if (card->used)
			return false;
		found = true;
	}
	return found;
}

static bool
check_token(struct visit *visit, const struct roster_token *token, int64_t now_ms)
{
	char when[CLOCK_TEXT];

	if (token->revoked)
		return refuse(visit, 403, "the token was revoked");
	if (now_ms >= token->line.ends_ms)
		return refuse(visit, 403, "the token has expired %s; a new one is needed",
		    clock_render(token->line.ends_ms, when, sizeof(when)));
	if (token->used >= token->line.uses && !is_repeat(visit))
		return refuse(visit, 403,
		    "the token is used up (it was for %" PRId64 "); a new one is needed",
		    token->line.uses);
	return true;
}

static bool
check_place(struct visit *visit, const struct roster_line *token)
{
	const struct enrolment *asks = visit->asks;

	if (token->network[0] != '\0' && asks->network[0] != '\0' &&
	    strcmp(token->network, asks->network) != 0)
		return refuse(visit, 403, "the token is for network '%s', not for '%.100s'",
		    token->network, asks->network);
	if (token->agent[0] != '\0' && asks->agent[0] != '\0' &&
	    strcmp(token->agent, asks->agent) != 0)
		return refuse(visit, 403, "the token is for agent '%s', not for '%.64s'",
		    token->agent, asks->agent);
	visit->network = arena_strdup(visit->arena, token->network);
	visit->agent = arena_strdup(
	    visit->arena, token->agent[0] != '\0' ? token->agent : asks->agent);
	if (!auth_is_agent(visit->agent))
		return refuse(visit, 422,
		    "an agent is named by 1 to %d letters, digits, '.', '_' or '-'",
		    AUTH_AGENT_MAX);
	return true;
}

/* Whoever is there stays: two machines of one name would throw each other out for ever. */
static bool
check_live(struct visit *visit, bool replace, int64_t now_ms)
{
	const struct roster_card *live = roster_find_live(
	    visit->admit->options.roster, visit->agent, now_ms);
	char when[CLOCK_TEXT];

	if (live == NULL || replace)
		return true;
	return refuse(visit, 409,
	    "agent '%s' is enrolled and its certificate is good until %s; `plprobe-collector "
	    "agents revoke %s` first, or a token made with --replace",
	    visit->agent, clock_render(live->line.ends_ms, when, sizeof(when)), visit->agent);
}

/* By a token; in the roster's lock. */
static bool
prove_token(struct visit *visit, int64_t now_ms)
{
	const struct roster_token *token = roster_find_token(
	    visit->admit->options.roster, visit->asks->token);

	if (token == NULL)
		return refuse(visit, 401, "the token is not known here");
	visit->proven = true;
	visit->from = arena_strdup(visit->arena, token->line.id);
	return check_token(visit, token, now_ms) && check_place(visit, &token->line) &&
	    check_live(visit, token->line.replace, now_ms);
}

/* What may let an agent in.  Each fills agent, network and from of the visit. */
static const struct {
	const char *name;
	bool (*prove)(struct visit *visit, int64_t now_ms);
} proofs[] = { { "", prove_token }, { "token", prove_token } };

static bool
prove(struct visit *visit, int64_t now_ms)
{
	for (size_t i = 0; i < sizeof(proofs) / sizeof(proofs[0]); i++) {
		if (strcmp(proofs[i].name, visit->asks->proof) == 0)
			return proofs[i].prove(visit, now_ms);
	}
	return refuse(visit, 422, "a proof of a kind that is not known here; a token is");
}

static bool
fail(struct visit *visit, const struct err *err)
{
	log_error(AREA, "%s", err->text);
	visit->admit->results[RESULT_FAILED]++;
	request_set(visit->request, "Retry-After", "30");
	return refuse(visit, 503, "the collector cannot write or sign now; see its log");
}

/* Signed, written down, and only then told. */
static bool
issue(struct visit *visit, struct ca_made *made, int64_t now_ms)
{
	const struct admit_options *options = &visit->admit->options;
	const struct ca_order order = { visit->key, visit->agent, now_ms, options->life_ms };
	struct roster_line    line = { .kind = ROSTER_CARD,
		   .id = made->serial,
		   .agent = visit->agent,
		   .network = visit->network,
		   .from = visit->from,
		   .at_ms = now_ms };
	struct err            err = { 0 };

	if (!ca_sign(options->ca, &order, made, &err))
		return fail(visit, &err);
	line.ends_ms = made->ends_ms;
	memcpy(line.digest, visit->digest, DIGEST_BYTES);
	return roster_add(options->roster, &line, &err) || fail(visit, &err);
}

static void
answer_made(struct visit *visit, const struct ca_made *made, int64_t now_ms)
{
	char            *text = arena_alloc(visit->arena, BASE64_ROOM(CA_DER_MAX));
	struct admission given = { .agent = visit->agent,
		.network = visit->network,
		.certificate = base64_encode(made->der, made->count, text),
		.ends_ms = made->ends_ms,
		.renew_ms = now_ms + visit->admit->options.life_ms * 2 / 3 };
	struct wbuf      out;

	wbuf_init(&out);
	encode_message(&admission_desc, &given, &out);
	request_answer(visit->request, 200, "application/vnd.msgpack", out.bytes, out.count);
	wbuf_fini(&out);
}

static void
answer_refusal(struct visit *visit, const char *what)
{
	const char *agent = visit->agent;

	if (agent == NULL)
		agent = visit->asks != NULL ? visit->asks->agent : "";
	log_warn(AREA, "%s: %s of agent '%.64s' refused%s%s: %s", request_peer(visit->request),
	    what, agent, visit->from != NULL ? ", by " : "",
	    visit->from != NULL ? visit->from : "", visit->why);
	if (visit->status != 503) {
		visit->admit->results[RESULT_REFUSED]++;
		if (!visit->proven)
			admit_rate_fault(visit->admit->rate, request_from(visit->request),
			    clock_mono_us(visit->admit->options.clock));
	}
	answer(visit, visit->status, "refused", visit->why);
}

static void
begin(struct visit *visit, struct admit *admit, struct request *request)
{
	*visit = (struct visit){ .admit = admit, .request = request, .arena = arena_new() };
}

static void
end(struct visit *visit)
{
	ca_key_free(visit->key);
	arena_free_wiped(visit->arena);
}

static bool
enroll(struct visit *visit, struct ca_made *made, int64_t now_ms)
{
	struct roster *roster = visit->admit->options.roster;
	struct err     err = { 0 };
	bool           done;

	if (!read_body(visit) || !read_key(visit))
		return false;
	if (!roster_begin(roster, &err))
		return fail(visit, &err);
	done = prove(visit, now_ms) && issue(visit, made, now_ms);
	roster_end(roster);
	return done;
}

void
admit_on_enroll(struct admit *admit, struct request *request)
{
	int64_t        now_ms = clock_wall_ms(admit->options.clock);
	struct visit   visit;
	struct ca_made made;

	begin(&visit, admit, request);
	if (is_limited(&visit)) {
		end(&visit);
		return;
	}
	if (enroll(&visit, &made, now_ms)) {
		request_prove(request);
		admit->results[RESULT_ENROLLED]++;
		log_info(AREA, "%s: agent '%s' enrolled by token %s, certificate %s",
		    request_peer(request), visit.agent, visit.from, made.serial);
		answer_made(&visit, &made, now_ms);
	} else {
		answer_refusal(&visit, "enrolment");
	}
	end(&visit);
}

static bool
renew(struct visit *visit, struct ca_made *made, int64_t now_ms)
{
	struct roster   *roster = visit->admit->options.roster;
	struct gate_pass pass;
	struct err       err = { 0 };
	bool             done;

	done = gate_check(visit->admit->options.gate, visit->request, true, &pass);
	visit->proven = pass.agent[0] != '\0';
	if (!done) {
		if (pass.agent[0] != '\0')
			visit->agent = arena_strdup(visit->arena, pass.agent);
		return refuse(visit, pass.status, "%s", pass.why);
	}
	visit->agent = arena_strdup(visit->arena, pass.agent);
	visit->network = arena_strdup(visit->arena, pass.network);
	visit->from = "renewal";
	if (!pass.ours)
		return refuse(visit, 403,
		    "only certificates of this collector's own authority are renewed here");
	if (!read_body(visit) || !read_key(visit))
		return false;
	if (!roster_begin(roster, &err))
		return fail(visit, &err);
	done = issue(visit, made, now_ms);
	roster_end(roster);
	return done;
}

void
admit_on_renew(struct admit *admit, struct request *request)
{
	int64_t        now_ms = clock_wall_ms(admit->options.clock);
	struct visit   visit;
	struct ca_made made;

	begin(&visit, admit, request);
	if (is_limited(&visit)) {
		end(&visit);
		return;
	}
	if (renew(&visit, &made, now_ms)) {
		request_prove(request);
		admit->results[RESULT_RENEWED]++;
		log_info(AREA, "%s: agent '%s' renewed, certificate %s", request_peer(request),
		    visit.agent, made.serial);
		answer_made(&visit, &made, now_ms);
	} else {
		answer_refusal(&visit, "renewal");
	}
	end(&visit);
}

void
admit_write_metrics(const struct admit *admit, struct wbuf *out)
{
	metric_family(out, "plprobe_enrolments_total", METRIC_COUNTER,
	    "Requests of agents for a certificate, by what became of them.");
	for (int i = 0; i < RESULT_COUNT; i++) {
		const char *const labels[] = { "result", result_names[i], NULL };

		metric_sample(
		    out, "plprobe_enrolments_total", labels, (double)admit->results[i]);
	}
	metric_family(out, "plprobe_authority_expiry_timestamp_seconds", METRIC_GAUGE,
	    "When the authority of the agents' certificates ends.");
	metric_sample(out, "plprobe_authority_expiry_timestamp_seconds", NULL,
	    (double)ca_ends_ms(admit->options.ca) / 1e3);
}
