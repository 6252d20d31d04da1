#include "collector/roster.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* So long what was on its way with the certificate before is still taken. */
static const int64_t overlap_ms = 2000;

enum { FILE_MAX = 256 << 20, COMPACT_LEAST = 1 << 20 };

/* For a command, which may wait; and how often the lock is asked for meanwhile. */
static const int64_t patience_ms = 5000, try_us = 5000;

/* What is known of an agent beside its certificates. */
struct member {
	const char *agent; /* in the arena */
	int64_t     revoked_ms;
	size_t      newest_used; /* order of it, counted from 1; 0: none */
	size_t      newest;      /* place among the cards of its newest used one */
};

struct roster {
	char                *path;     /* owned */
	struct arena        *arena;    /* owned; holds every text */
	struct roster_token *tokens;   /* owned */
	struct roster_card  *cards;    /* owned; in the order of their issue */
	size_t              *index;    /* owned; places of cards, by serial number */
	size_t              *keys;     /* owned; ... counted from 1, by key; 0: free */
	struct member       *members;  /* owned; by agent */
	const char         **serials;  /* owned; revoked ones that are not of cards */
	size_t               key_room; /* of keys, a power of 2; at most half is taken */
	size_t               token_count, card_count, member_count, serial_count, number;
	ino_t                inode; /* of the file that was read */
	off_t                size;  /* how far it was read */
	int                  lock;  /* -1: not ours now */
	int64_t              patience_ms;
	bool                 current;
};

static void
forget(struct roster *roster)
{
	arena_free(roster->arena);
	free(roster->tokens);
	free(roster->cards);
	free(roster->index);
	free(roster->keys);
	free(roster->members);
	free(roster->serials);
	roster->serials = NULL;
	roster->serial_count = 0;
	roster->tokens = NULL;
	roster->cards = NULL;
	roster->index = NULL;
	roster->keys = NULL;
	roster->key_room = 0;
	roster->members = NULL;
	roster->token_count = roster->card_count = roster->member_count = roster->number = 0;
	roster->arena = arena_new();
	roster->inode = 0;
	roster->size = 0;
}

