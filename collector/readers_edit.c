#include "collector/readers_edit.h"

#include "base/base64.h"
#include "base/file.h"
#include "base/owner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_BYTES = 6, SECRET_BYTES = 32 };

/* One change: a row that is added, or one that goes. */
struct change {
	const struct reader *add; /* NULL: none */
	const char *without;      /* NULL: nobody; an id of a token, or the name of a person */
	bool        person;       /* what without is */
	bool        replace;      /* add may, and must, take the place of one */
	size_t      ended;
};

static bool
is_meant(const struct change *change, const struct reader *row)
{
	return change->without != NULL && row->person == change->person &&
	    strcmp(change->person ? row->name : row->id, change->without) == 0;
}

static bool
check_add(const struct change *change, struct err *err)
{
	const struct reader *add = change->add;

	if (add == NULL || !add->person || (change->ended > 0) == change->replace)
		return true;
	if (change->replace)
		return err_set(err, ERR_USAGE, "there is no user %s", add->name);
	return err_set(
	    err, ERR_USAGE, "there is a user %s; --replace gives a new password", add->name);
}

static bool
write_change(const char *path, struct change *change, struct err *err)
{
	struct arena       *arena = arena_new();
	struct readers_list list;
	struct wbuf         out;
	bool                done = readers_read(&list, arena, path, err);

	wbuf_init(&out);
	for (size_t i = 0; done && i < list.count; i++) {
		if (is_meant(change, &list.rows[i]))
			change->ended++;
		else
			readers_write(&out, &list.rows[i]);
	}
	if (done && change->add != NULL)
		readers_write(&out, change->add);
	done = done && check_add(change, err);
	if (done && (change->add != NULL || change->ended > 0))
		done = file_replace(path, out.bytes, out.count, 0600, err);
	wbuf_fini(&out);
	arena_free(arena);
	return done;
}

static bool
apply(const char *path, struct change *change, struct err *err)
{
	struct owner_ids owner;
	bool             done = false;
	int              lock;

	/* What root writes must be something that the collector can read. */
	if (!owner_enter(&owner, path, err))
		return false;
	lock = file_lock(path, err);
	if (lock >= 0) {
		done = write_change(path, change, err);
		close(lock);
	}
	owner_leave(&owner);
	return done;
}

static bool
check_name(const char *name, struct err *err)
{
	return readers_is_name(name) ||
	    err_set(err, ERR_USAGE,
	        "%.80s: a reader is named by 1 to %d letters, digits, '.', '_', '-', '@' or "
	        "'+'",
	        name, READERS_NAME_MAX);
}

bool
readers_edit_token(const char *path, const char *name, int64_t now_ms, int64_t ends_ms,
    char *text, struct err *err)
{
	uint8_t       id[ID_BYTES], secret[SECRET_BYTES];
	char          id_text[READERS_ID_CHARS + 1], secret_text[BASE64_ROOM(SECRET_BYTES)];
	struct reader reader = {
		.name = name, .id = id_text, .made_ms = now_ms, .ends_ms = ends_ms
	};
	struct change change = { .add = &reader };
	bool          done;

	if (!check_name(name, err))
		return false;
	digest_random(id, sizeof(id));
	digest_random(secret, sizeof(secret));
	digest_hex(id, sizeof(id), id_text);
	base64_url_encode(secret, sizeof(secret), secret_text);
	digest_sha256(secret_text, READERS_SECRET_CHARS, reader.digest);
	done = apply(path, &change, err);
	if (done)
		snprintf(text, READERS_TOKEN_ROOM, READERS_TOKEN_PREFIX "%s.%s", id_text,
		    secret_text);
	digest_wipe(secret, sizeof(secret));
	digest_wipe(secret_text, sizeof(secret_text));
	return done;
}

bool
readers_edit_person(const char *path, const char *name, const char *password, bool replace,
    int64_t now_ms, struct err *err)
{
	struct reader reader = { .person = true, .name = name, .id = "", .made_ms = now_ms };
	struct change change = { &reader, name, true, replace, 0 };

	return check_name(name, err) && password_check(password, err) &&
	    password_make(&reader.password, password, &password_cost, err) &&
	    apply(path, &change, err);
}

static bool
end_one(const char *path, const char *what, bool person, size_t *ended, struct err *err)
{
	struct change change = { .without = what, .person = person };
	bool          done = apply(path, &change, err);

	*ended = change.ended;
	return done;
}

bool
readers_edit_end_token(const char *path, const char *id, size_t *ended, struct err *err)
{
	return end_one(path, id, false, ended, err);
}

bool
readers_edit_end_person(const char *path, const char *name, size_t *ended, struct err *err)
{
	return end_one(path, name, true, ended, err);
}
