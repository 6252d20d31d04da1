#include "probe/feed/feed.h"

#include "base/wbuf.h"
#include "tests/support/support_certs.h"
#include "tests/support/support_child.h"
#include "tests/support/support_signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The chain against the fake back end, which verifies each signature with code of its own. */

#define READ_ONLY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define WRONG     "////AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static const char host[] = "contoso-westeurope.documents.azure.com";

static char folder[] = "/tmp/test_feed_backend.XXXXXX";
static char root_path[64], cert_path[64], key_path[64], account_path[64];

static int
make_folder(void **state)
{
	static const char *const  names[] = { "*.documents.azure.com", NULL };
	struct support_certs_plan plan = { .subject = "root", .authority = true };
	struct support_certs     *root = support_certs_new(&plan), *leaf;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(root_path, sizeof(root_path), "%s/root.pem", folder);
	snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", folder);
	snprintf(key_path, sizeof(key_path), "%s/key.pem", folder);
	snprintf(account_path, sizeof(account_path), "%s/account.json", folder);
	plan = (struct support_certs_plan){ .subject = "leaf", .names = names, .issuer = root };
	leaf = support_certs_new(&plan);
	support_certs_write(root, root_path, NULL);
	support_certs_write(leaf, cert_path, key_path);
	support_certs_free(leaf);
	support_certs_free(root);
	return 0;
}

static int
remove_folder(void **state)
{
	unlink(root_path);
	unlink(cert_path);
	unlink(key_path);
	unlink(account_path);
	return rmdir(folder);
}

static void
put_replica(struct wbuf *out, const char *name, const char *more)
{
	wbuf_printf(out,
	    "{\"host\":\"%s\",\"port\":21226,\"path\":\"/apps/a/services/s/partitions/p/"
	    "replicas/"
	    "%s/\",\"primary\":%s%s}",
	    host, name, strchr(name, 'p') != NULL ? "true" : "false", more);
}

/* The account of all cases: two databases, the second with a container whose name is not ASCII. */
static void
write_account(const char *settings, unsigned ranges)
{
	struct wbuf out;
	FILE       *file = fopen(account_path, "w");

	wbuf_init(&out);
	wbuf_printf(&out,
	    "{\"accounts\":[{\"name\":\"contoso\",\"suffix\":\"documents.azure.com\","
	    "\"readonly_keys\":[\"" READ_ONLY "\"],\"tokens\":["
	    "{\"token\":\"narrow\",\"principal\":\"p1\",\"scopes\":[\"/dbs/My "
	    "db/colls/K\xc3\xa4se\"]},"
	    "{\"token\":\"wide\",\"principal\":\"p2\",\"scopes\":[\"/\"]},"
	    "{\"token\":\"old\",\"principal\":\"p2\",\"expires\":1,\"scopes\":[\"/\"]}],"
	    "\"regions\":[{\"name\":\"West Europe\",\"host\":\"%s\",\"port\":443,"
	    "\"writable\":true}],\"master\":[",
	    host);
	put_replica(&out, "1p", "");
	wbuf_printf(&out, "]%s,\"databases\":[", settings);
	if (ranges != 0)
		wbuf_puts(&out,
		    "{\"id\":\"Empty\",\"rid\":\"AAAAAA==\",\"containers\":[]},{\"id\":\"My "
		    "db\","
		    "\"rid\":\"ZWUNAA==\",\"containers\":[{\"id\":\"K\xc3\xa4se\",\"rid\":"
		    "\"ZWUNALftZ78=\",\"partition_key\":\"/pk\",\"ranges\":[");
	for (unsigned i = 0; i < ranges; i++) {
		wbuf_printf(&out,
		    "%s{\"id\":\"%u\",\"min\":\"%02X\",\"max\":\"%02X\",\"replicas\":[",
		    i != 0 ? "," : "", i, i, i + 1);
		put_replica(&out, "1p", "");
		wbuf_puts(&out, ",");
		put_replica(&out, "2s", "");
		wbuf_puts(&out, ",");
		put_replica(&out, "3p", ",\"refreshed\":true");
		wbuf_puts(&out, "]}");
	}
	wbuf_puts(&out, ranges != 0 ? "]}]}]}]}" : "]}]}");
	assert_non_null(file);
	assert_int_equal(fwrite(out.bytes, 1, out.count, file), out.count);
	fclose(file);
	wbuf_fini(&out);
}

