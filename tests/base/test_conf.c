#include "base/conf.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct account {
	const char *document, *name;
	int64_t     weight;
};

struct settings {
	const char       *agent, *token_file;
	bool              sweep;
	int64_t           in_flight, interval_ms, spool_bytes;
	const char       *level;
	struct conf_texts resolvers;
	struct conf_list  accounts;
};

#define AT(member)    offsetof(struct settings, member)
#define INNER(member) offsetof(struct account, member)

static const struct conf_row account_rows[] = {
	{ "document", CONF_PATH, INNER(document), 0, 0, "", "a document", NULL, 0, NULL, NULL },
	{ "name", CONF_TEXT, INNER(name), 0, 0, NULL, "its name", NULL, 0, NULL, NULL },
	{ "weight", CONF_NUMBER, INNER(weight), 1, 9, "5", "how much", NULL, 0, NULL, NULL },
	{ .name = NULL },
};

static bool
check_level(const char *text, struct err *why)
{
	enum log_level level;

	return log_level_parse(&level, text, why);
}

static bool
check_server(const char *text, struct err *why)
{
	if (strchr(text, '/') != NULL)
		return err_set(why, ERR_PARSE, "'%s' is no server", text);
	return true;
}

static const struct conf_row rows[] = {
	{ "agent", CONF_TEXT, AT(agent), 1, 20, "vm-1", "name of the agent", NULL, 0, NULL,
	    NULL },
	{ "token_file", CONF_PATH, AT(token_file), 0, 0, "", "where the token is", NULL, 0,
	    NULL, NULL },
	{ "sweep", CONF_BOOL, AT(sweep), 0, 0, "true", "ask for left-over records", NULL, 0,
	    NULL, NULL },
	{ "in_flight", CONF_NUMBER, AT(in_flight), -2, 4096, "64", "at once", NULL, 0, NULL,
	    NULL },
	{ "interval", CONF_MS, AT(interval_ms), MS_PER_S, MS_PER_HOUR, "60s", "between runs",
	    NULL, 0, NULL, NULL },
	{ "spool_limit", CONF_BYTES, AT(spool_bytes), 1 << 20, INT64_C(1) << 40, "64MiB",
	    "oldest go first", NULL, 0, NULL, NULL },
	{ "resolvers", CONF_TEXTS, AT(resolvers), 0, 3, "[10.0.0.1]", "servers to ask", NULL, 0,
	    check_server, NULL },
	{ "level", CONF_TEXT, AT(level), 0, 0, "info", "how much is said", NULL, 0, check_level,
	    NULL },
	{ "accounts", CONF_LIST, AT(accounts), 0, 2, "", "what to measure", account_rows,
	    sizeof(struct account), NULL, NULL },
	{ .name = NULL },
};

static struct arena   *arena;
static struct settings got;
static struct err      err;

static int
begin(void **state)
{
	arena = arena_new();
	err.text[0] = '\0';
	memset(&got, 0xee, sizeof(got));
	return 0;
}

static int
end(void **state)
{
	arena_free(arena);
	return 0;
}

static bool
parse(const char *text)
{
	return conf_parse(&got, rows, arena, text, strlen(text), "a.yaml", &err);
}

static void
assert_presets(void)
{
	assert_string_equal(got.agent, "vm-1");
	assert_string_equal(got.token_file, "");
	assert_true(got.sweep);
	assert_true(got.in_flight == 64);
	assert_true(got.interval_ms == 60 * MS_PER_S);
	assert_true(got.spool_bytes == 64 << 20);
	assert_int_equal(got.resolvers.count, 1);
	assert_string_equal(got.resolvers.texts[0], "10.0.0.1");
	assert_int_equal(got.accounts.count, 0);
}

static void
test_presets(void **state)
{
	static const char *const nothing[] = { "", "\n\n", "# only words\n", "---\n",
		"--- {}\n", "{}" };

	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		if (!parse(nothing[i]))
			fail_msg("%s", err.text);
		assert_presets();
	}
	assert_true(conf_read(&got, rows, arena, NULL, NULL, &err));
	assert_presets();
	assert_true(conf_read(&got, rows, arena, NULL, "/tmp/no/such/folder", &err));
	assert_presets();
}

