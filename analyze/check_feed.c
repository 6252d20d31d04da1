#include "analyze/checks.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* x-ms-substatus of a 401, and of a 403 [cosmos-signing]. */
enum {
	SUB_LOCAL_AUTH_OFF = 5202,
	SUB_SIGNATURE = 5004,
	SUB_EXPIRED = 5006,
	SUB_ROLE_FIRST = 5300,
	SUB_ROLE_LAST = 5303
};

enum { CLOCK_SPAN_S = 300 };

static bool
says(const struct feed *feed, const char *words)
{
	return feed->error_text != NULL && text_find_nocase(feed->error_text, words) != NULL;
}

static const char *
name_substatus(unsigned substatus)
{
	static const struct {
		unsigned    substatus;
		const char *meaning;
	} meanings[] = {
		{ 5000, "the authorization header is missing: something took it out" },
		{ 5001, "the authorization header is malformed" },
		{ 5002, "the account does not take Entra tokens" },
		{ 5003, "the token is malformed" },
		{ 5004, "the token's signature does not verify" },
		{ 5005, "the token is not valid yet" },
		{ 5006, "the token has expired" },
		{ 5007, "the token is of another issuer, mostly another tenant" },
		{ 5008, "the token is for another audience" },
		{ 5009, "the token lacks the scope" },
		{ 5011, "the token names no object id" },
		{ 5013, "the token was revoked" },
		{ 5202, "keys are switched off for this account" },
		{ 5300, "the operation is not allowed with Entra tokens" },
		{ 5301, "reading metadata is not allowed" },
		{ 5302, "reading data is not allowed" },
		{ 5303, "writing data is not allowed" },
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (meanings[i].substatus == substatus)
			return meanings[i].meaning;
	}
	return NULL;
}

static enum finding_code
find_unauthorized(const struct feed *feed)
{
	bool key = feed->credential == CREDENTIAL_KEY;

	if (feed->substatus == SUB_LOCAL_AUTH_OFF ||
	    says(feed, "Local Authorization is disabled"))
		return FINDING_LOCAL_AUTH_DISABLED;
	if (key && (feed->substatus == 0 || feed->substatus == SUB_SIGNATURE))
		return FINDING_KEY_WRONG;
	if (!key && (feed->substatus == SUB_EXPIRED || says(feed, "expired")))
		return FINDING_TOKEN_EXPIRED;
	return FINDING_TOKEN_REJECTED;
}

static enum finding_code
find_forbidden(const struct feed *feed)
{
	enum finding_code code = check_refusal(feed->path, feed->error_text);

	if (says(feed, "not valid at the current time"))
		return FINDING_CLOCK_OFF;
	if (feed->substatus >= SUB_ROLE_FIRST && feed->substatus <= SUB_ROLE_LAST)
		return FINDING_ROLE_MISSING;
	return code != FINDING_GATEWAY_ANSWERS_OTHER ? code : FINDING_FEED_BROKEN;
}

enum finding_code
check_feed_code(const struct site *site)
{
	const struct measurement *seen = site->place->seen;
	const struct feed        *feed = seen != NULL ? seen->feed : NULL;

	if (feed == NULL)
		return FINDING_COUNT;
	switch ((enum outcome)feed->outcome) {
	case OUTCOME_OK:
	case OUTCOME_NOT_RUN:
	case OUTCOME_AGENT_LATE: return FINDING_COUNT;
	case OUTCOME_TIMEOUT:
		if (seen->agent_late)
			return FINDING_COUNT;
		break;
	default: break;
	}
	if (feed->step != NULL && strcmp(feed->step, "credential") == 0)
		return FINDING_CREDENTIAL_UNUSABLE;
	if (feed->outcome == OUTCOME_POLICY || feed->outcome == OUTCOME_LOCAL)
		return FINDING_COUNT;
	if (feed->http_status == 401)
		return find_unauthorized(feed);
	return feed->http_status == 403 ? find_forbidden(feed) : FINDING_FEED_BROKEN;
}

static const char *
describe_clock(const struct scene *scene, const struct feed *feed)
{
	bool     behind = feed->clock_ahead_s < 0;
	uint64_t off_s = behind ? 0 - (uint64_t)feed->clock_ahead_s
	                        : (uint64_t)feed->clock_ahead_s;

	if (!feed->dated)
		return "";
	return arena_printf(scene->arena,
	    "; this machine's clock is %" PRIu64 " s %s the service's", off_s,
	    behind ? "behind" : "ahead of");
}

