/* log: lines for the person who is woken by them.
 *
 * Only agent/ and collector/ log; everything below returns an err.  logfmt or JSON on stderr;
 * under journald (JOURNAL_STREAM set and matching) without a time stamp of our own.  `warn`
 * means that somebody should act.  Equal lines are held back for a while and counted: the next
 * one that is written says held=N.  A line is one write(2), which never waits: what a full pipe
 * does not take is lost, and the next line says lost=N.  Any thread may log.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_LOGFMT, LOG_FORMAT_JSON };

/* program is written with every line as who=...; copied.  May be called again, after fork(). */
void log_open(const char *program, enum log_level least, enum log_format format);
bool log_level_parse(enum log_level *level, const char *text, struct err *err) MUST_CHECK;
bool log_format_parse(enum log_format *format, const char *text, struct err *err) MUST_CHECK;
/* Whether that would be read: for a row of settings (base/conf.h). */
bool log_level_check(const char *text, struct err *err);
bool log_format_check(const char *text, struct err *err);

/* Writes what is still held back.  Before the program ends; logging goes on to work. */
void log_flush(void);

/* Replaces the clock that dates lines and ends the holding back; borrowed, outlives all logging. */
struct clock;
void log_clock(const struct clock *clock);

/* area is a short fixed word ("spool", "ingest"); the message says the subject and what happens
 * next.  Values from the network must have passed text_sane(). */
void log_debug(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warn(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);
void log_error(const char *area, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