static void
test_all_set(void **state)
{
	struct account *accounts;

	if (!parse("agent: \"caf\\u00e9\"\n"
	           "token_file: /etc/t\n"
	           "sweep: false\n"
	           "in_flight: -2\n"
	           "interval: 1500ms\n"
	           "spool_limit: 2GiB\n"
	           "resolvers: []\n"
	           "accounts:\n"
	           "  - name: x\n"
	           "    document: d.json\n"
	           "  - { name: '~', weight: 9 }\n"))
		fail_msg("%s", err.text);
	assert_string_equal(got.agent, "caf\xc3\xa9");
	assert_string_equal(got.token_file, "/etc/t");
	assert_false(got.sweep);
	assert_true(got.in_flight == -2);
	assert_true(got.interval_ms == 1500);
	assert_true(got.spool_bytes == INT64_C(2) << 30);
	assert_int_equal(got.resolvers.count, 0);
	assert_int_equal(got.accounts.count, 2);
	accounts = got.accounts.rows;
	assert_string_equal(accounts[0].name, "x");
	assert_string_equal(accounts[0].document, "d.json");
	assert_true(accounts[0].weight == 5);
	assert_string_equal(accounts[1].name, "~"); /* in quotes it is a text */
	assert_true(accounts[1].weight == 9);
}

/* As an editor of another system writes it. */
static void
test_line_ends_and_mark(void **state)
{
	assert_true(parse("\xef\xbb\xbf"
	                  "agent: x\r\nsweep: false\r\n"));
	assert_string_equal(got.agent, "x");
	assert_false(got.sweep);
}

/* One scalar is a list of one. */
static void
test_one_text(void **state)
{
	assert_true(parse("resolvers: 10.9.9.9\n"));
	assert_int_equal(got.resolvers.count, 1);
	assert_string_equal(got.resolvers.texts[0], "10.9.9.9");
}

