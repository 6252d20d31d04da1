#include "collector/documents.h"

#include "analyze/change.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 10000 };

struct document {
	char                *path;                 /* owned; its id is behind the folder */
	struct stat          seen;                 /* of what was read last, good or bad */
	struct arena        *arena;                /* owned; NULL: nothing good yet */
	struct account_list *list;                 /* in it */
	uint8_t              digest[DIGEST_BYTES]; /* of what is in force */
	bool                 present, broken;
};

/* What said something until a generation, that one included. */
struct retired {
	struct arena *arena; /* owned */
	uint64_t      generation;
};

struct documents {
	char            *folder; /* owned */
	struct document *files;  /* owned; the first `sorted` by path */
	size_t           file_count, sorted;
	struct arena    *arena; /* owned; what all files say together */
	/* In it; they borrow from the files' arenas. */
	struct account       **accounts; /* by name */
	size_t                 account_count;
	struct endpoint_index *endpoints;
	struct zone_index     *zones;
	struct plink_list     *plinks;
	struct retired        *retired; /* owned; until they are released */
	size_t                 retired_count;
	uint64_t               generation;
	char                 **touched; /* owned; accounts that the last change is about */
	size_t                 touched_count;
	bool                   all_touched;
	size_t                 folders_broken, folders_told;
	bool                   too_many;
	bool                   recalled; /* since the last scan */
	void (*on_change)(void *arg, const struct documents_change *change);
	void *change_arg;
};

/* One look at the folder. */
struct scan {
	struct documents *documents;
	void (*on_trouble)(void *arg, const struct err *err);
	void *arg;
	bool  changed;
};

struct documents *
documents_new(const char *folder)
{
	struct documents *documents = mem_alloc(sizeof(*documents));

	documents->folder = mem_strdup(folder);
	return documents;
}

void
documents_release_before(struct documents *documents, uint64_t generation)
{
	size_t to = 0;

	for (size_t i = 0; i < documents->retired_count; i++) {
		if (documents->retired[i].generation < generation)
			arena_free(documents->retired[i].arena);
		else
			documents->retired[to++] = documents->retired[i];
	}
	documents->retired_count = to;
}

void
documents_release(struct documents *documents)
{
	documents_release_before(documents, UINT64_MAX);
}

size_t
documents_retired(const struct documents *documents)
{
	return documents->retired_count;
}

uint64_t
documents_generation(const struct documents *documents)
{
	return documents->generation;
}

/* What the last change is about. */

static void
forget_touched(struct documents *documents)
{
	for (size_t i = 0; i < documents->touched_count; i++)
		free(documents->touched[i]);
	documents->touched_count = 0;
	documents->all_touched = false;
}

bool
documents_touched(const struct documents *documents, const char *account)
{
	for (size_t i = 0; i < documents->touched_count; i++) {
		if (strcmp(documents->touched[i], account) == 0)
			return true;
	}
	return documents->all_touched;
}

static void
touch_account(struct documents *documents, const char *account)
{
	if (documents_touched(documents, account))
		return;
	documents->touched = mem_grow(
	    documents->touched, documents->touched_count + 1, sizeof(*documents->touched));
	documents->touched[documents->touched_count++] = mem_strdup(account);
}

/* list NULL: nothing. */
static void
touch(struct documents *documents, const struct account_list *list)
{
	if (list == NULL)
		return;
	documents->all_touched = documents->all_touched || list->endpoints.count > 0 ||
	    list->zones.count > 0;
	for (size_t i = 0; i < list->count; i++)
		touch_account(documents, list->accounts[i]->name);
	for (size_t i = 0; i < list->plinks.resource_count; i++)
		touch_account(documents, list->plinks.resources[i]->account);
	for (size_t i = 0; i < list->plinks.connection_count; i++)
		touch_account(documents, list->plinks.connections[i].account);
}

