#include "probe/https/https_words.h"

#include "base/text.h"
#include "probe/refusal.h"

#include <string.h>

/* Bytes of a header that are worth quoting. */
enum { HINT_MAX = 80 };

static const char *
text_or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static const char *
say_path(uint32_t path, const char *seen_as, struct arena *arena)
{
	switch (path) {
	case PATH_PUBLIC_INTERNET:
		if (seen_as[0] == '\0')
			return "the account's firewall refuses what comes through the public "
			       "internet";
		return arena_printf(arena,
		    "the account's firewall refuses what comes from %s through the public "
		    "internet",
		    seen_as);
	case PATH_SERVICE_ENDPOINT:
		return "the account's firewall refuses what comes through this service "
		       "endpoint";
	case PATH_PRIVATE_ENDPOINT:
		return "the account refuses what comes through this private endpoint";
	default: return "forbidden, and the service does not say by which way the request came";
	}
}

struct https_refusal
https_words_refusal(const char *message, struct arena *arena)
{
	struct https_refusal refusal = { .path = refusal_path(message), .seen_as = "" };

	if (refusal.path == PATH_PUBLIC_INTERNET)
		refusal.seen_as = refusal_client(message, arena);
	refusal.words = say_path(refusal.path, refusal.seen_as, arena);
	if (refusal.path != PATH_NOT_TOLD)
		return refusal;
	if (text_find_nocase(message, "encryption in transit protocol") != NULL)
		refusal.words = "the account wants a newer TLS version or cipher than was "
		                "negotiated";
	else if (text_find_nocase(message, "Request is blocked") != NULL)
		refusal.words = "the request is blocked; the service does not say by which way "
		                "it came";
	return refusal;
}

/* What betrays a proxy in the service's place [rfc9110 7.6.3], put behind the words. */
static const char *
add_proxy(const struct https_answer *answer, struct arena *arena, const char *words)
{
	const char *via = text_or_empty(answer->via);
	const char *hint = text_or_empty(answer->proxy_hint);

	if (via[0] != '\0')
		return arena_printf(arena, "%s; it came through a proxy, Via: %s", words,
		    text_sane(arena, via, strlen(via), HINT_MAX));
	if (hint[0] != '\0')
		return arena_printf(arena, "%s; it has a header of a proxy, saying %s", words,
		    text_sane(arena, hint, strlen(hint), HINT_MAX));
	return words;
}

static const char *
say_throttled(const struct https_answer *answer, struct arena *arena)
{
	uint32_t wait_ms = https_answer_retry_after_ms(answer);

	if (wait_ms == 0)
		return "the service is throttling";
	return arena_printf(
	    arena, "the service is throttling, and asks to wait %u ms", wait_ms);
}

static const char *
say_service_error(const struct https_answer *answer, struct arena *arena)
{
	unsigned status = answer->status;

	if (status == 404)
		return "a 404 of the service itself: it does not know what was asked for";
	if (status == 400)
		return "a 400 of the service itself: it does not take the request";
	if (status >= 500)
		return arena_printf(arena,
		    "status %u of the service itself: its own trouble, not the network's",
		    status);
	return arena_printf(
	    arena, "status %u with a JSON body, not a gateway's 401", answer->status);
}

const char *
https_words_error(const struct https_answer *answer, struct arena *arena)
{
	if (answer->status == 429)
		return say_throttled(answer, arena);
	if (https_answer_is_marked(answer))
		return say_service_error(answer, arena);
	return add_proxy(answer, arena,
	    arena_printf(arena,
	        "status %u with a JSON body, but without the headers of a Cosmos DB gateway",
	        answer->status));
}

static bool
is_html(const struct https_answer *answer)
{
	const char *type = text_or_empty(answer->content_type);

	return text_starts_nocase(type, "text/html") ||
	    text_starts_nocase(type, "application/xhtml") ||
	    (answer->body_bytes > 0 && answer->body[0] == '<');
}

static const char *
say_redirect(const struct https_answer *answer, struct arena *arena)
{
	const char *location = text_or_empty(answer->location);

	return arena_printf(arena,
	    "status %u redirects to %s: a portal or proxy stands in between", answer->status,
	    location[0] != '\0' ? location : "nowhere");
}

/* By status, where there is no page. */
static const char *
say_bare(const struct https_answer *answer, struct arena *arena)
{
	unsigned status = answer->status;

	switch (status) {
	case 404:
		if (answer->body_bytes == 0)
			return "a 404 without a body: another server, or an old firewall's "
			       "refusal";
		break;
	case 429: return "status 429: throttled, and not by the service as far as it shows";
	case 502: /* [rfc9110 15.6.3] and [rfc9110 15.6.5] */
	case 504:
		return arena_printf(arena,
		    "status %u without a body of the service: a proxy or load balancer in "
		    "between did not reach it",
		    status);
	default: break;
	}
	if (status >= 500)
		return arena_printf(arena, "status %u without a body of the service", status);
	return arena_printf(
	    arena, "status %u without the JSON body of a Cosmos DB gateway", status);
}

const char *
https_words_stranger(const struct https_answer *answer, struct arena *arena)
{
	unsigned    status = answer->status;
	const char *words;

	if (status >= 300 && status < 400)
		words = say_redirect(answer, arena);
	else if (status == 407 || status == 511)
		words = arena_printf(
		    arena, "status %u: a proxy or network wants authentication", status);
	else if (is_html(answer) && status == 403)
		words = "status 403 with an HTML page: a proxy, firewall or other server "
		        "refuses, not the account";
	else if (is_html(answer))
		words = arena_printf(arena,
		    "status %u with an HTML page: a portal, proxy or other server", status);
	else
		words = say_bare(answer, arena);
	return add_proxy(answer, arena, words);
}
