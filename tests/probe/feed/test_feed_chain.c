#include "probe/feed/feed_chain.h"

#include "base/clock.h"
#include "base/wbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define OK            "HTTP/1.1 200 OK\r\nx-ms-gatewayversion: version=2.14.0\r\n"
#define GUID          "x-ms-activity-id: 0e2c5a51-0f25-4a9b-a2ab-0c6c2a3f7c11\r\n"
#define ERROR(status) "HTTP/1.1 " status " x\r\nx-ms-gatewayversion: version=2.14.0\r\n" GUID
#define SUB(number)   "x-ms-substatus: " number "\r\n"

#define ACCOUNT                                                                    \
	"{\"id\":\"contoso\",\"readableLocations\":[{\"name\":\"West Europe\","    \
	"\"databaseAccountEndpoint\":\"https://contoso-westeurope.documents.azure" \
	".com:443/\"}]}"
#define DATABASES(list) "{\"_rid\":\"\",\"Databases\":[" list "],\"_count\":1}"
#define COLLS(list)     "{\"_rid\":\"ZWUNAA==\",\"DocumentCollections\":[" list "]}"
#define RANGES(list)    "{\"_rid\":\"ZWUNALftZ78=\",\"PartitionKeyRanges\":[" list "]}"
#define RANGE0          "{\"id\":\"0\",\"minInclusive\":\"\",\"maxExclusive\":\"FF\"}"
#define ENTRY(range, port, end)                                                        \
	"{\"isPrimary\":true,\"protocol\":\"rntbd\",\"physcialUri\":\"rntbd://cdb-ms-" \
	"prod-westeurope1-be1.documents.azure.com:" port "/apps/a/services/b/"         \
	"partitions/c/replicas/1" end "/\",\"partitionKeyRangeId\":\"" range           \
	"\",\"partitionTargetReplicaSetSize\":2}"
#define FEED "{\"Addresss\":[" ENTRY("0", "14031", "p") "," ENTRY("0", "14032", "s") "]}"

#define ADDRESSES                                                                     \
	"//addresses/?$resolveFor=dbs%2fZWUNAA%3d%3d%2fcolls%2fZWUNALftZ78%3d%2fdocs" \
	"&$filter=protocol%20eq%20rntbd&$partitionKeyRangeIds="
#define MASTER "//addresses/?$resolveFor=dbs&$filter=protocol%20eq%20rntbd"

/* The vendor's date, which is what our clock says too. */
enum { WALL_S = 1493254272 };

static const struct signer signer = { .kind = CREDENTIAL_KEY };

/* One request that is wanted, and its answer. */
struct turn {
	const char *target, *type, *link; /* target NULL: the end of the script */
	const char *head, *body;
	const char *continuation; /* that the request must have; NULL: none */
};

struct script {
	const char     *name;
	struct feed_ask ask;
	struct turn     turns[12];
	enum outcome    outcome;
	const char     *step, *detail; /* detail: a part of it; NULL: there is none */
	const char     *container;
	unsigned        replicas, partitions;
};

struct fixture {
	struct arena      *arena;
	struct feed        feed;
	struct feed_found  found;
	struct feed_chain *chain;
	uint32_t           wait_ms;
};

static const char *
text(const char *maybe)
{
	return maybe != NULL ? maybe : "";
}

static void
begin(struct fixture *f, struct feed_ask *ask)
{
	*f = (struct fixture){ .arena = arena_new() };
	if (ask->signer == NULL)
		ask->signer = &signer;
	f->chain = feed_chain_new(ask, &f->feed, &f->found, f->arena);
}

static enum feed_next
hear(struct fixture *f, const char *head, const char *body, size_t count)
{
	struct https_answer answer = { 0 };

	while (*head != '\0') {
		size_t length = strcspn(head, "\n") + 1;

		https_answer_line(&answer, f->arena, head, length);
		head += length;
	}
	answer.body = body;
	answer.body_bytes = count;
	return feed_chain_hear(
	    f->chain, &answer, (int64_t)WALL_S * MS_PER_S + 400, &f->wait_ms);
}

