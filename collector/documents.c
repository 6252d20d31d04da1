#include "collector/documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 10000 };

struct document {
	char                *path;  /* owned */
	struct stat          seen;  /* of what was read last, good or bad */
	struct arena        *arena; /* owned; NULL: nothing good yet */
	struct account_list *list;
	bool                 present, broken;
};

struct documents {
	char                  *folder; /* owned */
	struct document       *files;  /* owned; by path */
	size_t                 file_count;
	const struct account **accounts; /* owned array; by name; in the files' arenas */
	size_t                 account_count;
	struct arena          *endpoint_arena; /* owned; holds the index; NULL: no endpoints */
	struct endpoint_index *endpoints;      /* borrows texts from the files' arenas */
	struct arena         **retired;        /* owned; until documents_release() */
	size_t                 retired_count;
	bool                   folder_broken;
};

struct documents *
documents_new(const char *folder)
{
	struct documents *documents = mem_alloc(sizeof(*documents));

	documents->folder = mem_strdup(folder);
	return documents;
}

void
documents_release(struct documents *documents)
{
	for (size_t i = 0; i < documents->retired_count; i++)
		arena_free(documents->retired[i]);
	documents->retired_count = 0;
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
	arena_free(documents->endpoint_arena);
	free(documents->files);
	free(documents->accounts);
	free(documents->retired);
	free(documents->folder);
	free(documents);
}

static void
retire(struct documents *documents, struct arena *arena)
{
	if (arena == NULL)
		return;
	documents->retired = mem_grow(
	    documents->retired, documents->retired_count + 1, sizeof(*documents->retired));
	documents->retired[documents->retired_count++] = arena;
}

static struct document *
find_file(struct documents *documents, const char *path)
{
	for (size_t i = 0; i < documents->file_count; i++) {
		if (strcmp(documents->files[i].path, path) == 0)
			return &documents->files[i];
	}
	documents->files = mem_grow(
	    documents->files, documents->file_count + 1, sizeof(*documents->files));
	documents->files[documents->file_count] = (struct document){ .path = mem_strdup(path) };
	return &documents->files[documents->file_count++];
}

static bool
is_same_file(const struct stat *left, const struct stat *right)
{
	return left->st_ino == right->st_ino && left->st_size == right->st_size &&
	    left->st_mtim.tv_sec == right->st_mtim.tv_sec &&
	    left->st_mtim.tv_nsec == right->st_mtim.tv_nsec;
}

/* True when the accounts of the file are others now. */
static bool
read_file(
    struct documents *documents, struct document *file, const struct stat *now, struct err *err)
{
	struct arena        *arena = arena_new();
	struct account_list *list = account_read(arena, file->path, err);

	file->seen = *now;
	file->broken = list == NULL;
	if (list == NULL) {
		arena_free(arena);
		return false;
	}
	retire(documents, file->arena);
	file->arena = arena;
	file->list = list;
	return true;
}

static bool
is_document(const char *name)
{
	size_t count = strlen(name);

	return name[0] != '.' && count > 5 && strcmp(name + count - 5, ".json") == 0;
}

static bool
look_at(struct documents *documents, const char *name, struct err *err)
{
	char            *path = mem_printf("%s/%s", documents->folder, name);
	struct document *file = find_file(documents, path);
	struct stat      now;
	bool             changed = false;

	free(path);
	if (stat(file->path, &now) == 0 && S_ISREG(now.st_mode)) {
		file->present = true;
		if (!is_same_file(&now, &file->seen))
			changed = read_file(documents, file, &now, err);
	}
	return changed;
}

static bool
drop_absent(struct documents *documents)
{
	size_t to = 0;
	bool   dropped = false;

	for (size_t i = 0; i < documents->file_count; i++) {
		struct document *file = &documents->files[i];

		if (file->present) {
			documents->files[to++] = *file;
			continue;
		}
		dropped = dropped || file->list != NULL;
		retire(documents, file->arena);
		free(file->path);
	}
	documents->file_count = to;
	return dropped;
}

