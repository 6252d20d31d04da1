/* The journal of who was let in: its lines, its states, and two who write at once. */
#include "collector/roster_edit.h"

#include "base/arena.h"
#include "base/clock.h"
#include "tests/support/support_dir.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOW = 1000000 };

static char *dir, *path;

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct line_case {
	const char *text, *why; /* NULL: taken, and written the same */
} line_cases[] = {
	{ "token 0a1b2c3d4e5f vm-a vnet-a/default " DIGEST " 1 2 3 0", NULL },
	{ "token 0a1b2c3d4e5f - - " DIGEST " 1 2 100000 1", NULL },
	{ "card 40ff vm-a - " DIGEST " 1 2 renewal", NULL },
	{ "used 40ff 9", NULL },
	{ "revoke-agent vm-a 9", NULL },
	{ "revoke-card 40ff 9", NULL },
	{ "revoke-token 0a1b2c3d4e5f 9", NULL },
	{ "", "no kind" },
	{ "cards 40ff", "no kind" },
	{ "used", "too few" },
	{ "used 40ff", "too few" },
	{ "used 40ff 9 9", "too many" },
	{ "used 40ff 9 ", "too many" },
	{ "used  9", "word 2" },
	{ "used 40FF 9", "word 2" },
	{ "used 40ff -9", "word 3" },
	{ "used 40ff 9x", "word 3" },
	{ "used 40ff 99999999999999999999", "word 3" },
	{ "revoke-agent - 9", "without an agent" },
	{ "revoke-agent a/b 9", "word 2" },
	{ "card 40ff - - " DIGEST " 1 2 renewal", "without an agent" },
	{ "card 40ff vm-a - 0011 1 2 renewal", "word 5" },
	{ "token 0a1b2c3d4e5f vm-a - " DIGEST " 1 2 3 2", "word 9" },
};

static void
test_lines(void **state)
{
	for (size_t i = 0; i < sizeof(line_cases) / sizeof(line_cases[0]); i++) {
		const struct line_case *one = &line_cases[i];
		char                   *text = mem_strdup(one->text);
		struct roster_line      line;
		struct err              err = { 0 };
		struct wbuf             out;

		print_message("%s\n", one->text);
		wbuf_init(&out);
		if (one->why == NULL) {
			assert_true(roster_line_parse(&line, text, &err));
			roster_line_write(&out, &line);
			assert_int_equal(out.bytes[out.count - 1], '\n');
			out.count--;
			assert_string_equal(wbuf_text(&out), one->text);
		} else {
			assert_false(roster_line_parse(&line, text, &err));
			assert_non_null(strstr(err.text, one->why));
		}
		wbuf_fini(&out);
		free(text);
	}
}

static void
add(struct roster *roster, struct roster_line line)
{
	struct err err = { 0 };

	line.id = line.id != NULL ? line.id : "";
	line.agent = line.agent != NULL ? line.agent : "";
	line.network = line.network != NULL ? line.network : "";
	line.from = line.from != NULL ? line.from : "renewal";
	if (!roster_begin(roster, &err) || !roster_add(roster, &line, &err))
		fail_msg("%s", err.text);
	roster_end(roster);
}

static void
add_card(struct roster *roster, const char *serial, const char *agent, uint8_t key)
{
	add(roster,
	    (struct roster_line){ .kind = ROSTER_CARD,
	        .id = serial,
	        .agent = agent,
	        .digest = { key },
	        .at_ms = NOW,
	        .ends_ms = 2 * NOW });
}

static void
use(struct roster *roster, const char *serial, int64_t at_ms)
{
	add(roster, (struct roster_line){ .kind = ROSTER_USED, .id = serial, .at_ms = at_ms });
}

static enum roster_state
state_of(struct roster *roster, const char *serial, int64_t now_ms)
{
	return roster_card_state(roster, roster_find_card(roster, serial), now_ms);
}