static const struct refusal {
	const char *name, *text, *wanted;
} refusals[] = {
	{ "unknown", "agent: x\nintervall: 5s\n",
	    "a.yaml:2:1: unknown setting 'intervall'; did you mean 'interval'?" },
	{ "unknown, far from all", "zzz: 1\n", "a.yaml:1:1: unknown setting 'zzz'" },
	{ "unknown inside", "accounts:\n  - name: x\n    wait: 7\n",
	    "a.yaml:3:5: unknown setting 'wait'" },
	{ "twice", "agent: x\nsweep: true\nagent: y\n",
	    "a.yaml:3:1: agent: set twice, first in line 1" },
	{ "twice inside", "accounts: [{ name: x, name: y }]\n",
	    "a.yaml:1:23: name: set twice, first in line 1" },
	{ "no unit", "interval: 30\n",
	    "a.yaml:1:11: interval: '30': a whole number with ms, s, m, h or d, such as 30s "
	    "wanted" },
	{ "other unit", "interval: 30MiB\n", "interval: '30MiB': a whole number with ms" },
	{ "unit in capitals", "interval: 30S\n", "interval: '30S': a whole" },
	{ "fraction", "interval: 1.5s\n", "interval: '1.5s': a whole" },
	{ "space", "interval: 30 s\n", "interval: '30 s': a whole" },
	{ "only a unit", "interval: s\n", "interval: 's': a whole" },
	{ "negative time", "interval: -5s\n", "interval: '-5s': a whole" },
	{ "below", "interval: 999ms\n",
	    "a.yaml:1:11: interval: 999ms is out of range; 1s to 1h wanted" },
	{ "above", "interval: 61m\n", "interval: 61m is out of range; 1s to 1h wanted" },
	{ "zero", "interval: 0\n", "interval: 0 is out of range" },
	{ "overflow", "interval: 99999999999999999999s\n",
	    "'99999999999999999999s' is too large" },
	{ "overflow by the unit", "interval: 9223372036854775807d\n", "is too large" },
	{ "bytes", "spool_limit: 64MB\n",
	    "spool_limit: '64MB': a whole number with B, KiB, MiB or GiB, such as 64MiB "
	    "wanted" },
	{ "bytes below", "spool_limit: 1023KiB\n", "1023KiB is out of range; 1MiB to 1024GiB" },
	{ "number", "in_flight: many\n", "in_flight: 'many': a whole number wanted" },
	{ "number with a sign", "in_flight: +5\n", "in_flight: '+5': a whole" },
	{ "number in hex", "in_flight: 0x10\n", "in_flight: '0x10': a whole" },
	{ "number below", "in_flight: -3\n", "-3 is out of range; -2 to 4096 wanted" },
	{ "number empty", "in_flight: \"\"\n", "in_flight: '': a whole number wanted" },
	{ "yes is no boolean", "sweep: yes\n", "sweep: 'yes'; true or false wanted" },
	{ "a text is no boolean", "sweep: \"true\"\n", "sweep: 'true'; true or false wanted" },
	{ "nothing", "agent:\n", "a.yaml:1:7: agent: no value; \"\" is the empty text" },
	{ "null", "agent: ~\n", "agent: no value" },
	{ "null in words", "token_file: null\n", "token_file: no value" },
	{ "text too short", "agent: \"\"\n", "agent: 0 characters; 1 to 20 wanted" },
	{ "text too long", "agent: aaaaaaaaaaaaaaaaaaaaa\n", "agent: 21 characters; 1 to 20" },
	{ "list for a text", "agent: [a]\n", "agent: a list; a single value wanted" },
	{ "mapping for a text", "agent: {a: b}\n", "agent: a mapping; a single value wanted" },
	{ "mapping for texts", "resolvers: {a: b}\n", "resolvers: a mapping; a list wanted" },
	{ "list in texts", "resolvers: [[a]]\n", "a.yaml:1:13: resolvers: a list; a single" },
	{ "too many texts", "resolvers: [a, b, c, d]\n",
	    "resolvers: 4 entries; 0 to 3 wanted" },
	{ "text for a list", "accounts: x\n", "accounts: a single value; a list of mappings" },
	{ "mapping for a list", "accounts: {name: x}\n",
	    "accounts: a mapping; a list of mappings wanted, each begun with '- '" },
	{ "texts in a list", "accounts: [x]\n",
	    "a.yaml:1:12: a single value; a mapping wanted" },
	{ "too many", "accounts: [{name: a}, {name: b}, {name: c}]\n", "3 entries; 0 to 2" },
	{ "missing inside", "accounts:\n  - document: x\n",
	    "a.yaml:2:5: name is missing: its name" },
	{ "checked", "level: loud\n",
	    "a.yaml:1:8: level: log level 'loud': debug, info, warn or error wanted" },
	{ "checked in a list", "resolvers:\n  - a\n  - b/c\n",
	    "a.yaml:3:5: resolvers: 'b/c' is no server" },
	{ "no mapping", "- agent\n", "a.yaml:1:1: a list; a mapping wanted" },
	{ "only a word", "agent\n", "a.yaml:1:1: a single value; a mapping wanted" },
	{ "key is a list", "[a]: b\n", "a.yaml:1:1: a key must be a word" },
	{ "anchor", "agent: &x y\n", "a.yaml:1:8: anchors are not taken" },
	{ "alias", "agent: *x\n", "a.yaml:1:8: aliases are not taken" },
	{ "merge", "<<: {agent: x}\n", "unknown setting '<<'" },
	{ "tag", "agent: !!str 5\n", "a.yaml:1:8: tags are not taken" },
	{ "two documents", "agent: x\n---\nagent: y\n", "a.yaml:2:1: a second document" },
	{ "tab", "accounts:\n\t- name: x\n", "a.yaml:2:1: found character that cannot start" },
	{ "open bracket", "resolvers: [a\n", "a.yaml:2:1: did not find expected ',' or ']'" },
	{ "indentation", "agent: x\n  sweep: true\n",
	    "a.yaml:2:8: mapping values are not allowed" },
	{ "bad UTF-8", "agent: \"\xff\"\n", "a.yaml: byte 8: invalid leading UTF-8 octet" },
	{ "control", "agent: \"\x01\"\n",
	    "a.yaml: byte 8: control characters are not allowed" },
	{ "NUL by escape", "agent: \"a\\0b\"\n", "a.yaml:1:8: a NUL in the text" },
	{ "too deep", "accounts: [[[[[[[[[[x]]]]]]]]]]\n", "nested too deeply" },
};

