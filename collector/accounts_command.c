#include "collector/accounts_command.h"

#include "analyze/change.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/owner.h"
#include "base/text.h"
#include "collector/command.h"
#include "collector/documents.h"
#include "collector/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
say_broken(void *arg, const struct err *err)
{
	words_complain(err, COMMAND_FAILED);
}

int
accounts_list(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	struct documents     *documents = NULL;
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		documents = documents_new(conf.accounts_dir);
		documents_scan(documents, say_broken, NULL);
		code = documents_broken(documents) > 0 ? COMMAND_FAILED : COMMAND_WELL;
		printf("%-32s  %7s  %s\n", "ACCOUNT", "REGIONS", "DOCUMENT");
		for (size_t i = 0; i < documents_count(documents); i++) {
			const struct account *account = documents_at(documents, i);

			printf("%-32s  %7zu  %s\n", account->name, account->location_count,
			    account->source);
		}
	}
	documents_free(documents);
	arena_free(arena);
	return code;
}

/* accounts add. */

/* The folder as it is; NULL when it says nothing for sure.  documents is to be freed. */
static struct documents *
look_at_folder(const struct collector_conf *conf, struct err *err)
{
	struct documents *documents;

	if (*conf->accounts_dir == '\0') {
		err_set(err, ERR_USAGE, "setting accounts_dir is empty: there is no folder");
		return NULL;
	}
	documents = documents_new(conf->accounts_dir);
	documents_scan(documents, say_broken, NULL);
	return documents;
}

/* "show contoso.txt" -> "show_contoso.txt.json"; what comes from a pipe has its kind for a name. */
static const char *
name_file(struct arena *arena, const char *path, const struct account_list *list)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	char       *safe;

	if (strcmp(path, "-") == 0)
		name = change_kind(list);
	safe = arena_strdup(arena, name);
	for (char *c = safe; *c != '\0'; c++) {
		bool good = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		    (*c >= '0' && *c <= '9') || strchr("-.", *c) != NULL;

		if (!good || (c == safe && *c == '.'))
			*c = '_';
	}
	return text_ends_nocase(safe, ".json") ? safe : arena_printf(arena, "%s.json", safe);
}

/* Whether a file is the document of the account, and of nothing else. */
static bool
is_of_account(const struct documents_file *file, const char *account)
{
	return file->list != NULL && strcmp(change_kind(file->list), "account") == 0 &&
	    strcmp(change_account(file->list), account) == 0;
}

/* Where a document goes: the account's own in the place of the one before, wherever that is; what else
 * tells of one account alone, into its folder; the rest, to the top. */
static const char *
choose_place(struct arena *arena, const struct documents *documents, const char *path,
    const struct account_list *list, struct err *err)
{
	const char *account = change_account(list), *before = NULL;

	if (!account_name_is(account))
		account = ""; /* of an endpoint's resource id; it names no folder */
	for (size_t i = 0; i < documents_file_count(documents); i++) {
		struct documents_file file = documents_file_at(documents, i);

		if (strcmp(change_kind(list), "account") != 0 || *account == '\0' ||
		    !is_of_account(&file, account))
			continue;
		if (before != NULL) {
			err_set(err, ERR_ORDER, "%s: both %s and %s are documents of %s", path,
			    before, file.id, account);
			return NULL;
		}
		before = file.id;
	}
	if (before != NULL)
		return before;
	return arena_printf(arena, "%s%s%s", account, *account != '\0' ? "/" : "",
	    name_file(arena, path, list));
}

static struct documents_file
find_file(const struct documents *documents, const char *id)
{
	for (size_t i = 0; i < documents_file_count(documents); i++) {
		struct documents_file file = documents_file_at(documents, i);

		if (strcmp(file.id, id) == 0)
			return file;
	}
	return (struct documents_file){ NULL, NULL };
}

static bool
holds_already(struct arena *arena, const struct collector_conf *conf, const char *id,
    const char *bytes, size_t count)
{
	const char *path = arena_printf(arena, "%s/%s", conf->accounts_dir, id);
	size_t      there_count;
	struct err  err;
	const char *there = file_read(arena, path, ACCOUNT_DOCUMENT_MAX, &there_count, &err);

	return there != NULL && there_count == count && memcmp(there, bytes, count) == 0;
}

static bool
write_document(struct arena *arena, const struct collector_conf *conf, const char *id,
    const char *bytes, size_t count, struct err *err)
{
	const char      *path = arena_printf(arena, "%s/%s", conf->accounts_dir, id);
	const char      *folder = arena_printf(arena, "%s/.", conf->accounts_dir);
	const char      *slash = strchr(id, '/');
	struct owner_ids owner;
	bool             done = true;

	/* What root adds to a folder of the collector's, `accounts sync` has to be able to renew. */
	if (!owner_enter(&owner, folder, err))
		return false;
	if (slash != NULL) {
		folder = arena_printf(
		    arena, "%s/%.*s", conf->accounts_dir, (int)(slash - id), id);
		done = mkdir(folder, 0755) == 0 || errno == EEXIST ||
		    err_errno(err, "%s", folder);
	}
	done = done && file_replace(path, bytes, count, 0644, err);
	owner_leave(&owner);
	return done;
}

