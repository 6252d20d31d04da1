#include "agent/policy_file.h"

#include "agent/agent_conf.h"
#include "agent/policy.h"
#include "base/file.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const char policy_text[] = "accounts: ['contoso*']\nzones: [documents.azure.com]\n"
                                  "ports: [443]\nnames_per_minute: 60\n"
                                  "connect: [10.20.0.0/16]\npublic: false\noutside: false\n";

struct fixture {
	char         *dir, *path;
	struct arena *arena;
};

static int
setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err;

	f->dir = support_dir_new();
	f->path = mem_printf("%s/policy.yaml", f->dir);
	f->arena = arena_new();
	assert_true(file_replace(f->path, policy_text, strlen(policy_text), 0644, &err));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	support_dir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void
assert_refused(struct fixture *f, const char *why)
{
	struct err err = { .text = "" };

	assert_null(policy_file_read(f->arena, f->path, &err));
	if (strstr(err.text, why) == NULL)
		fail_msg("'%s' wanted in '%s'", why, err.text);
}

static void
test_owner(void **state)
{
	struct fixture *f = *state;
	struct err      err;

	if (getuid() != 0) {
		assert_refused(f, "only taken from root");
		return;
	}
	if (policy_file_read(f->arena, f->path, &err) == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(chmod(f->path, 0664), 0);
	assert_refused(f, "lets others write");
	assert_int_equal(chmod(f->path, 0646), 0);
	assert_refused(f, "lets others write");
	assert_int_equal(chmod(f->path, 0644), 0);
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_refused(f, "lets others write");
	assert_int_equal(chmod(f->dir, 0755), 0);
	assert_int_equal(chown(f->path, 65534, 0), 0);
	assert_refused(f, "belongs to user 65534");
	assert_int_equal(unlink(f->path), 0);
	assert_refused(f, "No such file");
}

static void
test_no_file(void **state)
{
	struct fixture     *f = *state;
	struct err          err;
	struct policy_file *file = policy_file_read(f->arena, "", &err);

	assert_non_null(file);
	assert_true(file->public);
	assert_true(file->outside);
	assert_int_equal(file->net_count + file->port_count, 0);
	assert_int_equal(file->names_per_minute, 6000);
}

static const struct take_case {
	const char *account, *host;
	uint32_t    port;
	const char *refusal; /* NULL: taken */
} take_cases[] = {
	{ "contoso", "contoso.documents.azure.com", 443, NULL },
	{ "contoso-2", "contoso-2-westus.documents.azure.com", 0, NULL },
	{ "fabrikam", "fabrikam.documents.azure.com", 443, "'accounts' of the policy file" },
	{ "contoso", "contoso.mongo.cosmos.azure.com", 443, "zone of the policy file" },
	{ "contoso", "contoso.documents.azure.cn", 443, "zone of the policy file" },
	{ "contoso", "contoso.documents.azure.com", 10255, "port 10255" },
};

/* It only narrows: 22 is in no `ports` of agent.yaml, whatever a policy says. */
static void
test_takes(void **state)
{
	struct fixture     *f = *state;
	struct err          err;
	struct policy_file *file = policy_file_parse(
	    f->arena, policy_text, strlen(policy_text), &err);
	struct agent_conf conf = { .policy = file, .ports = { 443, 10255 }, .port_count = 2 };

	assert_non_null(file);
	for (size_t i = 0; i < sizeof(take_cases) / sizeof(take_cases[0]); i++) {
		const struct take_case *row = &take_cases[i];
		struct target           target = {
			          .account = row->account, .host = row->host, .port = row->port
		};
		bool taken = policy_takes(&conf, &target, &err);

		if (taken != (row->refusal == NULL))
			fail_msg("%s:%u: taken %d", row->host, row->port, taken);
		if (!taken && strstr(err.text, row->refusal) == NULL)
			fail_msg("'%s' wanted in '%s'", row->refusal, err.text);
	}
	file->direct = false;
	assert_false(policy_takes(&conf,
	    &(struct target){ .account = "contoso",
	        .host = "contoso.documents.azure.com",
	        .mode = MODE_DIRECT },
	    &err));
	assert_non_null(strstr(err.text, "'direct'"));
	file->ports[file->port_count++] = 22;
	assert_false(policy_has_port(&conf, 22));
	assert_true(policy_follows(&conf, "cdb-ms-prod-eus1-be2.documents.azure.com"));
	assert_false(policy_follows(&conf, "cdb-ms-prod-eus1-be2.documents.azure.cn"));
}

static void
test_budget(void **state)
{
	struct policy_file   file = { .names_per_minute = 61 };
	struct agent_conf    conf = { .policy = &file };
	struct policy_budget budget = { 0 };
	struct target        often = { .host = "a", .interval_ms = 1000 };
	struct target        usual = { .host = "b" };
	struct target        swept = { .host = "c", .role = ROLE_SWEEP, .dns_only = true };
	struct err           err;

	assert_true(policy_spends(&conf, &often, 60000, &budget, &err));
	assert_false(policy_spends(&conf, &often, 60000, &budget, &err));
	assert_non_null(strstr(err.text, "names_per_minute"));
	assert_true(policy_spends(&conf, &usual, 60000, &budget, &err));
	assert_false(policy_spends(&conf, &usual, 60000, &budget, &err));
	assert_true(policy_spends(&conf, &swept, 60000, &budget, &err));
}

/* The prober gets the settings as text, and must read what the shipper read. */
static void
test_hand_over(void **state)
{
	static const char  settings[] = "accounts: [{name: contoso}]\nports: [443, 22]\n"
	                                "interval: 7s\ntimeout: 5s\npolicy: policy.yaml\n";
	struct fixture    *f = *state;
	char              *path = arena_printf(f->arena, "%s/agent.yaml", f->dir);
	struct agent_conf *given, *taken;
	struct wbuf        out;
	struct err         err;

	if (getuid() != 0)
		skip();
	assert_true(file_replace(path, settings, strlen(settings), 0644, &err));
	given = agent_conf_read(f->arena, path, &err);
	if (given == NULL)
		fail_msg("%s", err.text);
	wbuf_init(&out);
	agent_conf_write(given, &out);
	taken = agent_conf_parse(f->arena, out.bytes, out.count, &err);
	if (taken == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(taken->interval_ms, 7000);
	assert_int_equal(taken->port_count, 2);
	assert_string_equal(taken->policy_path, f->path);
	assert_int_equal(taken->policy->net_count, 1);
	assert_int_equal(taken->policy->nets[0].bits, 16);
	assert_int_equal(taken->policy->names_per_minute, 60);
	assert_false(taken->policy->public);
	assert_false(taken->policy->outside);
	assert_null(agent_conf_parse(f->arena, out.bytes, strlen((char *)out.bytes), &err));
	wbuf_fini(&out);
}

/* The example says every setting with its preset. */
static void
test_example(void **state)
{
	struct fixture     *f = *state;
	struct policy_file *none = policy_file_read(f->arena, "", NULL), *file;
	struct wbuf         wanted, got;
	struct err          err;
	size_t              count;
	char *text = file_read(f->arena, "deploy/policy.yaml", 1 << 20, &count, &err);

	assert_non_null(text);
	file = policy_file_parse(f->arena, text, count, &err);
	if (file == NULL)
		fail_msg("%s", err.text);
	wbuf_init(&wanted);
	wbuf_init(&got);
	conf_dump(none, policy_file_rows, &wanted);
	conf_dump(file, policy_file_rows, &got);
	assert_string_equal(wbuf_text(&wanted), wbuf_text(&got));
	/* The words too: the dump is the file but for its head. */
	assert_non_null(strstr(text, wbuf_text(&wanted)));
	wbuf_fini(&wanted);
	wbuf_fini(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_takes, setup, teardown),
		cmocka_unit_test(test_budget),
		cmocka_unit_test_setup_teardown(test_hand_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_example, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
