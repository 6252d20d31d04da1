#include "agent/check.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "tests/support/support_dir.h"

#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { ARGS_MAX = 32, OUTPUT_MAX = 1 << 20 };

/* The command line, split at spaces; argv[0] is put in front. */
static int
split(char *line, char **argv)
{
	int   argc = 0;
	char *save = NULL;

	argv[argc++] = (char *)"check";
	for (char *word = strtok_r(line, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static const struct parse_case {
	const char       *line;
	enum check_parsed parsed;
	const char       *wanted; /* in the complaint */
} parse_cases[] = {
	{ "contoso", CHECK_GO, "" },
	{ "contoso fabrikam -o json", CHECK_GO, "" },
	{ "--expect a.json", CHECK_GO, "" },
	{ "-e a.json -e b.json contoso", CHECK_GO, "" },
	{ "contoso --output=nagios --exit-zero --no-color --no-sweep", CHECK_GO, "" },
	{ "contoso --watch --timeout 500ms --source 10.0.0.1", CHECK_GO, "" },
	{ "contoso --watch=5 --resolver 10.0.0.4 --resolver [fd00::1]:5300", CHECK_GO, "" },
	{ "contoso --outside-resolver 9.9.9.9 --outside-resolver [2620:fe::fe]:53", CHECK_GO,
	    "" },
	{ "contoso --outside-resolver dns", CHECK_USAGE, "--outside-resolver: 'dns'" },
	{ "a --outside-resolver 1.1.1.1 --outside-resolver 1.1.1.1 --outside-resolver 1.1.1.1 "
	  "--outside-resolver 1.1.1.1 --outside-resolver 1.1.1.1",
	    CHECK_USAGE, "--outside-resolver: no more than 4 wanted" },
	{ "contoso --watch=1m", CHECK_GO, "" },
	{ "contoso --dns-only --tree --azure-dns --tcp", CHECK_GO, "" },
	{ "contoso --sweep-rate 1 --region westus9 --region EastUS9", CHECK_GO, "" },
	{ "contoso --sweep-rate 0", CHECK_USAGE, "--sweep-rate: '0': 1 to 100000 wanted" },
	{ "contoso --sweep-rate 10/s", CHECK_USAGE, "--sweep-rate: '10/s'" },
	{ "contoso --region west-us", CHECK_USAGE, "--region: 'west-us' is no region" },
	{ "contoso --api mongo,sql --mode direct-https", CHECK_GO, "" },
	{ "contoso --api all", CHECK_GO, "" },
	{ "contoso.mongo.cosmos.azure.com --api mongodb", CHECK_GO, "" },
	{ "contoso --api mongobd", CHECK_USAGE, "--api: 'mongobd'; did you mean 'mongodb'?" },
	{ "contoso --api postgres", CHECK_USAGE, "--api: 'postgres': sql, mongodb" },
	{ "contoso --region=", CHECK_USAGE, "letters and digits wanted" },
	{ "contoso --vnet vnet-a", CHECK_USAGE, "--vnet: 'vnet-a': /subscriptions/<id>" },
	{ "contoso --vnet /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
	  "virtualNetworks/v",
	    CHECK_GO, "" },
	{ "contoso --res 10.0.0.4", CHECK_GO, "" }, /* what is unique may be cut short */
	{ "--help", CHECK_HELP, "" },
	{ "contoso -h", CHECK_HELP, "" },
	{ "", CHECK_USAGE, "name of an account wanted" },
	{ "-o json", CHECK_USAGE, "name of an account wanted" },
	{ "contoso -o jsn", CHECK_USAGE, "did you mean 'json'" },
	{ "contoso -o yaml", CHECK_USAGE, "table, json or nagios wanted" },
	{ "contoso --expct a.json", CHECK_USAGE, "did you mean '--expect'" },
	{ "contoso --verbose", CHECK_USAGE, "unknown option '--verbose'" },
	{ "contoso -x", CHECK_USAGE, "unknown option '-x'" },
	{ "contoso --expect", CHECK_USAGE, "'--expect' wants a value: FILE" },
	{ "contoso -t", CHECK_USAGE, "'--timeout' wants a value" },
	{ "contoso --no-color=yes", CHECK_USAGE, "takes no value" },
	{ "contoso --timeout 10", CHECK_USAGE, "--timeout" },
	{ "contoso --timeout 0s", CHECK_USAGE, "1ms to 10m wanted" },
	{ "contoso --resolver dns", CHECK_USAGE, "--resolver: 'dns'" },
	{ "contoso --source 10.0.0", CHECK_USAGE, "--source" },
	{ "contoso --watch=0", CHECK_USAGE, "1 second to 1 day" },
	{ "contoso --watch=86401", CHECK_USAGE, "1 second to 1 day" },
	{ "contoso --watch=9223372036854775807", CHECK_USAGE, "1 second to 1 day" },
	{ "contoso -r 1.1.1.1 -r 1.1.1.1 -r 1.1.1.1 -r 1.1.1.1 -r 1.1.1.1", CHECK_GO, "" },
};

static void
test_parses(void **state)
{
	for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
		const struct parse_case *row = &parse_cases[i];
		struct arena            *arena = arena_new();
		struct check_options     options;
		struct err               err = { .text = "" };
		char                    *argv[ARGS_MAX];
		int                      argc = split(arena_strdup(arena, row->line), argv);
		enum check_parsed        parsed = check_options_parse(
		           arena, &options, argc, argv, &err);

		if (parsed != row->parsed)
			fail_msg("'%s': %d, '%s'", row->line, parsed, err.text);
		if (strstr(err.text, row->wanted) == NULL)
			fail_msg("'%s': '%s' wanted in '%s'", row->line, row->wanted, err.text);
		arena_free(arena);
	}
}

static void
test_values(void **state)
{
	struct arena        *arena = arena_new();
	struct check_options options;
	struct err           err;
	char                *argv[ARGS_MAX];
	int                  argc = split(arena_strdup(arena,
	                                      "one -e a.json two -r 10.0.0.4 -r 10.0.0.5:5300 -w7 -t 2s "
	                                                       "--source 10.0.0.9 -o nagios "
	                                                       "--sweep-rate 7 --region EastUS9"),
	                     argv);

	assert_int_equal(check_options_parse(arena, &options, argc, argv, &err), CHECK_GO);
	assert_int_equal(options.name_count, 2);
	assert_string_equal(options.names[1], "two");
	assert_int_equal(options.document_count, 1);
	assert_int_equal(options.resolver_count, 2);
	assert_int_equal(options.resolvers[0].port, 53);
	assert_int_equal(options.resolvers[1].port, 5300);
	assert_int_equal(options.watch_ms, 7000);
	assert_int_equal(options.limit_ms, 2000);
	assert_int_equal(options.source.family, 4);
	assert_int_equal(options.output, CHECK_NAGIOS);
	assert_int_equal(options.sweep_rate, 7);
	assert_int_equal(options.region_count, 1);
	assert_string_equal(options.regions[0], "eastus9");
	arena_free(arena);
}

struct ran {
	int     code;
	char   *out, *err; /* in the arena */
	int64_t took_ms;
};

/* The command in a process of its own, since it owns stdout, signals and getopt; kill_ms after
 * its start it gets SIGINT (0: never). */
static struct ran
run_line(struct arena *arena, const char *dir, const char *line, int64_t kill_ms)
{
	char      *argv[ARGS_MAX];
	int        argc = split(arena_strdup(arena, line), argv);
	char      *out = arena_printf(arena, "%s/out", dir);
	char      *complaints = arena_printf(arena, "%s/err", dir);
	struct ran ran = { 0 };
	int64_t    from_us = clock_mono_us(clock_system());
	struct err err;
	size_t     count;
	int        status;
	pid_t      child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		int code;

		if (freopen(out, "w", stdout) == NULL ||
		    freopen(complaints, "w", stderr) == NULL)
			_exit(99);
		code = check_main(argc, argv);
		fflush(NULL);
		_exit(code);
	}
	if (kill_ms > 0) {
		usleep((useconds_t)(kill_ms * 1000));
		kill(child, SIGINT);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	ran.took_ms = (clock_mono_us(clock_system()) - from_us) / 1000;
	assert_true(WIFEXITED(status));
	ran.code = WEXITSTATUS(status);
	ran.out = file_read(arena, out, OUTPUT_MAX, &count, &err);
	ran.err = file_read(arena, complaints, OUTPUT_MAX, &count, &err);
	assert_non_null(ran.out);
	assert_non_null(ran.err);
	return ran;
}

static const char document[] =
    "{\"name\": \"contoso\", \"documentEndpoint\": "
    "\"https://contoso.documents.azure.com:443/\","
    "\"locations\": [{\"locationName\": \"West Europe\", \"failoverPriority\": 0,"
    "\"provisioningState\": \"Succeeded\", \"documentEndpoint\":"
    "\"https://contoso-westeurope.documents.azure.com:443/\"}]}";

struct fixture {
	char         *dir;
	struct arena *arena;
	const char   *document;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	char           *path;
	struct err      err;

	f->dir = support_dir_new();
	f->arena = arena_new();
	path = arena_printf(f->arena, "%s/contoso.json", f->dir);
	f->document = path;
	assert_true(file_replace(path, document, strlen(document), 0600, &err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	support_dir_free(f->dir);
	arena_free(f->arena);
	free(f);
	return 0;
}

static struct ran
run_with(struct fixture *f, const char *format, int64_t kill_ms)
{
	/* Nobody listens there: the answer is a refusal, at once. */
	return run_line(f->arena, f->dir,
	    arena_printf(f->arena, "%s -r 127.0.0.1:1 -e %s", format, f->document), kill_ms);
}

static void
test_json_and_exit_code(void **state)
{
	struct fixture *f = *state;
	struct ran      ran = run_with(f, "contoso -o json", 0);
	struct err      err;
	json_t         *root = json_read(ran.out, strlen(ran.out), "stdout", &err);
	json_t         *account;

	if (root == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(ran.code, 2);
	assert_string_equal(ran.err, "");
	assert_int_equal(json_integer_value(json_object_get(root, "version")), 1);
	assert_null(json_object_get(root, "interrupted"));
	assert_int_equal(json_array_size(json_object_get(root, "accounts")), 1);
	account = json_array_get(json_object_get(root, "accounts"), 0);
	assert_string_equal(json_string_value(json_object_get(account, "account")), "contoso");
	assert_string_equal(json_string_value(json_object_get(account, "state")), "critical");
	json_decref(root);
}

/* Nothing is left to measure, and there is something to say all the same. */
static void
test_nothing_to_measure(void **state)
{
	struct ran ran = run_with(*state, "contoso --api mongodb --mode direct -o nagios", 0);

	assert_int_equal(ran.code, 2);
	assert_non_null(strstr(ran.out, "PLP-701-MODE-UNSUPPORTED"));
	assert_non_null(strstr(ran.out, "MongoDB has no Direct mode"));
	assert_non_null(strstr(ran.out, "findings=1;"));
}

static void
test_exit_zero(void **state)
{
	assert_int_equal(run_with(*state, "contoso --exit-zero", 0).code, 0);
}

static void
test_nagios_line(void **state)
{
	struct ran ran = run_with(*state, "-o nagios", 0);

	assert_int_equal(ran.code, 2);
	assert_int_equal(strncmp(ran.out, "CRITICAL", 8), 0);
	assert_non_null(strstr(ran.out, "contoso"));
}

/* Accounts of the command line that no document has are looked at from the outside. */
static void
test_account_without_document(void **state)
{
	struct ran ran = run_with(*state, "fabrikam --no-sweep -o json", 0);

	assert_non_null(strstr(ran.out, "\"fabrikam\""));
	assert_null(strstr(ran.out, "contoso"));
	assert_string_equal(ran.err,
	    "plprobe check: no document is of the account 'fabrikam': it is judged without "
	    "one\n");
	ran = run_with(*state, "contoso.json --no-sweep", 0);
	assert_int_equal(ran.code, 3);
	assert_non_null(
	    strstr(ran.err, "'contoso.json' is not an account; a document is given by"));
	ran = run_with(*state, "contosso --no-sweep", 0);
	assert_non_null(strstr(ran.err, "did you mean 'contoso'?\n"));
}

/* Of a cloud whose suffix nobody knows but the document. */
static void
test_host_with_suffix_of_document(void **state)
{
	static const char text[] =
	    "{\"name\": \"contoso\", \"documentEndpoint\": "
	    "\"https://contoso.documents.azure.example:443/\","
	    "\"locations\": [{\"locationName\": \"West Europe\", \"failoverPriority\": 0,"
	    "\"provisioningState\": \"Succeeded\", \"documentEndpoint\":"
	    "\"https://contoso-westeurope.documents.azure.example:443/\"}]}";
	struct fixture *fixture = *state;
	struct ran      ran;

	assert_true(file_replace(fixture->document, text, sizeof(text) - 1, 0600, NULL));
	ran = run_with(fixture, "contoso.documents.azure.example --no-sweep -o json", 0);
	assert_string_equal(ran.err, "");
	assert_non_null(strstr(ran.out, "\"contoso-westeurope.documents.azure.example\""));
	ran = run_with(fixture, "contoso.documents.azure.other --no-sweep", 0);
	assert_int_equal(ran.code, 3);
	assert_non_null(strstr(ran.err, "is not a suffix known here"));
}

/* Nobody answers: the names with a finding are drawn, and nothing is said of connections. */
static void
test_dns_only(void **state)
{
	struct ran ran = run_with(*state, "contoso --dns-only --no-sweep", 0);

	assert_int_equal(ran.code, 2);
	assert_int_equal(strncmp(ran.out, "contoso: critical (DNS only)\n", 29), 0);
	assert_null(strstr(ran.out, "gateway"));
	assert_non_null(strstr(ran.out,
	    "\ncontoso-westeurope.documents.azure.com (West Europe)\n"
	    "|- 127.0.0.1:1, "));
	assert_non_null(strstr(
	    ran.out, "\n`- verdict: critical, DNS unreachable (PLP-113-DNS-UNREACHABLE)\n"));
	assert_non_null(strstr(ran.out, "only DNS was asked"));
}

/* The list of resolvers is that of the option, and the platform's own. */
static void
test_azure_dns(void **state)
{
	struct ran ran = run_with(
	    *state, "contoso --dns-only --no-sweep --azure-dns --timeout 300ms -o json", 0);

	assert_non_null(strstr(ran.out, "\"resolver\": \"168.63.129.16\""));
	assert_non_null(strstr(ran.out, "\"resolver\": \"127.0.0.1:1\""));
	assert_non_null(strstr(ran.out, "\"dns_only\": true"));
}

/* Each server is asked over TCP on its own. */
static void
test_tcp_too(void **state)
{
	struct ran ran = run_with(*state, "contoso --dns-only --no-sweep --tcp -o json", 0);

	assert_non_null(strstr(ran.out, "\"tcp_outcome\": \"refused\""));
	ran = run_with(*state, "contoso --dns-only --no-sweep -o json", 0);
	assert_null(strstr(ran.out, "tcp_outcome"));
}

static void
test_refusals(void **state)
{
	struct fixture *f = *state;
	struct ran      ran = run_with(f, "'", 0);

	assert_int_equal(ran.code, 3);
	assert_string_equal(ran.out, "");
	ran = run_with(f, arena_printf(f->arena, "-e %s", f->document), 0);
	assert_int_equal(ran.code, 3);
	assert_non_null(strstr(ran.err, "stands in"));
	ran = run_line(f->arena, f->dir, "-e /nonexistent.json", 0);
	assert_int_equal(ran.code, 3);
	assert_non_null(strstr(ran.err, "/nonexistent.json"));
	ran = run_line(f->arena, f->dir, "-o tabel x", 0);
	assert_int_equal(ran.code, 3);
	assert_non_null(strstr(ran.err, "did you mean 'table'"));
	ran = run_line(f->arena, f->dir, "--help", 0);
	assert_int_equal(ran.code, 0);
	assert_int_equal(strncmp(ran.out, "Usage: plprobe check", 20), 0);
}

/* SIGINT: what is known is said, what is not is not called healthy. */
static void
test_interrupted(void **state)
{
	struct fixture *f = *state;
	/* A resolver that swallows everything: a bound socket that nobody reads. */
	struct ran ran = run_line(f->arena, f->dir,
	    arena_printf(
	        f->arena, "contoso -o json --timeout 60s -r 240.0.0.1 -e %s", f->document),
	    700);

	assert_true(ran.took_ms < 20000);
	assert_int_not_equal(ran.code, 0);
	assert_non_null(strstr(ran.out, "\"accounts\""));
}

static void
test_watch_until_interrupted(void **state)
{
	struct ran  ran = run_with(*state, "contoso -o nagios --no-sweep --watch=1", 2500);
	const char *second;

	assert_int_equal(ran.code, 2);
	second = strstr(ran.out + 1, "CRITICAL");
	assert_non_null(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parses),
		cmocka_unit_test(test_values),
		cmocka_unit_test_setup_teardown(test_json_and_exit_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_measure, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exit_zero, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nagios_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account_without_document, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_host_with_suffix_of_document, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dns_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_azure_dns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_watch_until_interrupted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
