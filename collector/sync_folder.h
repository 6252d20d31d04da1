/* sync_folder: the documents of one account that were fetched, as files of its folder.
 *
 * A file is replaced in one step and only by what can be read as a document; it is taken away only
 * when all that could name its document was seen and did not.  Files that somebody else put there are
 * left alone: what was fetched is listed in a file of its own, ".sync.json".
 */
#ifndef COLLECTOR_SYNC_FOLDER_H
#define COLLECTOR_SYNC_FOLDER_H

#include "base/arena.h"
#include "collector/sync_json.h"

struct sync_folder;

/* Makes the folder where there is none.  NULL with err. */
struct sync_folder *sync_folder_open(
    const char *accounts_dir, const char *account, struct err *err) MUST_CHECK;
void sync_folder_free(struct sync_folder *folder); /* NULL is fine */

/* The name of a file for a document: the kind, the resource's own name and, since two groups may have
 * one name, a mark of its id: "endpoint-pe-contoso-1f2e3d4c.json".  In the arena. */
const char *sync_folder_name(struct arena *arena, const char *kind, const char *id);

/* The etag that the file was fetched with; "": ask without one. */
const char *sync_folder_etag(const struct sync_folder *folder, const char *file);

/* What the file holds, in the arena; NULL when it is not there. */
const char *sync_folder_read(
    const struct sync_folder *folder, struct arena *arena, const char *file, size_t *count);

/* The document is as before, or not to be had now: its file stays. */
void sync_folder_stay(struct sync_folder *folder, const char *file);

enum sync_put { SYNC_PUT_NEW, SYNC_PUT_SAME, SYNC_PUT_FAILED };

/* Replaces the file when it is another one; err with SYNC_PUT_FAILED: it is no document, or could not
 * be written, and what was there stays. */
enum sync_put sync_folder_put(struct sync_folder *folder, const struct sync_entry *entry,
    const void *bytes, size_t count, struct err *err);

/* Takes away what was fetched once and neither put nor stays, if all was seen, and writes the
 * list; says how many went. */
bool sync_folder_close(
    struct sync_folder *folder, bool all_seen, size_t *removed, struct err *err) MUST_CHECK;

#endif
