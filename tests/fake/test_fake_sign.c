#include "tests/fake/backend/fake_account_preset.h"
#include "tests/fake/backend/fake_http.h"
#include "tests/fake/backend/fake_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define DATE   "Thu, 27 Apr 2017 00:51:12 GMT"
#define LOWER  "thu, 27 apr 2017 00:51:12 gmt"
#define DATE_S INT64_C(1493254272)
#define RIDS   "dbs%2fZWUNAA%3d%3d%2fcolls%2fZWUNALftZ78%3d%2fdocs"

/* The results that the vendor documents, or that follow from its rule. */
static const struct vector {
	const char *name, *path, *query, *payload, *signature;
} vectors[] = {
	{ "database", "/dbs/ToDoList", "", "get\ndbs\ndbs/ToDoList\n" LOWER "\n\n",
	    "c09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu+c+c=" },
	{ "account", "/", "", "get\n\n\n" LOWER "\n\n",
	    "rp533/e+AfAi87cI2Vg1QmCqQY1Ki3ryYkABWMvF9xw=" },
	{ "databases", "/dbs", "", "get\ndbs\n\n" LOWER "\n\n",
	    "oMt68ghyVEcS70kOZOWyTYEgUkWNd441wEjKJu6kvcA=" },
	{ "containers", "/dbs/ToDoList/colls", "", "get\ncolls\ndbs/ToDoList\n" LOWER "\n\n",
	    "WBTglj74NoAMMPCjkTM9xdVUldfKda5x3Hss0JOR/z8=" },
	{ "ranges", "/dbs/ToDoList/colls/Items/pkranges", "",
	    "get\npkranges\ndbs/ToDoList/colls/Items\n" LOWER "\n\n",
	    "6wXIVDDUco5DatABxir5dt+jVeSGwhbSwtCkn+NIaIA=" },
	{ "addresses by resource id", "//addresses/",
	    "$resolveFor=" RIDS "&$filter=protocol%20eq%20rntbd&$partitionKeyRangeIds=0",
	    "get\ndocs\nzwunalftz78=\n" LOWER "\n\n",
	    "KjxZw/2n/sJj+/yneLfqrOCb2SwUuCbdLQIc9bHthSI=" },
	{ "addresses with one slash", "/addresses/", "$resolveFor=" RIDS,
	    "get\ndocs\nzwunalftz78=\n" LOWER "\n\n",
	    "KjxZw/2n/sJj+/yneLfqrOCb2SwUuCbdLQIc9bHthSI=" },
	{ "addresses by name", "//addresses/", "$resolveFor=dbs/ToDoList/colls/Items/docs",
	    "get\ndocs\ndbs/ToDoList/colls/Items\n" LOWER "\n\n", NULL },
	{ "addresses of the master", "//addresses/", "$resolveFor=dbs",
	    "get\ndbs\n\n" LOWER "\n\n", "oMt68ghyVEcS70kOZOWyTYEgUkWNd441wEjKJu6kvcA=" },
	{ "a blank in a name", "/dbs/To%20Do/colls/A%2BB", "",
	    "get\ncolls\ndbs/To Do/colls/A+B\n" LOWER "\n\n", NULL },
	{ "by resource id", "/dbs/ZWUNAA==/colls/ZWUNALftZ78=/pkranges/", "",
	    "get\npkranges\nzwunalftz78=\n" LOWER "\n\n", NULL },
};

static void
test_vectors(void **state)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		const struct vector *v = &vectors[i];
		struct fake_target   target;
		struct wbuf          payload;
		char                 signature[64];

		wbuf_init(&payload);
		assert_true(fake_target_parse(&target, v->path, v->query));
		fake_sign_payload(&payload, "GET", &target, DATE, "");
		assert_string_equal(wbuf_text(&payload), v->payload);
		assert_true(fake_sign_compute(FAKE_PRESET_KEY, wbuf_text(&payload), signature));
		if (v->signature != NULL)
			assert_string_equal(signature, v->signature);
		wbuf_fini(&payload);
	}
}