static const char *
describe(const struct scene *scene, const struct feed *feed)
{
	const char *meaning = name_substatus(feed->substatus);
	const char *text = arena_printf(scene->arena, "step %s%s%s: %s",
	    text_is_said(feed->step) ? feed->step : "account",
	    text_is_said(feed->address) ? " at " : "",
	    text_is_said(feed->address) ? feed->address : "", outcome_name(feed->outcome));

	if (feed->http_status != 0)
		text = arena_printf(scene->arena, "%s, status %u", text, feed->http_status);
	if (feed->substatus != 0)
		text = arena_printf(scene->arena, "%s/%u", text, feed->substatus);
	if (meaning != NULL)
		text = arena_printf(scene->arena, "%s (%s)", text, meaning);
	if (text_is_said(feed->error_code))
		text = arena_printf(scene->arena, "%s %s", text, feed->error_code);
	if (text_is_said(feed->seen_as))
		text = arena_printf(scene->arena, "%s, seen as %s", text, feed->seen_as);
	if (text_is_said(feed->error_text))
		text = arena_printf(scene->arena, "%s: \"%s\"", text, feed->error_text);
	if (text_is_said(feed->activity_id))
		text = arena_printf(scene->arena, "%s, activity %s", text, feed->activity_id);
	if (text_is_said(feed->detail))
		text = arena_printf(scene->arena, "%s; %s", text, feed->detail);
	return text;
}

static const char *
find_detail(const struct scene *scene, const struct feed *feed, enum finding_code code)
{
	const char *meaning = name_substatus(feed->substatus);

	if (code == FINDING_CREDENTIAL_UNUSABLE)
		return text_is_said(feed->detail) ? feed->detail : outcome_name(feed->outcome);
	if (meaning != NULL)
		return meaning;
	if (feed->http_status != 0)
		return arena_printf(scene->arena, "status %u", feed->http_status);
	return outcome_name(feed->outcome);
}

static bool
is_clock_off(const struct feed *feed)
{
	return feed->dated &&
	    (feed->clock_ahead_s > CLOCK_SPAN_S || feed->clock_ahead_s < -CLOCK_SPAN_S);
}

/* Once for each name, however many modes have asked there. */
static void
add_aside(const struct site *name, struct sighting *sighting, struct report *out)
{
	if (report_shows(out, name, sighting->code, NULL))
		return;
	sighting->site = name;
	sighting->aside = true;
	sighting->group = "credential";
	report_add(out, sighting);
}

static void
check_clock(const struct scene *scene, const struct site *name, const struct feed *feed,
    struct report *out)
{
	if (!is_clock_off(feed))
		return;
	add_aside(name,
	    &(struct sighting){
	        .code = FINDING_CLOCK_OFF,
	        .severity = STATE_WARNING,
	        .evidence = arena_printf(scene->arena, "Date of %s%s",
	            text_is_said(feed->address) ? feed->address : "the gateway",
	            describe_clock(scene, feed)),
	    },
	    out);
}

/* The account does not admit this network: that is of the name, and not of the credential. */
static bool
is_firewall(enum finding_code code)
{
	return code >= FINDING_FIREWALL_PUBLIC && code <= FINDING_FIREWALL_UNTOLD;
}

/* A wrong answer led there: what is met at the address is no matter of the credential, nor of the
 * account, and the answer is told. */
static bool
is_astray(const struct scene *scene, const struct site *name, const struct feed *feed,
    const struct report *out)
{
	static const struct endpoint not_tried;
	struct attempt               attempt = { .end = &not_tried };

	if (!text_is_said(feed->address) || name->seen == NULL ||
	    report_worst(out, name, FINDING_TCP_REFUSED) == NULL ||
	    !addr_parse(&attempt.addr, feed->address, 0, NULL))
		return false;
	scene_trace(scene, name, &attempt);
	return attempt.excused;
}

/* Without a credential the gateway asked for fewer requests, too. */
static bool
is_throttled(const struct site *name, const struct feed *feed, const struct report *out)
{
	return feed->http_status == 429 &&
	    report_shows(out, name, FINDING_GATEWAY_THROTTLES, NULL);
}

void
check_feed(const struct scene *scene, const struct site *site, struct report *out)
{
	enum finding_code  code = check_feed_code(site);
	const struct site *name = site->name != NULL ? site->name : site;
	const struct feed *feed;
	bool               told;

	if (site->place->seen == NULL || site->place->seen->feed == NULL)
		return;
	feed = site->place->seen->feed;
	/* The name's own checks have said why no good answer comes. */
	told = code == FINDING_FEED_BROKEN &&
	    (report_is_down(out, name, FINDING_COUNT) || is_throttled(name, feed, out));
	if (code != FINDING_CREDENTIAL_UNUSABLE && is_astray(scene, name, feed, out)) {
		check_clock(scene, name, feed, out);
		return;
	}
	if (is_firewall(code)) {
		report_add(out,
		    &(struct sighting){
		        .code = code,
		        .site = name,
		        .address = feed->address,
		        .detail = find_detail(scene, feed, code),
		        .evidence = arena_printf(
		            scene->arena, "a signed request, %s", describe(scene, feed)),
		    });
	} else if (code != FINDING_COUNT && !told) {
		add_aside(name,
		    &(struct sighting){
		        .code = code,
		        .address = feed->address,
		        .detail = find_detail(scene, feed, code),
		        .evidence = arena_printf(scene->arena, "%s%s", describe(scene, feed),
		            describe_clock(scene, feed)),
		    },
		    out);
	}
	if (code != FINDING_CLOCK_OFF)
		check_clock(scene, name, feed, out);
}
