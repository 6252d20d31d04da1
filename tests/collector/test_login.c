/* Who is let in, how often somebody may be wrong, and what a comparison is spared. */
#include "collector/login.h"

#include "base/base64.h"
#include "base/file.h"
#include "collector/readers_edit.h"
#include "collector/strikes.h"
#include "tests/support/support_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MANY = 64 };

static const char right[] = "correct horse battery";

struct fixture {
	char             *dir, *path;
	struct loop      *loop;
	struct clock_hand hand;
	struct readers   *readers;
	struct login     *login;
};

/* What came of one that was asked for. */
struct heard {
	unsigned            count;
	struct login_answer answer;
};

static void
on_over(void *arg, const struct login_answer *answer)
{
	struct heard *heard = arg;

	heard->count++;
	heard->answer = *answer;
}

/* With the cheapest hash that is taken, since nothing here is about how slow it is. */
static void
write_people(const char *path, const char *password)
{
	static const struct digest_cost cheap = { 14, 8, 1 };
	struct reader ann = { .person = true, .name = "ann", .id = "", .made_ms = 1 };
	struct wbuf   out;

	assert_true(password_make(&ann.password, password, &cheap, NULL));
	wbuf_init(&out);
	readers_write(&out, &ann);
	assert_true(file_replace(path, out.bytes, out.count, 0600, NULL));
	wbuf_fini(&out);
}

static int
set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err      err = { 0 };

	*state = f;
	f->dir = support_dir_new();
	f->path = mem_printf("%s/readers", f->dir);
	clock_hand_init(&f->hand, 1000000);
	clock_hand_wind(&f->hand, 1000 * US_PER_S);
	write_people(f->path, right);
	f->loop = loop_new(&err);
	f->readers = readers_open(f->path, &err);
	assert_non_null(f->readers);
	f->login = login_new(f->loop, &f->hand.clock, f->readers, &err);
	assert_non_null(f->login);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	login_free(f->login);
	readers_free(f->readers);
	loop_free(f->loop);
	support_dir_free(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void
start(struct fixture *f, const char *from, const char *authorization, struct heard *heard)
{
	struct addr addr;

	*heard = (struct heard){ 0 };
	assert_true(addr_parse(&addr, from, 0, NULL));
	login_ask(f->login, &addr, authorization, on_over, heard);
}

static enum login_outcome
wait_for(struct fixture *f, struct heard *heard)
{
	while (heard->count == 0)
		loop_run_once(f->loop, true);
	assert_int_equal(heard->count, 1);
	return heard->answer.outcome;
}

static void
write_basic(char *header, size_t room, const char *name, const char *password)
{
	char both[400], text[BASE64_ROOM(sizeof(both))];
	int  count = snprintf(both, sizeof(both), "%s:%s", name, password);

	base64_encode((const uint8_t *)both, (size_t)count, text);
	snprintf(header, room, "Basic %s", text);
}

static void
start_basic(struct fixture *f, const char *from, const char *name, const char *password,
    struct heard *heard)
{
	char header[700];

	write_basic(header, sizeof(header), name, password);
	start(f, from, header, heard);
}

static enum login_outcome
ask_basic(struct fixture *f, const char *from, const char *name, const char *password)
{
	struct heard heard;

	start_basic(f, from, name, password, &heard);
	return wait_for(f, &heard);
}

/* Whether an answer is there at once, without a comparison. */
static bool
is_spared(struct fixture *f, const char *from, const char *password)
{
	struct heard heard;
	bool         spared;

	start_basic(f, from, "ann", password, &heard);
	spared = heard.count == 1;
	wait_for(f, &heard);
	return spared && heard.answer.outcome == LOGIN_WELL;
}

static enum login_outcome
ask(struct fixture *f, const char *from, const char *authorization)
{
	struct heard heard;

	start(f, from, authorization, &heard);
	return wait_for(f, &heard);
}

static void
test_passwords(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask_basic(f, "10.0.0.1", "ann", right), LOGIN_WELL);
	assert_int_equal(ask_basic(f, "10.0.0.1", "ann", "wrong horse battery"), LOGIN_WRONG);
	assert_int_equal(ask_basic(f, "10.0.0.1", "ann", ""), LOGIN_WRONG);
	assert_int_equal(ask_basic(f, "10.0.0.1", "Ann", right), LOGIN_WRONG);
	assert_int_equal(ask_basic(f, "10.0.0.1", "", right), LOGIN_WRONG);
	assert_int_equal(ask_basic(f, "10.0.0.1", "bob", right), LOGIN_WRONG);
}

