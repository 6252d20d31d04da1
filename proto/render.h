/* render: a message of fields.def for people and for other programs.
 *
 * JSON names every field that is not at its default and all fields when asked to; text is one
 * "name: value" a line, nested by indent.  Also what else is derived from the table: SQL columns
 * and FIELDS.md.
 */
#ifndef PROTO_RENDER_H
#define PROTO_RENDER_H

#include "base/wbuf.h"
#include "proto/record.h"

struct json_t;

/* A new reference; enums as words.  all: defaults too.  In render_json.c. */
struct json_t *render_json(const struct message_desc *desc, const void *from, bool all);
/* The same as text, appended. */
void render_json_text(const struct message_desc *desc, const void *from, bool all,
    unsigned indent, struct wbuf *out);

/* Lines of "name: value", nested messages indented.  In render_text.c. */
void render_text(const struct message_desc *desc, const void *from, struct wbuf *out);

/* The scalar fields as SQL column definitions, "took_us INTEGER NOT NULL DEFAULT 0, ..."; each
 * name behind prefix.  In render_sql.c. */
void render_sql_columns(const struct message_desc *desc, const char *prefix, struct wbuf *out);
/* "took_us, agent_late, ..." in the same order. */
void render_sql_names(const struct message_desc *desc, const char *prefix, struct wbuf *out);
/* Calls bind() once a scalar field, in the same order: text for TEXT (number 0), else the number
 * and text NULL. */
void render_sql_values(const struct message_desc *desc, const void  *from,
    void (*bind)(void *arg, const char *text, int64_t number), void *arg);

/* The whole of FIELDS.md.  In render_fields.c. */
void render_fields_md(struct wbuf *out);

#endif
