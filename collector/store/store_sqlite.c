#include "collector/store/store_sqlite.h"

#include "base/arena.h"
#include "collector/store/store_reserve.h"
#include "proto/render.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Of the tables below; a program meets an older one by the steps of `migrations`. */
enum { SCHEMA_VERSION = 4 };

enum statement {
	ADD_BATCH,
	FIND_DIGEST,
	FIND_MOVED,
	PUT_AGENT,
	PUT_VITALS,
	PUT_ROW,
	ADD_GAP,
	PUT_FINDING,
	FIND_NEWEST,
	KEEP_DOCUMENT,
	STATEMENT_COUNT
};

struct sqlite {
	struct store  store;
	sqlite3      *db;      /* owned */
	int           lock_fd; /* -1: read only */
	char         *reserve; /* owned; path; NULL: read only */
	bool          full;    /* something has failed for want of room */
	sqlite3_stmt *statements[STATEMENT_COUNT];
};

/* Migration n leads from version n to n + 1.  The columns that fields.def describes are not here:
 * add_columns() sees to them at every start. */
static const char *const migrations[SCHEMA_VERSION] = {
	"CREATE TABLE batches(id INTEGER PRIMARY KEY, agent TEXT NOT NULL, epoch INTEGER NOT "
	"NULL,"
	" seq INTEGER NOT NULL, digest BLOB NOT NULL, received_ms INTEGER NOT NULL,"
	" created_ms INTEGER NOT NULL, network TEXT NOT NULL, body BLOB NOT NULL,"
	" UNIQUE(agent, epoch, seq)) STRICT;"
	"CREATE INDEX batches_received ON batches(received_ms);"
	"CREATE TABLE agents(agent TEXT PRIMARY KEY, network TEXT NOT NULL,"
	" first_seen_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL,"
	" batches INTEGER NOT NULL, vitals BLOB) STRICT;"
	"CREATE TABLE current(agent TEXT NOT NULL, key TEXT NOT NULL, at_ms INTEGER NOT NULL,"
	" received_ms INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(agent, key)) STRICT;"
	"CREATE TABLE gaps(agent TEXT NOT NULL, received_ms INTEGER NOT NULL) STRICT;"
	"CREATE INDEX gaps_agent ON gaps(agent);"
	"CREATE TABLE findings(agent TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT "
	"NULL,"
	" code TEXT NOT NULL, host TEXT NOT NULL, opened_ms INTEGER NOT NULL,"
	" last_seen_ms INTEGER NOT NULL, closed_ms INTEGER NOT NULL, network TEXT NOT NULL,"
	" severity TEXT NOT NULL, owner TEXT NOT NULL, sentence TEXT NOT NULL,"
	" evidence TEXT NOT NULL, fix TEXT NOT NULL,"
	" PRIMARY KEY(agent, account, region, code, host, opened_ms)) STRICT;",
	/* Versions of one id in the order of seq: a clock may go back. */
	"CREATE TABLE documents(seq INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL,"
	" account TEXT NOT NULL, change TEXT NOT NULL, digest BLOB NOT NULL,"
	" seen_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT;"
	"CREATE INDEX documents_id ON documents(id, seq);",
	/* What was open before there were states had counted from its first look on. */
	"ALTER TABLE findings ADD COLUMN state TEXT NOT NULL DEFAULT 'confirmed';"
	"ALTER TABLE findings ADD COLUMN looks TEXT NOT NULL DEFAULT '!';"
	"ALTER TABLE findings ADD COLUMN mode TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE findings ADD COLUMN confirmed_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE findings ADD COLUMN looked_ms INTEGER NOT NULL DEFAULT 0;"
	"UPDATE findings SET confirmed_ms = opened_ms, looked_ms = last_seen_ms;"
	"UPDATE findings SET state = 'closed', looks = '.' WHERE closed_ms != 0;",
	/* Of older versions of documents only the time is known. */
	"ALTER TABLE documents ADD COLUMN after_agent TEXT;"
	"ALTER TABLE documents ADD COLUMN after_epoch INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE documents ADD COLUMN after_seq INTEGER NOT NULL DEFAULT 0;",
};

/* Which message's fields are columns of which table. */
static const struct columns {
	const char                *table, *prefix;
	const struct message_desc *desc;
} column_sets[] = {
	{ "current", "target_", &target_desc },
	{ "current", "", &measurement_desc },
	{ "agents", "vitals_", &vitals_desc },
	{ "gaps", "", &gap_desc },
};

const char *
store_sqlite_version(void)
{
	return sqlite3_libversion();
}

/* Of the last call.  The index of the log is a file of its own, with an error of its own. */
static void
note_full(struct sqlite *store)
{
	store->full = store->full || sqlite3_errcode(store->db) == SQLITE_FULL ||
	    sqlite3_extended_errcode(store->db) == SQLITE_IOERR_SHMSIZE;
}