static const struct chain_case {
	const char                 *name;
	const char                 *settings; /* of the account */
	unsigned                    ranges;
	enum support_signer_answers answers;
	const char                 *key, *token;
	const char                 *database, *container;
	unsigned                    ranges_max;
	bool                        refresh;

	enum outcome outcome;
	const char  *step;
	unsigned     status, substatus;
	const char  *words; /* of detail, a part */
	const char  *told;  /* whose addresses */
	unsigned     replicas, partitions, left;
} chain_cases[] = {
	{ "all is listed", "", 2, SUPPORT_SIGNS_KEY, READ_ONLY, "", "", "", 0, false,
	    OUTCOME_OK, "addresses", 200, 0, "", "dbs/My db/colls/K\xc3\xa4se", 4, 2, 0 },
	{ "page by page, in chunks", ",\"page\":1,\"chunked\":true", 2, SUPPORT_SIGNS_KEY,
	    READ_ONLY, "", "", "", 0, false, OUTCOME_OK, "addresses", 200, 0, "",
	    "dbs/My db/colls/K\xc3\xa4se", 4, 2, 0 },
	{ "the container is named", "", 1, SUPPORT_SIGNS_KEY, READ_ONLY, "", "My db",
	    "K\xc3\xa4se", 0, false, OUTCOME_OK, "addresses", 200, 0, "",
	    "dbs/My db/colls/K\xc3\xa4se", 2, 1, 0 },
	{ "an account without databases", "", 0, SUPPORT_SIGNS_KEY, READ_ONLY, "", "", "", 0,
	    false, OUTCOME_OK, "addresses", 200, 0, "", "dbs", 1, 1, 0 },
	{ "120 ranges, by fifty", "", 120, SUPPORT_SIGNS_KEY, READ_ONLY, "", "My db", "", 120,
	    false, OUTCOME_OK, "addresses", 200, 0, "", "dbs/My db/colls/K\xc3\xa4se", 240, 120,
	    0 },
	{ "120 ranges, of which fifty", "", 120, SUPPORT_SIGNS_KEY, READ_ONLY, "", "My db", "",
	    0, false, OUTCOME_OK, "addresses", 200, 0, "", "dbs/My db/colls/K\xc3\xa4se", 100,
	    50, 70 },
	{ "anew", "", 1, SUPPORT_SIGNS_KEY, READ_ONLY, "", "My db", "", 0, true, OUTCOME_OK,
	    "addresses", 200, 0, "", "dbs/My db/colls/K\xc3\xa4se", 1, 1, 0 },
	{ "a token for all", "", 1, SUPPORT_SIGNS_TOKEN, READ_ONLY, "wide", "", "", 0, false,
	    OUTCOME_OK, "addresses", 200, 0, "", "dbs/My db/colls/K\xc3\xa4se", 2, 1, 0 },
	{ "a token for the container alone", "", 1, SUPPORT_SIGNS_TOKEN, READ_ONLY, "narrow",
	    "My db", "K\xc3\xa4se", 0, false, OUTCOME_OK, "addresses", 200, 0, "",
	    "dbs/My db/colls/K\xc3\xa4se", 2, 1, 0 },
	{ "it does not list databases", "", 1, SUPPORT_SIGNS_TOKEN, READ_ONLY, "narrow", "", "",
	    0, false, OUTCOME_HTTP_OTHER, "databases", 403, 5301, "no Cosmos DB role", NULL, 0,
	    0, 0 },
	{ "an expired token", "", 1, SUPPORT_SIGNS_TOKEN, READ_ONLY, "old", "", "", 0, false,
	    OUTCOME_HTTP_OTHER, "account", 401, 5006, "expired", NULL, 0, 0, 0 },
	{ "a wrong key", "", 1, SUPPORT_SIGNS_KEY, WRONG, "", "", "", 0, false,
	    OUTCOME_HTTP_OTHER, "account", 401, 0, "wrong or rotated key", NULL, 0, 0, 0 },
	{ "keys are off", ",\"local_auth\":false", 1, SUPPORT_SIGNS_KEY, READ_ONLY, "", "", "",
	    0, false, OUTCOME_HTTP_OTHER, "account", 401, 5202, "takes no keys", NULL, 0, 0,
	    0 },
	{ "its clock is ahead", ",\"clock\":3600", 1, SUPPORT_SIGNS_KEY, READ_ONLY, "", "", "",
	    0, false, OUTCOME_HTTP_OTHER, "account", 403, 0, "finds our clock wrong", NULL, 0,
	    0, 0 },
	{ "no such container", "", 1, SUPPORT_SIGNS_KEY, READ_ONLY, "", "My db", "Brot", 0,
	    false, OUTCOME_HTTP_OTHER, "container", 404, 0, "no such database or container",
	    NULL, 0, 0, 0 },
};

