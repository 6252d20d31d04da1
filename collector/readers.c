#include "collector/readers.h"

#include "base/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, OTHERS = 077 };

struct readers {
	char               *path;  /* owned */
	struct arena       *arena; /* owned; holds the list */
	struct readers_list list;
	struct stat         seen; /* of the file that was read; all 0: none */
	bool                current;
};

bool
readers_is_name(const char *text)
{
	static const char first[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t count = 0;

	while (text[count] != '\0' &&
	    (strchr(first, text[count]) != NULL || strchr("._-@+", text[count]) != NULL))
		count++;
	return count > 0 && count <= READERS_NAME_MAX && text[count] == '\0' &&
	    strchr(first, text[0]) != NULL;
}

/* "-": 0. */
static bool
read_time(int64_t *ms, const char *text)
{
	char *end;

	if (strcmp(text, "-") == 0) {
		*ms = 0;
		return true;
	}
	errno = 0;
	*ms = strtoll(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == '\0';
}

/* "token id name sha256 made ends" */
static bool
take_token(struct reader *reader, char *const *words, struct err *err)
{
	reader->id = words[1];
	reader->name = words[2];
	return (strlen(words[1]) == READERS_ID_CHARS && readers_is_name(words[2]) &&
	           strlen(words[3]) == DIGEST_HEX - 1 &&
	           digest_unhex(words[3], reader->digest, DIGEST_BYTES) &&
	           read_time(&reader->made_ms, words[4]) &&
	           read_time(&reader->ends_ms, words[5])) ||
	    err_set(err, ERR_PARSE, "want \"token id name sha256 made_ms ends_ms\"");
}

/* "person name hash made" */
static bool
take_person(struct reader *reader, char *const *words, struct err *err)
{
	reader->person = true;
	reader->id = "";
	reader->name = words[1];
	if (!readers_is_name(words[1]) || !read_time(&reader->made_ms, words[3]))
		return err_set(err, ERR_PARSE, "want \"person name hash made_ms\"");
	return password_parse(&reader->password, words[2], err);
}

static bool
take_line(struct reader *reader, char *line, struct err *err)
{
	char *words[7], *rest = line;
	int   count = 0;

	*reader = (struct reader){ 0 };
	while (count < 7 && (words[count] = strtok_r(rest, " ", &rest)) != NULL)
		count++;
	if (count == 6 && strcmp(words[0], "token") == 0)
		return take_token(reader, words, err);
	if (count == 4 && strcmp(words[0], "person") == 0)
		return take_person(reader, words, err);
	return err_set(err, ERR_PARSE, "want a line of a token or of a person");
}

static const struct reader *
find_person(const struct readers_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->rows[i].person && strcmp(list->rows[i].name, name) == 0)
			return &list->rows[i];
	}
	return NULL;
}

static size_t
count_lines(const char *text)
{
	size_t count = 1;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		count++;
	return count;
}

bool
readers_parse(struct readers_list *list, struct arena *arena, char *text, const char *name,
    struct err *err)
{
	unsigned number = 0;
	char    *line;

	list->rows = arena_array(arena, count_lines(text), sizeof(*list->rows));
	list->count = 0;
	while ((line = strsep(&text, "\n")) != NULL) {
		struct reader *row = &list->rows[list->count];

		number++;
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (!take_line(row, line, err))
			return err_in(err, "%s:%u", name, number);
		if (row->person && find_person(list, row->name) != NULL)
			return err_set(err, ERR_PARSE, "%s:%u: %s is there already", name,
			    number, row->name);
		list->count++;
	}
	return true;
}

/* Whoever may write it lets himself in, and whoever may read it can try passwords at home. */
static bool
check_mode(const char *path, struct err *err)
{
	struct stat seen;

	if (stat(path, &seen) != 0)
		return err_errno(err, "%s", path);
	if ((seen.st_mode & OTHERS) != 0)
		return err_set(err, ERR_USAGE,
		    "%s: others than its owner may use it; chmod 600 %s", path, path);
	return true;
}

bool
readers_read(struct readers_list *list, struct arena *arena, const char *path, struct err *err)
{
	size_t count = 0;
	char  *text;

	*list = (struct readers_list){ 0 };
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	if (!check_mode(path, err))
		return false;
	text = file_read(arena, path, FILE_MAX, &count, err);
	if (text != NULL && strlen(text) != count)
		return err_set(err, ERR_PARSE, "%s: holds a NUL", path);
	return text != NULL && readers_parse(list, arena, text, path, err);
}

