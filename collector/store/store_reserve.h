/* store_reserve: room that is set aside beside a database, for the day on which its disk is full.
 *
 * SQLite cannot even delete on a full disk, so that without it nothing but a person could make room.
 * It is for deleting what is too old and for opening, and never for what is new: that waits with the
 * agents.
 */
#ifndef COLLECTOR_STORE_STORE_RESERVE_H
#define COLLECTOR_STORE_STORE_RESERVE_H

#include <stdbool.h>

/* 64 MiB, or an eighth of the disk where that is less, in the file at path, which is not there yet
 * or has it already.  False, and no file, where less than as much again would stay free. */
bool store_reserve_make(const char *path);

/* Gives the room back.  False when there was none. */
bool store_reserve_release(const char *path);

#endif
