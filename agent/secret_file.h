/* secret_file: one line with a secret, out of a file that nobody else may read.
 *
 * Into the caller's buffer and nowhere else, since whoever reads a secret has to wipe it.  What is
 * wrong is said with the name of the file, and never with a byte of its content.
 */
#ifndef AGENT_SECRET_FILE_H
#define AGENT_SECRET_FILE_H

#include "base/err.h"

#include <stddef.h>

/* A path, or "credential:NAME" for what systemd's LoadCredential=NAME:PATH places in
 * $CREDENTIALS_DIRECTORY. */
#define SECRET_FILE_CREDENTIAL "credential:"

/* Is it one of those, and not a path? */
bool secret_file_is_placed(const char *path);

/* The line at path without its end, with a NUL behind; room counts that NUL.  A regular file of
 * one line is wanted, that neither group nor others may read (of a credential, others: systemd
 * gives it to the group).  Never waits, also not for a FIFO.  text is wiped when false is
 * returned. */
bool secret_file_read(const char *path, char *text, size_t room, struct err *err) MUST_CHECK;

#endif