void
readers_write(struct wbuf *out, const struct reader *reader)
{
	char text[PASSWORD_ROOM];

	if (reader->person) {
		wbuf_printf(out, "person %s %s %" PRId64 "\n", reader->name,
		    password_render(&reader->password, text), reader->made_ms);
		return;
	}
	wbuf_printf(out, "token %s %s %s %" PRId64 " ", reader->id, reader->name,
	    digest_hex(reader->digest, DIGEST_BYTES, text), reader->made_ms);
	if (reader->ends_ms != 0)
		wbuf_printf(out, "%" PRId64 "\n", reader->ends_ms);
	else
		wbuf_puts(out, "-\n");
}

static bool
has_changed(const struct readers *readers, struct stat *now)
{
	const struct stat *seen = &readers->seen;

	if (stat(readers->path, now) != 0)
		memset(now, 0, sizeof(*now));
	return now->st_ino != seen->st_ino || now->st_size != seen->st_size ||
	    now->st_mode != seen->st_mode || now->st_mtim.tv_sec != seen->st_mtim.tv_sec ||
	    now->st_mtim.tv_nsec != seen->st_mtim.tv_nsec;
}

bool
readers_reload(struct readers *readers, struct err *err)
{
	struct readers_list fresh;
	struct arena       *arena;
	struct stat         now;

	if (!has_changed(readers, &now))
		return true;
	/* Stamped even if it cannot be read: it is complained of once, and tried when it changes. */
	readers->seen = now;
	arena = arena_new();
	readers->current = readers_read(&fresh, arena, readers->path, err);
	if (!readers->current) {
		arena_free(arena);
		return false;
	}
	arena_free(readers->arena);
	readers->arena = arena;
	readers->list = fresh;
	return true;
}

struct readers *
readers_open(const char *path, struct err *err)
{
	struct readers *readers = mem_alloc(sizeof(*readers));

	*readers = (struct readers){ .path = mem_strdup(path), .current = true };
	if (readers_reload(readers, err))
		return readers;
	readers_free(readers);
	return NULL;
}

void
readers_free(struct readers *readers)
{
	if (readers == NULL)
		return;
	arena_free(readers->arena);
	free(readers->path);
	free(readers);
}

void
readers_look(struct readers *readers)
{
	if (!readers_reload(readers, NULL))
		readers->current = false;
}

bool
readers_is_current(const struct readers *readers)
{
	return readers->current;
}

size_t
readers_count(const struct readers *readers)
{
	return readers->list.count;
}

const struct reader *
readers_at(const struct readers *readers, size_t at)
{
	return &readers->list.rows[at];
}

static const struct reader *
find_id(const struct readers_list *list, const char *id)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->rows[i].person &&
		    strncmp(list->rows[i].id, id, READERS_ID_CHARS) == 0)
			return &list->rows[i];
	}
	return NULL;
}

const struct reader *
readers_of_token(const struct readers *readers, const char *text)
{
	static const uint8_t nobody[DIGEST_BYTES];
	static const char    prefix[] = READERS_TOKEN_PREFIX;
	const char          *id = text + sizeof(prefix) - 1;
	const struct reader *reader;
	uint8_t              digest[DIGEST_BYTES];
	bool                 equal;

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0 ||
	    strlen(id) != READERS_ID_CHARS + 1 + READERS_SECRET_CHARS ||
	    id[READERS_ID_CHARS] != '.')
		return NULL;
	reader = find_id(&readers->list, id);
	digest_sha256(id + READERS_ID_CHARS + 1, READERS_SECRET_CHARS, digest);
	equal = digest_equal(reader != NULL ? reader->digest : nobody, digest, DIGEST_BYTES);
	digest_wipe(digest, sizeof(digest));
	return equal ? reader : NULL;
}

const struct reader *
readers_of_name(const struct readers *readers, const char *name)
{
	return find_person(&readers->list, name);
}

bool
readers_has_ended(const struct reader *reader, int64_t now_ms)
{
	return reader->ends_ms != 0 && now_ms >= reader->ends_ms;
}
