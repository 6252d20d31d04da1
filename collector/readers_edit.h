/* readers_edit: what commands change in the file of readers.
 *
 * Each reads the file, changes it as the owner of its folder, and replaces it in one step; a daemon
 * that runs sees it at the next request.
 */
#ifndef COLLECTOR_READERS_EDIT_H
#define COLLECTOR_READERS_EDIT_H

#include "collector/readers.h"

/* A token for a program; ends_ms 0: never.  Its text, which is not kept anywhere, goes to text
 * (READERS_TOKEN_ROOM bytes). */
bool readers_edit_token(const char *path, const char *name, int64_t now_ms, int64_t ends_ms,
    char *text, struct err *err) MUST_CHECK;
/* A person, by name and password.  One of that name must not be there, or must be with replace. */
bool readers_edit_person(const char *path, const char *name, const char *password, bool replace,
    int64_t now_ms, struct err *err) MUST_CHECK;
/* The token of that id, or the person of that name; says how many, 0 or 1. */
bool readers_edit_end_token(
    const char *path, const char *id, size_t *ended, struct err *err) MUST_CHECK;
bool readers_edit_end_person(
    const char *path, const char *name, size_t *ended, struct err *err) MUST_CHECK;

#endif
