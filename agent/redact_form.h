/* redact_form: what tells whose it is and can be known by its form: addresses, GUIDs, host names.
 *
 * Pure questions about text; what becomes of it is redact.c's matter.
 */
#ifndef AGENT_REDACT_FORM_H
#define AGENT_REDACT_FORM_H

#include <stdbool.h>
#include <stddef.h>

enum redact_form { REDACT_WORD, REDACT_ADDRESS, REDACT_GUID, REDACT_HOST };

/* What stands at `at`, and its length, which is at least 1. */
enum redact_form redact_form_next(const char *text, const char *at, size_t *length);

/* 36 when a GUID stands at the beginning, else 0. */
size_t redact_form_guid(const char *text);

/* How many bytes of a host name stand in front of a suffix of Azure's or of its makers, without
 * the dot; 0 when there is nothing else; the whole name when it has no such suffix. */
size_t redact_form_own(const char *host);

/* Whether `length` bytes at `at` of text are a word, and not part of one. */
bool redact_form_is_word(const char *text, const char *at, size_t length);

#endif
