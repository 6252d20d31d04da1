#include "base/conf_unit.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

struct unit {
	const char *name; /* NULL ends a list */
	int64_t     worth;
};

/* Smallest first. */
static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };
static const struct unit ms_units[] = { { "ms", 1 }, { "s", MS_PER_S }, { "m", MS_PER_MIN },
	{ "h", MS_PER_HOUR }, { "d", MS_PER_DAY }, { NULL, 0 } };
static const struct unit byte_units[] = { { "B", 1 }, { "KiB", 1 << 10 }, { "MiB", 1 << 20 },
	{ "GiB", 1 << 30 }, { NULL, 0 } };

static const struct unit *
get_units(enum conf_type type)
{
	return type == CONF_MS ? ms_units : type == CONF_BYTES ? byte_units : no_units;
}

static const char *
get_wanted(enum conf_type type)
{
	return type == CONF_MS   ? "a whole number with ms, s, m, h or d, such as 30s"
	    : type == CONF_BYTES ? "a whole number with B, KiB, MiB or GiB, such as 64MiB"
	                         : "a whole number";
}

/* The digits at the front of text; returns what is behind them, NULL when they are too many. */
static const char *
read_digits(const char *text, int64_t *value)
{
	*value = 0;
	for (; *text >= '0' && *text <= '9'; text++) {
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, *text - '0', value))
			return NULL;
	}
	return text;
}

bool
conf_unit_parse(int64_t *value, enum conf_type type, const char *text, struct err *err)
{
	bool               negative = type == CONF_NUMBER && text[0] == '-';
	const char        *digits = text + negative;
	const char        *rest = read_digits(digits, value);
	const struct unit *unit = get_units(type);

	if (rest == NULL)
		return err_set(err, ERR_LIMIT, "'%s' is too large", text);
	if (rest == digits)
		return err_set(err, ERR_PARSE, "'%s': %s wanted", text, get_wanted(type));
	while (unit->name != NULL && strcmp(unit->name, rest) != 0)
		unit++;
	if (unit->name == NULL && *value == 0 && *rest == '\0')
		return true;
	if (unit->name == NULL)
		return err_set(err, ERR_PARSE, "'%s': %s wanted", text, get_wanted(type));
	if (__builtin_mul_overflow(*value, unit->worth, value))
		return err_set(err, ERR_LIMIT, "'%s' is too large", text);
	if (negative)
		*value = -*value;
	return true;
}

char *
conf_unit_render(int64_t value, enum conf_type type, char *text, size_t room)
{
	const struct unit *unit = get_units(type);

	while (value != 0 && unit[1].name != NULL && value % unit[1].worth == 0)
		unit++;
	snprintf(text, room, "%lld%s", (long long)(value / unit->worth), unit->name);
	return text;
}

bool
conf_ms_parse(int64_t *ms, const char *text, struct err *err)
{
	return conf_unit_parse(ms, CONF_MS, text, err);
}

bool
conf_bytes_parse(int64_t *bytes, const char *text, struct err *err)
{
	return conf_unit_parse(bytes, CONF_BYTES, text, err);
}