static void
check_turn(const struct script *s, const struct turn *turn, const struct feed_request *request)
{
	if (strcmp(request->target, turn->target) != 0)
		fail_msg("%s: asks %s, wanted %s", s->name, request->target, turn->target);
	if (strcmp(request->type, turn->type) != 0 || strcmp(request->link, turn->link) != 0)
		fail_msg("%s: %s: signs %s, %s", s->name, turn->target, request->type,
		    request->link);
	if (strcmp(text(request->continuation), text(turn->continuation)) != 0)
		fail_msg(
		    "%s: %s: continues %s", s->name, turn->target, text(request->continuation));
	assert_int_equal(request->thin, strcmp(turn->target, "/") == 0);
}

static void
run_script(const struct script *s)
{
	struct feed_ask ask = s->ask;
	struct fixture  f;
	enum feed_next  next = FEED_ASK;

	begin(&f, &ask);
	for (const struct turn *turn = s->turns; turn->target != NULL; turn++) {
		if (next == FEED_OVER)
			fail_msg(
			    "%s: over before %s: %s", s->name, turn->target, f.feed.detail);
		check_turn(s, turn, feed_chain_request(f.chain));
		next = hear(&f, turn->head, turn->body, strlen(turn->body));
	}
	if (next != FEED_OVER)
		fail_msg("%s: asks for %s too", s->name, feed_chain_request(f.chain)->target);
	if (f.feed.outcome != s->outcome || strcmp(f.feed.step, s->step) != 0)
		fail_msg("%s: %s at %s: %s", s->name, outcome_name(f.feed.outcome), f.feed.step,
		    f.feed.detail);
	if (s->detail == NULL ? f.feed.detail[0] != '\0'
	                      : strstr(f.feed.detail, s->detail) == NULL)
		fail_msg("%s: \"%s\"", s->name, f.feed.detail);
	assert_string_equal(text(f.feed.container), text(s->container));
	assert_int_equal(f.found.count, s->replicas);
	assert_int_equal(f.feed.partitions, s->partitions);
	arena_free(f.arena);
}

