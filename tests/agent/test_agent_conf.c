#include "agent/agent_conf.h"

#include "agent/config.h"
#include "base/arena.h"
#include "base/file.h"
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

struct fixture {
	char         *dir, *path;
	struct arena *arena;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	f->dir = support_dir_new();
	f->path = mem_printf("%s/agent.yaml", f->dir);
	f->arena = arena_new();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	support_dir_free(f->dir);
	free(f->path);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void
write_text(const char *path, const char *text, unsigned mode)
{
	struct err err;

	if (!file_replace(path, text, strlen(text), mode, &err))
		fail_msg("%s", err.text);
}

static struct agent_conf *
read_text(struct fixture *f, const char *text, struct err *err)
{
	write_text(f->path, text, 0600);
	return agent_conf_read(f->arena, f->path, err);
}

static void
test_presets(void **state)
{
	struct err         err;
	struct agent_conf *conf = read_text(*state, "accounts: [{name: contoso}]\n", &err);
	char               host[256] = "";

	if (conf == NULL)
		fail_msg("%s", err.text);
	gethostname(host, sizeof(host) - 1);
	assert_string_equal(conf->agent, host);
	assert_string_equal(conf->state_dir, "/var/lib/plprobe");
	assert_int_equal(conf->interval_ms, 60000);
	assert_int_equal(conf->limit_ms, 10000);
	assert_int_equal(conf->spool_bytes, 64 << 20);
	assert_int_equal(conf->flush_ms, 1000);
	assert_int_equal(conf->resolver_count, 0);
	assert_int_equal(conf->outside_count, 0);
	assert_int_equal(conf->source.family, 0);
	assert_int_equal(conf->port_count, 6);
	assert_int_equal(conf->ports[0], 443);
	assert_true(conf->sweep);
	assert_int_equal(conf->sweep_rate, 100);
	assert_int_equal(conf->regions.count, 0);
	assert_false(conf->allow_loopback);
	assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
}

static void
test_values(void **state)
{
	struct err         err;
	struct fixture    *f = *state;
	struct agent_conf *conf = read_text(f,
	    "agent: vm-1\ncollector: https://c:8643\nresolvers: [10.0.0.4, '10.0.0.5:5300']\n"
	    "outside_resolvers: [9.9.9.9, '[2620:fe::fe]:5300']\n"
	    "source: 10.0.0.9\nports: [443, 8443]\ninterval: 2m\nspool_limit: 1GiB\n"
	    "ca_file: roots.pem\nlog_format: json\nregions: [West US 9, eastus9]\n",
	    &err);

	if (conf == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(conf->resolver_count, 2);
	assert_int_equal(conf->resolvers[0].port, 53);
	assert_int_equal(conf->resolvers[1].port, 5300);
	assert_int_equal(conf->outside_count, 2);
	assert_int_equal(conf->outside[0].port, 53);
	assert_int_equal(conf->outside[1].port, 5300);
	assert_int_equal(conf->outside[1].family, 6);
	assert_int_equal(conf->source.family, 4);
	assert_int_equal(conf->port_count, 2);
	assert_int_equal(conf->ports[1], 8443);
	assert_int_equal(conf->interval_ms, 120000);
	assert_int_equal(conf->spool_bytes, 1 << 30);
	assert_int_equal(conf->log_format, LOG_FORMAT_JSON);
	/* A relative path is taken from the file's folder. */
	assert_string_equal(conf->ca_file, arena_printf(f->arena, "%s/roots.pem", f->dir));
	assert_int_equal(conf->regions.count, 2);
	assert_string_equal(conf->regions.labels[0], "westus9");
	assert_string_equal(conf->regions.labels[1], "eastus9");
}

static const struct refusal {
	const char *name, *text, *wanted;
} refusals[] = {
	{ "nothing to do", "agent: a\n", "'accounts' or 'collector' wanted" },
	{ "id", "agent: 'a b'\naccounts: [{name: contoso}]\n", "letters, digits" },
	{ "not https", "collector: http://c:8643\n", "https://" },
	{ "no host", "collector: https://\n", "https://host:port" },
	{ "port alone", "collector: 'https://:8643'\n", "https://host:port" },
	{ "query", "collector: https://c/?a=b\n", "https://host:port" },
	{ "password", "collector: https://me:hidden@c\n", "without user and password" },
	{ "both", "accounts: [{name: contoso, document: d.json}]\n",
	    "either 'document' or 'name'" },
	{ "neither", "accounts: [{}]\n", "either 'document' or 'name'" },
	{ "timeout", "accounts: [{name: contoso}]\ninterval: 5s\ntimeout: 6s\n",
	    "longer than the interval" },
	{ "resolver", "accounts: [{name: contoso}]\nresolvers: [dns.example]\n", "resolvers" },
	{ "outside", "accounts: [{name: contoso}]\noutside_resolvers: [dns.example]\n",
	    "agent.yaml:2:" },
	{ "outside, too many",
	    "accounts: [{name: contoso}]\noutside_resolvers: [1.0.0.1, 1.0.0.2, 1.0.0.3, "
	    "1.0.0.4, 1.0.0.5]\n",
	    "agent.yaml:2:" },
	{ "port", "accounts: [{name: contoso}]\nports: [70000]\n", "1 to 65535" },
	{ "vnet", "accounts: [{name: contoso}]\nvnet: vnet-a\n", "virtualNetworks/<name>" },
	{ "source", "accounts: [{name: contoso}]\nsource: eth0\n", "source" },
	{ "level", "accounts: [{name: contoso}]\nlog_level: loud\n", "loud" },
	{ "region", "accounts: [{name: contoso}]\nregions: west-us\n", "agent.yaml:2:" },
	{ "sweep rate", "accounts: [{name: contoso}]\nsweep_rate: 0\n", "agent.yaml:2:" },
	{ "unknown", "acounts: [{name: contoso}]\n", "agent.yaml:1:1" },
	{ "unit", "accounts: [{name: contoso}]\ninterval: 30\n", "agent.yaml:2:" },
	{ "range", "accounts: [{name: contoso}]\ninterval: 10ms\n", "agent.yaml:2:" },
};

static void
test_refusals(void **state)
{
	struct err err;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (read_text(*state, refusals[i].text, &err) != NULL)
			fail_msg("%s: taken", refusals[i].name);
		if (strstr(err.text, refusals[i].wanted) == NULL ||
		    strstr(err.text, "agent.yaml") == NULL)
			fail_msg("%s: '%s' wanted in '%s'", refusals[i].name,
			    refusals[i].wanted, err.text);
		assert_null(strstr(err.text, "hidden"));
	}
}

/* What dump prints is a configuration, and the same one. */
static void
test_dump_reads_back(void **state)
{
	struct fixture    *f = *state;
	struct err         err;
	struct agent_conf *conf = read_text(f,
	    "agent: vm-1\naccounts:\n  - name: contoso\n  - document: d.json\n"
	    "resolvers: [10.0.0.4]\noutside_resolvers: ['9.9.9.9:5300']\nsweep: false\n",
	    &err);
	struct wbuf        first, second;

	if (conf == NULL)
		fail_msg("%s", err.text);
	wbuf_init(&first);
	wbuf_init(&second);
	conf_dump(conf, agent_conf_rows, &first);
	conf = read_text(f, wbuf_text(&first), &err);
	if (conf == NULL)
		fail_msg("%s", err.text);
	conf_dump(conf, agent_conf_rows, &second);
	assert_string_equal(wbuf_text(&first), wbuf_text(&second));
	assert_int_equal(conf->accounts.count, 2);
	wbuf_fini(&first);
	wbuf_fini(&second);
}

static char *
print_config(struct fixture *f, const char *text, const char *wanted, int *code)
{
	char       option[] = "--config";
	char      *verb = arena_strdup(f->arena, wanted);
	char      *path = arena_printf(f->arena, "%s/agent.yaml", f->dir);
	char      *printed = arena_printf(f->arena, "%s/printed", f->dir);
	char      *argv[] = { verb, verb, option, path, NULL };
	int        kept = dup(STDOUT_FILENO);
	size_t     count;
	struct err err;

	write_text(path, text, 0600);
	fflush(stdout);
	assert_non_null(freopen(printed, "w", stdout));
	*code = config_command.run(4, argv);
	fflush(stdout);
	assert_true(dup2(kept, STDOUT_FILENO) >= 0);
	close(kept);
	return file_read(f->arena, printed, 1 << 20, &count, &err);
}

/* Somebody begins with it, so it must not want that he has. */
static void
test_dump_is_a_beginning(void **state)
{
	struct fixture    *f = *state;
	struct err         err;
	int                code;
	struct agent_conf *conf = agent_conf_load(f->arena, "/nonexistent/a.yaml", true, &err);

	assert_non_null(conf);
	assert_int_equal(conf->interval_ms, 60000);
	assert_false(agent_conf_settle(conf, f->arena, &err));
	assert_null(agent_conf_load(f->arena, "/nonexistent/a.yaml", false, &err));
	assert_non_null(strstr(print_config(f, "", "dump", &code), "state_dir: "));
	assert_int_equal(code, 0);
	print_config(f, "intervall: 1s\n", "dump", &code);
	assert_int_equal(code, 1);
}

static void
test_check_looks_at_the_token(void **state)
{
	struct fixture *f = *state;
	const char     *text = "collector: https://c:1\ntoken_file: token\n";
	int             code;

	print_config(f, text, "check", &code);
	assert_int_equal(code, 1);
	write_text(arena_printf(f->arena, "%s/token", f->dir), "id.secret\n", 0600);
	assert_non_null(strstr(print_config(f, text, "check", &code), "good"));
	assert_int_equal(code, 0);
}

/* An agent that starts, and then measures nothing of what it was given. */
static void
test_check_asks_the_policy(void **state)
{
	static const struct {
		const char *text;
		int         code;
	} cases[] = {
		{ "accounts: [{name: contoso}]\n", 0 },
		{ "accounts: [{name: contoso}]\nallow_accounts: [fabrikam*]\n", 1 },
		{ "accounts: [{name: contoso.mongo.cosmos.azure.com}]\nports: [443]\n", 1 },
		{ "accounts: [{name: contoso.mongo.cosmos.azure.example}]\n", 1 },
		{ "accounts: [{name: contoso.mongo.cosmos.azure.example}]\n"
		  "suffixes: [mongo.cosmos.azure.example]\n",
		    0 },
		{ "accounts: [{name: contoso.documents.azure.example}]\napis: [sql, mongodb]\n"
		  "suffixes: [documents.azure.example]\n",
		    1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code;

		print_message("%s", cases[i].text);
		print_config(*state, cases[i].text, "check", &code);
		assert_int_equal(code, cases[i].code);
	}
}

/* The example that is installed: every setting, at its preset. */
static void
test_example(void **state)
{
	struct fixture *f = *state;
	struct err      err;
	size_t          count;
	char           *text = file_read(f->arena, "deploy/agent.yaml", 1 << 20, &count, &err);
	struct agent_conf *conf, presets;
	struct wbuf        example, preset;

	if (text == NULL)
		fail_msg("%s", err.text);
	conf = agent_conf_read(f->arena, "deploy/agent.yaml", &err);
	if (conf == NULL)
		fail_msg("%s", err.text);
	for (const struct conf_row *row = agent_conf_rows; row->name != NULL; row++) {
		char *line = arena_printf(f->arena, "\n%s:", row->name);

		if (strstr(text, line) == NULL)
			fail_msg("deploy/agent.yaml does not have '%s'", row->name);
		if (strstr(text, row->help) == NULL)
			fail_msg("deploy/agent.yaml does not explain '%s'", row->name);
	}
	assert_true(conf_parse(&presets, agent_conf_rows, f->arena, "", 0, "presets", &err));
	presets.agent = conf->agent;
	presets.network = conf->network;
	presets.collector = conf->collector;
	wbuf_init(&example);
	wbuf_init(&preset);
	conf_dump(conf, agent_conf_rows, &example);
	conf_dump(&presets, agent_conf_rows, &preset);
	assert_string_equal(wbuf_text(&example), wbuf_text(&preset));
	wbuf_fini(&example);
	wbuf_fini(&preset);
}

static void
test_token(void **state)
{
	struct fixture   *f = *state;
	struct err        err;
	const char       *path = arena_printf(f->arena, "%s/token", f->dir);
	struct agent_conf conf = { .token_file = path };
	char             *token;

	assert_null(agent_conf_token(f->arena, &conf, &err));
	assert_non_null(strstr(err.text, "token"));
	write_text(path, "id.secret\n", 0644);
	assert_int_equal(chmod(path, 0644), 0);
	assert_null(agent_conf_token(f->arena, &conf, &err));
	assert_non_null(strstr(err.text, "chmod 0600 wanted"));
	assert_int_equal(chmod(path, 0600), 0);
	token = agent_conf_token(f->arena, &conf, &err);
	assert_non_null(token);
	assert_string_equal(token, "id.secret");
	write_text(path, "\n", 0600);
	assert_null(agent_conf_token(f->arena, &conf, &err));
	write_text(path, "two words\n", 0600);
	assert_null(agent_conf_token(f->arena, &conf, &err));
	/* systemd's credential, where the group may read. */
	write_text(path, "id.other\n", 0440);
	conf.token_file = "";
	setenv("CREDENTIALS_DIRECTORY", f->dir, 1);
	token = agent_conf_token(f->arena, &conf, &err);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_non_null(token);
	assert_string_equal(token, "id.other");
	assert_null(agent_conf_token(f->arena, &conf, &err));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_presets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dump_reads_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dump_is_a_beginning, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_looks_at_the_token, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check_asks_the_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_example, setup, teardown),
		cmocka_unit_test_setup_teardown(test_token, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
