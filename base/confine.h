/* confine: giving up what a daemon does not need, before it listens to anybody.
 *
 * What the service manager does not do already; every step that the kernel does not know is left
 * out in silence, since the unit file does the same from outside.
 */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No core dumps, and no other process looks in: secrets that are in memory stay there. */
void confine_memory(void);

/* The same; new files for us alone, and no end by SIGPIPE. */
void confine_daemon(void);

/* No new rights by any program, and no capabilities: even as root only what the file modes
 * allow. */
void confine_rights(void);

/* As many descriptors as this process may ever have: many questions at once, a socket for each. */
void confine_not_descriptors(void);

/* After confine_rights(): of files only what lies at or below the paths (NULL at the end; those that
 * are not there are left out) may be read, and nothing is written, made, removed or run, whatever
 * its mode; no process of another kind is traced or, by newer kernels, sent a signal.  Descriptors
 * that are open stay as they are.  A file that takes the place of one of the paths cannot be read:
 * name its folder.  False where the kernel does not know how. */
bool confine_files(const char *const *readable);

/* After confine_rights(): TCP connections go to these ports alone, whoever asks for them.  False
 * where the kernel does not know how; it does from 6.7 on. */
bool confine_ports(const uint16_t *ports, size_t count);

#endif
