/* store_sqlite: the store in one file, by SQLite.
 *
 * Write-ahead log, synchronous FULL: what append() has returned is on the disk.  One connection
 * writes, deletes and checkpoints (versions before 3.51.3 may corrupt a database when two do);
 * a lock beside the file keeps a second collector out.  The SQL columns of measurements, vitals
 * and gaps come from proto/fields.def.
 */
#ifndef COLLECTOR_STORE_STORE_SQLITE_H
#define COLLECTOR_STORE_STORE_SQLITE_H

#include "collector/store/store.h"

extern const struct store_ops store_sqlite;

/* Of the library in use, for --version. */
const char *store_sqlite_version(void);

#endif