void
documents_free(struct documents *documents)
{
	if (documents == NULL)
		return;
	documents_release(documents);
	for (size_t i = 0; i < documents->file_count; i++) {
		arena_free(documents->files[i].arena);
		free(documents->files[i].path);
	}
	forget_touched(documents);
	free(documents->touched);
	arena_free(documents->arena);
	free(documents->files);
	free(documents->retired);
	free(documents->folder);
	free(documents);
}

void
documents_watch(struct documents *documents,
    void (*on_change)(void *arg, const struct documents_change *change), void *arg)
{
	documents->on_change = on_change;
	documents->change_arg = arg;
}

static void
retire(struct documents *documents, struct arena *arena)
{
	if (arena == NULL)
		return;
	documents->retired = mem_grow(
	    documents->retired, documents->retired_count + 1, sizeof(*documents->retired));
	documents->retired[documents->retired_count++] = (struct retired){ arena,
		documents->generation };
}

/* The table of files. */

static int
compare_paths(const void *left, const void *right)
{
	const struct document *a = left, *b = right;

	return strcmp(a->path, b->path);
}

static void
sort_files(struct documents *documents)
{
	if (documents->file_count > 0)
		qsort(documents->files, documents->file_count, sizeof(*documents->files),
		    compare_paths);
	documents->sorted = documents->file_count;
}

/* New ones come at the end, and are few at a time but for the first. */
static struct document *
find_file(struct documents *documents, char *path)
{
	struct document key = { .path = path }, *found = NULL;

	if (documents->sorted > 0)
		found = bsearch(&key, documents->files, documents->sorted,
		    sizeof(*documents->files), compare_paths);
	for (size_t i = documents->sorted; i < documents->file_count && found == NULL; i++) {
		if (strcmp(documents->files[i].path, path) == 0)
			found = &documents->files[i];
	}
	return found;
}

/* path is the table's from here on. */
static struct document *
add_file(struct documents *documents, char *path)
{
	documents->files = mem_grow(
	    documents->files, documents->file_count + 1, sizeof(*documents->files));
	documents->files[documents->file_count] = (struct document){ .path = path };
	return &documents->files[documents->file_count++];
}

static const char *
file_id(const struct documents *documents, const struct document *file)
{
	return file->path + strlen(documents->folder) + 1;
}

