#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/wbuf.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MESSAGE_MAX = 2048, /* with its escapes a line stays near PIPE_BUF */
	WHO_MAX = 64,
	AREA_MAX = 32,
	RECENT_MAX = 16
};

static const int64_t hold_us = 30 * US_PER_S;

static const char *const level_names[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_names[] = { "logfmt", "json", NULL };

/* A line that was written a short while ago. */
struct recent {
	bool           used;
	enum log_level level;
	char           area[AREA_MAX];
	char           message[MESSAGE_MAX];
	int64_t        written_us;
	unsigned       held;
};

static struct {
	pthread_mutex_t     lock;
	char                who[WHO_MAX];
	enum log_level      least;
	enum log_format     format;
	bool                journal; /* the reader puts its own time stamp */
	const struct clock *clock;
	struct recent       recent[RECENT_MAX];
	unsigned            lost; /* lines that nobody took, since the last that was taken */
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .who = "plprobe", .least = LOG_LEVEL_INFO };

/* Whether stderr is the stream that systemd gave us (systemd.exec(5), JOURNAL_STREAM). */
static bool
is_journal(void)
{
	const char        *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat        seen;

	if (stream == NULL || sscanf(stream, "%llu:%llu", &device, &inode) != 2)
		return false;
	if (fstat(STDERR_FILENO, &seen) != 0)
		return false;
	return seen.st_dev == device && seen.st_ino == inode;
}

void
log_open(const char *program, enum log_level least, enum log_format format)
{
	pthread_mutex_lock(&state.lock);
	snprintf(state.who, sizeof(state.who), "%s", program);
	state.least = least;
	state.format = format;
	state.journal = is_journal();
	pthread_mutex_unlock(&state.lock);
}

void
log_clock(const struct clock *clock)
{
	pthread_mutex_lock(&state.lock);
	state.clock = clock;
	pthread_mutex_unlock(&state.lock);
}

static bool
find_word(const char *const *words, const char *text, unsigned *at)
{
	for (*at = 0; words[*at] != NULL; (*at)++) {
		if (strcmp(words[*at], text) == 0)
			return true;
	}
	return false;
}

bool
log_level_parse(enum log_level *level, const char *text, struct err *err)
{
	unsigned at;

	if (!find_word(level_names, text, &at))
		return err_set(
		    err, ERR_USAGE, "log level '%s': debug, info, warn or error wanted", text);
	*level = (enum log_level)at;
	return true;
}

bool
log_format_parse(enum log_format *format, const char *text, struct err *err)
{
	unsigned at;

	if (!find_word(format_names, text, &at))
		return err_set(err, ERR_USAGE, "log format '%s': logfmt or json wanted", text);
	*format = (enum log_format)at;
	return true;
}

bool
log_level_check(const char *text, struct err *err)
{
	enum log_level level;

	return log_level_parse(&level, text, err);
}

bool
log_format_check(const char *text, struct err *err)
{
	enum log_format format;

	return log_format_parse(&format, text, err);
}

/* Quoted as in JSON, which logfmt's readers take as well. */
static void
put_quoted(struct wbuf *line, const char *text)
{
	size_t   left = strlen(text), width;
	uint32_t point = 0;

	wbuf_u8(line, '"');
	for (; left > 0; text += width, left -= width) {
		width = text_point(text, left, &point);
		if (width == 0) {
			wbuf_u8(line, '?');
			width = 1;
		} else if (point == '"' || point == '\\') {
			wbuf_printf(line, "\\%c", (int)point);
		} else if (point == '\n') {
			wbuf_puts(line, "\\n");
		} else if (point < 0x20 || (point >= 0x7f && point < 0xa0)) {
			wbuf_printf(line, "\\u%04x", (unsigned)point);
		} else {
			wbuf_put(line, text, width);
		}
	}
	wbuf_u8(line, '"');
}

static const struct clock *
get_clock(void)
{
	return state.clock != NULL ? state.clock : clock_system();
}

static void
put_logfmt(struct wbuf *line, const struct recent *what, const char *time)
{
	if (!state.journal)
		wbuf_printf(line, "ts=%s ", time);
	wbuf_printf(line, "level=%s msg=", level_names[what->level]);
	put_quoted(line, what->message);
	wbuf_printf(line, " area=%s who=%s", what->area, state.who);
	if (what->held != 0)
		wbuf_printf(line, " held=%u", what->held);
	if (state.lost != 0)
		wbuf_printf(line, " lost=%u", state.lost);
	wbuf_puts(line, "\n");
}

static void
put_json(struct wbuf *line, const struct recent *what, const char *time)
{
	wbuf_puts(line, "{");
	if (!state.journal)
		wbuf_printf(line, "\"ts\":\"%s\",", time);
	wbuf_printf(line, "\"level\":\"%s\",\"msg\":", level_names[what->level]);
	put_quoted(line, what->message);
	wbuf_puts(line, ",\"area\":");
	put_quoted(line, what->area);
	wbuf_puts(line, ",\"who\":");
	put_quoted(line, state.who);
	if (what->held != 0)
		wbuf_printf(line, ",\"held\":%u", what->held);
	if (state.lost != 0)
		wbuf_printf(line, ",\"lost\":%u", state.lost);
	wbuf_puts(line, "}\n");
}

/* A full pipe, a stopped terminal or a closed stderr must not stop the work that is logged. */
static void
put_out(const struct wbuf *line)
{
	struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&room, 1, 0) == 1 && write(STDERR_FILENO, line->bytes, line->count) > 0)
		state.lost = 0;
	else
		state.lost++;
}

