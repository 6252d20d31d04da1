/* sync_json: what the Azure Resource Manager answers, as far as the way to the next question needs
 * it [azure-resource-manager].
 *
 * Pure.  What a document means is for analyze/; here it is the ids in it, the pages of a list, the
 * words of an error, and the list of what was fetched when.
 */
#ifndef COLLECTOR_SYNC_JSON_H
#define COLLECTOR_SYNC_JSON_H

#include "base/arena.h"
#include "base/wbuf.h"

struct json_t;

enum { SYNC_IDS_MAX = 4096, SYNC_ID_MAX = 1024 };

/* Texts, each once; in an arena. */
struct sync_ids {
	const char **texts;
	size_t       count;
};

/* An answer that is an object, and nothing else; the caller drops the reference by
 * sync_json_free().  NULL with err. */
struct json_t *sync_json_object(
    const char *bytes, size_t count, const char *source, struct err *err) MUST_CHECK;
void           sync_json_free(struct json_t *value);  /* NULL is fine */
struct json_t *sync_json_share(struct json_t *value); /* one more reference */

/* Adds the page's elements to those of the list, which is an object {"value": [...]} or NULL for
 * the first page; next is the page's nextLink in the arena, "" at the end.  False with err. */
bool sync_json_add_page(struct arena *arena, struct json_t **list, struct json_t *page,
    const char *source, const char **next, struct err *err) MUST_CHECK;
/* How many elements the list has. */
size_t sync_json_count(const struct json_t *list);

/* Adds the id unless it is there, whatever its case, or the list is full. */
void sync_ids_add(struct arena *arena, struct sync_ids *ids, const char *text);

/* Adds every text at the path, such as "value[].networkInterfaces[].id", where each member may also
 * stand below "properties", as documents of Azure have it; no more than SYNC_IDS_MAX. */
void sync_json_find(
    struct arena *arena, const struct json_t *value, const char *path, struct sync_ids *ids);

/* "AuthorizationFailed: The client ..." of an error's answer, sane and short; "" when it says nothing
 * that can be read.  code: its first part alone. */
const char *sync_json_trouble(
    struct arena *arena, const char *bytes, size_t count, const char **code);

/* What one file of an account's folder holds. */
struct sync_entry {
	const char *file; /* within the folder */
	const char *id;   /* path of the question, for people */
	const char *etag; /* "" when none was offered */
	const char *seen; /* when it was fetched last, RFC 3339 */
};

struct sync_entries {
	struct sync_entry *rows;
	size_t             count;
};

/* The list of what was fetched, written and read again; what is malformed is none. */
void sync_json_write_entries(struct wbuf *out, const struct sync_entries *entries);
void sync_json_read_entries(
    struct arena *arena, const char *bytes, size_t count, struct sync_entries *entries);

#endif
