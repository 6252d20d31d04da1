#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	va_list args;

	if (err == NULL)
		return false;
	err->kind = kind;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return false;
}

bool
err_errno(struct err *err, const char *format, ...)
{
	int     cause = errno;
	char    text[sizeof(err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(err, ERR_SYSTEM, "%s: %s", text, strerror(cause));
}

bool
err_in(struct err *err, const char *format, ...)
{
	char    context[sizeof(err->text)];
	char    cause[sizeof(err->text)];
	va_list args;

	if (err == NULL)
		return false;
	va_start(args, format);
	vsnprintf(context, sizeof(context), format, args);
	va_end(args);
	memcpy(cause, err->text, sizeof(cause));
	return err_set(err, err->kind, "%s: %s", context, cause);
}
