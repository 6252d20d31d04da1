/* conf: a YAML file into a struct, through one table of settings.
 *
 * Over conf_tree (the door to libyaml) and conf_unit.  Each setting is one row: name, type, place, bounds, preset, help.  What is
 * not in the table, has the wrong unit or is out of bounds is refused with file, line, column and
 * what was wanted; all problems of a file are reported together.  Rules between settings are the
 * caller's.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/wbuf.h"

#include <stddef.h>
#include <stdint.h>

enum conf_type {
	CONF_TEXT, /* const char *: "" when absent */
	CONF_PATH, /* const char *: as CONF_TEXT; a relative path is taken from the file's folder,
	            * but "credential:NAME", which systemd places, is left as it is */
	CONF_BOOL,   /* bool: true, false */
	CONF_NUMBER, /* int64_t */
	CONF_MS,     /* int64_t, milliseconds: a number with ms, s, m, h or d */
	CONF_BYTES,  /* int64_t: a number with B, KiB, MiB or GiB */
	CONF_TEXTS,  /* struct conf_texts: a list of scalars; one scalar is a list of one */
	CONF_LIST /* struct conf_list: a list of mappings, each read by the table `rows` into a
	              * struct of `row_bytes` bytes */
};

struct conf_texts {
	const char **texts; /* owned by the arena */
	size_t       count;
};

struct conf_list {
	void  *rows; /* owned by the arena: count structs */
	size_t count;
};

struct conf_row {
	const char    *name; /* NULL ends a table */
	enum conf_type type;
	size_t         at; /* offsetof() the member */
	int64_t        low,
	    high; /* bounds of a number, of a list's count or a text's bytes; both 0: any */
	const char *preset; /* as in a file ("" an empty text or list); NULL: required */
	const char *help;   /* one line, for `config dump` and the manual */
	const struct conf_row *rows;      /* CONF_LIST */
	size_t                 row_bytes; /* CONF_LIST */
	/* Text, path and each of texts: false refuses it, in the place where it stands.  NULL: any. */
	bool (*check)(const char *text, struct err *err);
	/* CONF_LIST: asked with each struct that was read without complaint; false refuses it, in
	 * the place where its mapping begins.  NULL: any. */
	bool (*check_entry)(const void *entry, struct err *err);
};

/* Reads the file at path, and then each *.yaml of folder (NULL: none) in order of name, whose
 * settings replace those before, into the struct `into`, which is first filled with the presets.
 * path NULL: no such file.  A folder that does not exist is an empty one.  Everything is
 * allocated in the arena, also what a refused file said; presets are read from the table and a
 * wrong one is a fault of the program. */
bool conf_read(void *into, const struct conf_row *rows, struct arena *arena, const char *path,
    const char *folder, struct err *err) MUST_CHECK;

/* The same from memory; name stands for the file in errors. */
bool conf_parse(void *into, const struct conf_row *rows, struct arena *arena, const char *text,
    size_t count, const char *name, struct err *err) MUST_CHECK;

/* The effective settings as YAML, each with its help as a comment; readable by conf_read(). */
void conf_dump(const void *from, const struct conf_row *rows, struct wbuf *out);

/* "30s" and "256MiB" alone, for command lines. */
bool conf_ms_parse(int64_t *ms, const char *text, struct err *err) MUST_CHECK;
bool conf_bytes_parse(int64_t *bytes, const char *text, struct err *err) MUST_CHECK;

#endif
