/* The signer of the probe and the check of the fake back end were written from the same rule
 * without a common line: what the one signs, the other has to take, and nothing else.
 */
#include "base/date.h"
#include "probe/feed/feed_sign.h"
#include "tests/fake/backend/fake_account_preset.h"
#include "tests/fake/backend/fake_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

enum { NOW_S = 1493254272 };

/* A request as it is sent, and what it is signed as. */
static const struct request_case {
	const char *path, *query, *type, *link;
} cases[] = {
	{ "/", "", "", "" },
	{ "/dbs", "", "dbs", "" },
	{ "/dbs/ToDoList", "", "dbs", "dbs/ToDoList" },
	{ "/dbs/ToDoList/colls", "", "colls", "dbs/ToDoList" },
	{ "/dbs/To%20Do/colls/%C3%96l", "", "colls", "dbs/To Do/colls/\xc3\x96l" },
	{ "/dbs/ToDoList/colls/Items/pkranges", "", "pkranges", "dbs/ToDoList/colls/Items" },
	{ "//addresses/",
	    "$resolveFor=dbs%2fZWUNAA%3d%3d%2fcolls%2fZWUNALftZ78%3d%2fdocs&"
	    "$filter=protocol%20eq%20rntbd&$partitionKeyRangeIds=0",
	    "docs", "zwunalftz78=" },
	{ "//addresses/", "$resolveFor=dbs&$filter=protocol%20eq%20rntbd", "dbs", "" },
};

struct fixture {
	struct fake_listeners *listeners;
	struct arena          *arena;
	struct feed_key        key;
	char                   date[DATE_TEXT];
};

static int
set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->listeners = fake_listeners_new();
	f->arena = arena_new();
	date_render(f->date, (int64_t)NOW_S * 1000);
	*state = f;
	return fake_accounts_read(NULL, f->listeners, &err) &&
	        feed_key_parse(&f->key, FAKE_PRESET_KEY, &err)
	    ? 0
	    : 1;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	free(f->listeners);
	free(f);
	return 0;
}

/* What the fake says of the header to this request. */
static unsigned
check(const struct fixture *f, const struct request_case *c, const char *header)
{
	const struct fake_claims claims = { "GET", header, f->date, "", "2020-07-15", NOW_S };
	struct fake_target       target;
	struct fake_refusal      refusal;

	assert_true(fake_target_parse(&target, c->path, c->query));
	fake_sign_check(&refusal, fake_accounts_find("localhost"), &target, &claims);
	return refusal.status;
}

static void
test_each_takes_its_own(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct signer_ask ask = { "contoso", "contoso.documents.azure.com", "GET",
			cases[i].type, cases[i].link, f->date };
		const char             *header = feed_sign_key(f->arena, &f->key, &ask);

		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
			/* The list of databases and the master partition are signed alike. */
			bool alike = i == k || (i == 1 && k == 7) || (i == 7 && k == 1);

			if (check(f, &cases[k], header) != (alike ? 0 : 401))
				fail_msg("%s%s signed for %s", cases[k].path, cases[k].query,
				    cases[i].path);
		}
	}
}

static void
test_tokens(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(check(f, &cases[0], feed_sign_token(f->arena, FAKE_PRESET_TOKEN)), 0);
	assert_int_equal(check(f, &cases[0], feed_sign_token(f->arena, "other")), 401);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_takes_its_own),
		cmocka_unit_test(test_tokens),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
