/* What is handed over: all that was seen, or all of it but whose it is. */
#include "agent/bundle.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Each stands somewhere in what was seen, and must not in what is handed over. */
static const char *const secrets[] = { "contoso", "fabrikam", "10.1.0.4", "10.0.0.200",
	"20.50.60.70", "fd12:3456::9", "9.8.7.6", "20.10.20.30", "ledger outgoing",
	"8f14e45f-ceea-467f-a9d2-0123456789ab", "11111111-2222-3333-4444-555555555555",
	"rg-finance", "hub-vnet", "snet-data", "pe-ledger", "link-ledger", "Ledger Corp",
	"proxy.ledger.local", "be42", "ledgerdb", "paymentscoll", "vm-ledger-17", "/home/alice",
	"AAABBBCCC", "nsid-ledger", "secret-path", "spoke-ledger", "ledger" };

static void
fill_seen(struct measurement *seen)
{
	static struct target   target = { .account = "contoso",
		  .host = "contoso-westeurope.documents.azure.com",
		  .region = "westeurope",
		  .port = 443 };
	static struct hop      hop = { .owner = "contoso-westeurope.documents.azure.com",
		     .target = "contoso-westeurope.privatelink.documents.azure.com" };
	static struct rdata    rdata[] = { { .address = "10.1.0.4" },
		   { .address = "fd12:3456::9" } };
	static struct dns      dns = { .resolver = "10.0.0.200",
		     .hops = &hop,
		     .hops_count = 1,
		     .addresses = rdata,
		     .addresses_count = 2,
		     .soa = "ledger.local",
		     .nsid = "nsid-ledger",
		     .raw = "AAABBBCCC" };
	static struct endpoint end = { .address = "10.1.0.4",
		.port = 443,
		.local = "10.1.0.77",
		.tls_version = "TLSv1.3",
		.subject = "CN = *.documents.azure.com",
		.issuer = "O = Ledger Corp, CN = Ledger Corp Inspection",
		.sans = "*.documents.azure.com contoso-internal.ledger.local",
		.server = "proxy.ledger.local",
		.gateway_version = "2.14.0",
		.activity_id = "11111111-2222-3333-4444-555555555555",
		.error_text = "Request originated from client IP 20.50.60.70",
		.seen_as = "20.50.60.70",
		.location = "https://login.ledger.local/secret-path?u=contoso",
		.proxy = "proxy.ledger.local:3128" };
	static struct feed     feed = { .address = "10.1.0.4",
		    .account = "contoso",
		    .container = "dbs/ledgerdb/colls/paymentscoll" };
	static struct replica  replica = {
		 .host = "cdb-be42.documents.azure.com", .port = 14001, .end = &end
	};

	static struct rdata    outer = { .address = "20.10.20.30" };
	static struct dns      outer_dns = { .resolver = "9.8.7.6",
		     .source = SOURCE_OUTSIDE,
		     .addresses = &outer,
		     .addresses_count = 1,
		     .raw = "AAABBBCCC" };
	static struct endpoint outer_end = { .address = "20.10.20.30",
		.port = 443,
		.issuer = "O = Ledger Outgoing",
		.seen_as = "20.50.60.70" };
	static struct outside  outside = {
		 .dns = &outer_dns, .dns_count = 1, .endpoints = &outer_end, .endpoints_count = 1
	};

	*seen = (struct measurement){ .target = &target,
		.outside = &outside,
		.started_ms = 1790000000000,
		.dns = &dns,
		.dns_count = 1,
		.endpoints = &end,
		.endpoints_count = 1,
		.feed = &feed,
		.replicas = &replica,
		.replicas_count = 1 };
}