static bool
add_document(struct arena *arena, const struct collector_conf *conf, const struct words *words,
    const char *path, struct err *err)
{
	struct documents    *documents = look_at_folder(conf, err);
	struct account_list *list = NULL;
	const char          *id = NULL;
	size_t               count;
	char                *bytes;
	bool                 done = false;

	if (documents == NULL)
		return false;
	bytes = file_read(arena, path, ACCOUNT_DOCUMENT_MAX, &count, err);
	if (bytes != NULL)
		list = account_parse(arena, bytes, count, path, err);
	if (list != NULL)
		id = choose_place(arena, documents, path, list, err);
	if (id != NULL) {
		struct documents_file before = find_file(documents, id);
		bool                  same = holds_already(arena, conf, id, bytes, count);

		if (before.id != NULL && !words->replace &&
		    !is_of_account(&before, change_account(list)))
			err_set(err, ERR_ORDER,
			    "%s: %s is there already; --replace puts this in its place", path,
			    id);
		else
			done = same || write_document(arena, conf, id, bytes, count, err);
		if (done && same)
			printf("%s: is there already, and the same\n", id);
		else if (done)
			printf("%s: %s\n", id, change_tell(arena, before.list, list));
	}
	documents_free(documents);
	return done;
}

/* Each operand for itself: what is wrong with one keeps no other from being done. */
static int
do_each(const struct words *words,
    bool (*act)(struct arena *arena, const struct collector_conf *conf,
        const struct words *words, const char *operand, struct err *err))
{
	struct arena         *arena = arena_new();
	struct collector_conf conf;
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		code = COMMAND_WELL;
		for (int i = 0; i < words->count; i++) {
			struct err err = { 0 };

			if (!act(arena, &conf, words, words->operands[i], &err))
				code = words_complain(&err, COMMAND_FAILED);
		}
	}
	arena_free(arena);
	return code;
}

int
accounts_add(const struct words *words)
{
	return do_each(words, add_document);
}

/* accounts remove. */

static bool
tells_of(const struct account_list *list, const char *account)
{
	for (size_t i = 0; list != NULL && i < list->count; i++) {
		if (strcmp(list->accounts[i]->name, account) == 0)
			return true;
	}
	return false;
}

/* What `accounts sync` keeps beside its files, and the folder when nothing else is in it. */
static void
remove_folder(struct arena *arena, const struct collector_conf *conf, const char *account)
{
	const char *folder = arena_printf(arena, "%s/%s", conf->accounts_dir, account);

	unlink(arena_printf(arena, "%s/.sync.json", folder));
	rmdir(folder);
}

/* False with err; count: files of it. */
static bool
check_removal(
    const struct documents *documents, const char *account, size_t *count, struct err *err)
{
	*count = 0;
	for (size_t i = 0; i < documents_file_count(documents); i++) {
		struct documents_file file = documents_file_at(documents, i);

		if (file.list == NULL)
			continue;
		if (strcmp(change_account(file.list), account) == 0)
			++*count;
		else if (tells_of(file.list, account))
			return err_set(err, ERR_ORDER,
			    "%s tells of %s and of others: take it out there", file.id,
			    account);
	}
	return *count > 0 || err_set(err, ERR_USAGE, "no document tells of %s", account);
}

static bool
remove_account(struct arena *arena, const struct collector_conf *conf,
    const struct words *words, const char *name, struct err *err)
{
	struct documents *documents = look_at_folder(conf, err);
	char             *account = arena_strdup(arena, name);
	size_t            count;
	bool              done;

	if (documents == NULL)
		return false;
	for (char *c = account; *c != '\0'; c++)
		*c = text_lower(*c);
	done = check_removal(documents, account, &count, err);
	for (size_t i = 0; done && i < documents_file_count(documents); i++) {
		struct documents_file file = documents_file_at(documents, i);
		const char *path = arena_printf(arena, "%s/%s", conf->accounts_dir, file.id);

		if (file.list == NULL || strcmp(change_account(file.list), account) != 0)
			continue;
		if (unlink(path) != 0)
			done = err_errno(err, "%s", path);
		else
			printf("%s: taken away\n", file.id);
	}
	if (done) {
		remove_folder(arena, conf, account);
		if (conf->sync.count > 0)
			puts("the setting `sync` may fetch it again");
	}
	documents_free(documents);
	return done;
}

int
accounts_remove(const struct words *words)
{
	return do_each(words, remove_account);
}

/* accounts history. */

struct history {
	const char *account; /* NULL: all */
	size_t      count;
};

static void
print_version(void *arg, const struct store_document *document)
{
	struct history *history = arg;
	char            when[CLOCK_TEXT];

	if (history->account != NULL &&
	    !text_equal_nocase(document->account, history->account) &&
	    text_find_nocase(document->id, history->account) != document->id)
		return;
	history->count++;
	printf("%s  %s: %s\n", clock_render(document->seen_ms, when, sizeof(when)),
	    document->id, document->change);
}

int
accounts_history(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct history        history = { words->count > 0 ? words->operands[0] : NULL, 0 };
	struct store_reader   reader = { .on_document = print_version, .arg = &history };
	struct collector_conf conf;
	struct err            err = { 0 };
	struct store         *store = NULL;
	int                   code = COMMAND_FAILED;

	if (words_read_conf(&conf, arena, words)) {
		store = store_open(conf.store, true, &err);
		if (store != NULL && store_load(store, &reader, &err))
			code = COMMAND_WELL;
		else
			words_complain(&err, COMMAND_FAILED);
	}
	if (code == COMMAND_WELL && history.count == 0)
		fprintf(stderr, "plprobe-collector: no version of a document is kept%s%s\n",
		    history.account != NULL ? " of " : "",
		    history.account != NULL ? history.account : "");
	store_close(store);
	arena_free(arena);
	return code;
}

int
accounts_sync(const struct words *words)
{
	struct arena         *arena = arena_new();
	struct sync_words     sync = words->sync;
	struct collector_conf conf;
	int                   code = COMMAND_FAILED;

	sync.accounts = (const char *const *)words->operands;
	sync.account_count = (size_t)words->count;
	if (words_read_conf(&conf, arena, words))
		code = sync_command(&sync, &conf);
	arena_free(arena);
	return code;
}