static const struct script scripts[] = {
	{ "all of it", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK, DATABASES("{\"id\":\"ToDoList\"}"), NULL },
	        { "/dbs/ToDoList/colls", "colls", "dbs/ToDoList", OK,
	            COLLS("{\"id\":\"Items\",\"_rid\":\"ZWUNALftZ78=\"}"), NULL },
	        { "/dbs/ToDoList/colls/Items/pkranges", "pkranges", "dbs/ToDoList/colls/Items",
	            OK, RANGES(RANGE0), NULL },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/ToDoList/colls/Items", 2, 1 },
	{ "the account alone", { .depth = FEED_ACCOUNT, .database = "a" },
	    { { "/", "", "", OK, ACCOUNT, NULL } }, OUTCOME_OK, "account", NULL, NULL, 0, 0 },
	{ "a container that is named",
	    { .depth = FEED_ADDRESSES, .database = "My db", .container = "K\xc3\xa4se+" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/My%20db/colls/K%c3%a4se%2b", "colls", "dbs/My db/colls/K\xc3\xa4se+",
	            OK, "{\"_rid\":\"ZWUNALftZ78=\",\"id\":\"x\"}", NULL },
	        { "/dbs/My%20db/colls/K%c3%a4se%2b/pkranges", "pkranges",
	            "dbs/My db/colls/K\xc3\xa4se+", OK, RANGES(RANGE0), NULL },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/My db/colls/K\xc3\xa4se+", 2, 1 },
	{ "a database that is named",
	    { .depth = FEED_ADDRESSES, .database = "b", .container = "" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/b/colls", "colls", "dbs/b", OK,
	            COLLS("{\"id\":\"c\",\"_rid\":\"ZWUNALftZ78=\"}"), NULL },
	        { "/dbs/b/colls/c/pkranges", "pkranges", "dbs/b/colls/c", OK, RANGES(RANGE0),
	            NULL },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/b/colls/c", 2, 1 },
	{ "a list without rids", { .depth = FEED_ADDRESSES, .database = "b" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/b/colls", "colls", "dbs/b", OK, COLLS("{\"id\":\"c\"}"), NULL },
	        { "/dbs/b/colls/c", "colls", "dbs/b/colls/c", OK, "{\"_rid\":\"ZWUNALftZ78=\"}",
	            NULL },
	        { "/dbs/b/colls/c/pkranges", "pkranges", "dbs/b/colls/c", OK, RANGES(RANGE0),
	            NULL },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/b/colls/c", 2, 1 },
	{ "no database", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK, DATABASES(""), NULL },
	        { MASTER, "dbs", "", OK, "{\"Addresss\":[" ENTRY("M", "14031", "p") "]}",
	            NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs", 1, 1 },
	{ "only the second database has a container", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK, DATABASES("{\"id\":\"a\"},{\"id\":\"b\"}"), NULL },
	        { "/dbs/a/colls", "colls", "dbs/a", OK, COLLS(""), NULL },
	        { "/dbs/b/colls", "colls", "dbs/b", OK,
	            COLLS("{\"id\":\"c\",\"_rid\":\"ZWUNALftZ78=\"}"), NULL },
	        { "/dbs/b/colls/c/pkranges", "pkranges", "dbs/b/colls/c", OK, RANGES(RANGE0),
	            NULL },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/b/colls/c", 2, 1 },
	{ "a database without containers", { .depth = FEED_ADDRESSES, .database = "a" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/a/colls", "colls", "dbs/a", OK, COLLS(""), NULL },
	        { MASTER, "dbs", "", OK, "{\"Addresss\":[" ENTRY("M", "14031", "p") "]}",
	            NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs", 1, 1 },
	{ "pages", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK "x-ms-continuation: one\r\n", DATABASES(""), NULL },
	        { "/dbs", "dbs", "", OK, DATABASES("{\"id\":\"a\"}"), "one" },
	        { "/dbs/a/colls", "colls", "dbs/a",
	            OK "x-ms-continuation: {\"t\":\"+R:2\"}\r\n", COLLS(""), NULL },
	        { "/dbs/a/colls", "colls", "dbs/a", OK "x-ms-continuation: more\r\n",
	            COLLS("{\"id\":\"c\",\"_rid\":\"ZWUNALftZ78=\"}"), "{\"t\":\"+R:2\"}" },
	        { "/dbs/a/colls/c/pkranges", "pkranges", "dbs/a/colls/c",
	            OK "x-ms-continuation: x\r\n", RANGES(RANGE0), NULL },
	        { "/dbs/a/colls/c/pkranges", "pkranges", "dbs/a/colls/c", OK,
	            RANGES("{\"id\":\"1\"}"), "x" },
	        { ADDRESSES "0,1", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/a/colls/c", 2, 1 },
	{ "a container in a database of the second page", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK "x-ms-continuation: one\r\n",
	            DATABASES("{\"id\":\"a\"}"), NULL },
	        { "/dbs/a/colls", "colls", "dbs/a", OK, COLLS(""), NULL },
	        { "/dbs", "dbs", "", OK, DATABASES("{\"id\":\"b\"}"), "one" },
	        { "/dbs/b/colls", "colls", "dbs/b", OK,
	            COLLS("{\"id\":\"c\",\"_rid\":\"ZWUNALftZ78=\"}"), NULL },
	        { "/dbs/b/colls/c/pkranges", "pkranges", "dbs/b/colls/c", OK, RANGES(RANGE0),
	            NULL },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", NULL, "dbs/b/colls/c", 2, 1 },
	{ "the same page of empty databases again and again", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK "x-ms-continuation: one\r\n",
	            DATABASES("{\"id\":\"a\"}"), NULL },
	        { "/dbs/a/colls", "colls", "dbs/a", OK, COLLS(""), NULL },
	        { "/dbs", "dbs", "", OK "x-ms-continuation: one\r\n", DATABASES(""), "one" },
	        { MASTER, "dbs", "", OK, "{\"Addresss\":[" ENTRY("M", "14031", "p") "]}",
	            NULL },
	    },
	    OUTCOME_OK, "addresses", "repeats itself", "dbs", 1, 1 },
	{ "the same page again and again",
	    { .depth = FEED_ADDRESSES, .database = "a", .container = "c" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/a/colls/c", "colls", "dbs/a/colls/c", OK, "{\"_rid\":\"ZWUNALftZ78=\"}",
	            NULL },
	        { "/dbs/a/colls/c/pkranges", "pkranges", "dbs/a/colls/c",
	            OK "x-ms-continuation: x\r\n", RANGES(RANGE0), NULL },
	        { "/dbs/a/colls/c/pkranges", "pkranges", "dbs/a/colls/c",
	            OK "x-ms-continuation: x\r\n", RANGES(""), "x" },
	        { ADDRESSES "0", "docs", "zwunalftz78=", OK, FEED, NULL },
	    },
	    OUTCOME_OK, "addresses", "repeats itself", "dbs/a/colls/c", 2, 1 },
	{ "a container without ranges",
	    { .depth = FEED_ADDRESSES, .database = "a", .container = "c" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/a/colls/c", "colls", "dbs/a/colls/c", OK, "{\"_rid\":\"ZWUNALftZ78=\"}",
	            NULL },
	        { "/dbs/a/colls/c/pkranges", "pkranges", "dbs/a/colls/c", OK, RANGES(""),
	            NULL },
	    },
	    OUTCOME_HTTP_OTHER, "ranges", "no partition key range", "dbs/a/colls/c", 0, 0 },
	{ "no replica", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK, DATABASES(""), NULL },
	        { MASTER, "dbs", "", OK, "{\"Addresss\":[]}", NULL },
	    },
	    OUTCOME_HTTP_OTHER, "addresses", "tells no replica", "dbs", 0, 0 },
	{ "one address in two cannot be read", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK, DATABASES(""), NULL },
	        { MASTER, "dbs", "", OK,
	            "{\"Addresss\":[" ENTRY("M", "0", "p") "," ENTRY("M", "1", "s") "]}",
	            NULL },
	    },
	    OUTCOME_OK, "addresses", "1 addresses cannot be read; the first: ", "dbs", 1, 1 },
	{ "none can be read", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", OK, DATABASES(""), NULL },
	        { MASTER, "dbs", "", OK, "{\"Addresss\":[" ENTRY("M", "x", "p") "]}", NULL },
	    },
	    OUTCOME_HTTP_OTHER, "addresses", "no replica's address can be read", "dbs", 0, 0 },
	{ "a role for the account alone", { .depth = FEED_ADDRESSES },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs", "dbs", "", ERROR("403") SUB("5301"),
	            "{\"code\":\"Forbidden\",\"message\":\"Request blocked by Auth contoso : "
	            "Request is blocked because principal [x] does not have required RBAC "
	            "permissions to perform action [Microsoft.DocumentDB/databaseAccounts/"
	            "readMetadata]\"}",
	            NULL },
	    },
	    OUTCOME_HTTP_OTHER, "databases", "no Cosmos DB role", NULL, 0, 0 },
	{ "no such container", { .depth = FEED_ADDRESSES, .database = "a", .container = "c" },
	    {
	        { "/", "", "", OK, ACCOUNT, NULL },
	        { "/dbs/a/colls/c", "colls", "dbs/a/colls/c", ERROR("404"),
	            "{\"code\":\"NotFound\",\"message\":\"Resource Not Found\"}", NULL },
	    },
	    OUTCOME_HTTP_OTHER, "container", "no such database or container", NULL, 0, 0 },
};