static void
test_refusals(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *c = &refusals[i];

		err.text[0] = '\0';
		if (parse(c->text))
			fail_msg("%s: taken", c->name);
		assert_int_equal(err.kind, ERR_PARSE);
		if (strstr(err.text, c->wanted) == NULL)
			fail_msg("%s: '%s', '%s' wanted", c->name, err.text, c->wanted);
	}
}

/* The edges of a range are in it. */
static void
test_edges(void **state)
{
	assert_true(parse("interval: 1s\nspool_limit: 1024GiB\nin_flight: 4096\n"));
	assert_true(parse("interval: 1h\nspool_limit: 1048576B\nin_flight: -2\n"));
	assert_true(parse("agent: aaaaaaaaaaaaaaaaaaaa\nresolvers: [a, b, c]\n"));
	assert_true(parse("accounts: [{name: a}, {name: b}]\ninterval: 3600000ms\n"));
}

static void
test_all_problems_together(void **state)
{
	assert_false(parse("intervall: 5s\nsweep: maybe\nin_flight: 9999\n"));
	assert_string_equal(err.text,
	    "a.yaml:1:1: unknown setting 'intervall'; did you mean 'interval'?\n"
	    "a.yaml:2:8: sweep: 'maybe'; true or false wanted\n"
	    "a.yaml:3:12: in_flight: 9999 is out of range; -2 to 4096 wanted");
}

static void
test_more_problems_than_fit(void **state)
{
	char   text[4000] = "";
	size_t lines = 0, more = 0;

	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), "zz%d: 1\n", i);
	assert_false(parse(text));
	for (const char *at = err.text; (at = strstr(at, "unknown setting")) != NULL; at++)
		lines++;
	assert_in_range(lines, 5, 20);
	assert_int_equal(sscanf(strstr(err.text, "\nand "), " and %zu more", &more), 1);
	assert_int_equal(lines + more, 100);
}

static void
test_sizes(void **state)
{
	size_t count = (1 << 20) + 1;
	char  *text = malloc(count);

	memset(text, ' ', count);
	memcpy(text, "agent: y", 8);
	assert_true(conf_parse(&got, rows, arena, text, count - 1, "a.yaml", &err));
	assert_false(conf_parse(&got, rows, arena, text, count, "a.yaml", &err));
	assert_string_equal(err.text, "a.yaml: larger than 1048576 bytes");
	memset(text, ',', count);
	memcpy(text, "resolvers: [", 12);
	for (size_t i = 12; i + 1 < 12 + 2 * 20000; i += 2)
		text[i] = 'a';
	assert_false(conf_parse(&got, rows, arena, text, 12 + 2 * 20000, "a.yaml", &err));
	assert_non_null(strstr(err.text, "too many entries"));
	free(text);
}

static const struct conf_row required_rows[] = {
	{ "agent", CONF_TEXT, AT(agent), 0, 0, NULL, "name of the agent", NULL, 0, NULL, NULL },
	{ "sweep", CONF_BOOL, AT(sweep), 0, 0, NULL, "a switch", NULL, 0, NULL, NULL },
	{ .name = NULL },
};

static void
test_required(void **state)
{
	assert_false(conf_parse(&got, required_rows, arena, "{}", 2, "a.yaml", &err));
	assert_string_equal(err.text,
	    "a.yaml: agent is missing: name of the agent\n"
	    "a.yaml: sweep is missing: a switch");
	/* Beside a typo it says both; beside broken YAML it would be guessing. */
	assert_false(conf_parse(&got, required_rows, arena, "agnt: x\n", 8, "a.yaml", &err));
	assert_non_null(strstr(err.text, "did you mean 'agent'"));
	assert_non_null(strstr(err.text, "agent is missing"));
	assert_false(conf_parse(&got, required_rows, arena, "agent: [", 8, "a.yaml", &err));
	assert_null(strstr(err.text, "missing"));
	assert_true(conf_parse(
	    &got, required_rows, arena, "agent: x\nsweep: true", 20, "a.yaml", &err));
}

