#include "agent/support_cmd.h"

#include "base/json.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { ARGS_MAX = 8, OUTPUT_MAX = 64 * 1024 };

/* What a run left on one descriptor. */
struct capture {
	FILE *file; /* without a name */
	int   fd, kept;
	char  text[OUTPUT_MAX];
};

static void
begin_capture(struct capture *capture, int fd)
{
	fflush(NULL);
	capture->file = tmpfile();
	assert_non_null(capture->file);
	capture->fd = fd;
	capture->kept = dup(fd);
	dup2(fileno(capture->file), fd);
}

static void
end_capture(struct capture *capture)
{
	size_t count;

	fflush(NULL);
	dup2(capture->kept, capture->fd);
	close(capture->kept);
	rewind(capture->file);
	count = fread(capture->text, 1, sizeof(capture->text) - 1, capture->file);
	capture->text[count] = '\0';
	fclose(capture->file);
}

static struct capture out, err;

/* The command line, split at spaces; returns the exit code. */
static int
run(const char *line)
{
	char  words[200], *argv[ARGS_MAX] = { (char *)"support" }, *save = NULL;
	int   argc = 1, code;
	char *word;

	snprintf(words, sizeof(words), "%s", line);
	for (word = strtok_r(words, " ", &save); word != NULL && argc + 1 < ARGS_MAX;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	begin_capture(&out, STDOUT_FILENO);
	begin_capture(&err, STDERR_FILENO);
	code = support_command.run(argc, argv);
	end_capture(&err);
	end_capture(&out);
	return code;
}

static const struct run_case {
	const char *line;
	int         code;
	const char *has, *lacks; /* of stdout, or of stderr where the code is not 0 */
} run_cases[] = {
	{ "", 0, "direct-https unsupported gone", "\033[" },
	{ "", 0, "public sql        documents.azure.com", NULL },
	{ "--api mongo", 0, "MongoDB, below 3.6", "Cassandra" },
	{ "--api=MONGO", 0, "Two ways out", NULL },
	{ "--cloud china", 0, "documents.azure.cn", "documents.azure.com   " },
	{ "--cloud fairfax --api table", 0, "table.cosmos.azure.us", "documents.azure.us" },
	{ "--cloud germany", 0, "germany: this cloud no longer exists", "usnat:" },
	{ "--cloud blackforest", 0, "germany: this cloud no longer exists", "supported" },
	{ "--cloud ussec", 0, "ussec: its suffixes are not public", NULL },
	{ "-o table", 0, "privatelink.", NULL },
	{ "--help", 0, "--cloud=NAME", NULL },
	{ "--api mognodb", 2, "--api: 'mognodb'; did you mean 'mongodb'?", NULL },
	{ "--api postgresql-server", 2, "--api: 'postgresql-server' is none", NULL },
	{ "--cloud chnia", 2, "did you mean 'china'?", NULL },
	{ "-o jsno", 2, "did you mean 'json'?", NULL },
	{ "-o nagios", 2, "--output: 'nagios' is none", NULL },
	{ "--claud china", 2, "did you mean '--cloud'?", NULL },
	{ "--cloud", 2, "wants a value: NAME", NULL },
	{ "mongo", 2, "'mongo' is too much", NULL },
};

static void
test_runs(void **state)
{
	for (size_t i = 0; i < sizeof(run_cases) / sizeof(run_cases[0]); i++) {
		const struct run_case *c = &run_cases[i];
		int                    code = run(c->line);
		const char            *text = code == 0 ? out.text : err.text;

		print_message("support %s\n", c->line);
		assert_int_equal(code, c->code);
		if (strstr(text, c->has) == NULL)
			fail_msg("'%s' wanted in: %s", c->has, text);
		if (c->lacks != NULL && strstr(text, c->lacks) != NULL)
			fail_msg("'%s' not wanted in: %s", c->lacks, text);
		assert_string_equal(code == 0 ? err.text : out.text, "");
	}
}

static void
test_json(void **state)
{
	json_t *root, *row;

	assert_int_equal(run("-o json --api mongo --cloud public"), 0);
	root = json_read(out.text, strlen(out.text), "support", NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "version")), 1);
	row = json_array_get(json_object_get(root, "support"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "now")), "unsupported");
	assert_string_equal(json_string_value(json_object_get(row, "then_date")), "2020");
	assert_string_equal(
	    json_string_value(json_object_get(row, "source")), "cosmos-private-endpoints");
	assert_int_equal(json_array_size(json_object_get(root, "clouds")), 1);
	json_decref(root);
}

/* A full disk is not a success. */
static void
test_lost_output(void **state)
{
	char *argv[] = { (char *)"support", (char *)"-o", (char *)"json", NULL };
	FILE *full = fopen("/dev/full", "w");
	int   kept = dup(STDOUT_FILENO), code;

	assert_non_null(full);
	fflush(stdout);
	dup2(fileno(full), STDOUT_FILENO);
	begin_capture(&err, STDERR_FILENO);
	code = support_command.run(3, argv);
	dup2(kept, STDOUT_FILENO);
	end_capture(&err);
	clearerr(stdout);
	close(kept);
	fclose(full);
	assert_int_equal(code, 1);
	assert_non_null(strstr(err.text, "No space left"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_lost_output),
	};

	unsetenv("NO_COLOR");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
