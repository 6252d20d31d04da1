#include "collector/readers_command.h"

#include "base/clock.h"
#include "base/conf_unit.h"
#include "collector/command.h"
#include "collector/readers_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LINE_ROOM = PASSWORD_MOST + 3 };

static const int64_t life_most_ms = 3650 * MS_PER_DAY;

/* A line of standard input without its end; false where there is none, or it is too long. */
static bool
read_line(char *line, struct err *err)
{
	size_t count;

	if (fgets(line, LINE_ROOM, stdin) == NULL)
		return err_set(err, ERR_USAGE, "no password on standard input");
	count = strcspn(line, "\r\n");
	if (line[count] == '\0' && count == LINE_ROOM - 1)
		return err_set(err, ERR_USAGE, "a password of at most %d characters wanted",
		    PASSWORD_MOST);
	line[count] = '\0';
	return true;
}

/* Without echo, and without signals: whoever interrupted us would be left with a silent terminal. */
static bool
ask(const char *question, char *line, struct err *err)
{
	struct termios before, quiet;
	bool           known = tcgetattr(STDIN_FILENO, &before) == 0, good;

	if (!known)
		return err_errno(err, "the terminal");
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	fputs(question, stderr);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) != 0)
		return err_errno(err, "the terminal");
	good = read_line(line, err);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	return good;
}

static bool
ask_twice(char *line, struct err *err)
{
	char again[LINE_ROOM];
	bool good = ask("Password: ", line, err) && password_check(line, err) &&
	    ask("Once more: ", again, err);

	if (good && strcmp(line, again) != 0)
		good = err_set(err, ERR_USAGE, "the two are not the same");
	digest_wipe(again, sizeof(again));
	return good;
}

static int
name_code(const struct err *err)
{
	return err->kind == ERR_USAGE ? COMMAND_USAGE : COMMAND_FAILED;
}

int
readers_command_add(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	char                  password[LINE_ROOM];
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		bool asked = isatty(STDIN_FILENO) ? ask_twice(password, &err)
		                                  : read_line(password, &err);

		if (asked &&
		    readers_edit_person(conf.readers, words->operands[0], password,
		        words->replace, clock_wall_ms(clock_system()), &err))
			code = COMMAND_WELL;
		else
			code = words_complain(&err, name_code(&err));
		digest_wipe(password, sizeof(password));
	}
	arena_free(arena);
	return code;
}

int
readers_command_list(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	struct readers       *readers = NULL;
	char                  since[CLOCK_TEXT];
	bool                  good = words_read_conf(&conf, arena, words);

	if (good) {
		readers = readers_open(conf.readers, &err);
		good = readers != NULL;
		if (!good)
			words_complain(&err, COMMAND_FAILED);
	}
	if (good)
		printf("%-32s  %s\n", "USER", "SINCE");
	for (size_t i = 0; good && i < readers_count(readers); i++) {
		const struct reader *reader = readers_at(readers, i);

		if (reader->person)
			printf("%-32s  %s\n", reader->name,
			    clock_render(reader->made_ms, since, sizeof(since)));
	}
	readers_free(readers);
	arena_free(arena);
	return good ? COMMAND_WELL : COMMAND_FAILED;
}

int
readers_command_remove(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	size_t                ended = 0;
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		if (!readers_edit_end_person(conf.readers, words->operands[0], &ended, &err))
			words_complain(&err, COMMAND_FAILED);
		else if (ended == 0)
			fprintf(stderr, "plprobe-collector: there is no user %s\n",
			    words->operands[0]);
		else
			code = COMMAND_WELL;
	}
	arena_free(arena);
	return code;
}

/* 0: never. */
static bool
read_end(int64_t *ends_ms, const struct words *words, int64_t now_ms, struct err *err)
{
	int64_t life_ms = 0;

	*ends_ms = 0;
	if (words->expires == NULL)
		return true;
	if (!conf_unit_parse(&life_ms, CONF_MS, words->expires, err))
		return err_in(err, "--expires");
	if (life_ms < MS_PER_S || life_ms > life_most_ms)
		return err_set(err, ERR_USAGE, "--expires: 1s to 3650d wanted");
	*ends_ms = now_ms + life_ms;
	return true;
}

int
readers_command_token(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct err            err = { 0 };
	int64_t               now_ms = clock_wall_ms(clock_system()), ends_ms;
	char                  token[READERS_TOKEN_ROOM];
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		if (read_end(&ends_ms, words, now_ms, &err) &&
		    readers_edit_token(
		        conf.readers, words->operands[0], now_ms, ends_ms, token, &err)) {
			puts(token);
			code = COMMAND_WELL;
		} else {
			code = words_complain(&err, name_code(&err));
		}
		digest_wipe(token, sizeof(token));
	}
	arena_free(arena);
	return code;
}