static void
test_dump(void **state)
{
	struct wbuf out;

	assert_true(parse("agent: \"a\\\"b\\n\"\ninterval: 90s\nspool_limit: 1536KiB\n"
	                  "accounts: [{name: x}]\n"));
	wbuf_init(&out);
	conf_dump(&got, rows, &out);
	assert_string_equal(wbuf_text(&out),
	    "# name of the agent (1 to 20 characters)\n"
	    "agent: \"a\\\"b\\u000a\"\n"
	    "\n# where the token is\n"
	    "token_file: \"\"\n"
	    "\n# ask for left-over records\n"
	    "sweep: true\n"
	    "\n# at once (-2 to 4096)\n"
	    "in_flight: 64\n"
	    "\n# between runs (1s to 1h)\n"
	    "interval: 90s\n"
	    "\n# oldest go first (1MiB to 1024GiB)\n"
	    "spool_limit: 1536KiB\n"
	    "\n# servers to ask (0 to 3 entries)\n"
	    "resolvers: [\"10.0.0.1\"]\n"
	    "\n# how much is said\n"
	    "level: \"info\"\n"
	    "\n# what to measure (0 to 2 entries)\n"
	    "#   document: a document\n"
	    "#   name: its name\n"
	    "#   weight: how much (1 to 9)\n"
	    "accounts:\n"
	    "  - { document: \"\", name: \"x\", weight: 5 }\n");
	wbuf_fini(&out);
}

/* What is dumped reads back as the same. */
static void
test_dump_reads_back(void **state)
{
	static const char *const texts[] = { "", "agent: \"\\u2028\\x85\\t'\\\\#: \"\n",
		"accounts: [{name: \"{ }, [\", document: /x}, {name: y, weight: 1}]\n",
		("resolvers: [\"a, b\", \"- c\", \"\"]\ninterval: 1001ms\n"
		 "spool_limit: 1048577B\n") };
	struct wbuf              first, second;

	wbuf_init(&first);
	wbuf_init(&second);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		wbuf_clear(&first);
		wbuf_clear(&second);
		assert_true(parse(texts[i]));
		conf_dump(&got, rows, &first);
		if (!parse(wbuf_text(&first)))
			fail_msg("%s\n%s", err.text, wbuf_text(&first));
		conf_dump(&got, rows, &second);
		assert_string_equal(wbuf_text(&first), wbuf_text(&second));
	}
	wbuf_fini(&first);
	wbuf_fini(&second);
}

static void
test_units_alone(void **state)
{
	int64_t value;

	assert_true(conf_ms_parse(&value, "10s", &err));
	assert_true(value == 10000);
	assert_true(conf_ms_parse(&value, "2d", &err));
	assert_true(value == 2 * MS_PER_DAY);
	assert_true(conf_ms_parse(&value, "0", &err)); /* nothing has no unit */
	assert_true(value == 0);
	assert_false(conf_ms_parse(&value, "10", &err));
	assert_false(conf_ms_parse(&value, "", &err));
	assert_string_equal(
	    err.text, "'': a whole number with ms, s, m, h or d, such as 30s wanted");
	assert_true(conf_bytes_parse(&value, "256MiB", &err));
	assert_true(value == 256 << 20);
	assert_false(conf_bytes_parse(&value, "256mib", &err));
}

static char folder[64];

static void
put_file(const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_true(file_replace(path, text, strlen(text), 0600, &err));
}

static const char *
in_folder(const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name);
}

static int
begin_folder(void **state)
{
	strcpy(folder, "/tmp/test_conf.XXXXXX");
	begin(state);
	return mkdtemp(folder) == NULL || mkdir(in_folder("conf.d"), 0700) != 0;
}

