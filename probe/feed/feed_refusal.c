#include "probe/feed/feed_refusal.h"

#include "base/text.h"
#include "probe/https/https_answer_json.h"
#include "probe/https/https_words.h"

#include <string.h>

/* The first row that fits counts: by substatus where the service sends one, else by its words
 * [cosmos-signing] [cosmos-forbidden]. */
static const struct reason {
	unsigned    status;
	uint32_t    substatus; /* 0: by needle alone */
	const char *needle;    /* in the message, without case; NULL: by substatus alone */
	const char *words;
} reasons[] = {
	{ 401, 5202, "Local Authorization is disabled",
	    "the account takes no keys (local authentication is disabled): it wants a token of "
	    "Entra ID" },
	{ 401, 5002, NULL, "the account takes no tokens of Entra ID: it wants a key" },
	{ 401, 5000, "Required Header authorization is missing",
	    "our authorization header did not arrive: something in between took it away" },
	{ 401, 5001, NULL, "the service cannot read our authorization header" },
	{ 401, 5003, NULL, "the token is none of Entra ID, or was cut" },
	{ 401, 0, "token signature validation failed",
	    "the token's signature does not verify" },
	{ 401, 5004, "can't serve the request",
	    "the signature does not fit: a wrong or rotated key, or the key of another "
	    "account" },
	{ 401, 5005, NULL, "the token is not valid yet: whose clock is right?" },
	{ 401, 5006, "token is expired", "the token has expired" },
	{ 401, 5007, NULL, "the token was issued by a tenant that is not the account's" },
	{ 401, 5008, NULL, "the token was issued for something else than Azure Cosmos DB" },
	{ 401, 5009, NULL, "the token has not the scope that is wanted" },
	{ 401, 5011, NULL, "the token names no object: it is not one of a principal" },
	{ 401, 5013, NULL, "the token was revoked" },
	{ 403, 0, "is not valid at the current time",
	    "the service finds our clock wrong, or the request was minutes on its way" },
	{ 403, 5300, NULL, "this cannot be asked with a token of Entra ID: a key is wanted" },
	{ 403, 5301, "readMetadata",
	    "the principal has no Cosmos DB role that lets it read metadata "
	    "(Microsoft.DocumentDB/databaseAccounts/readMetadata)" },
	{ 403, 5302, NULL, "the principal has no Cosmos DB role for this" },
	{ 403, 5303, NULL, "the principal has no Cosmos DB role for this" },
	{ 403, 1008, NULL, "the account is not, or not yet, in the region of this gateway" },
};

static const char *
find_reason(const struct feed *feed, const char *message)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		const struct reason *r = &reasons[i];

		if (r->status != feed->http_status)
			continue;
		if (r->substatus != 0 && r->substatus == feed->substatus)
			return r->words;
		if (r->needle != NULL && text_find_nocase(message, r->needle) != NULL)
			return r->words;
	}
	return NULL;
}

/* The service lets a quarter of an hour pass. */
enum { CLOCK_MATTERS_S = 300 };

static const char *
add_clock(const struct feed *feed, struct arena *arena, const char *words)
{
	long long ahead_s = feed->clock_ahead_s;

	if (!feed->dated || (ahead_s < CLOCK_MATTERS_S && ahead_s > -CLOCK_MATTERS_S))
		return words;
	return arena_printf(arena, "%s; our clock is %lld s %s the service's", words,
	    ahead_s < 0 ? -ahead_s : ahead_s, ahead_s < 0 ? "behind" : "ahead of");
}

/* An error of the service that no row knows. */
static const char *
say_refused(struct feed *feed, const struct https_answer *answer, const char *message,
    const char *missing, struct arena *arena)
{
	struct https_refusal refusal;

	switch (answer->status) {
	case 403:
		refusal = https_words_refusal(message, arena);
		feed->path = refusal.path;
		feed->seen_as = refusal.seen_as;
		return refusal.words;
	case 401:
		if (https_answer_is_marked(answer))
			return "the service does not take our credential";
		return "a 401 without the headers of a Cosmos DB gateway";
	case 404:
		if (https_answer_is_marked(answer))
			return missing;
		break;
	default: break;
	}
	if (answer->status < 400)
		return arena_printf(arena, "status %u, where 200 is wanted", answer->status);
	return https_words_error(answer, arena);
}

void
feed_refusal_record(struct feed *feed, const struct https_answer *answer, const char *missing,
    struct arena *arena)
{
	struct https_error error;
	const char        *words;

	if (!https_error_read(&error, answer->body, answer->body_bytes, arena)) {
		feed->detail = https_words_stranger(answer, arena);
		return;
	}
	feed->error_code = error.code;
	feed->error_text = text_sane(
	    arena, error.message, strlen(error.message), FEED_ERROR_TEXT_MAX);
	words = find_reason(feed, error.message);
	if (words == NULL)
		words = say_refused(feed, answer, error.message, missing, arena);
	feed->detail = answer->status == 401 || answer->status == 403
	    ? add_clock(feed, arena, words)
	    : words;
}