static void
test_scripts(void **state)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		run_script(&scripts[i]);
}

/* GET / alone. */
static const struct refusal {
	const char  *name;
	const char  *head, *body;
	enum outcome outcome;
	const char  *detail;
	enum path    path;
	const char  *seen_as;
} refusals[] = {
	{ "wrong key", ERROR("401"),
	    "{\"code\":\"Unauthorized\",\"message\":\"The input authorization token can't "
	    "serve "
	    "the request. Server used the following payload to sign: 'get\\n\\n\\nthu, 27 apr "
	    "2017 00:51:12 gmt\\n\\n'\"}",
	    OUTCOME_HTTP_OTHER, "wrong or rotated key", PATH_NOT_TOLD, "" },
	{ "wrong key by number", ERROR("401") SUB("5004"), "{\"code\":\"Unauthorized\"}",
	    OUTCOME_HTTP_OTHER, "wrong or rotated key", PATH_NOT_TOLD, "" },
	{ "a strange token", ERROR("401") SUB("5004"),
	    "{\"code\":\"Unauthorized\",\"message\":\"AAD token signature validation "
	    "failed.\"}",
	    OUTCOME_HTTP_OTHER, "the token's signature", PATH_NOT_TOLD, "" },
	{ "token expired", ERROR("401") SUB("5006"), "{}", OUTCOME_HTTP_OTHER,
	    "the token has expired", PATH_NOT_TOLD, "" },
	{ "token of another tenant", ERROR("401") SUB("5007"), "{}", OUTCOME_HTTP_OTHER,
	    "tenant", PATH_NOT_TOLD, "" },
	{ "keys are off", ERROR("401"),
	    "{\"code\":\"Unauthorized\",\"message\":\"Local Authorization is disabled. Use an "
	    "AAD "
	    "token to authorize all requests.\"}",
	    OUTCOME_HTTP_OTHER, "takes no keys", PATH_NOT_TOLD, "" },
	{ "keys are off by number", ERROR("401") SUB("5202"), "{}", OUTCOME_HTTP_OTHER,
	    "takes no keys", PATH_NOT_TOLD, "" },
	{ "the header is lost", ERROR("401"),
	    "{\"code\":\"Unauthorized\",\"message\":\"Required Header authorization is "
	    "missing.\"}",
	    OUTCOME_HTTP_OTHER, "did not arrive", PATH_NOT_TOLD, "" },
	{ "a 401 that nobody knows", ERROR("401"), "{\"code\":\"Unauthorized\"}",
	    OUTCOME_HTTP_OTHER, "does not take our credential", PATH_NOT_TOLD, "" },
	{ "a stranger's 401", "HTTP/1.1 401 x\r\n", "{\"error\":1}", OUTCOME_HTTP_OTHER,
	    "without the headers", PATH_NOT_TOLD, "" },
	{ "clock", ERROR("403") "Date: Thu, 27 Apr 2017 01:51:12 GMT\r\n",
	    "{\"code\":\"Forbidden\",\"message\":\"The authorization token is not valid at the "
	    "current time.\"}",
	    OUTCOME_HTTP_OTHER, "our clock is 3600 s behind the service's", PATH_NOT_TOLD, "" },
	{ "public internet", ERROR("403"),
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from IP 203.0.113.7 "
	    "through "
	    "public internet. This is blocked by your Cosmos DB account firewall settings.\"}",
	    OUTCOME_HTTP_OTHER, "from 203.0.113.7", PATH_PUBLIC_INTERNET, "203.0.113.7" },
	{ "private endpoint", ERROR("403"),
	    "{\"code\":\"Forbidden\",\"message\":\"Request originated from client VNET through "
	    "private endpoint.\"}",
	    OUTCOME_HTTP_OTHER, "private endpoint", PATH_PRIVATE_ENDPOINT, "" },
	{ "blocked", ERROR("403") SUB("0"),
	    "{\"code\":\"Forbidden\",\"message\":\"Request is blocked. Please check your "
	    "authorization token and Cosmos DB account firewall settings.\"}",
	    OUTCOME_HTTP_OTHER, "is blocked", PATH_NOT_TOLD, "" },
	{ "not in this region", ERROR("403") SUB("1008"), "{\"code\":\"Forbidden\"}",
	    OUTCOME_HTTP_OTHER, "in the region", PATH_NOT_TOLD, "" },
	{ "404 of the service", ERROR("404"), "{\"code\":\"NotFound\"}", OUTCOME_HTTP_OTHER,
	    "does not know the account", PATH_NOT_TOLD, "" },
	{ "bare 404", "HTTP/1.1 404 x\r\n", "", OUTCOME_HTTP_OTHER, "404 without a body",
	    PATH_NOT_TOLD, "" },
	{ "503", ERROR("503"), "{\"code\":\"ServiceUnavailable\"}", OUTCOME_HTTP_OTHER,
	    "its own trouble", PATH_NOT_TOLD, "" },
	{ "a proxy's 502", "HTTP/1.1 502 x\r\nVia: 1.1 wall\r\n", "<html>", OUTCOME_HTTP_OTHER,
	    "Via: 1.1 wall", PATH_NOT_TOLD, "" },
	{ "redirect", "HTTP/1.1 302 x\r\nLocation: https://portal/\r\n", "", OUTCOME_HTTP_OTHER,
	    "redirects to https://portal/", PATH_NOT_TOLD, "" },
	{ "a portal", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", "<html>welcome",
	    OUTCOME_HTTP_OTHER, "HTML page", PATH_NOT_TOLD, "" },
	{ "nothing", "HTTP/1.1 200 OK\r\n", "", OUTCOME_HTTP_OTHER, "without the JSON body",
	    PATH_NOT_TOLD, "" },
	{ "another service", "HTTP/1.1 200 OK\r\n", "{\"name\":\"es\",\"version\":{}}",
	    OUTCOME_HTTP_OTHER, "not the document of an account", PATH_NOT_TOLD, "" },
	{ "JSON cut short", OK, "{\"id\":\"contoso\",", OUTCOME_BROKE_PROTOCOL, "answer:1",
	    PATH_NOT_TOLD, "" },
	{ "no content", "HTTP/1.1 204 x\r\n", "", OUTCOME_HTTP_OTHER, "status 204",
	    PATH_NOT_TOLD, "" },
	{ "accepted", "HTTP/1.1 202 x\r\n", "{}", OUTCOME_HTTP_OTHER, "where 200 is wanted",
	    PATH_NOT_TOLD, "" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct feed_ask       ask = { .depth = FEED_ADDRESSES };
		struct fixture        f;

		begin(&f, &ask);
		assert_int_equal(hear(&f, r->head, r->body, strlen(r->body)), FEED_OVER);
		if (f.feed.outcome != r->outcome || strstr(f.feed.detail, r->detail) == NULL)
			fail_msg(
			    "%s: %s: %s", r->name, outcome_name(f.feed.outcome), f.feed.detail);
		assert_int_equal(f.feed.path, r->path);
		assert_string_equal(text(f.feed.seen_as), r->seen_as);
		assert_false(f.feed.admitted);
		assert_string_equal(f.feed.step, "account");
		assert_int_equal(f.found.count, 0);
		arena_free(f.arena);
	}
}

