#include "probe/tables/tables_spec.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t most_ms = 253402300799999; /* the last millisecond of the year 9999 */

/* Not by strftime(3): the program speaks the user's language, and HTTP does not. */
static void
write_date(char date[TABLES_DATE_ROOM], int64_t now_ms)
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t            now = (time_t)(now_ms / 1000);
	struct tm         tm;

	gmtime_r(&now, &tm);
	snprintf(date, TABLES_DATE_ROOM, "%s, %02u %s %04u %02u:%02u:%02u GMT",
	    days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
	    (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

bool
tables_spec_make(struct tables_spec *spec, const char *host, int64_t now_ms, struct err *err)
{
	if (!head_host_check(host, err))
		return false;
	if (now_ms < 0 || now_ms > most_ms)
		return err_set(err, ERR_LIMIT, "the clock shows no date that can be written");
	strcpy(spec->host, host);
	write_date(spec->date, now_ms);
	return true;
}

/* What the clients of the vendor send, but for the authorization [cosmos-table]. */
void
tables_request_put(struct wbuf *out, const struct tables_spec *spec)
{
	wbuf_printf(out,
	    "GET /Tables HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "Accept: application/json;odata=minimalmetadata\r\n"
	    "x-ms-version: 2019-02-02\r\n"
	    "DataServiceVersion: 3.0\r\n"
	    "x-ms-date: %s\r\n"
	    "User-Agent: plprobe\r\n"
	    "Connection: close\r\n\r\n",
	    spec->host, spec->date);
}
