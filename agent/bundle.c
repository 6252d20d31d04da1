#include "agent/bundle.h"

#include "base/clock.h"
#include "base/confine.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2, FILE_MODE = 0600 };

static const struct cli_option options_table[] = {
	{ "file", 'f', "FILE", "where to write; '-' is standard output" },
	{ "redact", 0, NULL, "without names and addresses that tell whose it is" },
	{ 0 },
};

static int bundle_main(int argc, char **argv);

const struct cli_command bundle_command = {
	"bundle",
	"ACCOUNT... [OPTION...]",
	"Measures as check does, and writes all that was seen into a file to hand over",
	"All options of `plprobe check` that say what to measure are taken as well. The file "
	"is\n"
	"JSON, readable by you alone, and by itself named plprobe-bundle-TIME.json. It holds "
	"the\n"
	"answers of DNS servers, certificates, times, findings, and the dig, curl and openssl\n"
	"commands that show the same; no credential is ever in it. With --redact accounts, "
	"hosts,\n"
	"addresses, resources and GUIDs have placeholders, the same one wherever they stand, "
	"and\n"
	"the answers as they came are left out. Look through it before you hand it over.\n\n"
	"Exit code: 0 written, whatever was found; 1 it could not be; 2 wrong arguments.\n",
	options_table,
	EXIT_USAGE,
	bundle_main,
};

static bool
take_file(struct bundle_options *options, const char *value, struct err *err)
{
	if (value == NULL || value[0] == '\0')
		return err_set(err, ERR_USAGE, "option '--file' wants a value: FILE");
	options->file = value;
	return true;
}

/* Before check's own options are read, which know nothing of ours. */
bool
bundle_options_take(struct bundle_options *options, int *argc, char **argv, struct err *err)
{
	int  left = 1;
	bool over = false;

	*options = (struct bundle_options){ 0 };
	for (int i = 1; i < *argc; i++) {
		const char *word = argv[i];

		over = over || strcmp(word, "--") == 0;
		if (!over && strcmp(word, "--redact") == 0) {
			options->redact = true;
		} else if (!over && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
			options->help = true;
		} else if (!over && strncmp(word, "--file=", 7) == 0) {
			if (!take_file(options, word + 7, err))
				return false;
		} else if (!over && strncmp(word, "-f", 2) == 0 && word[2] != '\0') {
			options->file = word + 2;
		} else if (!over && (strcmp(word, "--file") == 0 || strcmp(word, "-f") == 0)) {
			if (!take_file(options, i + 1 < *argc ? argv[++i] : NULL, err))
				return false;
		} else {
			argv[left++] = argv[i];
		}
	}
	*argc = left;
	argv[left] = NULL;
	return true;
}

static const char *
name_file(struct arena *arena, int64_t at_ms)
{
	time_t    seconds = (time_t)(at_ms / MS_PER_S);
	struct tm tm;
	char      text[32];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return arena_printf(arena, "plprobe-bundle-%s.json", text);
}

static bool
write_out(const char *path, const struct wbuf *out, struct err *err)
{
	if (strcmp(path, "-") != 0) {
		if (!file_replace(path, out->bytes, out->count, FILE_MODE, err))
			return false;
		fprintf(stderr, "plprobe bundle: wrote %s\n", path);
		return true;
	}
	return (fwrite(out->bytes, 1, out->count, stdout) == out->count &&
	           fflush(stdout) == 0) ||
	    err_errno(err, "standard output");
}

static bool
make_bundle(struct arena *arena, const struct bundle_options *options,
    const struct check_options *check, struct err *err)
{
	struct check_seen   seen = { 0 };
	struct utsname      kernel = { 0 };
	char                machine[256] = "";
	struct bundle_facts facts = {
		.seen = &seen, .options = check, .redact = options->redact, .machine = machine
	};
	const char *path = options->file;
	struct wbuf out;
	bool        done;

	if (!check_measure(arena, check, &seen, err))
		return false;
	uname(&kernel);
	gethostname(machine, sizeof(machine) - 1);
	facts.kernel = arena_printf(
	    arena, "%s %s %s", kernel.sysname, kernel.release, kernel.machine);
	facts.at_ms = clock_wall_ms(clock_system());
	wbuf_init(&out);
	bundle_json_write(&facts, &out);
	done = write_out(path != NULL ? path : name_file(arena, facts.at_ms), &out, err);
	wbuf_fini(&out);
	return done;
}

static int
run_bundle(int argc, char **argv, const struct bundle_options *options)
{
	struct arena        *arena = arena_new();
	struct check_options check;
	struct err           err;
	int                  code = 0;

	switch (check_options_parse(arena, &check, argc, argv, &err)) {
	case CHECK_USAGE: code = cli_refuse(&bundle_command, &err); break;
	case CHECK_HELP: code = cli_show_help(&bundle_command); break;
	case CHECK_GO:
		if (!make_bundle(arena, options, &check, &err)) {
			fprintf(stderr, "plprobe bundle: %s\n", err.text);
			code = EXIT_FAILED;
		}
		break;
	}
	arena_free(arena);
	return code;
}

static int
bundle_main(int argc, char **argv)
{
	struct bundle_options options;
	struct err            err;

	confine_memory(); /* there may be a key or a token in it */
	if (!bundle_options_take(&options, &argc, argv, &err))
		return cli_refuse(&bundle_command, &err);
	if (options.help)
		return cli_show_help(&bundle_command);
	return run_bundle(argc, argv, &options);
}