static void
test_fields(void **state)
{
	static const char body[] =
	    "{\"code\":\"Unauthorized\",\"message\":\"The input authorization token can't "
	    "serve "
	    "the request. Server used the following payload to sign: 'get dbs'\"}";
	struct feed_ask ask = { .depth = FEED_ADDRESSES };
	struct fixture  f;

	begin(&f, &ask);
	assert_int_equal(hear(&f, OK GUID "Date: Thu, 27 Apr 2017 00:51:10 GMT\r\n", ACCOUNT,
	                     strlen(ACCOUNT)),
	    FEED_ASK);
	assert_true(f.feed.admitted);
	assert_true(f.feed.dated);
	assert_int_equal(f.feed.clock_ahead_s, 2);
	assert_string_equal(f.feed.account, "contoso");
	assert_string_equal(f.feed.gateway_version, "version=2.14.0");
	assert_int_equal(f.feed.regions_count, 1);
	assert_int_equal(f.feed.credential, CREDENTIAL_KEY);
	assert_int_equal(
	    hear(&f, "HTTP/1.1 401 x\r\n" SUB("5004"), body, strlen(body)), FEED_OVER);
	assert_int_equal(f.feed.http_status, 401);
	assert_int_equal(f.feed.substatus, 5004);
	assert_string_equal(f.feed.error_code, "Unauthorized");
	assert_non_null(strstr(f.feed.error_text, "payload to sign: 'get dbs'"));
	assert_string_equal(f.feed.activity_id, "0e2c5a51-0f25-4a9b-a2ab-0c6c2a3f7c11");
	assert_true(f.feed.admitted); /* by the account; the key came later to an end */
	arena_free(f.arena);
}

