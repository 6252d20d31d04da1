#include "agent/access.h"

#include "agent/agent_conf.h"
#include "analyze/names.h"
#include "base/arena.h"
#include "base/file.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
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

static struct agent_conf *
read_text(struct fixture *f, const char *text, struct err *err)
{
	const char *whole = arena_printf(
	    f->arena, "agent: a\naccounts: [{name: contoso}]\n%s", text);

	if (!file_replace(f->path, whole, strlen(whole), 0600, err))
		fail_msg("%s", err->text);
	return agent_conf_read(f->arena, f->path, err);
}

static void
test_presets(void **state)
{
	struct err         err;
	struct agent_conf *conf = read_text(*state, "access: [{}]\n", &err);

	if (conf == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(conf->modes, NAMES_GATEWAY);
	assert_int_equal(conf->direct_ms, 300000);
	assert_int_equal(conf->replicas_max, 16);
	assert_string_equal(conf->proxy, "");
	assert_string_equal(conf->imds, "http://169.254.169.254");
	assert_int_equal(access_credential(access_find(conf, "contoso")), CREDENTIAL_NONE);
	assert_int_equal(access_credential(NULL), CREDENTIAL_NONE);
	assert_int_equal(access_find(conf, "contoso")->sample_ports, 0);
}

static void
test_values(void **state)
{
	struct fixture      *f = *state;
	struct err           err;
	const struct access *access;
	struct agent_conf   *conf = read_text(f,
	      "modes: [direct, gateway-v2]\nreplicas_max: 128\nproxy: http://p.example:3128\n"
	        "imds: http://127.0.0.1:8080\naccess:\n"
	        "  - {account: 'fabrikam-*', key_file: key, database: db, container: c d}\n"
	        "  - {account: 'contoso', managed_identity: system, sample_ports: 64,\n"
	        "     replicas: ['rntbd://a.example:14001/apps/x/replicas/1p/']}\n"
	        "  - {account: 'contoso', token_file: /t}\n"
	        "  - {account: '*', token_file: credential:token,}\n",
	      &err);

	if (conf == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(conf->modes, NAMES_DIRECT | NAMES_V2);
	access = access_find(conf, "fabrikam-prod");
	assert_non_null(access);
	assert_int_equal(access_credential(access), CREDENTIAL_KEY);
	assert_string_equal(access->key_file, arena_printf(f->arena, "%s/key", f->dir));
	assert_string_equal(access->container, "c d");
	access = access_find(conf, "contoso"); /* the first that fits */
	assert_non_null(access);
	assert_string_equal(access->managed_identity, "system");
	assert_int_equal(access_credential(access), CREDENTIAL_ENTRA);
	assert_int_equal(access->replica_count, 1);
	assert_string_equal(access->replicas[0].host, "a.example");
	assert_int_equal(access->replicas[0].port, 14001);
	assert_true(access->replicas[0].primary);
	access = access_find(conf, "other");
	assert_non_null(access);
	assert_string_equal(access->token_file, "credential:token");
}

static void
test_nothing_fits(void **state)
{
	struct err         err;
	struct agent_conf *conf = read_text(
	    *state, "access: [{account: 'fabrikam', key_file: /k}]\n", &err);

	if (conf == NULL)
		fail_msg("%s", err.text);
	assert_null(access_find(conf, "contoso"));
	assert_null(access_find(conf, "fabrikam-2"));
	assert_non_null(access_find(conf, "fabrikam"));
}

/* The first two lines of the file are read_text()'s. */
static const struct refusal {
	const char *name, *text, *wanted;
} refusals[] = {
	{ "two ways", "access:\n  - {key_file: /k, token_file: /t}\n",
	    "agent.yaml:4:5: access: '*': only one of 'key_file', 'token_file' and" },
	{ "two other ways", "access: [{managed_identity: system, key_file: /k}]\n",
	    "only one of" },
	{ "container alone", "access: [{container: c}]\n",
	    "agent.yaml:3:10: access: '*': 'container' without its 'database'" },
	{ "pattern", "access: [{account: Contoso}]\n",
	    "agent.yaml:3:20: account: 'Contoso': a pattern of account names wanted" },
	{ "no pattern", "access: [{account: \"\"}]\n", "a pattern of account names wanted" },
	{ "identity", "access: [{managed_identity: sistem}]\n",
	    "'system' wanted, or the client id" },
	{ "client id", "access: [{managed_identity: 01234567-89ab-cdef-0123-456789abcde}]\n",
	    "or the client id" },
	{ "client id, longer",
	    "access: [{managed_identity: 01234567-89ab-cdef-0123-456789abcdef0}]\n",
	    "or the client id" },
	{ "replica", "access: [{replicas: ['rntbd://a:b']}]\n", "agent.yaml:3:22: replicas:" },
	{ "replica of another scheme", "access: [{replicas: ['https://a:443/']}]\n",
	    "agent.yaml:3:22: replicas:" },
	{ "database", "access: [{database: a/b}]\n", "without '/'" },
	{ "ports", "access: [{sample_ports: 65}]\n", "0 to 64 wanted" },
	{ "mode", "modes: [gatway]\n",
	    "agent.yaml:3:9: modes: 'gatway'; did you mean 'gateway'?" },
	{ "no mode", "modes: []\n", "modes: 0 entries; 1 to 3 wanted" },
	{ "replicas", "replicas_max: 0\n", "1 to 128 wanted" },
	{ "proxy by https", "proxy: https://p:1\n", "http://host:port wanted" },
	{ "proxy without port", "proxy: http://p\n", "http://host:port wanted" },
	{ "proxy with a path", "proxy: http://p:1/x\n", "http://host:port wanted" },
	{ "proxy with a password", "proxy: http://me:hidden@p:1\n",
	    "agent.yaml:3:8: proxy: an URL without user and password wanted" },
	{ "proxy's port", "proxy: http://p:70000\n", "http://host:port wanted" },
	{ "imds", "imds: 169.254.169.254\n", "agent.yaml:3:7: imds:" },
	{ "no imds", "imds: \"\"\n", "http://host or http://host:port wanted" },
};

static void
test_refusals(void **state)
{
	struct err err;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (read_text(*state, refusals[i].text, &err) != NULL)
			fail_msg("%s: taken", refusals[i].name);
		if (strstr(err.text, refusals[i].wanted) == NULL)
			fail_msg("%s: '%s' wanted in '%s'", refusals[i].name,
			    refusals[i].wanted, err.text);
		assert_null(strstr(err.text, "hidden"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_presets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