static int
compare_accounts(const void *left, const void *right)
{
	const struct account *const *a = left, *const *b = right;
	int                          by_name = strcmp((*a)->name, (*b)->name);

	return by_name != 0 ? by_name : strcmp((*a)->source, (*b)->source);
}

/* The account that two files describe is taken from the first by path. */
static void
collect_accounts(struct documents *documents)
{
	size_t count = 0, to = 0;

	for (size_t i = 0; i < documents->file_count; i++)
		count += documents->files[i].list != NULL ? documents->files[i].list->count : 0;
	documents->accounts = mem_grow(
	    documents->accounts, count + 1, sizeof(*documents->accounts));
	count = 0;
	for (size_t i = 0; i < documents->file_count; i++) {
		const struct account_list *list = documents->files[i].list;

		for (size_t j = 0; list != NULL && j < list->count; j++)
			documents->accounts[count++] = list->accounts[j];
	}
	if (count > 0)
		qsort(
		    documents->accounts, count, sizeof(*documents->accounts), compare_accounts);
	for (size_t i = 0; i < count; i++) {
		if (to == 0 ||
		    strcmp(documents->accounts[to - 1]->name, documents->accounts[i]->name) !=
		        0)
			documents->accounts[to++] = documents->accounts[i];
	}
	documents->account_count = to;
}

static void
collect_endpoints(struct documents *documents)
{
	struct endpoint_list all = { 0 };
	size_t               count = 0;

	retire(documents, documents->endpoint_arena);
	documents->endpoint_arena = NULL;
	documents->endpoints = NULL;
	for (size_t i = 0; i < documents->file_count; i++) {
		const struct account_list *list = documents->files[i].list;

		count += list != NULL ? list->endpoints.count : 0;
	}
	if (count == 0)
		return;
	documents->endpoint_arena = arena_new();
	all.endpoints = arena_array(documents->endpoint_arena, count, sizeof(void *));
	for (size_t i = 0; i < documents->file_count; i++) {
		const struct account_list *list = documents->files[i].list;

		for (size_t j = 0; list != NULL && j < list->endpoints.count; j++)
			all.endpoints[all.count++] = list->endpoints.endpoints[j];
	}
	documents->endpoints = endpoint_index_new(documents->endpoint_arena, &all);
}

/* A folder that cannot be read is no statement about what is in it. */
static DIR *
open_folder(struct documents *documents, void (*on_trouble)(void *arg, const struct err *err),
    void                     *arg)
{
	DIR       *folder = opendir(documents->folder);
	struct err err = { 0 };

	if (folder == NULL && !documents->folder_broken) {
		err_errno(&err, "accounts_dir %s", documents->folder);
		on_trouble(arg, &err);
	}
	documents->folder_broken = folder == NULL;
	return folder;
}

bool
documents_scan(struct documents *documents,
    void (*on_trouble)(void *arg, const struct err *err), void *arg)
{
	bool           changed = false;
	struct dirent *entry;
	DIR           *folder;

	if (documents->folder[0] == '\0')
		return false;
	folder = open_folder(documents, on_trouble, arg);
	if (folder == NULL)
		return false;
	for (size_t i = 0; i < documents->file_count; i++)
		documents->files[i].present = false;
	while ((entry = readdir(folder)) != NULL && documents->file_count < FILES_MAX) {
		struct err err = { 0 };

		if (!is_document(entry->d_name))
			continue;
		changed = look_at(documents, entry->d_name, &err) || changed;
		if (err.kind != ERR_NONE)
			on_trouble(arg, &err);
	}
	closedir(folder);
	changed = drop_absent(documents) || changed;
	if (changed) {
		collect_accounts(documents);
		collect_endpoints(documents);
	}
	return changed;
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

size_t
documents_broken(const struct documents *documents)
{
	size_t broken = documents->folder_broken;

	for (size_t i = 0; i < documents->file_count; i++)
		broken += documents->files[i].broken;
	return broken;
}