static void
on_over(void *loop)
{
	loop_stop(loop);
}

static const char *
text(const char *maybe)
{
	return maybe != NULL ? maybe : "";
}

static void
check_case(const struct chain_case *c, const struct feed *feed, const struct feed_found *found)
{
	if (feed->outcome != c->outcome || strcmp(text(feed->step), c->step) != 0 ||
	    strstr(text(feed->detail), c->words) == NULL)
		fail_msg("%s: %s at %s, status %u/%u: %s (%s)", c->name,
		    outcome_name(feed->outcome), text(feed->step), feed->http_status,
		    feed->substatus, text(feed->detail), text(feed->error_text));
	if (feed->http_status != c->status ||
	    (c->substatus != 0 && feed->substatus != c->substatus))
		fail_msg("%s: status %u/%u", c->name, feed->http_status, feed->substatus);
	if (strcmp(text(feed->container), text(c->told)) != 0)
		fail_msg("%s: %s", c->name, text(feed->container));
	assert_int_equal(found->count, c->replicas);
	assert_int_equal(feed->partitions, c->partitions);
	assert_int_equal(feed->partitions_left, c->left);
	assert_int_equal(feed->refreshed, c->refresh);
	assert_int_equal(feed->admitted, strcmp(c->step, "account") != 0);
	assert_true(feed->dated);
}

static void
run_case(const struct chain_case *c)
{
	const char *const args[] = { "--gateway", "127.0.0.1:0", "--cert", cert_path, "--key",
		key_path, "--account", account_path, NULL };
	struct arena     *arena = arena_new();
	struct err        err = { 0 };
	struct probe_options  options = { .clock = clock_system(), .ca_file = root_path };
	struct support_signer office;
	struct support_child *backend;
	struct probes        *probes;
	struct feed           feed = { 0 };
	struct feed_found     found = { 0 };
	struct feed_ask       feed_ask = { .account = "contoso",
		      .signer = &office.signer,
		      .depth = FEED_ADDRESSES,
		      .database = c->database,
		      .container = c->container,
		      .ranges_max = c->ranges_max,
		      .refresh = c->refresh };
	struct probe_ask      ask = { .kind = "feed",
		     .host = host,
		     .limit_ms = 20000,
		     .arena = arena,
		     .feed = &feed,
		     .feed_ask = &feed_ask,
		     .feed_found = &found,
		     .on_over = on_over };

	write_account(c->settings, c->ranges);
	backend = support_child_start("fake_backend", args, 1);
	ask.peer = support_child_addr(backend, 0);
	ask.arg = options.loop = loop_new(&err);
	support_signer_init(&office, options.loop, c->answers, c->key, c->token);
	probes = probes_new(&options, &err);
	assert_non_null(probes);
	probe_start(probes, &ask);
	loop_run(options.loop);
	check_case(c, &feed, &found);
	probes_free(probes);
	support_signer_fini(&office);
	loop_free(options.loop);
	support_child_stop(backend);
	arena_free(arena);
}

static void
test_chains(void **state)
{
	for (size_t i = 0; i < sizeof(chain_cases) / sizeof(chain_cases[0]); i++)
		run_case(&chain_cases[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