static void
test_states(void **state)
{
	struct roster        *roster = roster_open(path, NULL);
	struct roster_revoked revoked;
	struct err            err = { 0 };

	assert_int_equal(state_of(roster, "40", NOW), ROSTER_UNKNOWN);
	add_card(roster, "40", "vm-a", 1);
	add_card(roster, "50", "vm-b", 2);
	assert_int_equal(state_of(roster, "40", NOW), ROSTER_VALID);
	assert_int_equal(state_of(roster, "40", 2 * NOW - 1), ROSTER_VALID);
	assert_int_equal(state_of(roster, "40", 2 * NOW), ROSTER_ENDED);
	assert_null(roster_find_live(roster, "vm-a", NOW)); /* nobody has shown it */
	use(roster, "40", NOW);
	assert_string_equal(roster_find_live(roster, "vm-a", NOW)->line.id, "40");
	assert_null(roster_find_live(roster, "vm-a", 2 * NOW));

	add_card(roster, "41", "vm-a", 3); /* both count until it is used */
	assert_int_equal(state_of(roster, "40", NOW), ROSTER_VALID);
	assert_true(roster_is_newest(roster, roster_find_card(roster, "40")));
	use(roster, "41", NOW + 10);
	assert_false(roster_is_newest(roster, roster_find_card(roster, "40")));
	assert_int_equal(state_of(roster, "40", NOW + 2009), ROSTER_VALID);
	assert_int_equal(state_of(roster, "40", NOW + 2010), ROSTER_REPLACED);
	assert_string_equal(roster_find_live(roster, "vm-a", NOW)->line.id, "41");

	assert_true(roster_edit_revoke(path, "vm-a", NOW, &revoked, &err));
	assert_int_equal(revoked.cards, 2);
	assert_true(roster_refresh(roster, &err)); /* without a new start */
	assert_int_equal(state_of(roster, "41", NOW), ROSTER_REVOKED);
	assert_int_equal(roster_revoked_ms(roster, "vm-a"), NOW);
	assert_int_equal(state_of(roster, "50", NOW), ROSTER_VALID);
	add_card(roster, "42", "vm-a", 4); /* enrolled again, by a clock that went back */
	assert_int_equal(state_of(roster, "42", NOW - 5), ROSTER_VALID);
	assert_true(roster_edit_revoke(path, "50", NOW, &revoked, &err));
	assert_int_equal(revoked.cards, 1);
	assert_true(roster_refresh(roster, &err));
	assert_int_equal(state_of(roster, "50", NOW), ROSTER_REVOKED);
	roster_free(roster);
	roster = roster_open(path, &err); /* a reader from the start sees the same */
	assert_int_equal(state_of(roster, "40", NOW), ROSTER_REVOKED);
	assert_int_equal(state_of(roster, "42", NOW), ROSTER_VALID);
	assert_int_equal(roster_cards(roster), 4);
	roster_free(roster);
}

static void
test_tokens(void **state)
{
	char               text[ROSTER_TOKEN_ROOM], wrong[ROSTER_TOKEN_ROOM + 1];
	struct roster_line line = { .agent = "", .network = "n", .uses = 2, .ends_ms = 9 };
	struct roster     *roster;
	const struct roster_token *token;
	struct roster_revoked      revoked;
	struct stat                facts;
	struct err                 err = { 0 };
	struct roster_line         card;

	assert_true(roster_edit_create(path, &line, NOW, text, &err));
	assert_int_equal(stat(path, &facts), 0);
	assert_int_equal(facts.st_mode & 0777, 0600);
	roster = roster_open(path, &err);
	token = roster_find_token(roster, text);
	assert_non_null(token);
	for (size_t i = 0; i < strlen(text); i++) {
		memcpy(wrong, text, sizeof(text));
		wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
		assert_null(roster_find_token(roster, wrong));
		wrong[i] = '\0';
		assert_null(roster_find_token(roster, wrong));
	}
	card = (struct roster_line){ .kind = ROSTER_CARD,
		.agent = "vm-a",
		.from = token->line.id,
		.digest = { 1 },
		.ends_ms = NOW };
	card.id = "40";
	add(roster, card);
	card.id = "41"; /* the same key: the same use */
	add(roster, card);
	assert_int_equal(roster_find_token(roster, text)->used, 1);
	card.id = "42";
	card.digest[0] = 2;
	add(roster, card);
	assert_int_equal(roster_find_token(roster, text)->used, 2);
	snprintf(wrong, sizeof(wrong), "%.12s", text + strlen(ROSTER_TOKEN_PREFIX));
	assert_true(roster_edit_revoke_token(path, wrong, NOW, &revoked, &err));
	assert_int_equal(revoked.tokens, 1);
	assert_true(roster_refresh(roster, &err));
	assert_true(roster_find_token(roster, text)->revoked);
	assert_true(roster_edit_revoke_token(path, "000000000000", NOW, &revoked, &err));
	assert_int_equal(revoked.tokens, 0);
	roster_free(roster);
}

/* Uses are found by their keys, however many: also where two keys begin alike, from other tokens,
 * and in a file that is read as a whole. */
static void
test_many(void **state)
{
	enum { KEYS = 300 };
	struct roster *roster;
	struct err     err = { 0 };
	FILE          *file = fopen(path, "a");

	assert_non_null(file);
	for (int token = 0; token < 2; token++)
		fprintf(file, "token 00000000000%d - - %s 1 2 1000 0\n", token, DIGEST);
	for (int i = 0; i < 3 * KEYS; i++)
		fprintf(file, "card %06x vm-%d - 0011223344556677%048x 1 2 00000000000%d\n", i,
		    i % KEYS, i % KEYS, i < 2 * KEYS ? 0 : 1);
	assert_int_equal(fclose(file), 0);
	roster = roster_open(path, &err);
	assert_non_null(roster);
	assert_int_equal(roster_cards(roster), 3 * KEYS);
	assert_int_equal(roster_token_at(roster, 0)->used, KEYS);
	assert_int_equal(roster_token_at(roster, 1)->used, KEYS);
	roster_free(roster);
}

