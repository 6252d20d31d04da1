#include "base/date.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SECONDS_PER_DAY = 24 * 60 * 60 };

/* 'd' a digit, 'a' a letter, all else itself. */
static bool
fits(const char *text, const char *form)
{
	for (; *form != '\0'; text++, form++) {
		bool digit = *text >= '0' && *text <= '9';
		bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');

		if (*form == 'd' ? !digit : *form == 'a' ? !letter : *text != *form)
			return false;
	}
	return *text == '\0';
}

static int
read_digits(const char *text, int count)
{
	int value = 0;

	while (count-- > 0)
		value = value * 10 + (*text++ - '0');
	return value;
}

/* 1 to 12; 0: none. */
static int
read_month(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int month = 0; month < 12; month++) {
		if (strncmp(text, months + 3 * month, 3) == 0)
			return month + 1;
	}
	return 0;
}

/* Days from 1970-01-01 in the Gregorian calendar; the year begins in March, so that the day that
 * comes and goes is its last. */
static int64_t
count_days(int year, int month, int day)
{
	int from_march = (month + 9) % 12;
	int y = month < 3 ? year - 1 : year;

	return INT64_C(365) * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day -
	    1 - 719468;
}

bool
date_parse(int64_t *wall_s, const char *text)
{
	int day, month, year, hour, minute, second;

	if (text == NULL || !fits(text, "aaa, dd aaa dddd dd:dd:dd GMT"))
		return false;
	day = read_digits(text + 5, 2);
	month = read_month(text + 8);
	year = read_digits(text + 12, 4);
	hour = read_digits(text + 17, 2);
	minute = read_digits(text + 20, 2);
	second = read_digits(text + 23, 2);
	if (day < 1 || day > 31 || month == 0 || year < 1970 || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	*wall_s = count_days(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 +
	    second;
	return true;
}

void
date_render(char text[DATE_TEXT], int64_t wall_ms)
{
	static const char    days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char    months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		   "Aug", "Sep", "Oct", "Nov", "Dec" };
	static const int64_t last_s = INT64_C(253402300799); /* the end of 9999 */

	int64_t   wall_s = wall_ms / MS_PER_S;
	time_t    at = wall_s < 0 ? 0 : wall_s > last_s ? last_s : wall_s;
	struct tm tm;

	gmtime_r(&at, &tm);
	snprintf(text, DATE_TEXT, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7],
	    (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
	    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}
