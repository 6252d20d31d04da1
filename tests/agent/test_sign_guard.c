#include "agent/sign_guard.h"

#include "agent/access.h"
#include "agent/agent_conf.h"
#include "base/clock.h"
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define HOST "contoso.documents.azure.com"
#define RID  "zwunalftz78="
#define DATE "Thu, 27 Apr 2017 00:51:12 GMT"

/* 27 Apr 2017 00:51:12. */
static const int64_t now_ms = INT64_C(1493254272000);

static struct access     rows[3];
static struct agent_conf conf;

static int
setup(void **state)
{
	static const char *allowed[] = { "contoso*", "fabrikam", "litware" };
	static const char *suffixes[] = { "db.example" };

	for (size_t i = 0; i < 3; i++)
		rows[i] = (struct access){
			.key_file = "", .token_file = "", .managed_identity = ""
		};
	rows[0].account = "contoso*";
	rows[0].key_file = "/k";
	rows[1].account = "adventure";
	rows[1].token_file = "/t";
	rows[2].account = "litware";
	conf.access = (struct conf_list){ rows, 3 };
	conf.allow_accounts = (struct conf_texts){ allowed, 3 };
	conf.suffixes = (struct conf_texts){ suffixes, 1 };
	return 0;
}

/* Members that are NULL are those of a good ask. */
static const struct guard_case {
	const char *name;
	const char *account, *host, *verb, *type, *link, *date;
	const char *why; /* NULL: signed */
} guard_cases[] = {
	{ .name = "the account", .type = "", .link = "" },
	{ .name = "region", .host = "contoso-westeurope.documents.azure.com" },
	{ .name = "databases", .type = "dbs", .link = "" },
	{ .name = "a database", .type = "dbs", .link = "dbs/x y" },
	{ .name = "containers", .type = "colls", .link = "dbs/x" },
	{ .name = "a container", .type = "colls", .link = "dbs/x/colls/y" },
	{ .name = "ranges", .type = "pkranges", .link = "dbs/x/colls/y" },
	{ .name = "addresses", .type = "docs", .link = RID },
	{ .name = "rid with '-'", .type = "docs", .link = "zwuna-+tz78=" },
	{ .name = "names like words", .type = "colls", .link = "dbs/dbs/colls/colls" },
	{ .name = "other suffix", .host = "contoso.db.example" },

	{ .name = "POST", .verb = "POST", .why = "only GET is" },
	{ .name = "DELETE", .verb = "DELETE", .why = "only GET is" },
	{ .name = "get", .verb = "get", .why = "only GET is" },
	{ .name = "no verb", .verb = "", .why = "only GET is" },
	{ .name = "permissions",
	    .type = "permissions",
	    .link = "dbs/x/users/y",
	    .why = "'permissions' is not read here" },
	{ .name = "users", .type = "users", .link = "dbs/x", .why = "is not read here" },
	{ .name = "offers", .type = "offers", .link = "", .why = "is not read here" },
	{ .name = "procedures",
	    .type = "sprocs",
	    .link = "dbs/x/colls/y",
	    .why = "is not read here" },
	{ .name = "DOCS", .type = "DOCS", .link = RID, .why = "is not read here" },
	{ .name = "a document",
	    .type = "docs",
	    .link = "dbs/x/colls/y/docs/z",
	    .why = "the rid of a container wanted" },
	{ .name = "documents",
	    .type = "docs",
	    .link = "dbs/x/colls/y",
	    .why = "the rid of a container wanted" },
	{ .name = "docs of nothing", .type = "docs", .link = "", .why = "rid of a container" },
	{ .name = "rid of a database",
	    .type = "docs",
	    .link = "zwunaa==",
	    .why = "rid of a container" },
	{ .name = "rid of a document",
	    .type = "docs",
	    .link = "zwunalftz78baaaaaaaaaa==",
	    .why = "rid of a container" },
	{ .name = "rid in capitals",
	    .type = "docs",
	    .link = "ZWUNALftZ78=",
	    .why = "rid of a container" },
	{ .name = "rid with a path",
	    .type = "docs",
	    .link = "zwunalft/78=",
	    .why = "rid of a container" },
	{ .name = "account with a link", .type = "", .link = "dbs/x", .why = "is no link of" },
	{ .name = "databases of one",
	    .type = "dbs",
	    .link = "dbs/x/colls/y",
	    .why = "is no link of" },
	{ .name = "ranges of a database",
	    .type = "pkranges",
	    .link = "dbs/x",
	    .why = "is no link of" },
	{ .name = "half a pair",
	    .type = "colls",
	    .link = "dbs/x/colls",
	    .why = "is no link of" },
	{ .name = "beyond a container",
	    .type = "colls",
	    .link = "dbs/x/colls/y/docs/z",
	    .why = "is no link of" },
	{ .name = "slash before", .type = "colls", .link = "/dbs/x", .why = "is no link of" },
	{ .name = "slash behind", .type = "colls", .link = "dbs/x/", .why = "is no link of" },
	{ .name = "slash behind all",
	    .type = "colls",
	    .link = "dbs/x/colls/y/",
	    .why = "is no link of" },
	{ .name = "no name", .type = "colls", .link = "dbs//colls/y", .why = "is no link of" },
	{ .name = "another word", .type = "colls", .link = "db/x", .why = "is no link of" },
	{ .name = "query", .type = "colls", .link = "dbs/x?y", .why = "is no link of" },

	{ .name = "early enough", .date = "Thu, 27 Apr 2017 00:46:12 GMT" },
	{ .name = "late enough", .date = "Thu, 27 Apr 2017 00:56:12 GMT" },
	{ .name = "too early",
	    .date = "Thu, 27 Apr 2017 00:46:11 GMT",
	    .why = "not within 5 minutes" },
	{ .name = "too late",
	    .date = "Thu, 27 Apr 2017 00:56:13 GMT",
	    .why = "not within 5 minutes" },
	{ .name = "next year",
	    .date = "Fri, 27 Apr 2018 00:51:12 GMT",
	    .why = "not within 5 minutes" },
	{ .name = "no date", .date = "", .why = "a date as" },
	{ .name = "another day", .date = "Fri, 27 Apr 2017 00:51:12 GMT", .why = "a date as" },
	{ .name = "another zone", .date = "Thu, 27 Apr 2017 00:51:12 CET", .why = "a date as" },
	{ .name = "blanks", .date = "Thu,  27 Apr 2017 00:51:12 GMT", .why = "a date as" },
	{ .name = "more behind", .date = DATE "x", .why = "a date as" },
	{ .name = "across months",
	    .date = "Thu, 27 nFe 2017 00:51:12 GMT",
	    .why = "a date as" },
	{ .name = "small letters",
	    .date = "thu, 27 apr 2017 00:51:12 gmt",
	    .why = "a date as" },
	{ .name = "far away", .date = "Thu, 27 Apr 9999 00:51:12 GMT", .why = "not signed" },

	{ .name = "host of another",
	    .host = "fabrikam.documents.azure.com",
	    .why = "not a name of the account contoso" },
	{ .name = "host elsewhere",
	    .host = "contoso.example.com",
	    .why = "not a name of Azure Cosmos DB" },
	{ .name = "no host", .host = "", .why = "not the name of an account" },
	{ .name = "private zone",
	    .host = "contoso.privatelink.documents.azure.com",
	    .why = "not a name of Azure Cosmos DB" },
	{ .name = "not allowed",
	    .account = "adventure",
	    .host = "adventure.documents.azure.com",
	    .why = "no pattern of 'allow_accounts' fits" },
	{ .name = "no row",
	    .account = "fabrikam",
	    .host = "fabrikam.documents.azure.com",
	    .why = "'access' has no credential for the account fabrikam" },
	{ .name = "row without credential",
	    .account = "litware",
	    .host = "litware.documents.azure.com",
	    .why = "'access' has no credential" },
	{ .name = "no account", .account = "", .why = "not a name of the account" },
};