static void
append_text(const char *text)
{
	FILE *file = fopen(path, "a");

	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A crash has cut a line short: it was never told of, and the next one takes its place. */
static void
test_cut_short(void **state)
{
	struct roster *roster = roster_open(path, NULL);
	struct err     err = { 0 };

	add_card(roster, "40", "vm-a", 1);
	append_text("revoke-agent vm");
	assert_true(roster_refresh(roster, &err));
	assert_int_equal(state_of(roster, "40", NOW), ROSTER_VALID);
	add_card(roster, "41", "vm-a", 2);
	assert_int_equal(roster_cards(roster), 2);
	roster_free(roster);
	roster = roster_open(path, &err);
	assert_non_null(roster);
	assert_int_equal(roster_cards(roster), 2);
	roster_free(roster);
}

/* What was known stays in force, and the reason is told. */
static void
test_broken(void **state)
{
	struct roster *roster = roster_open(path, NULL);
	struct err     err = { 0 };

	add_card(roster, "40", "vm-a", 1);
	append_text("half a line\n");
	assert_false(roster_refresh(roster, &err));
	assert_non_null(strstr(err.text, "at byte"));
	assert_false(roster_is_current(roster));
	assert_int_equal(state_of(roster, "40", NOW), ROSTER_VALID);
	assert_false(roster_begin(roster, &err)); /* nothing is built on what cannot be read */
	assert_null(roster_open(path, &err));
	roster_free(roster);
}

/* Four write at once; no line is lost or torn. */
static void
test_writers(void **state)
{
	enum { WRITERS = 4, LINES = 40 };
	struct roster *roster;
	pid_t          children[WRITERS];

	for (int writer = 0; writer < WRITERS; writer++) {
		children[writer] = fork();
		if (children[writer] != 0)
			continue;
		roster = roster_open(path, NULL);
		for (int i = 0; i < LINES; i++) {
			char serial[20];

			snprintf(serial, sizeof(serial), "%02x%02x", writer, i);
			add_card(roster, serial, "vm-a", (uint8_t)i);
		}
		roster_free(roster);
		_exit(0);
	}
	for (int writer = 0; writer < WRITERS; writer++) {
		int status;

		assert_int_equal(waitpid(children[writer], &status, 0), children[writer]);
		assert_int_equal(status, 0);
	}
	roster = roster_open(path, NULL);
	assert_non_null(roster);
	assert_int_equal(roster_cards(roster), WRITERS * LINES);
	roster_free(roster);
}

/* Only what ended long ago goes, and revocations stay. */
static void
test_compact(void **state)
{
	struct roster *roster = roster_open(path, NULL), *other;
	struct wbuf    out;
	struct err     err = { 0 };
	FILE          *file;

	wbuf_init(&out);
	for (unsigned i = 0; i < 12000; i++)
		wbuf_printf(&out, "card %08x vm-%u - " DIGEST " 1 %d renewal\n", i, i % 100,
		    i < 11000 ? 10 : 10 * NOW);
	wbuf_puts(&out, "used 00002ee0 5\nrevoke-agent vm-7 5\nrevoke-card 00002edf 6\n");
	file = fopen(path, "w");
	assert_int_equal(fwrite(out.bytes, 1, out.count, file), out.count);
	fclose(file);
	wbuf_fini(&out);
	assert_true(roster_refresh(roster, &err));
	other = roster_open(path, &err);
	assert_int_equal(roster_cards(other), 12000);
	assert_true(roster_compact(roster, NOW, &err));
	assert_int_equal(roster_cards(roster), 1000);
	assert_true(roster_refresh(other, &err)); /* another file now */
	assert_int_equal(roster_cards(other), 1000);
	for (size_t i = 0; i < 1000; i++) {
		const struct roster_card *card = roster_card_at(other, i);
		bool                      revoked = strcmp(card->line.agent, "vm-7") == 0 ||
		    strcmp(card->line.id, "00002edf") == 0;

		assert_int_equal(card->revoked, revoked);
	}
	assert_int_equal(roster_revoked_ms(other, "vm-7"), 5);
	roster_free(roster);
	roster_free(other);
}

/* Who holds the lock and does not give it back holds up nobody for ever. */
static void
test_held(void **state)
{
	struct roster *roster = roster_open(path, NULL), *other = roster_open(path, NULL);
	struct err     err = { 0 };
	int64_t        began_us = clock_mono_us(clock_system());

	roster_be_patient(other, 50);
	assert_true(roster_begin(roster, &err));
	assert_false(roster_begin(other, &err));
	assert_non_null(strstr(err.text, "held by another process"));
	assert_in_range(clock_mono_us(clock_system()) - began_us, 50000, 2000000);
	roster_end(roster);
	assert_true(roster_begin(other, &err));
	roster_end(other);
	roster_free(roster);
	roster_free(other);
}

static int
set_up(void **state)
{
	dir = support_dir_new();
	path = mem_printf("%s/roster", dir);
	return 0;
}

static int
tear_down(void **state)
{
	support_dir_free(dir);
	free(path);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_cut_short, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_broken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_writers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_compact, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_held, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