static bool
refuse(struct sqlite *store, const char *what, struct err *err)
{
	note_full(store);
	return err_set(err, ERR_STORE, "store: %s: %s", what, sqlite3_errmsg(store->db));
}

static bool
run_sql(struct sqlite *store, const char *sql, struct err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	note_full(store);
	return err_set(err, ERR_STORE, "store: %s: %.60s ...", sqlite3_errmsg(store->db), sql);
}

/* The one number that a statement answers. */
static bool
ask_number(struct sqlite *store, const char *sql, int64_t *number, struct err *err)
{
	sqlite3_stmt *statement;
	bool          got;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return refuse(store, sql, err);
	got = sqlite3_step(statement) == SQLITE_ROW;
	if (got)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return got || refuse(store, sql, err);
}

static bool
has_column(struct sqlite *store, const char *table, const char *name)
{
	sqlite3_stmt *statement;
	bool          found = false;

	if (sqlite3_prepare_v2(store->db, "SELECT 1 FROM pragma_table_info(?) WHERE name = ?",
	        -1, &statement, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	found = sqlite3_step(statement) == SQLITE_ROW;
	sqlite3_finalize(statement);
	return found;
}

/* Splits "a, b, c" in place: the next part, or NULL. */
static char *
next_part(char **rest)
{
	char *part = *rest, *comma;

	if (part == NULL || *part == '\0')
		return NULL;
	comma = strstr(part, ", ");
	if (comma != NULL)
		*comma = '\0';
	*rest = comma != NULL ? comma + 2 : NULL;
	return part;
}

/* A newer program has fields that an older file does not: each column has a default. */
static bool
add_columns(struct sqlite *store, const struct columns *set, struct err *err)
{
	struct wbuf text;
	char       *all, *rest, *column;
	bool        done = true;

	wbuf_init(&text);
	render_sql_columns(set->desc, set->prefix, &text);
	rest = all = wbuf_take(&text);
	while (done && (column = next_part(&rest)) != NULL) {
		char *name = mem_printf("%.*s", (int)strcspn(column, " "), column);
		char *sql = mem_printf("ALTER TABLE %s ADD COLUMN %s", set->table, column);

		if (!has_column(store, set->table, name))
			done = run_sql(store, sql, err);
		free(sql);
		free(name);
	}
	free(all);
	return done;
}

static bool
read_version(struct sqlite *store, int64_t *version, struct err *err)
{
	if (!ask_number(store, "PRAGMA user_version", version, err))
		return false;
	if (*version > SCHEMA_VERSION)
		return err_set(err, ERR_STORE,
		    "store has schema %d, this program knows %d: it was "
		    "written by a newer plprobe-collector",
		    (int)*version, SCHEMA_VERSION);
	return true;
}

/* Who only reads cannot make the columns that are missing. */
static bool
check_version(struct sqlite *store, struct err *err)
{
	int64_t version = 0;

	if (!read_version(store, &version, err))
		return false;
	if (version < SCHEMA_VERSION)
		return err_set(err, ERR_STORE,
		    "store has schema %d, this program reads %d: `plprobe-collector run` "
		    "brings it there when it starts",
		    (int)version, SCHEMA_VERSION);
	return true;
}

static bool
migrate(struct sqlite *store, struct err *err)
{
	int64_t version = 0;
	char    sql[64];

	if (!read_version(store, &version, err))
		return false;
	if (!run_sql(store, "BEGIN IMMEDIATE", err))
		return false;
	for (; version < SCHEMA_VERSION; version++) {
		if (!run_sql(store, migrations[version], err))
			return false;
	}
	for (size_t i = 0; i < sizeof(column_sets) / sizeof(column_sets[0]); i++) {
		if (!add_columns(store, &column_sets[i], err))
			return false;
	}
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; COMMIT", SCHEMA_VERSION);
	return run_sql(store, sql, err);
}

/* "INSERT INTO table(<first>, <names>) VALUES(?, ...) <rest>"; in rest each '@' stands for
 * "name=excluded.name, ..." over the names. */
static char *
write_insert(const char *table, const char *first, const char *names, const char *rest)
{
	struct wbuf out;
	char       *copy = mem_printf("%s%s%s", first, names[0] != '\0' ? ", " : "", names);
	char       *at = copy, *name;
	const char *mark = "?";

	wbuf_init(&out);
	wbuf_printf(&out, "INSERT INTO %s(%s) VALUES(", table, copy);
	while (next_part(&at) != NULL) {
		wbuf_puts(&out, mark);
		mark = ", ?";
	}
	wbuf_puts(&out, ") ");
	free(copy);
	for (; *rest != '\0'; rest++) {
		if (*rest != '@') {
			wbuf_put(&out, rest, 1);
			continue;
		}
		at = copy = mem_strdup(names);
		for (mark = ""; (name = next_part(&at)) != NULL; mark = ", ")
			wbuf_printf(&out, "%s%s=excluded.%s", mark, name, name);
		free(copy);
	}
	return wbuf_take(&out);
}

static char *
write_names(const char *table)
{
	struct wbuf out;

	wbuf_init(&out);
	for (size_t i = 0; i < sizeof(column_sets) / sizeof(column_sets[0]); i++) {
		if (strcmp(column_sets[i].table, table) != 0)
			continue;
		if (out.count > 0)
			wbuf_puts(&out, ", ");
		render_sql_names(column_sets[i].desc, column_sets[i].prefix, &out);
	}
	return wbuf_take(&out);
}

static const struct insert {
	enum statement statement;
	const char    *table;
	bool           fields; /* the table's columns of fields.def too */
	const char    *first, *rest;
} inserts[] = {
	{ ADD_BATCH, "batches", false,
	    "agent, epoch, seq, digest, received_ms, created_ms, network, body",
	    "ON CONFLICT DO NOTHING" },
	{ PUT_AGENT, "agents", false, "agent, network, first_seen_ms, last_seen_ms, batches",
	    "ON CONFLICT DO UPDATE SET network=excluded.network, batches=batches+1,"
	    " last_seen_ms=max(last_seen_ms, excluded.last_seen_ms)" },
	{ PUT_VITALS, "agents", true,
	    "agent, network, first_seen_ms, last_seen_ms, batches, vitals",
	    "ON CONFLICT DO UPDATE SET vitals=excluded.vitals, @" },
	{ PUT_ROW, "current", true, "agent, key, at_ms, received_ms, body",
	    "ON CONFLICT DO UPDATE SET at_ms=excluded.at_ms, received_ms=excluded.received_ms,"
	    " body=excluded.body, @ WHERE excluded.at_ms >= at_ms" },
	{ ADD_GAP, "gaps", true, "agent, received_ms", "" },
	{ PUT_FINDING, "findings", false,
	    "agent, account, region, code, host, opened_ms, last_seen_ms, closed_ms, network,"
	    " severity, owner, sentence, evidence, fix, state, looks, mode, confirmed_ms,"
	    " looked_ms",
	    "ON CONFLICT DO UPDATE SET last_seen_ms=excluded.last_seen_ms,"
	    " closed_ms=excluded.closed_ms, network=excluded.network, "
	    "severity=excluded.severity,"
	    " owner=excluded.owner, sentence=excluded.sentence, evidence=excluded.evidence,"
	    " fix=excluded.fix, state=excluded.state, looks=excluded.looks,"
	    " mode=excluded.mode, confirmed_ms=excluded.confirmed_ms,"
	    " looked_ms=excluded.looked_ms" },
};

static const char newest_batch[] =
    "SELECT agent, epoch, seq FROM batches ORDER BY id DESC LIMIT 1";

static bool
prepare(struct sqlite *store, enum statement statement, const char *sql, struct err *err)
{
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
	        &store->statements[statement], NULL) != SQLITE_OK)
		return refuse(store, sql, err);
	return true;
}