static bool
is_same_file(const struct stat *left, const struct stat *right)
{
	return left->st_ino == right->st_ino && left->st_size == right->st_size &&
	    left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
	    left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

/* What a file says. */

static void
tell_change(struct documents *documents, const struct document *file,
    const struct account_list *before, const char *bytes, size_t count)
{
	struct arena           *arena = arena_new();
	bool                    gone = bytes == NULL;
	struct documents_change change = { .id = file_id(documents, file),
		.kind = change_kind(gone ? before : file->list),
		.account = change_account(gone ? before : file->list),
		.what = change_tell(arena, before, gone ? NULL : file->list),
		.bytes = bytes,
		.count = count };

	if (!gone)
		memcpy(change.digest, file->digest, DIGEST_BYTES);
	if (documents->on_change != NULL)
		documents->on_change(documents->change_arg, &change);
	arena_free(arena);
}

void
documents_recall(struct documents *documents, const char *id, const void *bytes, size_t count)
{
	char            *path = mem_printf("%s/%s", documents->folder, id);
	struct document *file = find_file(documents, path);
	struct arena    *arena;

	if (documents->folder[0] == '\0') {
		free(path);
		return;
	}
	arena = arena_new();
	if (file == NULL)
		file = add_file(documents, path);
	else
		free(path);
	retire(documents, file->arena);
	file->arena = arena;
	file->list = count > 0 ? account_parse(arena, bytes, count, file->path, NULL) : NULL;
	digest_sha256(bytes, count, file->digest);
	documents->recalled = true;
}

/* True when the file says something else now. */
static bool
read_file(
    struct documents *documents, struct document *file, const struct stat *now, struct err *err)
{
	struct arena        *arena = arena_new();
	struct account_list *list = NULL, *before = file->list;
	uint8_t              digest[DIGEST_BYTES] = { 0 };
	size_t               count = 0;
	char *bytes = file_read(arena, file->path, ACCOUNT_DOCUMENT_MAX, &count, err);

	if (bytes != NULL) {
		digest_sha256(bytes, count, digest);
		list = account_parse(arena, bytes, count, file->path, err);
	}
	file->seen = *now;
	file->broken = list == NULL;
	if (list == NULL ||
	    (before != NULL && digest_equal(digest, file->digest, DIGEST_BYTES))) {
		arena_free(arena);
		return false;
	}
	touch(documents, before);
	touch(documents, list);
	retire(documents, file->arena);
	file->arena = arena;
	file->list = list;
	memcpy(file->digest, digest, DIGEST_BYTES);
	tell_change(documents, file, before, bytes, count);
	return true;
}

/* What all files say. */

/* In the order of their paths; the account that two files describe is taken from the first. */
static int
compare_accounts(const void *left, const void *right)
{
	const struct account *const *a = left, *const *b = right;
	int                          by_name = strcmp((*a)->name, (*b)->name);

	return by_name != 0 ? by_name : strcmp((*a)->source, (*b)->source);
}

static void
take_accounts(struct documents *documents, const struct account_list *sum)
{
	size_t to = 0;

	documents->accounts = sum->accounts;
	if (sum->count > 0)
		qsort(sum->accounts, sum->count, sizeof(*sum->accounts), compare_accounts);
	for (size_t i = 0; i < sum->count; i++) {
		if (to == 0 || strcmp(sum->accounts[to - 1]->name, sum->accounts[i]->name) != 0)
			sum->accounts[to++] = sum->accounts[i];
	}
	documents->account_count = to;
}

static void
take_together(struct documents *documents)
{
	struct arena               *arena = arena_new();
	const struct account_list **lists = arena_array(
	    arena, documents->file_count + 1, sizeof(*lists));
	struct account_list *sum;

	for (size_t i = 0; i < documents->file_count; i++)
		lists[i] = documents->files[i].list;
	sum = account_list_sum(arena, lists, documents->file_count);
	retire(documents, documents->arena);
	documents->generation++;
	documents->arena = arena;
	take_accounts(documents, sum);
	documents->endpoints = sum->endpoints.count > 0
	    ? endpoint_index_new(arena, &sum->endpoints)
	    : NULL;
	documents->zones = sum->zones.count > 0 ? zone_index_new(arena, &sum->zones) : NULL;
	documents->plinks = &sum->plinks;
}

void
documents_settle(struct documents *documents)
{
	sort_files(documents);
	documents->recalled = false;
	forget_touched(documents);
	documents->all_touched = true;
	take_together(documents);
}

/* The scan. */

static bool
has_ending(const char *name)
{
	size_t count = strlen(name);

	return count > 5 && strcmp(name + count - 5, ".json") == 0;
}

static void
complain(const struct scan *scan, const struct err *err)
{
	scan->on_trouble(scan->arg, err);
}

static void
refuse_more(struct scan *scan)
{
	struct err err;

	if (scan->documents->too_many)
		return;
	scan->documents->too_many = true;
	err_set(&err, ERR_LIMIT,
	    "accounts_dir %s: more than %d documents, the rest is left out",
	    scan->documents->folder, FILES_MAX);
	complain(scan, &err);
}

static void
look_at(struct scan *scan, char *path, const struct stat *now)
{
	struct documents *documents = scan->documents;
	struct document  *file = find_file(documents, path);
	struct err        err = { 0 };

	if (file == NULL && documents->file_count >= FILES_MAX) {
		free(path);
		refuse_more(scan);
		return;
	}
	if (file == NULL)
		file = add_file(documents, path);
	else
		free(path);
	file->present = true;
	if (!is_same_file(now, &file->seen) && read_file(documents, file, now, &err))
		scan->changed = true;
	if (err.kind != ERR_NONE)
		complain(scan, &err);
}

/* What a folder holds that cannot be read is not known: what it held before stays. */
static void
keep_below(struct documents *documents, const char *folder)
{
	size_t count = strlen(folder);

	for (size_t i = 0; i < documents->file_count; i++) {
		if (strncmp(documents->files[i].path, folder, count) == 0 &&
		    documents->files[i].path[count] == '/')
			documents->files[i].present = true;
	}
}

static DIR *
open_folder(struct scan *scan, const char *path)
{
	DIR       *folder = opendir(path);
	struct err err = { 0 };

	if (folder != NULL)
		return folder;
	err_errno(&err, "accounts_dir %s", path);
	keep_below(scan->documents, path);
	if (scan->documents->folders_broken++ >= scan->documents->folders_told)
		complain(scan, &err);
	return NULL;
}

/* Folders in the folder, one deep: depth 0 is the folder itself. */
static void
look_into(struct scan *scan, const char *path, unsigned depth)
{
	DIR           *folder = open_folder(scan, path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		char       *below;
		struct stat now;

		if (entry->d_name[0] == '.')
			continue;
		below = mem_printf("%s/%s", path, entry->d_name);
		if (stat(below, &now) != 0) {
			free(below);
		} else if (S_ISREG(now.st_mode) && has_ending(entry->d_name)) {
			look_at(scan, below, &now);
		} else {
			if (S_ISDIR(now.st_mode) && depth == 0)
				look_into(scan, below, depth + 1);
			free(below);
		}
	}
	if (folder != NULL)
		closedir(folder);
}

static void
drop_absent(struct scan *scan)
{
	struct documents *documents = scan->documents;
	size_t            to = 0;

	for (size_t i = 0; i < documents->file_count; i++) {
		struct document *file = &documents->files[i];

		if (file->present) {
			documents->files[to++] = *file;
			continue;
		}
		if (file->list != NULL) {
			touch(documents, file->list);
			tell_change(documents, file, file->list, NULL, 0);
			scan->changed = true;
		}
		retire(documents, file->arena);
		free(file->path);
	}
	documents->file_count = to;
}

bool
documents_scan(struct documents *documents,
    void (*on_trouble)(void *arg, const struct err *err), void *arg)
{
	struct scan scan = { documents, on_trouble, arg, false };

	if (documents->folder[0] == '\0')
		return false;
	documents->folders_broken = 0;
	forget_touched(documents);
	documents->all_touched = documents->recalled;
	for (size_t i = 0; i < documents->file_count; i++)
		documents->files[i].present = false;
	look_into(&scan, documents->folder, 0);
	documents->folders_told = documents->folders_broken;
	drop_absent(&scan);
	sort_files(documents);
	if (!scan.changed && !documents->recalled)
		return false;
	documents->recalled = false;
	take_together(documents);
	return true;
}

size_t
documents_count(const struct documents *documents)
{
	return documents->account_count;
}

const struct account *
documents_at(const struct documents *documents, size_t at)
{
	return documents->accounts[at];
}

const struct account *
documents_find(const struct documents *documents, const char *name)
{
	for (size_t i = 0; i < documents->account_count; i++) {
		if (strcmp(documents->accounts[i]->name, name) == 0)
			return documents->accounts[i];
	}
	return NULL;
}

const struct endpoint_index *
documents_endpoints(const struct documents *documents)
{
	return documents->endpoints;
}

const struct zone_index *
documents_zones(const struct documents *documents)
{
	return documents->zones;
}

const struct plink_list *
documents_plinks(const struct documents *documents)
{
	return documents->plinks;
}

size_t
documents_file_count(const struct documents *documents)
{
	return documents->file_count;
}

struct documents_file
documents_file_at(const struct documents *documents, size_t at)
{
	const struct document *file = &documents->files[at];

	return (struct documents_file){ file_id(documents, file), file->list };
}

size_t
documents_broken(const struct documents *documents)
{
	size_t broken = documents->folders_broken;

	for (size_t i = 0; i < documents->file_count; i++)
		broken += documents->files[i].broken;
	return broken;
}