static void
test_paths(void **state)
{
	static const struct path_case {
		const char *path;
		bool        known;
	} cases[] = {
		{ "/", true },
		{ "/dbs/", true },
		{ "/dbs/x/colls/y/docs/z", true },
		{ "/dbs/x/colls/y/pkranges", true },
		{ "/dbs/x/colls/y/pkranges/0", false },
		{ "/dbs/x/users", false },
		{ "/dbs/x/pkranges", false },
		{ "/robots.txt", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_target target;

		assert_true(fake_target_parse(&target, cases[i].path, ""));
		if (target.known != cases[i].known)
			fail_msg("%s", cases[i].path);
	}
}

#define MASTER(sig) "type%3dmaster%26ver%3d1.0%26sig%3d" sig
#define GOOD        MASTER("c09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d")
#define ENTRA(text) "type%3Daad%26ver%3D1.0%26sig%3D" text

/* What becomes of a request for /dbs/ToDoList of the preset account. */
static const struct claim_case {
	const char *name, *authorization, *ms_date, *version;
	int64_t     late_s; /* our clock minus the date */
	unsigned    status, substatus;
	const char *message; /* a part of it */
} claim_cases[] = {
	{ "good", GOOD, DATE, "2020-07-15", 0, 0, 0, "" },
	{ "upper-case escapes",
	    "type%3Dmaster%26ver%3D1.0%26sig%3Dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2Bc%2Bc%"
	    "3D",
	    DATE, "2018-12-31", 0, 0, 0, "" },
	{ "a quarter of an hour late", GOOD, DATE, "2020-07-15", 900, 0, 0, "" },
	{ "a second more", GOOD, DATE, "2020-07-15", 901, 403, 0,
	    "not valid at the current time" },
	{ "early", GOOD, DATE, "2020-07-15", -901, 403, 0, "Thu, 27 Apr 2017 00:36:12 GMT" },
	{ "none", "", DATE, "2020-07-15", 0, 401, 0,
	    "Required Header authorization is missing." },
	{ "another key", MASTER("AAAA"), DATE, "2020-07-15", 0, 401, 0,
	    "'get\ndbs\ndbs/ToDoList\n" LOWER "\n\n'" },
	{ "another date", GOOD, "Thu, 27 Apr 2017 00:51:13 GMT", "2020-07-15", 0, 401, 0,
	    "gmt\n\n'" },
	{ "no date", GOOD, "", "2020-07-15", 0, 401, 0, "\n\n\n'" },
	{ "no version", GOOD, DATE, "", 0, 400, 0, "Invalid API version" },
	{ "a version of tomorrow", GOOD, DATE, "2099-01-01", 0, 400, 0, "Invalid API version" },
	{ "no form", "Basic dTpw", DATE, "2020-07-15", 0, 401, 5001, "format" },
	{ "a token", ENTRA(FAKE_PRESET_TOKEN), DATE, "2020-07-15", 0, 0, 0, "" },
	{ "a token without a date", ENTRA(FAKE_PRESET_TOKEN), "", "2020-07-15", 0, 0, 0, "" },
	{ "a token of others", ENTRA("x.y.z"), DATE, "2020-07-15", 0, 401, 5004, "AAD token" },
};

static void
test_claims(void **state)
{
	struct fake_listeners *listeners = fake_listeners_new();
	struct fake_target     target;
	struct err             err;

	assert_true(fake_accounts_read(NULL, listeners, &err));
	assert_true(fake_target_parse(&target, "/dbs/ToDoList", ""));
	for (size_t i = 0; i < sizeof(claim_cases) / sizeof(claim_cases[0]); i++) {
		const struct claim_case *c = &claim_cases[i];
		const struct fake_claims claims = { "GET", c->authorization, c->ms_date, "",
			c->version, DATE_S + c->late_s };
		struct fake_refusal      refusal;

		fake_sign_check(&refusal, fake_accounts_find("localhost"), &target, &claims);
		if (refusal.status != c->status || refusal.substatus != c->substatus ||
		    strstr(refusal.message, c->message) == NULL)
			fail_msg("%s: %u/%u %s", c->name, refusal.status, refusal.substatus,
			    refusal.message);
	}
	free(listeners);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_claims),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
