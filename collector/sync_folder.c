#include "collector/sync_folder.h"

#include "analyze/account.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LIST_MAX = 4 << 20, NAME_MAX_BYTES = 80 };

struct row {
	struct sync_entry entry;
	bool              kept;
};

struct sync_folder {
	struct arena *arena; /* owned; holds all texts */
	const char   *path, *list;
	struct row   *rows; /* owned */
	size_t        count;
};

static struct row *
find_row(const struct sync_folder *folder, const char *file)
{
	for (size_t i = 0; i < folder->count; i++) {
		if (strcmp(folder->rows[i].entry.file, file) == 0)
			return &folder->rows[i];
	}
	return NULL;
}

static struct row *
add_row(struct sync_folder *folder, const struct sync_entry *entry)
{
	folder->rows = mem_grow(folder->rows, folder->count + 1, sizeof(*folder->rows));
	folder->rows[folder->count] = (struct row){ *entry, false };
	return &folder->rows[folder->count++];
}

static void
read_list(struct sync_folder *folder)
{
	struct sync_entries entries;
	size_t              count;
	char *bytes = file_read(folder->arena, folder->list, LIST_MAX, &count, NULL);

	if (bytes == NULL)
		return;
	sync_json_read_entries(folder->arena, bytes, count, &entries);
	for (size_t i = 0; i < entries.count; i++) {
		if (find_row(folder, entries.rows[i].file) == NULL)
			add_row(folder, &entries.rows[i]);
	}
}

struct sync_folder *
sync_folder_open(const char *accounts_dir, const char *account, struct err *err)
{
	struct sync_folder *folder = mem_alloc(sizeof(*folder));

	folder->arena = arena_new();
	folder->path = arena_printf(folder->arena, "%s/%s", accounts_dir, account);
	folder->list = arena_printf(folder->arena, "%s/.sync.json", folder->path);
	if (mkdir(folder->path, 0755) != 0 && errno != EEXIST) {
		err_errno(err, "%s", folder->path);
		sync_folder_free(folder);
		return NULL;
	}
	read_list(folder);
	return folder;
}

void
sync_folder_free(struct sync_folder *folder)
{
	if (folder == NULL)
		return;
	arena_free(folder->arena);
	free(folder->rows);
	free(folder);
}

const char *
sync_folder_name(struct arena *arena, const char *kind, const char *id)
{
	const char *slash = strrchr(id, '/'), *name = slash != NULL ? slash + 1 : id;
	char       *lower = arena_strdup(arena, id), *safe;
	uint8_t     digest[DIGEST_BYTES];
	char        mark[9];

	for (char *c = lower; *c != '\0'; c++)
		*c = text_lower(*c);
	digest_sha256(lower, strlen(lower), digest);
	safe = arena_strndup(arena, name, strnlen(name, NAME_MAX_BYTES));
	for (char *c = safe; *c != '\0'; c++) {
		*c = text_lower(*c);
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", *c) == NULL)
			*c = '_';
	}
	return arena_printf(arena, "%s-%s-%s.json", kind, safe, digest_hex(digest, 4, mark));
}

static const char *
file_path(const struct sync_folder *folder, const char *file)
{
	return arena_printf(folder->arena, "%s/%s", folder->path, file);
}

/* Without the file itself its etag would keep it away. */
const char *
sync_folder_etag(const struct sync_folder *folder, const char *file)
{
	const struct row *row = find_row(folder, file);

	return row != NULL && access(file_path(folder, file), R_OK) == 0 ? row->entry.etag : "";
}

const char *
sync_folder_read(
    const struct sync_folder *folder, struct arena *arena, const char *file, size_t *count)
{
	return file_read(arena, file_path(folder, file), ACCOUNT_DOCUMENT_MAX, count, NULL);
}

void
sync_folder_stay(struct sync_folder *folder, const char *file)
{
	struct row *row = find_row(folder, file);

	if (row != NULL)
		row->kept = true;
}

static bool
is_as_before(
    const struct sync_folder *folder, const char *path, const void *bytes, size_t count)
{
	size_t old_count;
	char  *old = file_read(folder->arena, path, count, &old_count, NULL);

	return old != NULL && old_count == count && memcmp(old, bytes, count) == 0;
}

enum sync_put
sync_folder_put(struct sync_folder *folder, const struct sync_entry *entry, const void *bytes,
    size_t count, struct err *err)
{
	struct arena *arena = arena_new();
	const char   *path = file_path(folder, entry->file);
	bool          good = account_parse(arena, bytes, count, entry->id, err) != NULL;
	bool          same = good && is_as_before(folder, path, bytes, count);
	struct row   *row = find_row(folder, entry->file);

	arena_free(arena);
	if (row != NULL)
		row->kept = true;
	if (!good || (!same && !file_replace(path, bytes, count, 0644, err)))
		return SYNC_PUT_FAILED;
	if (row == NULL)
		row = add_row(folder, entry);
	row->kept = true;
	row->entry = (struct sync_entry){ arena_strdup(folder->arena, entry->file),
		arena_strdup(folder->arena, entry->id),
		arena_strdup(folder->arena, entry->etag),
		arena_strdup(folder->arena, entry->seen) };
	return same ? SYNC_PUT_SAME : SYNC_PUT_NEW;
}

bool
sync_folder_close(struct sync_folder *folder, bool all_seen, size_t *removed, struct err *err)
{
	struct sync_entries entries = {
		arena_array(folder->arena, folder->count + 1, sizeof(struct sync_entry)), 0
	};
	struct wbuf out;
	bool        done;

	*removed = 0;
	for (size_t i = 0; i < folder->count; i++) {
		const struct row *row = &folder->rows[i];

		if (row->kept || !all_seen)
			entries.rows[entries.count++] = row->entry;
		else if (unlink(file_path(folder, row->entry.file)) == 0)
			++*removed;
	}
	wbuf_init(&out);
	sync_json_write_entries(&out, &entries);
	done = file_replace(folder->list, out.bytes, out.count, 0644, err);
	wbuf_fini(&out);
	return done;
}