static void
test_error_text_is_cut(void **state)
{
	struct feed_ask ask = { .depth = FEED_ACCOUNT };
	struct fixture  f;
	struct wbuf     body;

	wbuf_init(&body);
	wbuf_puts(&body, "{\"code\":\"Unauthorized\",\"message\":\"");
	for (unsigned i = 0; i < 5000; i++)
		wbuf_puts(&body, "x");
	wbuf_puts(&body, "\"}");
	begin(&f, &ask);
	assert_int_equal(hear(&f, ERROR("401"), wbuf_text(&body), body.count), FEED_OVER);
	assert_int_equal(strlen(f.feed.error_text), 1024);
	wbuf_fini(&body);
	arena_free(f.arena);
}

/* A throttled request is made again, once. */
static void
test_throttled(void **state)
{
	static const char body[] = "{\"code\":\"429\",\"message\":\"too much\"}";
	struct feed_ask   ask = { .depth = FEED_ACCOUNT };
	struct fixture    f;

	begin(&f, &ask);
	assert_int_equal(
	    hear(&f, ERROR("429") "x-ms-retry-after-ms: 70\r\n", body, strlen(body)),
	    FEED_WAIT);
	assert_int_equal(f.wait_ms, 70);
	assert_int_equal(f.feed.outcome, OUTCOME_HTTP_OTHER); /* for whoever cannot wait */
	assert_non_null(strstr(f.feed.detail, "asks to wait 70 ms"));
	assert_string_equal(feed_chain_request(f.chain)->target, "/");
	assert_int_equal(hear(&f, OK, ACCOUNT, strlen(ACCOUNT)), FEED_OVER);
	assert_int_equal(f.feed.outcome, OUTCOME_OK);
	assert_string_equal(f.feed.detail, "");
	assert_string_equal(f.feed.error_code, "");
	arena_free(f.arena);

	begin(&f, &ask);
	assert_int_equal(hear(&f, ERROR("429"), body, strlen(body)), FEED_WAIT);
	assert_int_equal(f.wait_ms, 1000);
	assert_int_equal(hear(&f, ERROR("429"), body, strlen(body)), FEED_OVER);
	assert_string_equal(f.feed.error_code, "429");
	assert_non_null(strstr(f.feed.detail, "throttling"));
	arena_free(f.arena);
}