static void
test_headers(void **state)
{
	static const struct {
		const char        *text;
		enum login_outcome outcome;
	} cases[] = {
		{ NULL, LOGIN_NOBODY },
		{ "", LOGIN_NOBODY },
		{ "Basic", LOGIN_NOBODY },
		{ "Negotiate YII=", LOGIN_NOBODY },
		{ "Basically YW5uOmFubg==", LOGIN_NOBODY },
		{ "Basic ", LOGIN_WRONG },
		{ "Basic !!!", LOGIN_WRONG },
		{ "Basic YW5u", LOGIN_WRONG },          /* "ann" */
		{ "Basic YW5uADph", LOGIN_WRONG },      /* "ann", a NUL, ":a" */
		{ "bAsIc  YW5uOmFubg==", LOGIN_WRONG }, /* "ann:ann" */
		{ "Bearer ", LOGIN_WRONG },
		{ "Bearer read-", LOGIN_WRONG },
		{ "bearer 0123456789ab.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		    LOGIN_WRONG },
	};
	struct fixture *f = *state;
	char           *long_one = mem_alloc(3000);
	char            from[ADDR_TEXT];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(from, sizeof(from), "10.0.1.%zu", i + 1);
		if (ask(f, from, cases[i].text) != cases[i].outcome)
			fail_msg("'%s'", cases[i].text);
	}
	memset(long_one, 'A', 2999);
	long_one[2999] = '\0';
	memcpy(long_one, "Basic ", 6);
	assert_int_equal(ask(f, "10.0.2.1", long_one), LOGIN_WRONG);
	free(long_one);
}

static void
test_tokens(void **state)
{
	struct fixture *f = *state;
	char            token[READERS_TOKEN_ROOM], other[READERS_TOKEN_ROOM];
	char            header[READERS_TOKEN_ROOM + 20];

	assert_true(readers_edit_token(f->path, "prom", 1, 0, token, NULL));
	assert_true(readers_edit_token(
	    f->path, "old", 1, clock_wall_ms(&f->hand.clock) + 1000, other, NULL));
	snprintf(header, sizeof(header), "Bearer %s", token);
	assert_int_equal(ask(f, "10.0.0.1", header), LOGIN_WELL);
	snprintf(header, sizeof(header), "Basic %s", token);
	assert_int_equal(ask(f, "10.0.0.1", header), LOGIN_WRONG);
	snprintf(header, sizeof(header), "Bearer %s", other);
	assert_int_equal(ask(f, "10.0.0.1", header), LOGIN_WELL);
	clock_hand_wind(&f->hand, 1000 * US_PER_MS);
	assert_int_equal(ask(f, "10.0.0.1", header), LOGIN_WRONG);
}

/* One comparison for minutes; for who shows the same from the same place, and as long as it is what
 * the file says. */
static void
test_remembered(void **state)
{
	struct fixture *f = *state;

	assert_false(is_spared(f, "10.0.0.1", right));
	assert_true(is_spared(f, "10.0.0.1", right));
	assert_false(is_spared(f, "10.0.0.1", "wrong horse battery"));
	assert_false(is_spared(f, "10.0.0.2", right));
	clock_hand_wind(&f->hand, 4 * 60 * US_PER_S);
	assert_true(is_spared(f, "10.0.0.1", right));
	clock_hand_wind(&f->hand, 61 * US_PER_S);
	assert_false(is_spared(f, "10.0.0.1", right));
	assert_true(is_spared(f, "10.0.0.1", right));
	/* A new hash of the same password is another one. */
	write_people(f->path, right);
	assert_false(is_spared(f, "10.0.0.1", right));
	write_people(f->path, "another one!");
	assert_int_equal(ask_basic(f, "10.0.0.1", "ann", right), LOGIN_WRONG);
}

static void
test_removed_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct heard    heard;
	size_t          ended;

	start_basic(f, "10.0.0.1", "ann", right, &heard);
	assert_int_equal(heard.count, 0);
	assert_true(readers_edit_end_person(f->path, "ann", &ended, NULL));
	readers_look(f->readers);
	assert_int_equal(wait_for(f, &heard), LOGIN_WRONG);
	assert_int_equal(ask_basic(f, "10.0.0.1", "ann", right), LOGIN_WRONG);
}