static bool
prepare_all(struct sqlite *store, struct err *err)
{
	bool done = prepare(store, FIND_DIGEST,
	                "SELECT digest FROM batches WHERE agent = ? AND epoch = ? AND seq = ?",
	                err) &&
	    prepare(store, FIND_NEWEST, newest_batch, err) &&
	    prepare(store, KEEP_DOCUMENT,
	        "INSERT INTO documents(id, kind, account, change, digest, seen_ms, body,"
	        " after_agent, after_epoch, after_seq)"
	        " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 WHERE ?5 IS NOT"
	        " (SELECT digest FROM documents WHERE id = ?1 ORDER BY seq DESC LIMIT 1)",
	        err) &&
	    prepare(store, FIND_MOVED,
	        "SELECT 1 FROM gaps WHERE agent = ? AND epoch = ? AND ? BETWEEN first_seq AND"
	        " last_seq AND reason = '" GAP_MOVED "'",
	        err);

	for (size_t i = 0; done && i < sizeof(inserts) / sizeof(inserts[0]); i++) {
		char *names = inserts[i].fields ? write_names(inserts[i].table)
		                                : mem_strdup("");
		char *sql = write_insert(
		    inserts[i].table, inserts[i].first, names, inserts[i].rest);

		done = prepare(store, inserts[i].statement, sql, err);
		free(sql);
		free(names);
	}
	return done;
}

/* A second collector on one file would be a second connection that writes. */
static bool
take_lock(struct sqlite *store, const char *path, struct err *err)
{
	char *name = mem_printf("%s.lock", path);
	bool  taken = false;

	store->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0)
		err_errno(err, "%s", name);
	else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
		taken = true;
	else if (errno == EWOULDBLOCK)
		err_set(err, ERR_ORDER, "%s: another plprobe-collector uses this store", path);
	else
		err_errno(err, "%s", name);
	free(name);
	return taken;
}

