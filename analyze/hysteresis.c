#include "analyze/hysteresis.h"

#include <stdio.h>
#include <string.h>

bool
hysteresis_parse(struct hysteresis *rule, const char *text, struct err *err)
{
	unsigned bad = 0, of = 0;
	int      end = 0;

	if (sscanf(text, "%2u of %2u%n", &bad, &of, &end) != 2 || text[end] != '\0' ||
	    bad < 1 || bad > of || of > HYSTERESIS_LOOKS)
		return err_set(err, ERR_USAGE,
		    "'%s': want \"N of M\" with 1 <= N <= M <= %d, as in \"2 of 3\"", text,
		    HYSTERESIS_LOOKS);
	rule->bad = bad;
	rule->of = of;
	return true;
}

struct looks
looks_of(const char *text)
{
	struct looks looks = { "" };

	for (; *text != '\0'; text++) {
		if (*text == '!' || *text == '.')
			looks_add(&looks, *text == '!');
	}
	return looks;
}

void
looks_add(struct looks *looks, bool bad)
{
	size_t count = strlen(looks->text);

	if (count == HYSTERESIS_LOOKS) {
		memmove(looks->text, looks->text + 1, count);
		count--;
	}
	looks->text[count] = bad ? '!' : '.';
	looks->text[count + 1] = '\0';
}

void
looks_replace(struct looks *looks, bool bad)
{
	size_t count = strlen(looks->text);

	if (count > 0)
		looks->text[count - 1] = bad ? '!' : '.';
	else
		looks_add(looks, bad);
}

bool
looks_are_good(const struct looks *looks)
{
	return strchr(looks->text, '!') == NULL;
}

static unsigned
count_turns(const char *text)
{
	unsigned turns = 0;

	for (; text[0] != '\0' && text[1] != '\0'; text++)
		turns += text[0] != text[1];
	return turns;
}

static unsigned
count_good_at_end(const char *text)
{
	size_t   count = strlen(text);
	unsigned good = 0;

	while (good < count && text[count - 1 - good] == '.')
		good++;
	return good;
}

static unsigned
count_bad(const char *text, unsigned of)
{
	size_t   count = strlen(text);
	unsigned bad = 0;

	for (text += count > of ? count - of : 0; *text != '\0'; text++)
		bad += *text == '!';
	return bad;
}

static unsigned
at_least_one(unsigned number)
{
	return number > 0 ? number : 1;
}

enum life
hysteresis_judge(const struct hysteresis *rule, const struct looks *looks, bool confirmed)
{
	unsigned good = count_good_at_end(looks->text);
	bool     closes = good >= at_least_one(rule->good);

	/* Who wants the first look to decide wants no patience either. */
	if (at_least_one(rule->good) > 1 && count_turns(looks->text) >= HYSTERESIS_TURNS)
		return LIFE_FLAPPING;
	if (closes)
		return LIFE_CLOSED;
	if (confirmed ||
	    count_bad(looks->text, at_least_one(rule->of)) >= at_least_one(rule->bad))
		return LIFE_CONFIRMED;
	return LIFE_OPENED;
}

static const char *const names[] = { "opened", "confirmed", "flapping", "closed" };

const char *
life_name(enum life life)
{
	return names[life];
}

bool
life_parse(enum life *life, const char *name)
{
	for (int i = LIFE_OPENED; i <= LIFE_CLOSED; i++) {
		if (strcmp(names[i], name) == 0) {
			*life = (enum life)i;
			return true;
		}
	}
	return false;
}
