#include "tests/fake/backend/fake_sign.h"

#include "tests/fake/backend/fake_http.h"

#include <ctype.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEY_MAX = 256, CLOCK_SLACK_S = 15 * 60, HEADER_MAX = 16 * 1024 };

#define RBAC_HELP     "Learn more: https://aka.ms/cosmos-native-rbac."
#define READ_METADATA "Microsoft.DocumentDB/databaseAccounts/readMetadata"
#define READ_ITEMS    "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/executeQuery"

static const char *const versions[] = { "2020-07-15", "2020-11-05", "2018-12-31", "2018-09-17",
	"2018-06-18", "2017-11-15", "2016-07-11", NULL };

static void
refuse(struct fake_refusal *refusal, unsigned status, unsigned substatus, const char *message)
{
	refusal->status = status;
	refusal->substatus = substatus;
	refusal->code = status == 401 ? "Unauthorized"
	    : status == 403           ? "Forbidden"
	                              : "BadRequest";
	snprintf(refusal->message, sizeof(refusal->message), "%s", message);
}

static void
put_lower(struct wbuf *out, const char *text)
{
	for (; *text != '\0'; text++)
		wbuf_u8(out, (uint8_t)tolower((unsigned char)*text));
}

/* Names keep their case; of resource ids only the last one counts, in lower case. */
static void
put_link(struct wbuf *out, const struct fake_target *target, size_t count)
{
	if (target->by_rid && count > 0) {
		put_lower(out, target->parts[count - 1]);
		return;
	}
	for (size_t i = 0; i < count; i++)
		wbuf_printf(out, "%s%s", i > 0 ? "/" : "", target->parts[i]);
}

void
fake_sign_payload(struct wbuf *out, const char *verb, const struct fake_target *target,
    const char *ms_date, const char *date)
{
	size_t count = target->part_count;

	put_lower(out, verb);
	wbuf_u8(out, '\n');
	if (count > 0)
		put_lower(out, target->parts[count % 2 == 0 ? count - 2 : count - 1]);
	wbuf_u8(out, '\n');
	put_link(out, target, count % 2 == 0 ? count : count - 1);
	wbuf_u8(out, '\n');
	put_lower(out, ms_date);
	wbuf_u8(out, '\n');
	if (*ms_date == '\0')
		put_lower(out, date);
	wbuf_u8(out, '\n');
}

/* Bytes of a key; 0 when it is no base64. */
static size_t
decode_key(const char *key, unsigned char *bytes)
{
	size_t length = strlen(key);
	int    count;

	if (length == 0 || length % 4 != 0 || length / 4 * 3 > KEY_MAX)
		return 0;
	count = EVP_DecodeBlock(bytes, (const unsigned char *)key, (int)length);
	if (count < 0)
		return 0;
	return (size_t)count - (key[length - 1] == '=') - (key[length - 2] == '=');
}

bool
fake_sign_compute(const char *key, const char *payload, char *text)
{
	unsigned char bytes[KEY_MAX], hash[EVP_MAX_MD_SIZE];
	unsigned      hash_count = 0;
	size_t        count = decode_key(key, bytes);

	if (count == 0)
		return false;
	HMAC(EVP_sha256(), bytes, (int)count, (const unsigned char *)payload, strlen(payload),
	    hash, &hash_count);
	EVP_EncodeBlock((unsigned char *)text, hash, (int)hash_count);
	return true;
}

static bool
is_signed_by(const json_t *keys, const char *payload, const char *signature)
{
	char wanted[2 * EVP_MAX_MD_SIZE];

	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));

		if (key != NULL && fake_sign_compute(key, payload, wanted) &&
		    strlen(wanted) == strlen(signature) &&
		    CRYPTO_memcmp(wanted, signature, strlen(wanted)) == 0)
			return true;
	}
	return false;
}

/* "type=master&ver=1.0&sig=..." in its encoded form. */
struct authorization {
	char  text[HEADER_MAX];
	char *type, *version, *signature;
};

static bool
parse_authorization(struct authorization *parsed, const char *header)
{
	char *second, *third;

	snprintf(parsed->text, sizeof(parsed->text), "%s", header);
	fake_percent_decode(parsed->text);
	if (strncmp(parsed->text, "type=", 5) != 0 ||
	    (second = strstr(parsed->text, "&ver=")) == NULL ||
	    (third = strstr(second, "&sig=")) == NULL)
		return false;
	*second = *third = '\0';
	parsed->type = parsed->text + 5;
	parsed->version = second + 5;
	parsed->signature = third + 5;
	return true;
}

static void
check_clock(struct fake_refusal *refusal, const char *date, int64_t now_s)
{
	struct tm   tm = { 0 };
	const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	char        from[FAKE_DATE], to[FAKE_DATE], now[FAKE_DATE], text[600];
	int64_t     at_s;

	if (end == NULL || *end != '\0') {
		refuse(refusal, 401, 0,
		    "The input date header is invalid format. Please pass in RFC 1123 style "
		    "date format.");
		return;
	}
	at_s = timegm(&tm);
	if (llabs(now_s - at_s) <= CLOCK_SLACK_S)
		return;
	snprintf(text, sizeof(text),
	    "The authorization token is not valid at the current time. Please create another "
	    "token and retry (token start time: %s, token expiry time: %s, current server "
	    "time: %s).",
	    fake_date(at_s - CLOCK_SLACK_S, from), fake_date(at_s + CLOCK_SLACK_S, to),
	    fake_date(now_s, now));
	refuse(refusal, 403, 0, text);
}