/* A page asks for many things at once. */
static void
test_at_once(void **state)
{
	struct fixture *f = *state;
	struct heard    heard[MANY];

	for (int i = 0; i < MANY; i++)
		start_basic(f, "10.0.0.1", "ann", right, &heard[i]);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(wait_for(f, &heard[i]), LOGIN_WELL);
}

static void
test_wrong_too_often(void **state)
{
	struct fixture *f = *state;
	char            token[READERS_TOKEN_ROOM], header[READERS_TOKEN_ROOM + 20];
	struct heard    heard;

	assert_true(readers_edit_token(f->path, "prom", 1, 0, token, NULL));
	assert_int_equal(ask_basic(f, "10.0.0.1", "ann", right), LOGIN_WELL);
	assert_int_equal(ask_basic(f, "10.0.0.9", "ann", right), LOGIN_WELL);
	for (int i = 0; i < STRIKES_EACH; i++)
		assert_int_equal(ask(f, "10.0.0.1", "Bearer x"), LOGIN_WRONG);
	start_basic(f, "10.0.0.1", "ann", "wrong horse battery", &heard);
	assert_int_equal(heard.count, 1); /* nothing is compared */
	assert_int_equal(heard.answer.outcome, LOGIN_LATER);
	assert_int_equal(heard.answer.wait_s, 30);
	/* The right one looks no different, though it is remembered: else that would be a way to ask. */
	start_basic(f, "10.0.0.1", "ann", right, &heard);
	assert_int_equal(heard.count, 1);
	assert_int_equal(heard.answer.outcome, LOGIN_LATER);
	assert_int_equal(ask(f, "10.0.0.1", "Bearer x"), LOGIN_LATER);
	/* Somebody else is not held up, and a token cannot be guessed. */
	assert_true(is_spared(f, "10.0.0.9", right));
	snprintf(header, sizeof(header), "Bearer %s", token);
	assert_int_equal(ask(f, "10.0.0.1", header), LOGIN_WELL);
	clock_hand_wind(&f->hand, 30 * US_PER_S);
	assert_true(is_spared(f, "10.0.0.1", right));
}

/* Many at once are no way around the bound, and what waits is bounded too. */
static void
test_wrong_at_once(void **state)
{
	struct fixture *f = *state;
	struct heard    heard[MANY];
	unsigned        counts[LOGIN_OUTCOMES] = { 0 };
	char            password[40];

	for (int i = 0; i < MANY; i++) {
		snprintf(password, sizeof(password), "wrong horse %d", i);
		start_basic(f, "10.0.0.1", "ann", password, &heard[i]);
	}
	for (int i = 0; i < MANY; i++)
		counts[wait_for(f, &heard[i])]++;
	assert_int_equal(counts[LOGIN_WRONG], STRIKES_EACH);
	assert_int_equal(counts[LOGIN_LATER], MANY - STRIKES_EACH);
}

static void
test_many_places_at_once(void **state)
{
	struct fixture *f = *state;
	struct heard    heard[MANY];
	unsigned        counts[LOGIN_OUTCOMES] = { 0 };
	char            from[ADDR_TEXT];

	for (int i = 0; i < MANY; i++) {
		snprintf(from, sizeof(from), "10.9.0.%d", i + 1);
		start_basic(f, from, "ann", "wrong horse battery", &heard[i]);
	}
	for (int i = 0; i < MANY; i++)
		counts[wait_for(f, &heard[i])]++;
	assert_int_equal(counts[LOGIN_WRONG], 16);
	assert_int_equal(counts[LOGIN_BUSY], MANY - 16);
}

/* Whoever waits when the program ends is told so. */
static void
test_end(void **state)
{
	struct fixture *f = *state;
	struct heard    heard[3];

	start_basic(f, "10.0.0.1", "ann", right, &heard[0]);
	start_basic(f, "10.0.0.1", "ann", right, &heard[1]);
	start_basic(f, "10.0.0.1", "ann", "wrong horse battery", &heard[2]);
	login_free(f->login);
	f->login = NULL;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(heard[i].count, 1);
		assert_int_equal(heard[i].answer.outcome, LOGIN_BUSY);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_passwords, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_headers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_remembered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_removed_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_too_often, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_wrong_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_places_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_end, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