static char *
write_bundle(struct arena *arena, bool redact)
{
	static const char        id[] = "/subscriptions/8f14e45f-ceea-467f-a9d2-0123456789ab/"
	                                "resourceGroups/rg-finance/providers/Microsoft.Network/"
	                                "virtualNetworks/hub-vnet/subnets/snet-data";
	struct private_endpoint  endpoint = { .name = "pe-ledger",
		 .id = id,
		 .subnet = id,
		 .account = "fabrikam",
		 .service = "",
		 .source = "/home/alice/pe.json" };
	struct private_endpoint *endpoints[] = { &endpoint };
	const char              *documents[] = { "/home/alice/contoso.json" };
	struct account           account = {
		          .name = "contoso", .id = id, .source = "/home/alice/contoso.json"
	};
	struct measurement seen;
	struct finding     finding = { .account = "contoso",
		    .region = "westeurope",
		    .host = "contoso-westeurope.documents.azure.com",
		    .sentence = "the answer of 10.0.0.200 is 10.1.0.4, which is pe-ledger's in "
		                    "snet-data, by link-ledger, seen from spoke-ledger",
		    .evidence = "issued by Ledger Corp Inspection, not for Fabrikam",
		    .fix = "az network private-endpoint show -g rg-finance -n pe-ledger" };
	struct place       place = { .seen = &seen, .worst = FINDING_COUNT, .words = "" };
	struct verdict     verdict = {
		    .findings = &finding, .finding_count = 1, .places = &place, .place_count = 1
	};
	struct survey_result result = { &account, &verdict };
	struct zone_link     link = { .name = "link-ledger", .vnet = id, .source = "" };
	struct zone          zone = { .id = id, .links = &link, .link_count = 1, .source = "" };
	struct zone         *zones[] = { &zone };
	struct account_list  documented = { .endpoints = { endpoints, 1 },
		 .zones = { zones, 1 } };
	struct check_seen    check = { .results = &result,
		   .count = 1,
		   .documents = &documented,
		   .vantages = { .count = 1 } };
	struct check_options options = { .documents = documents,
		.document_count = 1,
		.vnet = { "/subscriptions/8f14e45f-ceea-467f-a9d2-0123456789ab/resourceGroups/"
		          "rg-finance/providers/Microsoft.Network/virtualNetworks/spoke-ledger",
		    "" } };
	struct bundle_facts  facts = { .seen = &check,
		 .options = &options,
		 .machine = "vm-ledger-17",
		 .kernel = "Linux 6.1",
		 .at_ms = 1790000000000,
		 .redact = redact };
	struct wbuf          out;
	char                *text;

	fill_seen(&seen);
	place.target = seen.target;
	assert_true(addr_parse(&check.vantages.list[0].resolver, "10.0.0.200", 53, NULL));
	wbuf_init(&out);
	bundle_json_write(&facts, &out);
	text = arena_strdup(arena, wbuf_text(&out));
	wbuf_fini(&out);
	return text;
}

static void
test_whole(void **state)
{
	static const char *const wanted[] = { "\"redacted\": false",
		"dig @10.0.0.200 contoso-westeurope.documents.azure.com A",
		("curl -sv --connect-to "
		 "contoso-westeurope.documents.azure.com:443:10.1.0.4:443 "
		 "https://contoso-westeurope.documents.azure.com:443/"),
		"openssl s_client -connect 10.1.0.4:443 -servername", "AAABBBCCC" };
	struct arena            *arena = arena_new();
	char                    *text = write_bundle(arena, false);

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("'%s' wanted in '%.300s'", wanted[i], text);
	}
	/* The list below is of things that are there. */
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (text_find_nocase(text, secrets[i]) == NULL &&
		    strcmp(secrets[i], "hub-vnet") != 0 && strncmp(secrets[i], "8f14", 4) != 0)
			fail_msg("'%s' is not there to be redacted", secrets[i]);
	}
	arena_free(arena);
}

static void
test_redacted(void **state)
{
	static const char *const wanted[] = { "\"redacted\": true",
		"dig @10.0.0.1 account-1-westeurope.documents.azure.com A",
		"\"gateway_version\": \"2.14.0\"", "TLSv1.3", "203.0.113.1",
		"CN = *.documents.azure.com", "\"machine\": \"machine-1\"",
		"\"container\": \"dbs/database-1/colls/database-2\"",
		"account-1-westeurope.privatelink.documents.azure.com" };
	struct arena            *arena = arena_new();
	char                    *text = write_bundle(arena, true);

	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		const char *at = text_find_nocase(text, secrets[i]);

		if (at != NULL)
			fail_msg("'%s' stands in '%.*s'", secrets[i], 80,
			    at - text > 40 ? at - 40 : text);
	}
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (strstr(text, wanted[i]) == NULL)
			fail_msg("'%s' wanted in '%.300s'", wanted[i], text);
	}
	arena_free(arena);
}