static int
end_folder(void **state)
{
	static const char *const names[] = { "a.yaml", "conf.d/10-x.yaml", "conf.d/20-y.yaml",
		"conf.d/30-z.yml", "conf.d/.hidden.yaml" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(in_folder(names[i]));
	rmdir(in_folder("conf.d"));
	rmdir(folder);
	return end(state);
}

/* Later files replace what earlier ones set, and only that. */
static void
test_folder(void **state)
{
	put_file(
	    "a.yaml", "agent: a\nsweep: false\nresolvers: [1.1.1.1, 2.2.2.2]\ntoken_file: t\n");
	put_file("conf.d/20-y.yaml", "agent: y\n");
	put_file("conf.d/10-x.yaml", "agent: x\nresolvers: [3.3.3.3]\n");
	put_file("conf.d/30-z.yml", "not read: at all\n");
	put_file("conf.d/.hidden.yaml", "not read: either\n");
	if (!conf_read(&got, rows, arena, in_folder("a.yaml"), in_folder("conf.d"), &err))
		fail_msg("%s", err.text);
	assert_string_equal(got.agent, "y");
	assert_false(got.sweep);
	assert_int_equal(got.resolvers.count, 1);
	assert_string_equal(got.resolvers.texts[0], "3.3.3.3");
	assert_string_equal(got.token_file, in_folder("t"));
}

/* A path is taken from the folder of the file that says it. */
static void
test_paths(void **state)
{
	struct account *accounts;

	put_file("a.yaml", "token_file: sub/t\naccounts: [{name: x, document: d.json}]\n");
	put_file("conf.d/10-x.yaml", "token_file: u\n");
	assert_true(conf_read(&got, rows, arena, in_folder("a.yaml"), NULL, &err));
	assert_string_equal(got.token_file, in_folder("sub/t"));
	accounts = got.accounts.rows;
	assert_string_equal(accounts[0].document, in_folder("d.json"));
	assert_string_equal(accounts[0].name, "x");
	assert_true(
	    conf_read(&got, rows, arena, in_folder("a.yaml"), in_folder("conf.d"), &err));
	assert_string_equal(got.token_file, in_folder("conf.d/u"));
}

struct team {
	const char       *name, *key;
	struct conf_texts members;
};

/* A rule between two settings of one entry. */
static bool
check_team(const void *entry, struct err *why)
{
	const struct team *team = entry;

	if (team->key[0] != '\0' && team->members.count > 1)
		return err_set(why, ERR_USAGE, "'key' is for one member");
	return true;
}

static const struct conf_row team_rows[] = {
	{ "name", CONF_TEXT, offsetof(struct team, name), .help = "its name" },
	{ "key", CONF_PATH, offsetof(struct team, key), .preset = "", .help = "a file" },
	{ "members", CONF_TEXTS, offsetof(struct team, members), .low = 1, .high = 3,
	    .preset = "[nobody]", .help = "who is in it", .check = check_server },
	{ 0 },
};

static const struct conf_row league_rows[] = {
	{ "teams", CONF_LIST, 0, .preset = "", .help = "who plays", .rows = team_rows,
	    .row_bytes = sizeof(struct team), .check_entry = check_team },
	{ 0 },
};

static const struct refusal team_refusals[] = {
	{ "entry", "teams:\n  - name: a\n  - {name: b, key: k, members: [c, d]}\n",
	    "t.yaml:3:5: teams: 'key' is for one member" },
	{ "checked inside", "teams: [{name: a, members: [b, c/d]}]\n",
	    "t.yaml:1:32: members: 'c/d' is no server" },
	{ "one complaint is enough", "teams: [{key: k, members: [c, d]}]\n",
	    "t.yaml:1:9: name is missing: its name" },
	{ "too many inside", "teams: [{name: a, members: [b, c, d, e]}]\n",
	    "members: 4 entries; 1 to 3 wanted" },
};

static void
test_lists_in_entries(void **state)
{
	static const char good[] = "teams: [{name: a}, {name: b, members: [c, d]},"
	                           " {name: e, key: credential:k, members: f}]\n";
	struct conf_list  teams;
	struct team      *team;
	struct wbuf       out;

	assert_true(
	    conf_parse(&teams, league_rows, arena, good, sizeof(good) - 1, "t.yaml", &err));
	team = teams.rows;
	assert_int_equal(teams.count, 3);
	assert_string_equal(team[0].members.texts[0], "nobody");
	assert_int_equal(team[1].members.count, 2);
	assert_string_equal(team[2].members.texts[0], "f");
	wbuf_init(&out);
	conf_dump(&teams, league_rows, &out);
	assert_non_null(
	    strstr(wbuf_text(&out), "{ name: \"b\", key: \"\", members: [\"c\", \"d\"] }"));
	wbuf_fini(&out);
	for (size_t i = 0; i < sizeof(team_refusals) / sizeof(team_refusals[0]); i++) {
		const struct refusal *c = &team_refusals[i];

		if (conf_parse(
		        &teams, league_rows, arena, c->text, strlen(c->text), "t.yaml", &err))
			fail_msg("%s: taken", c->name);
		if (strstr(err.text, c->wanted) == NULL || strchr(err.text, '\n') != NULL)
			fail_msg("%s: '%s', '%s' wanted", c->name, err.text, c->wanted);
	}
}

/* What the service manager places is in no folder of ours. */
static void
test_credential_paths(void **state)
{
	put_file("a.yaml", "token_file: credential:token\n");
	assert_true(conf_read(&got, rows, arena, in_folder("a.yaml"), NULL, &err));
	assert_string_equal(got.token_file, "credential:token");
}

static void
test_problems_of_all_files(void **state)
{
	put_file("a.yaml", "agnt: a\n");
	put_file("conf.d/10-x.yaml", "interval: 5\n");
	put_file("conf.d/20-y.yaml", "a: [\n");
	assert_false(
	    conf_read(&got, rows, arena, in_folder("a.yaml"), in_folder("conf.d"), &err));
	assert_non_null(strstr(err.text, "/a.yaml:1:1: unknown setting 'agnt'"));
	assert_non_null(strstr(err.text, "/conf.d/10-x.yaml:1:11: interval: '5'"));
	assert_non_null(strstr(err.text, "/conf.d/20-y.yaml:2:1: "));
}

static void
test_no_file(void **state)
{
	assert_false(conf_read(&got, rows, arena, in_folder("a.yaml"), NULL, &err));
	assert_non_null(strstr(err.text, "/a.yaml: No such file or directory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_presets, begin, end),
		cmocka_unit_test_setup_teardown(test_all_set, begin, end),
		cmocka_unit_test_setup_teardown(test_line_ends_and_mark, begin, end),
		cmocka_unit_test_setup_teardown(test_one_text, begin, end),
		cmocka_unit_test_setup_teardown(test_refusals, begin, end),
		cmocka_unit_test_setup_teardown(test_edges, begin, end),
		cmocka_unit_test_setup_teardown(test_all_problems_together, begin, end),
		cmocka_unit_test_setup_teardown(test_more_problems_than_fit, begin, end),
		cmocka_unit_test_setup_teardown(test_sizes, begin, end),
		cmocka_unit_test_setup_teardown(test_required, begin, end),
		cmocka_unit_test_setup_teardown(test_dump, begin, end),
		cmocka_unit_test_setup_teardown(test_dump_reads_back, begin, end),
		cmocka_unit_test_setup_teardown(test_units_alone, begin, end),
		cmocka_unit_test_setup_teardown(test_folder, begin_folder, end_folder),
		cmocka_unit_test_setup_teardown(test_lists_in_entries, begin, end),
		cmocka_unit_test_setup_teardown(test_paths, begin_folder, end_folder),
		cmocka_unit_test_setup_teardown(
		    test_credential_paths, begin_folder, end_folder),
		cmocka_unit_test_setup_teardown(
		    test_problems_of_all_files, begin_folder, end_folder),
		cmocka_unit_test_setup_teardown(test_no_file, begin_folder, end_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