static void
hear_to_ranges(struct fixture *f)
{
	static const char container[] = "{\"_rid\":\"ZWUNALftZ78=\"}";

	assert_int_equal(hear(f, OK, ACCOUNT, strlen(ACCOUNT)), FEED_ASK);
	assert_int_equal(hear(f, OK, container, strlen(container)), FEED_ASK);
}

static void
hear_ranges(struct fixture *f, unsigned count, unsigned *asked)
{
	struct wbuf body;

	wbuf_init(&body);
	wbuf_puts(&body, "{\"PartitionKeyRanges\":[");
	for (unsigned i = 0; i < count; i++)
		wbuf_printf(&body, "%s{\"id\":\"%u\"}", i != 0 ? "," : "", i);
	wbuf_puts(&body, "]}");
	assert_int_equal(hear(f, OK, wbuf_text(&body), body.count), FEED_ASK);
	wbuf_fini(&body);
	for (*asked = 1; *asked < 100; (*asked)++) {
		const char *ids = strstr(feed_chain_request(f->chain)->target, "RangeIds=");
		unsigned    commas = 0;

		assert_non_null(ids);
		for (; *ids != '\0'; ids++)
			commas += *ids == ',';
		assert_true(commas < 50);
		if (hear(f, OK, FEED, strlen(FEED)) == FEED_OVER)
			return;
	}
	fail_msg("no end");
}