/* Where the serial number is in the index, or would be. */
static size_t
find_place(const struct roster *roster, const char *serial, bool *found)
{
	size_t low = 0, high = roster->card_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int    order = strcmp(roster->cards[roster->index[middle]].line.id, serial);

		*found = *found || order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static size_t
find_member(const struct roster *roster, const char *agent, bool *found)
{
	size_t low = 0, high = roster->member_count;

	*found = false;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int    order = strcmp(roster->members[middle].agent, agent);

		*found = *found || order == 0;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct member *
get_member(struct roster *roster, const char *agent)
{
	bool   found;
	size_t at = find_member(roster, agent, &found);

	if (found)
		return &roster->members[at];
	roster->members = mem_grow(
	    roster->members, roster->member_count + 1, sizeof(*roster->members));
	memmove(&roster->members[at + 1], &roster->members[at],
	    (roster->member_count - at) * sizeof(*roster->members));
	roster->member_count++;
	roster->members[at] = (struct member){ .agent = agent };
	return &roster->members[at];
}

static struct roster_token *
find_token(const struct roster *roster, const char *id)
{
	for (size_t i = 0; i < roster->token_count; i++) {
		if (strcmp(roster->tokens[i].line.id, id) == 0)
			return &roster->tokens[i];
	}
	return NULL;
}

static struct roster_card *
find_card(const struct roster *roster, const char *serial)
{
	bool   found;
	size_t at = find_place(roster, serial, &found);

	return found ? &roster->cards[roster->index[at]] : NULL;
}

/* Where the card of that key and from that token is, or would be. */
static size_t *
find_key(const struct roster *roster, const struct roster_line *line)
{
	size_t at;

	memcpy(&at, line->digest, sizeof(at));
	for (;; at++) {
		size_t                   *place = &roster->keys[at & (roster->key_room - 1)];
		const struct roster_line *other;

		if (*place == 0)
			return place;
		other = &roster->cards[*place - 1].line;
		if (memcmp(other->digest, line->digest, DIGEST_BYTES) == 0 &&
		    strcmp(other->from, line->from) == 0)
			return place;
	}
}

/* Of the cards that there are; the first of a key stays. */
static void
put_key(struct roster *roster, size_t card)
{
	size_t *place = find_key(roster, &roster->cards[card].line);

	if (*place == 0)
		*place = card + 1;
}

static void
grow_keys(struct roster *roster)
{
	free(roster->keys);
	roster->key_room = roster->key_room != 0 ? 2 * roster->key_room : 16;
	roster->keys = mem_alloc(roster->key_room * sizeof(*roster->keys));
	memset(roster->keys, 0, roster->key_room * sizeof(*roster->keys));
	for (size_t i = 0; i < roster->card_count; i++)
		put_key(roster, i);
}

/* The same key again is the same agent, which did not hear our answer. */
static void
count_use(struct roster *roster, const struct roster_line *line)
{
	struct roster_token *token = find_token(roster, line->from);

	if (token == NULL)
		return;
	if (roster->key_room == 0 || *find_key(roster, line) == 0)
		token->used++;
}

static void
take_card(struct roster *roster, const struct roster_line *line)
{
	bool   found;
	size_t at = find_place(roster, line->id, &found);

	if (found)
		return;
	count_use(roster, line);
	get_member(roster, line->agent);
	/* Doubled, so that a long file is not copied for each of its lines. */
	if ((roster->card_count & (roster->card_count + 1)) == 0) {
		size_t room = 2 * (roster->card_count + 1);

		roster->cards = mem_grow(roster->cards, room, sizeof(*roster->cards));
		roster->index = mem_grow(roster->index, room, sizeof(*roster->index));
	}
	memmove(&roster->index[at + 1], &roster->index[at],
	    (roster->card_count - at) * sizeof(*roster->index));
	roster->index[at] = roster->card_count;
	roster->cards[roster->card_count++] = (struct roster_card){ .line = *line,
		.order = ++roster->number };
	if (roster->card_count > roster->key_room / 2)
		grow_keys(roster);
	else
		put_key(roster, roster->card_count - 1);
}

static void
take_token(struct roster *roster, const struct roster_line *line)
{
	if (find_token(roster, line->id) != NULL)
		return;
	roster->tokens = mem_grow(
	    roster->tokens, roster->token_count + 1, sizeof(*roster->tokens));
	roster->tokens[roster->token_count++] = (struct roster_token){ .line = *line };
}

static void
take_used(struct roster *roster, struct roster_card *card, int64_t at_ms)
{
	struct member *member = get_member(roster, card->line.agent);

	card->used = true;
	if (card->order > member->newest_used) {
		if (member->newest_used != 0)
			roster->cards[member->newest].replaced_ms = at_ms;
		member->newest_used = card->order;
		member->newest = (size_t)(card - roster->cards);
	}
}

static void
revoke_agent(struct roster *roster, const struct roster_line *line)
{
	struct member *member = get_member(roster, line->agent);

	if (line->at_ms > member->revoked_ms)
		member->revoked_ms = line->at_ms;
	/* By their place in the file: a clock that was set back gives nothing back. */
	for (size_t i = 0; i < roster->card_count; i++) {
		if (strcmp(roster->cards[i].line.agent, line->agent) == 0)
			roster->cards[i].revoked = true;
	}
	for (size_t i = 0; i < roster->token_count; i++) {
		if (strcmp(roster->tokens[i].line.agent, line->agent) == 0)
			roster->tokens[i].revoked = true;
	}
}

static void
revoke_card(struct roster *roster, const char *serial)
{
	struct roster_card *card = find_card(roster, serial);

	if (card != NULL) {
		card->revoked = true;
		return;
	}
	roster->serials = mem_grow(
	    roster->serials, roster->serial_count + 1, sizeof(*roster->serials));
	roster->serials[roster->serial_count++] = serial;
}

static void
take_line(struct roster *roster, const struct roster_line *line)
{
	struct roster_card  *card;
	struct roster_token *token;

	switch (line->kind) {
	case ROSTER_TOKEN: take_token(roster, line); break;
	case ROSTER_CARD: take_card(roster, line); break;
	case ROSTER_USED:
		card = find_card(roster, line->id);
		if (card != NULL)
			take_used(roster, card, line->at_ms);
		break;
	case ROSTER_REVOKE_AGENT: revoke_agent(roster, line); break;
	case ROSTER_REVOKE_CARD: revoke_card(roster, line->id); break;
	case ROSTER_REVOKE_TOKEN:
		token = find_token(roster, line->id);
		if (token != NULL)
			token->revoked = true;
		break;
	case ROSTER_KINDS: break;
	}
}

/* What stands in the file from `size` on, up to its last end of line. */
static bool
take_text(struct roster *roster, char *text, size_t count, struct err *err)
{
	size_t             at = 0;
	struct roster_line line;

	while (at < count) {
		char *end = memchr(text + at, '\n', count - at);

		if (end == NULL)
			break;
		*end = '\0';
		if (strlen(text + at) != (size_t)(end - text) - at)
			return err_set(err, ERR_PARSE, "%s: holds a NUL", roster->path);
		if (!roster_line_parse(&line, text + at, err))
			return err_in(
			    err, "%s: at byte %lld", roster->path, (long long)(roster->size));
		take_line(roster, &line);
		roster->size += end + 1 - (text + at);
		at = (size_t)(end - text) + 1;
	}
	return true;
}

static bool
read_new(struct roster *roster, int fd, size_t count, struct err *err)
{
	char   *text = arena_alloc(roster->arena, count + 1);
	size_t  used = 0;
	ssize_t got = 1;

	while (used < count && got > 0) {
		got = pread(fd, text + used, count - used, roster->size + (off_t)used);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got < 0)
			return err_errno(err, "%s", roster->path);
		else
			used += (size_t)got;
	}
	return take_text(roster, text, used, err);
}

static bool
read_file(struct roster *roster, struct err *err)
{
	int         fd = open(roster->path, O_RDONLY | O_CLOEXEC);
	struct stat now;
	bool        done = false;

	if (fd < 0)
		return err_errno(err, "%s", roster->path);
	if (fstat(fd, &now) != 0) {
		err_errno(err, "%s", roster->path);
	} else if (now.st_size > FILE_MAX) {
		err_set(err, ERR_LIMIT, "%s: larger than %d bytes", roster->path, FILE_MAX);
	} else {
		/* Another file, or a shorter one: from the beginning. */
		if (now.st_ino != roster->inode || now.st_size < roster->size)
			forget(roster);
		roster->inode = now.st_ino;
		done = now.st_size == roster->size ||
		    read_new(roster, fd, (size_t)(now.st_size - roster->size), err);
	}
	close(fd);
	return done;
}

bool
roster_refresh(struct roster *roster, struct err *err)
{
	struct stat now;

	if (stat(roster->path, &now) != 0) {
		if (errno != ENOENT)
			return roster->current = err_errno(err, "%s", roster->path);
		if (roster->inode != 0)
			forget(roster);
		return roster->current = true;
	}
	if (now.st_ino == roster->inode && now.st_size == roster->size)
		return roster->current = true;
	return roster->current = read_file(roster, err);
}

struct roster *
roster_open(const char *path, struct err *err)
{
	struct roster *roster = mem_alloc(sizeof(*roster));

	roster->path = mem_strdup(path);
	roster->lock = -1;
	roster->patience_ms = patience_ms;
	forget(roster);
	if (roster_refresh(roster, err))
		return roster;
	roster_free(roster);
	return NULL;
}

void
roster_free(struct roster *roster)
{
	if (roster == NULL)
		return;
	forget(roster);
	arena_free(roster->arena);
	free(roster->path);
	free(roster);
}

bool
roster_is_current(const struct roster *roster)
{
	return roster->current;
}

size_t
roster_tokens(const struct roster *roster)
{
	return roster->token_count;
}

const struct roster_token *
roster_token_at(const struct roster *roster, size_t at)
{
	return &roster->tokens[at];
}

size_t
roster_cards(const struct roster *roster)
{
	return roster->card_count;
}

const struct roster_card *
roster_card_at(const struct roster *roster, size_t at)
{
	return &roster->cards[at];
}

/* A token that we do not know costs the same as one that we do. */
const struct roster_token *
roster_find_token(const struct roster *roster, const char *text)
{
	static const uint8_t       nobody[DIGEST_BYTES];
	size_t                     prefix = strlen(ROSTER_TOKEN_PREFIX);
	const struct roster_token *token;
	char                       id[ROSTER_ID_CHARS + 1];
	uint8_t                    digest[DIGEST_BYTES];
	bool                       equal;

	if (strlen(text) != prefix + ROSTER_ID_CHARS + 1 + ROSTER_SECRET_CHARS ||
	    strncmp(text, ROSTER_TOKEN_PREFIX, prefix) != 0 ||
	    text[prefix + ROSTER_ID_CHARS] != '.')
		return NULL;
	snprintf(id, sizeof(id), "%s", text + prefix);
	token = find_token(roster, id);
	digest_sha256(text + prefix + ROSTER_ID_CHARS + 1, ROSTER_SECRET_CHARS, digest);
	equal = digest_equal(token != NULL ? token->line.digest : nobody, digest, DIGEST_BYTES);
	digest_wipe(digest, sizeof(digest));
	return equal ? token : NULL;
}

const struct roster_card *
roster_find_card(const struct roster *roster, const char *serial)
{
	return find_card(roster, serial);
}

bool
roster_is_newest(const struct roster *roster, const struct roster_card *card)
{
	bool   found;
	size_t at = find_member(roster, card->line.agent, &found);

	return !found || roster->members[at].newest_used <= card->order;
}

enum roster_state
roster_card_state(const struct roster *roster, const struct roster_card *card, int64_t now_ms)
{
	if (card == NULL)
		return ROSTER_UNKNOWN;
	if (card->revoked)
		return ROSTER_REVOKED;
	if (!roster_is_newest(roster, card) && now_ms >= card->replaced_ms + overlap_ms)
		return ROSTER_REPLACED;
	return now_ms >= card->line.ends_ms ? ROSTER_ENDED : ROSTER_VALID;
}

bool
roster_is_revoked(const struct roster *roster, const char *serial)
{
	for (size_t i = 0; i < roster->serial_count; i++) {
		if (strcmp(roster->serials[i], serial) == 0)
			return true;
	}
	return false;
}

int64_t
roster_revoked_ms(const struct roster *roster, const char *agent)
{
	bool   found;
	size_t at = find_member(roster, agent, &found);

	return found ? roster->members[at].revoked_ms : 0;
}

const struct roster_card *
roster_find_live(const struct roster *roster, const char *agent, int64_t now_ms)
{
	bool                      found;
	size_t                    at = find_member(roster, agent, &found);
	const struct roster_card *card;

	if (!found || roster->members[at].newest_used == 0)
		return NULL;
	card = &roster->cards[roster->members[at].newest];
	return roster_card_state(roster, card, now_ms) == ROSTER_VALID ? card : NULL;
}

void
roster_be_patient(struct roster *roster, int64_t at_most_ms)
{
	roster->patience_ms = at_most_ms;
}

/* Whoever holds it may have been stopped: a wait without end would be ours too. */
static bool
get_lock(struct roster *roster, const char *name, struct err *err)
{
	int64_t end_us = clock_mono_us(clock_system()) + roster->patience_ms * US_PER_MS;

	while (flock(roster->lock, LOCK_EX | LOCK_NB) != 0) {
		const struct timespec wait = { .tv_nsec = try_us * 1000 };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(err, "%s", name);
		if (clock_mono_us(clock_system()) >= end_us)
			return err_set(err, ERR_SYSTEM, "%s: held by another process", name);
		nanosleep(&wait, NULL);
	}
	return true;
}

bool
roster_begin(struct roster *roster, struct err *err)
{
	char *name = mem_printf("%s.lock", roster->path);
	bool  done;

	roster->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	done = roster->lock < 0 ? err_errno(err, "%s", name) : get_lock(roster, name, err);
	free(name);
	if (done && roster_refresh(roster, err))
		return true;
	roster_end(roster);
	return false;
}

void
roster_end(struct roster *roster)
{
	if (roster->lock >= 0)
		close(roster->lock);
	roster->lock = -1;
}

/* Behind the last whole line: what a crash has cut short goes. */
static bool
append(struct roster *roster, const void *bytes, size_t count, bool sync, struct err *err)
{
	int  fd = open(roster->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool done = fd >= 0 && ftruncate(fd, roster->size) == 0 &&
	    pwrite(fd, bytes, count, roster->size) == (ssize_t)count &&
	    (!sync || fsync(fd) == 0);

	if (!done)
		err_errno(err, "%s", roster->path);
	/* What is not on the disk must not be read back as if it were. */
	if (!done && fd >= 0 && ftruncate(fd, roster->size) != 0)
		err_in(err, "and it cannot be taken back");
	if (fd >= 0)
		close(fd);
	return done;
}

/* That a certificate has been shown is said again where a crash has lost it. */
bool
roster_add(struct roster *roster, const struct roster_line *line, struct err *err)
{
	struct wbuf out;
	bool        done;

	wbuf_init(&out);
	roster_line_write(&out, line);
	done = append(roster, out.bytes, out.count, line->kind != ROSTER_USED, err) &&
	    roster_refresh(roster, err);
	wbuf_fini(&out);
	return done;
}

static void
write_mark(struct wbuf *out, enum roster_kind kind, const struct roster_line *of)
{
	const struct roster_line line = { .kind = kind,
		.id = of->id,
		.agent = of->agent,
		.network = "",
		.from = "",
		.at_ms = of->at_ms };

	roster_line_write(out, &line);
}

/* Revocations of agents first: they are about what stands above them, and here that is nothing. */
static void
write_kept(const struct roster *roster, int64_t before_ms, struct wbuf *out)
{
	for (size_t i = 0; i < roster->member_count; i++) {
		const struct member     *member = &roster->members[i];
		const struct roster_line line = { .agent = member->agent,
			.at_ms = member->revoked_ms };

		if (member->revoked_ms != 0)
			write_mark(out, ROSTER_REVOKE_AGENT, &line);
	}
	for (size_t i = 0; i < roster->serial_count; i++)
		write_mark(
		    out, ROSTER_REVOKE_CARD, &(struct roster_line){ .id = roster->serials[i] });
	for (size_t i = 0; i < roster->token_count; i++) {
		const struct roster_token *token = &roster->tokens[i];

		if (token->line.ends_ms < before_ms)
			continue;
		roster_line_write(out, &token->line);
		if (token->revoked)
			write_mark(out, ROSTER_REVOKE_TOKEN, &token->line);
	}
	for (size_t i = 0; i < roster->card_count; i++) {
		const struct roster_card *card = &roster->cards[i];

		const struct roster_token *token = find_token(roster, card->line.from);

		/* A token's uses are counted by its certificates. */
		if (card->line.ends_ms < before_ms &&
		    (token == NULL || token->line.ends_ms < before_ms))
			continue;
		roster_line_write(out, &card->line);
		if (card->used)
			write_mark(out, ROSTER_USED, &card->line);
		if (card->revoked)
			write_mark(out, ROSTER_REVOKE_CARD, &card->line);
	}
}

bool
roster_compact(struct roster *roster, int64_t before_ms, struct err *err)
{
	struct wbuf out;
	bool        done = true;

	if (roster->size < COMPACT_LEAST)
		return true;
	if (!roster_begin(roster, err))
		return false;
	wbuf_init(&out);
	write_kept(roster, before_ms, &out);
	/* Not worth it while most of it is in use. */
	if ((off_t)out.count < roster->size / 2)
		done = file_replace(roster->path, out.bytes, out.count, 0600, err) &&
		    roster_refresh(roster, err);
	wbuf_fini(&out);
	roster_end(roster);
	return done;
}
