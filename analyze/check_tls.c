#include "analyze/checks.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

enum { DAYS_LEFT_WANTED = 14 };

/* X509_V_ERR_* that say more than "invalid"; the numbers are part of OpenSSL's interface
 * (x509_vfy.h) and travel in verify_code. */
static const struct {
	unsigned          verify_code;
	enum finding_code code;
} rejections[] = {
	{ 2, FINDING_CERT_UNTRUSTED },      /* UNABLE_TO_GET_ISSUER_CERT */
	{ 9, FINDING_CERT_NOT_YET_VALID },  /* CERT_NOT_YET_VALID */
	{ 10, FINDING_CERT_EXPIRED },       /* CERT_HAS_EXPIRED */
	{ 18, FINDING_CERT_UNTRUSTED },     /* DEPTH_ZERO_SELF_SIGNED_CERT */
	{ 19, FINDING_CERT_UNTRUSTED },     /* SELF_SIGNED_CERT_IN_CHAIN */
	{ 20, FINDING_CERT_UNTRUSTED },     /* UNABLE_TO_GET_ISSUER_CERT_LOCALLY */
	{ 21, FINDING_CERT_UNTRUSTED },     /* UNABLE_TO_VERIFY_LEAF_SIGNATURE */
	{ 27, FINDING_CERT_UNTRUSTED },     /* CERT_UNTRUSTED */
	{ 62, FINDING_CERT_NAME_MISMATCH }, /* HOSTNAME_MISMATCH */
};

/* Whom certificates of Azure come from, as they call themselves [azure-tls-roots]. */
static const char *const public_issuers[] = { "O=Microsoft Corporation", "O=DigiCert Inc",
	"O = Microsoft Corporation", "O = DigiCert Inc" };

/* No root of the chain was found here; a chain that ends in one of its own is somebody else's. */
static bool
is_root_missing(const struct endpoint *end)
{
	enum { NO_ISSUER = 2, NO_ISSUER_HERE = 20, LEAF_ALONE = 21 };

	if (end->verify_code != NO_ISSUER && end->verify_code != NO_ISSUER_HERE &&
	    end->verify_code != LEAF_ALONE)
		return false;
	for (size_t i = 0; i < sizeof(public_issuers) / sizeof(public_issuers[0]); i++) {
		if (text_is_said(end->issuer) && strstr(end->issuer, public_issuers[i]) != NULL)
			return true;
	}
	return false;
}

/* In OpenSSL's words: our offer was refused, or theirs is below what we take. */
static bool
is_too_old(const struct endpoint *end)
{
	static const char *const words[] = { "protocol version", "unsupported protocol",
		"version too low" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (text_is_said(end->detail) &&
		    text_find_nocase(end->detail, words[i]) != NULL)
			return true;
	}
	return false;
}

static enum finding_code
find_failure(const struct site *site, const struct endpoint *end)
{
	switch (end->tls) {
	case OUTCOME_TLS_REJECTED:
		if (is_root_missing(end))
			return FINDING_ROOTS_MISSING;
		for (size_t i = 0; i < sizeof(rejections) / sizeof(rejections[0]); i++) {
			if (rejections[i].verify_code == end->verify_code)
				return rejections[i].code;
		}
		return FINDING_CERT_INVALID;
	case OUTCOME_NOT_TLS: return FINDING_NOT_TLS;
	case OUTCOME_TIMEOUT:
		return site->seen->agent_late ? FINDING_COUNT : FINDING_TLS_FAILED;
	/* A RST behind the last packet of the TCP handshake is seen at the next stage. */
	case OUTCOME_RESET:
	case OUTCOME_CLOSED: return FINDING_TCP_RESET;
	case OUTCOME_TLS_FAILED:
		return is_too_old(end) ? FINDING_TLS_TOO_OLD : FINDING_TLS_FAILED;
	case OUTCOME_BROKE_PROTOCOL:
	case OUTCOME_TOO_LARGE: return FINDING_TLS_FAILED;
	default: return FINDING_COUNT;
	}
}

static const char *
describe(const struct scene *scene, const struct attempt *attempt)
{
	const struct endpoint *end = attempt->end;
	const char            *text = arena_printf(
	               scene->arena, "%s: %s", attempt->peer, outcome_name(end->tls));
	char begin[CLOCK_TEXT], stop[CLOCK_TEXT];

	if (text_is_said(end->verify_text))
		text = arena_printf(scene->arena, "%s, %s", text, end->verify_text);
	if (text_is_said(end->detail))
		text = arena_printf(scene->arena, "%s, %s", text, end->detail);
	if (text_is_said(end->subject))
		text = arena_printf(scene->arena, "%s; subject %s", text, end->subject);
	if (text_is_said(end->sans))
		text = arena_printf(scene->arena, "%s; names %s", text, end->sans);
	if (text_is_said(end->issuer))
		text = arena_printf(scene->arena, "%s; issuer %s", text, end->issuer);
	if (end->not_after_ms != 0)
		text = arena_printf(scene->arena, "%s; valid %s to %s", text,
		    clock_render(end->not_before_ms, begin, sizeof(begin)),
		    clock_render(end->not_after_ms, stop, sizeof(stop)));
	return text;
}

static const char *
describe_days(struct arena *arena, int64_t span_ms)
{
	int64_t days = span_ms / MS_PER_DAY;

	if (days < 1)
		return arena_printf(arena, "%d hours", (int)(span_ms / MS_PER_HOUR));
	return arena_printf(arena, "%d day%s", (int)days, days == 1 ? "" : "s");
}

/* What the sentence says in brackets. */
static const char *
find_detail(const struct scene *scene, const struct site *site, const struct endpoint *end,
    enum finding_code code)
{
	int64_t now_ms = site->seen->started_ms;

	switch (code) {
	case FINDING_CERT_NAME_MISMATCH:
		return text_is_said(end->sans) ? end->sans : end->subject;
	case FINDING_CERT_EXPIRED:
		return arena_printf(scene->arena, "%s ago",
		    describe_days(scene->arena, now_ms - end->not_after_ms));
	case FINDING_CERT_NOT_YET_VALID:
		return arena_printf(scene->arena, "in %s",
		    describe_days(scene->arena, end->not_before_ms - now_ms));
	case FINDING_CERT_ENDS_SOON:
		return describe_days(scene->arena, end->not_after_ms - now_ms);
	case FINDING_CERT_INVALID: return end->verify_text;
	default: return text_is_said(end->detail) ? end->detail : outcome_name(end->tls);
	}
}

static bool
ends_soon(const struct site *site, const struct endpoint *end)
{
	int64_t left_ms = end->not_after_ms - site->seen->started_ms;

	return end->tls == OUTCOME_OK && end->not_after_ms != 0 &&
	    left_ms < DAYS_LEFT_WANTED * MS_PER_DAY;
}

void
check_tls(const struct scene *scene, const struct site *site, const struct attempt *attempt,
    struct report *out)
{
	const struct endpoint *end = attempt->end;
	enum finding_code      code = find_failure(site, end);

	if (ends_soon(site, end))
		code = FINDING_CERT_ENDS_SOON;
	if (code == FINDING_COUNT)
		return;
	report_add(out,
	    &(struct sighting){
	        .code = code,
	        .site = site,
	        .address = end->address,
	        .port = end->port,
	        .detail = find_detail(scene, site, end, code),
	        .evidence = describe(scene, attempt),
	    });
}