static const char *
pick(const char *text, const char *preset)
{
	return text != NULL ? text : preset;
}

static void
test_cases(void **state)
{
	for (size_t i = 0; i < sizeof(guard_cases) / sizeof(guard_cases[0]); i++) {
		const struct guard_case *c = &guard_cases[i];
		struct err               err = { .text = "" };
		struct signer_ask        ask = { .account = pick(c->account, "contoso"),
			       .host = pick(c->host, HOST),
			       .verb = pick(c->verb, "GET"),
			       .type = pick(c->type, "dbs"),
			       .link = pick(c->link, ""),
			       .date = pick(c->date, DATE) };

		if (sign_guard_takes(&conf, &ask, now_ms, &err) != (c->why == NULL))
			fail_msg("%s: %s", c->name, c->why == NULL ? err.text : "signed");
		if (c->why != NULL &&
		    (strstr(err.text, c->why) == NULL ||
		        strstr(err.text, "not signed") == NULL))
			fail_msg("%s: '%s'", c->name, err.text);
	}
}

/* The date that is rendered is the date that is read, of each month. */
static void
test_dates_of_a_year(void **state)
{
	struct err err;

	for (int64_t day = 0; day < 400; day++) {
		int64_t           at_ms = now_ms + day * MS_PER_DAY;
		char              date[DATE_TEXT];
		struct signer_ask ask = { "contoso", HOST, "GET", "", "", date };

		date_render(date, at_ms);
		if (!sign_guard_takes(&conf, &ask, at_ms, &err))
			fail_msg("%s: %s", date, err.text);
	}
}

static void
test_rate(void **state)
{
	static struct sign_guard guard;
	int64_t                  now_us = 5 * US_PER_S;
	unsigned                 count = 0;
	struct err               err;

	while (sign_guard_count(&guard, "contoso", now_us, &err))
		count++;
	assert_int_equal(count, SIGN_BURST);
	assert_non_null(strstr(err.text, "more than 20 a second for contoso"));
	assert_true(sign_guard_count(&guard, "fabrikam", now_us, &err));
	now_us += US_PER_S;
	for (count = 0; sign_guard_count(&guard, "contoso", now_us, &err); count++)
		continue;
	assert_int_equal(count, SIGN_RATE_PER_S);
	now_us += 3600 * US_PER_S; /* a long rest gives no more than a burst */
	for (count = 0; sign_guard_count(&guard, "contoso", now_us, &err); count++)
		continue;
	assert_int_equal(count, SIGN_BURST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_cases, setup),
		cmocka_unit_test_setup(test_dates_of_a_year, setup),
		cmocka_unit_test(test_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