static void
test_many_ranges(void **state)
{
	static const struct {
		unsigned most, ranges, requests, left;
	} cases[] = {
		{ 0, 50, 1, 0 },
		{ 0, 51, 1, 1 },
		{ 120, 120, 3, 0 },
		{ 120, 130, 3, 10 },
		{ 1, 3, 1, 2 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct feed_ask ask = { .depth = FEED_ADDRESSES,
			.database = "a",
			.container = "c",
			.ranges_max = cases[i].most };
		struct fixture  f;
		unsigned        requests;

		begin(&f, &ask);
		hear_to_ranges(&f);
		hear_ranges(&f, cases[i].ranges, &requests);
		assert_int_equal(f.feed.outcome, OUTCOME_OK);
		assert_int_equal(requests, cases[i].requests);
		assert_int_equal(f.feed.partitions_left, cases[i].left);
		assert_int_equal(f.feed.replicas, 2 * requests);
		assert_int_equal(f.found.count, 2 * requests);
		assert_int_equal(f.feed.partitions, 1);
		arena_free(f.arena);
	}
}

/* Every page names another one, for ever. */
static void
test_endless_pages(void **state)
{
	static const char *const bodies[] = { DATABASES(""), COLLS(""), RANGES("") };

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct feed_ask ask = { .depth = FEED_ADDRESSES,
			.database = i > 0 ? "a" : "",
			.container = i > 1 ? "c" : "" };
		struct fixture  f;
		unsigned        pages = 0;
		const char     *target;

		begin(&f, &ask);
		if (i > 1)
			hear_to_ranges(&f);
		else
			assert_int_equal(hear(&f, OK, ACCOUNT, strlen(ACCOUNT)), FEED_ASK);
		target = feed_chain_request(f.chain)->target;
		for (enum feed_next next = FEED_ASK; next == FEED_ASK &&
		     strcmp(feed_chain_request(f.chain)->target, target) == 0;
		     pages++) {
			char head[128];

			assert_true(pages < 100);
			snprintf(head, sizeof(head), OK "x-ms-continuation: %u\r\n", pages);
			next = hear(&f, head, bodies[i], strlen(bodies[i]));
		}
		assert_int_equal(pages, FEED_PAGES_MAX);
		arena_free(f.arena);
	}
}

static void
test_continuation_that_is_too_long(void **state)
{
	struct feed_ask ask = { .depth = FEED_ADDRESSES };
	struct fixture  f;
	struct wbuf     head;

	for (unsigned more = 0; more < 2; more++) {
		wbuf_init(&head);
		wbuf_puts(&head, OK "x-ms-continuation: ");
		for (unsigned i = 0; i < HTTPS_CONTINUATION_MAX + more; i++)
			wbuf_puts(&head, "x");
		wbuf_puts(&head, "\r\n");
		begin(&f, &ask);
		assert_int_equal(hear(&f, OK, ACCOUNT, strlen(ACCOUNT)), FEED_ASK);
		assert_int_equal(
		    hear(&f, wbuf_text(&head), DATABASES(""), strlen(DATABASES(""))), FEED_ASK);
		assert_int_equal(
		    strcmp(feed_chain_request(f.chain)->target, "/dbs") == 0, more == 0);
		arena_free(f.arena);
		wbuf_fini(&head);
	}
}

static void
test_refresh(void **state)
{
	struct feed_ask ask = { .depth = FEED_ADDRESSES, .refresh = true };
	struct fixture  f;

	begin(&f, &ask);
	assert_false(feed_chain_request(f.chain)->refresh);
	assert_int_equal(hear(&f, OK, ACCOUNT, strlen(ACCOUNT)), FEED_ASK);
	assert_false(feed_chain_request(f.chain)->refresh);
	assert_false(f.feed.refreshed);
	assert_int_equal(hear(&f, OK, DATABASES(""), strlen(DATABASES(""))), FEED_ASK);
	assert_true(feed_chain_request(f.chain)->refresh);
	assert_true(f.feed.refreshed);
	arena_free(f.arena);
}

/* What was told before the end stays. */
static void
test_break(void **state)
{
	struct feed_ask ask = {
		.depth = FEED_ADDRESSES, .database = "a", .container = "c", .ranges_max = 60
	};
	struct fixture      f;
	struct https_answer half = { .status = 200 };
	unsigned            asked;

	begin(&f, &ask);
	hear_to_ranges(&f);
	hear_ranges(&f, 60, &asked);
	assert_int_equal(asked, 2);
	feed_chain_break(f.chain, &half, OUTCOME_RESET, "connection reset");
	assert_int_equal(f.feed.outcome, OUTCOME_RESET);
	assert_string_equal(f.feed.detail, "connection reset");
	assert_int_equal(f.feed.http_status, 200);
	assert_int_equal(f.found.count, 4);
	assert_true(f.feed.admitted);
	feed_chain_unsigned(f.chain, OUTCOME_LOCAL, "no key");
	assert_string_equal(f.feed.step, "credential");
	assert_string_equal(f.feed.detail, "no key");
	arena_free(f.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scripts),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_error_text_is_cut),
		cmocka_unit_test(test_throttled),
		cmocka_unit_test(test_many_ranges),
		cmocka_unit_test(test_endless_pages),
		cmocka_unit_test(test_continuation_that_is_too_long),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_break),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