/* Writes the line and begins to hold back its equals. */
static void
write_line(struct recent *what)
{
	struct wbuf line;
	char        time[CLOCK_TEXT];

	wbuf_init(&line);
	clock_render(clock_wall_ms(get_clock()), time, sizeof(time));
	if (state.format == LOG_FORMAT_JSON)
		put_json(&line, what, time);
	else
		put_logfmt(&line, what, time);
	put_out(&line);
	wbuf_fini(&line);
	what->held = 0;
	what->written_us = clock_mono_us(get_clock());
}

/* Tells the ends of what was held back; only those whose time is over, or all. */
static void
write_held(bool all)
{
	int64_t now_us = clock_mono_us(get_clock());

	for (unsigned i = 0; i < RECENT_MAX; i++) {
		struct recent *recent = &state.recent[i];

		if (recent->used && (all || now_us - recent->written_us >= hold_us)) {
			if (recent->held != 0)
				write_line(recent);
			else
				recent->used = false;
		}
	}
}

void
log_flush(void)
{
	pthread_mutex_lock(&state.lock);
	write_held(true);
	pthread_mutex_unlock(&state.lock);
}

static bool
is_equal(const struct recent *recent, const struct recent *what)
{
	return recent->used && recent->level == what->level &&
	    strcmp(recent->area, what->area) == 0 &&
	    strcmp(recent->message, what->message) == 0;
}

/* The place of the line that was written longest ago. */
static struct recent *
find_oldest(void)
{
	struct recent *oldest = &state.recent[0];

	for (unsigned i = 0; i < RECENT_MAX; i++) {
		if (!state.recent[i].used)
			return &state.recent[i];
		if (state.recent[i].written_us < oldest->written_us)
			oldest = &state.recent[i];
	}
	return oldest;
}

static void
take_line(const struct recent *what)
{
	struct recent *place;

	write_held(false);
	for (unsigned i = 0; i < RECENT_MAX; i++) {
		if (is_equal(&state.recent[i], what)) {
			state.recent[i].held++;
			return;
		}
	}
	place = find_oldest();
	if (place->used && place->held != 0)
		write_line(place);
	*place = *what;
	place->used = true;
	write_line(place);
}

static void PRINTF_LIKE(3, 0)
    log_line(enum log_level level, const char *area, const char *format, va_list args)
{
	struct recent what;
	bool          wanted;

	pthread_mutex_lock(&state.lock);
	wanted = level >= state.least;
	pthread_mutex_unlock(&state.lock);
	if (!wanted)
		return;
	what = (struct recent){ .level = level };
	vsnprintf(what.message, sizeof(what.message), format, args);
	snprintf(what.area, sizeof(what.area), "%s", area);
	pthread_mutex_lock(&state.lock);
	take_line(&what);
	pthread_mutex_unlock(&state.lock);
}

void
log_debug(const char *area, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_DEBUG, area, format, args);
	va_end(args);
}

void
log_info(const char *area, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_INFO, area, format, args);
	va_end(args);
}

void
log_warn(const char *area, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_WARN, area, format, args);
	va_end(args);
}

void
log_error(const char *area, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_ERROR, area, format, args);
	va_end(args);
}