static const char for_writing[] =
    "PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON";
static const char for_reading[] =
    "PRAGMA query_only=1; PRAGMA wal_autocheckpoint=0; PRAGMA trusted_schema=OFF";

static bool
open_database(struct sqlite *store, const char *path, bool read_only, struct err *err)
{
	int flags = read_only ? SQLITE_OPEN_READONLY
	                      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int fd;

	if (!read_only) {
		/* SQLite would give the file, its log and its index the rights of the umask. */
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return err_errno(err, "%s", path);
		close(fd);
	}
	if (sqlite3_open_v2(path, &store->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return err_set(err, ERR_STORE, "%s: %s", path, sqlite3_errmsg(store->db));
	sqlite3_busy_timeout(store->db, 5000);
	sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, 16 << 20);
	if (!run_sql(store, read_only ? for_reading : for_writing, err))
		return false;
	if (read_only)
		return check_version(store, err);
	return migrate(store, err) && prepare_all(store, err);
}

static void
close_sqlite(struct store *base)
{
	struct sqlite *store = (struct sqlite *)base;

	for (int i = 0; i < STATEMENT_COUNT; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	free(store->reserve);
	free(store);
}

/* Once more with the room that was set aside, so that a collector starts on a full disk. */
static bool
open_again(struct sqlite *store, const char *path, struct err *err)
{
	if (!store->full || !store_reserve_release(store->reserve))
		return false;
	for (int i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(store->statements[i]);
		store->statements[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
	return open_database(store, path, false, err);
}

static bool
open_for_writing(struct sqlite *store, const char *path, struct err *err)
{
	if (!take_lock(store, path, err))
		return false;
	store->reserve = mem_printf("%s.reserve", path);
	if (!open_database(store, path, false, err) && !open_again(store, path, err))
		return false;
	(void)!store_reserve_make(store->reserve);
	return true;
}

static struct store *
open_sqlite(const char *path, bool read_only, struct err *err)
{
	struct sqlite *store = mem_alloc(sizeof(*store));

	store->store.ops = &store_sqlite;
	store->lock_fd = -1;
	if (read_only ? open_database(store, path, true, err)
	              : open_for_writing(store, path, err))
		return &store->store;
	if (err != NULL && strstr(err->text, path) == NULL)
		err_in(err, "%s", path);
	close_sqlite(&store->store);
	return NULL;
}

/* Binding in order, for the fields of a message. */
struct binder {
	sqlite3_stmt *statement;
	int           at; /* the last parameter that was bound */
};

static void
bind_value(void *arg, const char *text, int64_t number)
{
	struct binder *binder = arg;

	if (text != NULL)
		sqlite3_bind_text(binder->statement, ++binder->at, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_int64(binder->statement, ++binder->at, number);
}

static void
bind_text(struct binder *binder, const char *text)
{
	bind_value(binder, text != NULL ? text : "", 0);
}

static void
bind_number(struct binder *binder, int64_t number)
{
	bind_value(binder, NULL, number);
}

static void
bind_bytes(struct binder *binder, const uint8_t *bytes, size_t count)
{
	sqlite3_bind_blob64(binder->statement, ++binder->at, bytes, count, SQLITE_STATIC);
}

/* Runs a statement that answers no rows, and makes it ready for the next time. */
static bool
finish_statement(struct sqlite *store, struct binder *binder, struct err *err)
{
	bool done = sqlite3_step(binder->statement) == SQLITE_DONE;

	if (!done)
		refuse(store, "cannot write", err);
	sqlite3_reset(binder->statement);
	sqlite3_clear_bindings(binder->statement);
	return done;
}

static bool
add_batch(struct sqlite *store, const struct store_batch *batch, struct err *err)
{
	struct binder in = { store->statements[ADD_BATCH], 0 };

	bind_text(&in, batch->agent);
	bind_number(&in, (int64_t)batch->epoch);
	bind_number(&in, batch->seq);
	bind_bytes(&in, batch->digest, DIGEST_BYTES);
	bind_number(&in, batch->received_ms);
	bind_number(&in, batch->created_ms);
	bind_text(&in, batch->network);
	bind_bytes(&in, batch->body, batch->body_bytes);
	return finish_statement(store, &in, err);
}

static bool
compare_digest(struct sqlite *store, const struct store_batch *batch, enum store_answer *answer,
    struct err *err)
{
	struct binder in = { store->statements[FIND_DIGEST], 0 };
	bool          found;

	bind_text(&in, batch->agent);
	bind_number(&in, (int64_t)batch->epoch);
	bind_number(&in, batch->seq);
	found = sqlite3_step(in.statement) == SQLITE_ROW;
	if (found) {
		const void *digest = sqlite3_column_blob(in.statement, 0);
		int         count = sqlite3_column_bytes(in.statement, 0);

		*answer = count == DIGEST_BYTES &&
		        memcmp(digest, batch->digest, DIGEST_BYTES) == 0
		    ? STORE_DUPLICATE
		    : STORE_CONFLICT;
	}
	sqlite3_reset(in.statement);
	return found || refuse(store, "cannot read a digest", err);
}

static bool
put_agent(struct sqlite *store, const struct store_batch *batch, struct err *err)
{
	bool          with_vitals = batch->vitals != NULL;
	struct binder in = { store->statements[PUT_AGENT], 0 };

	bind_text(&in, batch->agent);
	bind_text(&in, batch->network);
	bind_number(&in, batch->received_ms);
	bind_number(&in, batch->received_ms);
	bind_number(&in, 1);
	if (!finish_statement(store, &in, err))
		return false;
	if (!with_vitals)
		return true;
	in = (struct binder){ store->statements[PUT_VITALS], 0 };
	bind_text(&in, batch->agent);
	bind_text(&in, batch->network);
	bind_number(&in, batch->received_ms);
	bind_number(&in, batch->received_ms);
	bind_number(&in, 1);
	bind_bytes(&in, batch->vitals_bytes, batch->vitals_count);
	render_sql_values(&vitals_desc, batch->vitals, bind_value, &in);
	return finish_statement(store, &in, err);
}

static bool
put_row(struct sqlite *store, const struct store_batch *batch, const struct store_row *row,
    struct err *err)
{
	struct binder in = { store->statements[PUT_ROW], 0 };

	bind_text(&in, batch->agent);
	bind_text(&in, row->key);
	bind_number(&in, row->at_ms);
	bind_number(&in, batch->received_ms);
	bind_bytes(&in, row->bytes, row->count);
	render_sql_values(&target_desc, row->seen->target, bind_value, &in);
	render_sql_values(&measurement_desc, row->seen, bind_value, &in);
	return finish_statement(store, &in, err);
}

static bool
add_gap(struct sqlite *store, const struct store_batch *batch, const struct gap *gap,
    struct err *err)
{
	struct binder in = { store->statements[ADD_GAP], 0 };

	bind_text(&in, batch->agent);
	bind_number(&in, batch->received_ms);
	render_sql_values(&gap_desc, gap, bind_value, &in);
	return finish_statement(store, &in, err);
}

/* Whether its records are stored under another number. */
static bool
has_moved(struct sqlite *store, const struct store_batch *batch)
{
	struct binder in = { store->statements[FIND_MOVED], 0 };
	bool          moved;

	bind_text(&in, batch->agent);
	bind_number(&in, (int64_t)batch->epoch);
	bind_number(&in, batch->seq);
	moved = sqlite3_step(in.statement) == SQLITE_ROW;
	sqlite3_reset(in.statement);
	return moved;
}

static bool
append_one(struct sqlite *store, const struct store_batch *batch, enum store_answer *answer,
    struct err *err)
{
	if (has_moved(store, batch)) {
		*answer = STORE_DUPLICATE;
		return true;
	}
	if (!add_batch(store, batch, err))
		return false;
	if (sqlite3_changes(store->db) == 0)
		return compare_digest(store, batch, answer, err);
	*answer = STORE_STORED;
	if (!put_agent(store, batch, err))
		return false;
	for (size_t i = 0; i < batch->row_count; i++) {
		if (!put_row(store, batch, &batch->rows[i], err))
			return false;
	}
	for (size_t i = 0; i < batch->gap_count; i++) {
		if (!add_gap(store, batch, batch->gaps[i], err))
			return false;
	}
	return true;
}

/* Ends the transaction: by COMMIT when all went well, else by ROLLBACK. */
static bool
end_transaction(struct sqlite *store, bool well, struct err *err)
{
	if (well && run_sql(store, "COMMIT", err))
		return true;
	/* An error such as a full disk may have rolled back already. */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

static bool
append_sqlite(struct store *base, const struct store_batch *const *batches, size_t count,
    enum store_answer *answers, struct err *err)
{
	struct sqlite *store = (struct sqlite *)base;
	bool           well = true;

	if (!run_sql(store, "BEGIN IMMEDIATE", err))
		return false;
	for (size_t i = 0; well && i < count; i++)
		well = append_one(store, batches[i], &answers[i], err);
	return end_transaction(store, well, err);
}

static bool
put_finding(struct sqlite *store, const struct store_finding *finding, struct err *err)
{
	struct binder in = { store->statements[PUT_FINDING], 0 };

	bind_text(&in, finding->agent);
	bind_text(&in, finding->account);
	bind_text(&in, finding->region);
	bind_text(&in, finding->code);
	bind_text(&in, finding->host);
	bind_number(&in, finding->opened_ms);
	bind_number(&in, finding->last_seen_ms);
	bind_number(&in, finding->closed_ms);
	bind_text(&in, finding->network);
	bind_text(&in, finding->severity);
	bind_text(&in, finding->owner);
	bind_text(&in, finding->sentence);
	bind_text(&in, finding->evidence);
	bind_text(&in, finding->fix);
	bind_text(&in, finding->state);
	bind_text(&in, finding->looks);
	bind_text(&in, finding->mode);
	bind_number(&in, finding->confirmed_ms);
	bind_number(&in, finding->looked_ms);
	return finish_statement(store, &in, err);
}

static bool
put_sqlite(
    struct store *base, const struct store_finding *findings, size_t count, struct err *err)
{
	struct sqlite *store = (struct sqlite *)base;
	bool           well = true;

	if (!run_sql(store, "BEGIN IMMEDIATE", err))
		return false;
	for (size_t i = 0; well && i < count; i++)
		well = put_finding(store, &findings[i], err);
	return end_transaction(store, well, err);
}

/* The batch that a version is behind. */
static void
bind_after(struct sqlite *store, struct binder *in, const struct store_mark *after)
{
	sqlite3_stmt *newest = store->statements[FIND_NEWEST];

	if (after->agent == NULL && sqlite3_step(newest) == SQLITE_ROW) {
		bind_text(in, (const char *)sqlite3_column_text(newest, 0));
		bind_number(in, sqlite3_column_int64(newest, 1));
		bind_number(in, sqlite3_column_int64(newest, 2));
	} else {
		bind_text(in, after->agent);
		bind_number(in, (int64_t)after->epoch);
		bind_number(in, after->seq);
	}
	sqlite3_reset(newest);
}

/* A blob of no bytes is NULL to SQLite when it has no address. */
static bool
keep_document(struct sqlite *store, const struct store_document *document, struct err *err)
{
	static const uint8_t nothing[1];
	struct binder        in = { store->statements[KEEP_DOCUMENT], 0 };

	bind_text(&in, document->id);
	bind_text(&in, document->kind);
	bind_text(&in, document->account);
	bind_text(&in, document->change);
	bind_bytes(&in, document->digest, DIGEST_BYTES);
	bind_number(&in, document->seen_ms);
	bind_bytes(&in, document->count > 0 ? document->bytes : nothing, document->count);
	bind_after(store, &in, &document->after);
	return finish_statement(store, &in, err);
}

static bool
keep_sqlite(
    struct store *base, const struct store_document *documents, size_t count, struct err *err)
{
	struct sqlite *store = (struct sqlite *)base;
	bool           well = true;

	if (!run_sql(store, "BEGIN IMMEDIATE", err))
		return false;
	for (size_t i = 0; well && i < count; i++)
		well = keep_document(store, &documents[i], err);
	return end_transaction(store, well, err);
}

static const char *const old_ones[] = {
	"DELETE FROM batches WHERE rowid IN"
	" (SELECT rowid FROM batches WHERE received_ms < ?1 LIMIT ?2)",
	"DELETE FROM current WHERE rowid IN"
	" (SELECT rowid FROM current WHERE received_ms < ?1 LIMIT ?2)",
	"DELETE FROM agents WHERE rowid IN"
	" (SELECT rowid FROM agents WHERE last_seen_ms < ?1 LIMIT ?2)",
	"DELETE FROM gaps WHERE rowid IN"
	" (SELECT rowid FROM gaps WHERE received_ms < ?1 LIMIT ?2)",
	"DELETE FROM findings WHERE rowid IN (SELECT rowid FROM findings"
	" WHERE closed_ms != 0 AND closed_ms < ?1 LIMIT ?2)",
	"DELETE FROM documents WHERE seq IN (SELECT seq FROM documents AS old WHERE EXISTS"
	" (SELECT 1 FROM documents AS newer WHERE newer.id = old.id AND newer.seq > old.seq"
	" AND newer.seen_ms < ?1) LIMIT ?2)",
	/* The last word of a document that is gone, when nothing is left that it ended. */
	"DELETE FROM documents WHERE seq IN (SELECT seq FROM documents AS last"
	" WHERE digest = zeroblob(32) AND seen_ms < ?1 AND NOT EXISTS"
	" (SELECT 1 FROM documents AS other WHERE other.id = last.id AND other.seq != last.seq)"
	" LIMIT ?2)",
};

static bool
delete_old(struct sqlite *store, const char *sql, int64_t before_ms, size_t most,
    size_t *removed, struct err *err)
{
	struct binder in = { NULL, 0 };
	bool          done;

	if (sqlite3_prepare_v2(store->db, sql, -1, &in.statement, NULL) != SQLITE_OK)
		return refuse(store, sql, err);
	bind_number(&in, before_ms);
	bind_number(&in, (int64_t)most);
	done = finish_statement(store, &in, err);
	*removed += done ? (size_t)sqlite3_changes(store->db) : 0;
	sqlite3_finalize(in.statement);
	return done;
}

static bool
expire_old(
    struct sqlite *store, int64_t before_ms, size_t most, size_t *removed, struct err *err)
{
	bool well = true;

	*removed = 0;
	if (!run_sql(store, "BEGIN IMMEDIATE", err))
		return false;
	for (size_t i = 0; well && i < sizeof(old_ones) / sizeof(old_ones[0]); i++)
		well = delete_old(store, old_ones[i], before_ms, most, removed, err);
	if (!end_transaction(store, well, err))
		return false;
	/* What cannot be given back to a full disk is free within the file. */
	return run_sql(store, "PRAGMA incremental_vacuum(256)", err) || store->full;
}

/* The log of a full disk cannot grow, and to take it in the database may have to: with that the room
 * that was set aside begins. */
static void
make_room(struct sqlite *store)
{
	static const char empty_log[] = "PRAGMA wal_checkpoint(TRUNCATE)";

	store->full = false;
	if (run_sql(store, empty_log, NULL) && !store->full)
		return;
	(void)!store_reserve_release(store->reserve);
	(void)!run_sql(store, empty_log, NULL);
}

static bool
expire_sqlite(
    struct store *base, int64_t before_ms, size_t most, size_t *removed, struct err *err)
{
	struct sqlite *store = (struct sqlite *)base;
	bool           done;

	if (store->full)
		make_room(store);
	store->full = false;
	done = expire_old(store, before_ms, most, removed, err);
	if (!done && store->full) {
		make_room(store);
		done = expire_old(store, before_ms, most, removed, err);
	}
	if (done && !store->full)
		(void)!store_reserve_make(store->reserve);
	store->full = false;
	return done;
}

static const char *
read_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	return text != NULL ? (const char *)text : "";
}

static void
read_agent(sqlite3_stmt *row, const struct store_reader *to)
{
	struct store_agent agent = {
		.agent = read_text(row, 0),
		.network = read_text(row, 1),
		.first_seen_ms = sqlite3_column_int64(row, 2),
		.last_seen_ms = sqlite3_column_int64(row, 3),
		.batches = (uint64_t)sqlite3_column_int64(row, 4),
		.vitals_bytes = sqlite3_column_blob(row, 5),
		.vitals_count = (size_t)sqlite3_column_bytes(row, 5),
		.lost_records = (uint64_t)sqlite3_column_int64(row, 6),
	};

	to->on_agent(to->arg, &agent);
}

static void
read_row(sqlite3_stmt *row, const struct store_reader *to)
{
	to->on_row(to->arg, read_text(row, 0), sqlite3_column_int64(row, 1),
	    sqlite3_column_int64(row, 2), sqlite3_column_blob(row, 3),
	    (size_t)sqlite3_column_bytes(row, 3));
}

static void
read_finding(sqlite3_stmt *row, const struct store_reader *to)
{
	struct store_finding finding = {
		.agent = read_text(row, 0),
		.account = read_text(row, 1),
		.region = read_text(row, 2),
		.code = read_text(row, 3),
		.host = read_text(row, 4),
		.opened_ms = sqlite3_column_int64(row, 5),
		.last_seen_ms = sqlite3_column_int64(row, 6),
		.closed_ms = sqlite3_column_int64(row, 7),
		.network = read_text(row, 8),
		.severity = read_text(row, 9),
		.owner = read_text(row, 10),
		.sentence = read_text(row, 11),
		.evidence = read_text(row, 12),
		.fix = read_text(row, 13),
		.state = read_text(row, 14),
		.looks = read_text(row, 15),
		.mode = read_text(row, 16),
		.confirmed_ms = sqlite3_column_int64(row, 17),
		.looked_ms = sqlite3_column_int64(row, 18),
	};

	to->on_finding(to->arg, &finding);
}

static void
read_batch(sqlite3_stmt *row, const struct store_reader *to)
{
	struct store_batch batch = {
		.agent = read_text(row, 0),
		.epoch = (uint64_t)sqlite3_column_int64(row, 1),
		.seq = (uint32_t)sqlite3_column_int64(row, 2),
		.received_ms = sqlite3_column_int64(row, 4),
		.created_ms = sqlite3_column_int64(row, 5),
		.network = read_text(row, 6),
		.body = sqlite3_column_blob(row, 7),
		.body_bytes = (size_t)sqlite3_column_bytes(row, 7),
	};

	if (sqlite3_column_bytes(row, 3) == DIGEST_BYTES)
		memcpy(batch.digest, sqlite3_column_blob(row, 3), DIGEST_BYTES);
	to->on_batch(to->arg, &batch);
}

static void
read_document(sqlite3_stmt *row, const struct store_reader *to)
{
	struct store_document document = {
		.id = read_text(row, 0),
		.kind = read_text(row, 1),
		.account = read_text(row, 2),
		.change = read_text(row, 3),
		.seen_ms = sqlite3_column_int64(row, 5),
		.bytes = sqlite3_column_blob(row, 6),
		.count = (size_t)sqlite3_column_bytes(row, 6),
		.after = { (const char *)sqlite3_column_text(row, 7),
		    (uint64_t)sqlite3_column_int64(row, 8),
		    (uint32_t)sqlite3_column_int64(row, 9) },
	};

	if (sqlite3_column_bytes(row, 4) == DIGEST_BYTES)
		memcpy(document.digest, sqlite3_column_blob(row, 4), DIGEST_BYTES);
	to->on_document(to->arg, &document);
}

static void
read_newest(sqlite3_stmt *row, const struct store_reader *to)
{
	struct store_mark newest = { read_text(row, 0), (uint64_t)sqlite3_column_int64(row, 1),
		(uint32_t)sqlite3_column_int64(row, 2) };

	to->on_newest(to->arg, &newest);
}

static bool
read_all(struct sqlite *store, const char *sql, const struct store_reader *to,
    void (*read)(sqlite3_stmt *row, const struct store_reader *to), struct err *err)
{
	sqlite3_stmt *statement;
	int           step;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return refuse(store, "cannot read", err);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW)
		read(statement, to);
	if (step != SQLITE_DONE)
		refuse(store, "cannot read", err);
	sqlite3_finalize(statement);
	return step == SQLITE_DONE;
}

static bool
load_sqlite(struct store *base, const struct store_reader *to, struct err *err)
{
	struct sqlite *store = (struct sqlite *)base;
	bool           well = true;

	if (to->on_agent != NULL)
		well = read_all(store,
		    "SELECT agent, network, first_seen_ms, last_seen_ms, batches, vitals,"
		    " (SELECT coalesce(sum(records), 0) FROM gaps WHERE gaps.agent = "
		    "agents.agent)"
		    " FROM agents ORDER BY agent",
		    to, read_agent, err);
	if (well && to->on_row != NULL)
		well = read_all(store, "SELECT agent, at_ms, received_ms, body FROM current",
		    to, read_row, err);
	if (well && to->on_finding != NULL)
		well = read_all(store,
		    "SELECT agent, account, region, code, host, opened_ms, last_seen_ms,"
		    " closed_ms, network, severity, owner, sentence, evidence, fix, state,"
		    " looks, mode, confirmed_ms, looked_ms FROM findings ORDER BY opened_ms",
		    to, read_finding, err);
	if (well && to->on_batch != NULL)
		well = read_all(store,
		    "SELECT agent, epoch, seq, digest, received_ms, created_ms, network, body"
		    " FROM batches ORDER BY id",
		    to, read_batch, err);
	/* Not there in a store of an older version that is only read. */
	if (well && to->on_document != NULL && has_column(store, "documents", "seq"))
		well = read_all(store,
		    "SELECT id, kind, account, change, digest, seen_ms, body, after_agent,"
		    " after_epoch, after_seq FROM documents ORDER BY seq",
		    to, read_document, err);
	if (well && to->on_newest != NULL)
		well = read_all(store, newest_batch, to, read_newest, err);
	return well;
}

struct check {
	size_t     wrong;
	struct err first;
};

static void
check_batch(void *arg, const struct store_batch *batch)
{
	struct check *check = arg;
	uint8_t       digest[DIGEST_BYTES];

	digest_sha256(batch->body, batch->body_bytes, digest);
	if (!digest_equal(digest, batch->digest, DIGEST_BYTES) && check->wrong++ == 0)
		err_set(&check->first, ERR_STORE, "batch %u of %s is not what was received",
		    batch->seq, batch->agent);
}

static bool
check_sqlite(struct store *base, struct err *err)
{
	struct sqlite      *store = (struct sqlite *)base;
	struct check        check = { 0 };
	struct store_reader reader = { .on_batch = check_batch, .arg = &check };
	int64_t             whole = 0;

	if (!ask_number(store,
	        "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'",
	        &whole, err))
		return false;
	if (whole != 1)
		return err_set(err, ERR_STORE, "store: SQLite's integrity check fails");
	if (!load_sqlite(base, &reader, err))
		return false;
	if (check.wrong > 0)
		return err_set(
		    err, ERR_STORE, "%s (%zu such batches)", check.first.text, check.wrong);
	return true;
}

const struct store_ops store_sqlite = {
	.scheme = "sqlite",
	.open = open_sqlite,
	.close = close_sqlite,
	.append = append_sqlite,
	.put = put_sqlite,
	.keep = keep_sqlite,
	.expire = expire_sqlite,
	.load = load_sqlite,
	.check = check_sqlite,
};