static void
refuse_signature(struct fake_refusal *refusal, const char *payload)
{
	char text[sizeof(refusal->message)];

	snprintf(text, sizeof(text),
	    "The input authorization token can't serve the request. The wrong key is being "
	    "used or the expected payload is not built as per the protocol. For more info: "
	    "https://aka.ms/cosmosdb-tsg-unauthorized. Server used the following payload to "
	    "sign: '%s'",
	    payload);
	refuse(refusal, 401, 0, text);
}

static void
check_key(struct fake_refusal *refusal, const struct fake_account *account,
    const struct fake_target *target, const struct fake_claims *claims, const char *signature)
{
	struct wbuf payload;

	wbuf_init(&payload);
	fake_sign_payload(&payload, claims->verb, target, claims->ms_date, claims->date);
	if (is_signed_by(account->keys, wbuf_text(&payload), signature))
		refusal->by = "key";
	else if (is_signed_by(account->readonly_keys, wbuf_text(&payload), signature))
		refusal->by = "readonly-key";
	if (!account->local_auth)
		refuse(refusal, 401, 5202,
		    "Local Authorization is disabled. Use an AAD token to authorize all "
		    "requests.");
	else if (strcmp(refusal->by, "none") == 0)
		refuse_signature(refusal, wbuf_text(&payload));
	wbuf_fini(&payload);
	if (refusal->status == 0)
		check_clock(refusal, *claims->ms_date != '\0' ? claims->ms_date : claims->date,
		    claims->now_s);
}

/* Whether a role assigned at `scope` lets read the metadata of the target. */
static bool
does_cover(const char *scope, const char *path, const struct fake_target *target)
{
	size_t count = strlen(scope);

	if (strcmp(scope, "/") == 0)
		return true;
	/* The account itself is read by whoever may read something in it. */
	if (target->part_count == 0)
		return true;
	return strncmp(path, scope + 1, count - 1) == 0 &&
	    (path[count - 1] == '/' || path[count - 1] == '\0');
}

/* "dbs/x/colls/y" by names, whatever the target says. */
static void
name_resource(const struct fake_account *account, const struct fake_target *target, char *path,
    size_t room)
{
	const struct fake_database  *database;
	const struct fake_container *container;

	snprintf(path, room, "%s", target->resource);
	if (!target->by_rid)
		return;
	database = fake_account_database(account, target->parts[1], true);
	container = database != NULL && target->part_count > 3
	    ? fake_database_container(database, target->parts[3], true)
	    : NULL;
	if (container != NULL)
		snprintf(path, room, "dbs/%s/colls/%s", database->id, container->id);
	else if (database != NULL)
		snprintf(path, room, "dbs/%s", database->id);
}

static void
check_role(struct fake_refusal *refusal, const struct fake_account *account,
    const struct fake_token *token, const struct fake_target *target)
{
	bool query = target->part_count > 4 && strcmp(target->parts[4], "docs") == 0 &&
	    !target->addresses;
	char path[1024], text[2048];

	name_resource(account, target, path, sizeof(path));
	for (size_t i = 0; i < json_array_size(token->scopes); i++) {
		if (does_cover(
		        json_string_value(json_array_get(token->scopes, i)), path, target) &&
		    (!query || token->may_query))
			return;
	}
	snprintf(text, sizeof(text),
	    "Request blocked by Auth %s : Request is blocked because principal [%s] does not "
	    "have required RBAC permissions to perform action [%s] on resource [/%s]. %s",
	    account->name, token->principal, query ? READ_ITEMS : READ_METADATA, path,
	    RBAC_HELP);
	refuse(refusal, 403, query ? 5302 : 5301, text);
}

static void
check_entra(struct fake_refusal *refusal, const struct fake_account *account,
    const struct fake_target *target, int64_t now_s, const char *text)
{
	const struct fake_token *token = NULL;

	for (size_t i = 0; i < account->token_count && token == NULL; i++) {
		if (strcmp(account->tokens[i].text, text) == 0)
			token = &account->tokens[i];
	}
	if (token == NULL) {
		refuse(refusal, 401, 5004, "AAD token signature validation failed.");
		return;
	}
	refusal->by = "entra";
	/* x-ms-date is not looked at: the JavaScript SDK sends none with a token. */
	if (token->expires_s != 0 && token->expires_s <= now_s)
		refuse(refusal, 401, 5006, "AAD token has expired.");
	else
		check_role(refusal, account, token, target);
}

static bool
is_version(const char *text)
{
	for (size_t i = 0; versions[i] != NULL; i++) {
		if (strcmp(versions[i], text) == 0)
			return true;
	}
	return false;
}

void
fake_sign_check(struct fake_refusal *refusal, const struct fake_account *account,
    const struct fake_target *target, const struct fake_claims *claims)
{
	struct authorization *parsed = calloc(1, sizeof(*parsed));

	memset(refusal, 0, sizeof(*refusal));
	refusal->by = "none";
	if (parsed == NULL)
		abort();
	if (*claims->authorization == '\0')
		refuse(refusal, 401, 0,
		    "Required Header authorization is missing. Ensure a valid Authorization "
		    "token is passed.");
	else if (!is_version(claims->version))
		refuse(refusal, 400, 0,
		    "Invalid API version. Ensure a valid x-ms-version header value is passed.");
	else if (!parse_authorization(parsed, claims->authorization))
		refuse(refusal, 401, 5001,
		    "Authorization header doesn't confirm to the required format. Please "
		    "verify and try again.");
	else if (strcmp(parsed->type, "master") == 0 && strcmp(parsed->version, "1.0") == 0)
		check_key(refusal, account, target, claims, parsed->signature);
	else if (strcmp(parsed->type, "aad") == 0 && strcmp(parsed->version, "1.0") == 0)
		check_entra(refusal, account, target, claims->now_s, parsed->signature);
	else
		refuse(refusal, 401, 5001,
		    "Authorization header holds a type or version of token that is not "
		    "supported.");
	free(parsed);
}