static const struct args_case {
	const char *name;
	const char *args[6];
	bool        ok, redact, help;
	const char *file; /* NULL: none */
	int         left;
} args_cases[] = {
	{ "plain", { "contoso" }, true, false, false, NULL, 2 },
	{ "redact", { "--redact", "contoso", "--tcp" }, true, true, false, NULL, 3 },
	{ "file", { "contoso", "--file", "x" }, true, false, false, "x", 2 },
	{ "file=", { "--file=x", "contoso" }, true, false, false, "x", 2 },
	{ "-f", { "-f", "-", "contoso" }, true, false, false, "-", 2 },
	{ "-fx", { "-fx", "contoso" }, true, false, false, "x", 2 },
	{ "no value", { "contoso", "--file" }, false, false, false, NULL, 0 },
	{ "help", { "-h" }, true, false, true, NULL, 1 },
	{ "behind --", { "--", "--redact" }, true, false, false, NULL, 3 },
};

static void
test_args(void **state)
{
	for (size_t i = 0; i < sizeof(args_cases) / sizeof(args_cases[0]); i++) {
		const struct args_case *row = &args_cases[i];
		char                   *argv[8] = { (char *)"bundle" };
		int                     argc = 1;
		struct bundle_options   options;
		struct err              err;

		for (size_t j = 0; row->args[j] != NULL; j++)
			argv[argc++] = (char *)row->args[j];
		if (bundle_options_take(&options, &argc, argv, &err) != row->ok)
			fail_msg("%s", row->name);
		if (!row->ok)
			continue;
		assert_int_equal(options.redact, row->redact);
		assert_int_equal(options.help, row->help);
		assert_int_equal(argc, row->left);
		assert_null(argv[argc]);
		if (row->file == NULL)
			assert_null(options.file);
		else
			assert_string_equal(options.file, row->file);
	}
}

/* A key of the form that an account has; it opens nothing. */
static const char key[] =
    "Tm90YUtleU9mQW55Ym9keU5vdGFLZXlPZkFueWJvZHlOb3RhS2V5T2ZBbnlib2R5Tm90YUtleU9mQW55Ym9keQ==";

/* What the command writes where nothing answers, with --redact or without. */
static char *
run_bundle(struct arena *arena, const char *redact)
{
	char       *dir = support_dir_new();
	const char *path = arena_printf(arena, "%s/bundle.json", dir);
	const char *key_path = arena_printf(arena, "%s/key-of-ledger", dir);
	const char *args[] = { "bundle", "contoso", "--resolver", "127.0.0.1:1", "--no-sweep",
		"--timeout", "300ms", "--key-file", key_path, "--file", path, redact, NULL };
	char       *argv[sizeof(args) / sizeof(args[0])];
	struct stat seen;
	struct err  err;
	size_t      count;
	char       *text;

	assert_true(file_replace(key_path, key, strlen(key), 0600, &err));
	memcpy(argv, args, sizeof(args));
	assert_int_equal(bundle_command.run(redact != NULL ? 12 : 11, argv), 0);
	assert_int_equal(stat(path, &seen), 0);
	assert_int_equal(seen.st_mode & 07777, 0600);
	text = file_read(arena, path, 1 << 20, &count, &err);
	assert_non_null(text);
	support_dir_free(dir);
	return text;
}

/* The file is there, for its owner alone, and no credential nor its place is in it. */
static void
test_file(void **state)
{
	struct arena *arena = arena_new();
	char         *text = run_bundle(arena, "--redact");

	assert_non_null(strstr(text, "\"account\": \"account-1\""));
	assert_null(text_find_nocase(text, "contoso"));
	assert_non_null(strstr(text, "dig @127.0.0.1 -p 1 account-1.documents.azure.com A"));
	assert_null(strstr(text, key));
	assert_null(strstr(text, "key-of-ledger"));
	text = run_bundle(arena, NULL);
	assert_non_null(strstr(text, "dig @127.0.0.1 -p 1 contoso.documents.azure.com A"));
	assert_null(strstr(text, key));
	assert_null(strstr(text, "key-of-ledger"));
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_redacted),
		cmocka_unit_test(test_args),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
