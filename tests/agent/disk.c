#include "tests/agent/disk.h"

#include "agent/spool_io.h"
#include "base/arena.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 64, NAMES = 64, PENDING = 8, WRITES = 24, FDS = 12, NAME = 64, CHOICES = 4096 };
enum { ROOT_FD = 100, BAD_FD = 101, FIRST_FD = 200 }; /* folders are their own descriptors */
enum folder { ROOT, BAD, FOLDERS };

struct bytes {
	uint8_t *at; /* owned */
	size_t   count;
};

/* A change of a file that is not durable: bytes put at a place, or the file cut there. */
struct change {
	bool         cut, doomed; /* doomed: its sync has failed, and no later one saves it */
	size_t       from;
	struct bytes put;
};

struct file {
	bool          used;
	unsigned      names; /* that lead to it now */
	struct bytes  now, durable;
	struct change changes[WRITES];
	size_t        change_count;
	size_t        room; /* set aside for it */
	int64_t       changed;
};

struct name {
	enum folder folder;
	char        text[NAME];
	int         file;
};

struct names {
	struct name rows[NAMES];
	size_t      count;
};

/* A change of names that is not durable; from: what goes, to: what comes; file -1 for neither. */
struct move {
	struct name from, to;
};

struct disk {
	struct file  files[FILES];
	struct names now, durable;
	struct move  moves[PENDING];
	size_t       move_count;
	struct {
		int    file; /* -1: free */
		size_t at;
	} fds[FDS];
	void (*on_change)(void *arg);
	void    *arg;
	unsigned calls, fail_at;
	bool     fails, fails_for_ever;
	int      cause;
	size_t   limit;
	int64_t  clock;
};

static struct disk *slot;

static void
set_bytes(struct bytes *bytes, const uint8_t *from, size_t count)
{
	free(bytes->at);
	bytes->at = count > 0 ? mem_alloc(count) : NULL;
	bytes->count = count;
	if (count > 0)
		memcpy(bytes->at, from, count);
}

static void
resize_bytes(struct bytes *bytes, size_t count)
{
	bytes->at = mem_grow(bytes->at, count + 1, 1);
	if (count > bytes->count)
		memset(bytes->at + bytes->count, 0, count - bytes->count);
	bytes->count = count;
}

/* The first `most` bytes of a change, as data or, when it is `empty`, as zeroes. */
static void
apply_change(struct bytes *bytes, const struct change *change, size_t most, bool empty)
{
	if (change->cut) {
		resize_bytes(bytes, change->from);
		return;
	}
	if (bytes->count < change->from + most)
		resize_bytes(bytes, change->from + most);
	if (empty)
		memset(bytes->at + change->from, 0, most);
	else if (most > 0)
		memcpy(bytes->at + change->from, change->put.at, most);
}

static void
clear_file(struct file *file)
{
	for (size_t i = 0; i < file->change_count; i++)
		free(file->changes[i].put.at);
	free(file->now.at);
	free(file->durable.at);
	*file = (struct file){ 0 };
}

struct disk *
disk_new(void)
{
	struct disk *disk = mem_alloc(sizeof(*disk));

	for (int i = 0; i < FDS; i++)
		disk->fds[i].file = -1;
	disk->limit = SIZE_MAX;
	return disk;
}

void
disk_free(struct disk *disk)
{
	if (disk == NULL)
		return;
	for (int i = 0; i < FILES; i++)
		clear_file(&disk->files[i]);
	free(disk);
}

/* All that is there now, and durable. */
struct disk *
disk_copy(const struct disk *disk)
{
	struct disk *copy = disk_new();

	copy->now = copy->durable = disk->now;
	copy->clock = disk->clock;
	for (size_t i = 0; i < disk->now.count; i++) {
		int          at = disk->now.rows[i].file;
		struct file *file = &copy->files[at];

		file->used = true;
		file->names++;
		set_bytes(&file->now, disk->files[at].now.at, disk->files[at].now.count);
		set_bytes(&file->durable, disk->files[at].now.at, disk->files[at].now.count);
		file->changed = disk->files[at].changed;
	}
	return copy;
}

void
disk_insert(struct disk *disk)
{
	slot = disk;
}

void
disk_watch(struct disk *disk, void (*on_change)(void *arg), void *arg)
{
	disk->on_change = on_change;
	disk->arg = arg;
}

void
disk_fail(struct disk *disk, unsigned at, bool for_ever, int cause)
{
	disk->calls = 0;
	disk->fail_at = at;
	disk->fails = true;
	disk->fails_for_ever = for_ever;
	disk->cause = cause;
}

void
disk_heal(struct disk *disk)
{
	disk->fails = false;
	disk->limit = SIZE_MAX;
}

unsigned
disk_calls(const struct disk *disk)
{
	return disk->calls;
}

void
disk_limit(struct disk *disk, size_t bytes)
{
	disk->limit = bytes;
}

/* Names. */

static int
find_name(const struct names *names, enum folder folder, const char *text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->rows[i].folder == folder && strcmp(names->rows[i].text, text) == 0)
			return (int)i;
	}
	return -1;
}

static void
put_name(struct names *names, const struct name *name)
{
	int at = find_name(names, name->folder, name->text);

	assert(names->count < NAMES);
	names->rows[at >= 0 ? (size_t)at : names->count++] = *name;
}

/* Only when it still leads to that file. */
static void
drop_name(struct names *names, const struct name *name)
{
	int at = find_name(names, name->folder, name->text);

	if (at >= 0 && names->rows[at].file == name->file)
		names->rows[at] = names->rows[--names->count];
}

static void
apply_move(struct names *names, const struct move *move)
{
	if (move->from.file >= 0)
		drop_name(names, &move->from);
	if (move->to.file >= 0)
		put_name(names, &move->to);
}

static bool
is_named(const struct disk *disk, int file)
{
	for (size_t i = 0; i < disk->now.count; i++) {
		if (disk->now.rows[i].file == file)
			return true;
	}
	for (size_t i = 0; i < disk->durable.count; i++) {
		if (disk->durable.rows[i].file == file)
			return true;
	}
	for (size_t i = 0; i < disk->move_count; i++) {
		if (disk->moves[i].to.file == file || disk->moves[i].from.file == file)
			return true;
	}
	for (int i = 0; i < FDS; i++) {
		if (disk->fds[i].file == file)
			return true;
	}
	return false;
}

/* Files that no crash can bring back. */
static void
collect(struct disk *disk)
{
	for (int i = 0; i < FILES; i++) {
		if (disk->files[i].used && !is_named(disk, i))
			clear_file(&disk->files[i]);
	}
}

static void
sync_names(struct disk *disk, enum folder folder)
{
	size_t kept = 0;

	for (size_t i = 0; i < disk->move_count; i++) {
		const struct move *move = &disk->moves[i];

		if ((move->from.file >= 0 && move->from.folder == folder) ||
		    (move->to.file >= 0 && move->to.folder == folder))
			apply_move(&disk->durable, move);
		else
			disk->moves[kept++] = *move;
	}
	disk->move_count = kept;
	collect(disk);
}

static void
add_move(struct disk *disk, const struct name *from, const struct name *to)
{
	struct move move = { { .file = -1 }, { .file = -1 } };

	if (from != NULL)
		move.from = *from;
	if (to != NULL)
		move.to = *to;
	/* A journal does not hold back for ever: the oldest change has come through. */
	if (disk->move_count == PENDING) {
		apply_move(&disk->durable, &disk->moves[0]);
		disk->move_count--;
		memmove(disk->moves, disk->moves + 1, disk->move_count * sizeof(move));
	}
	disk->moves[disk->move_count++] = move;
	apply_move(&disk->now, &move);
}

static struct name
make_name(enum folder folder, const char *text, int file)
{
	struct name name = { .folder = folder, .file = file };

	snprintf(name.text, sizeof(name.text), "%s", text);
	return name;
}

/* Failures. */

static bool
fails(void)
{
	unsigned at = slot->calls++;

	if (!slot->fails || (slot->fails_for_ever ? at < slot->fail_at : at != slot->fail_at))
		return false;
	errno = slot->cause;
	return true;
}

static bool
change_fails(void)
{
	if (slot->on_change != NULL)
		slot->on_change(slot->arg);
	return fails();
}

static size_t
used_bytes(const struct disk *disk)
{
	size_t used = 0;

	for (int i = 0; i < FILES; i++) {
		const struct file *file = &disk->files[i];

		if (file->used && is_named(disk, i))
			used += file->now.count > file->room ? file->now.count : file->room;
	}
	return used;
}

static bool
is_full(size_t more)
{
	if (slot->limit == SIZE_MAX || used_bytes(slot) + more <= slot->limit)
		return false;
	errno = ENOSPC;
	return true;
}

/* The door. */

static enum folder
folder_of(int fd)
{
	assert(fd == ROOT_FD || fd == BAD_FD);
	return fd == ROOT_FD ? ROOT : BAD;
}

static struct file *
file_of(int fd)
{
	assert(fd >= FIRST_FD && fd < FIRST_FD + FDS && slot->fds[fd - FIRST_FD].file >= 0);
	return &slot->files[slot->fds[fd - FIRST_FD].file];
}

int
spool_io_folder(int at, const char *path)
{
	if (fails())
		return -1;
	return at == AT_FDCWD ? ROOT_FD : BAD_FD;
}

static int
make_file(enum folder folder, const char *name)
{
	int at = 0;

	collect(slot);
	while (at < FILES && slot->files[at].used)
		at++;
	assert(at < FILES);
	slot->files[at] = (struct file){ .used = true, .changed = ++slot->clock };
	add_move(slot, NULL, &(struct name[]){ make_name(folder, name, at) }[0]);
	return at;
}

int
spool_io_open(int folder, const char *name, int flags)
{
	int at, fd = 0;

	if (folder < 0) {
		errno = EBADF;
		return -1;
	}
	if ((flags & O_CREAT) != 0 ? change_fails() : fails())
		return -1;
	at = find_name(&slot->now, folder_of(folder), name);
	if ((at < 0 && (flags & O_CREAT) == 0) || (at >= 0 && (flags & O_EXCL) != 0)) {
		errno = at < 0 ? ENOENT : EEXIST;
		return -1;
	}
	at = at >= 0 ? slot->now.rows[at].file : make_file(folder_of(folder), name);
	while (fd < FDS && slot->fds[fd].file >= 0)
		fd++;
	assert(fd < FDS);
	slot->fds[fd].file = at;
	slot->fds[fd].at = 0;
	return FIRST_FD + fd;
}

int
spool_io_close(int fd)
{
	if (fd >= FIRST_FD) {
		file_of(fd)->room = 0;
		slot->fds[fd - FIRST_FD].file = -1;
	}
	return 0;
}

int
spool_io_lock(int fd)
{
	return 0;
}

ssize_t
spool_io_read(int fd, void *bytes, size_t count)
{
	struct file *file = file_of(fd);
	size_t      *at = &slot->fds[fd - FIRST_FD].at;

	if (fails())
		return -1;
	if (count > file->now.count - *at)
		count = file->now.count - *at;
	if (count > 0)
		memcpy(bytes, file->now.at + *at, count);
	*at += count;
	return (ssize_t)count;
}

static void
change_file(struct file *file, const struct change *change)
{
	assert(file->change_count < WRITES);
	file->changes[file->change_count++] = *change;
	file->changed = ++slot->clock;
	apply_change(&file->now, change, change->put.count, false);
}

/* A failure has written the half of it: the worst that write() may do. */
ssize_t
spool_io_write(int fd, const void *bytes, size_t count)
{
	struct file  *file = file_of(fd);
	struct change change = { .from = file->now.count };
	bool          failed = change_fails();
	size_t        end = file->now.count + count;

	if (!failed && end > file->room)
		failed = is_full(
		    end - (file->room > file->now.count ? file->room : file->now.count));
	set_bytes(&change.put, bytes, failed ? count / 2 : count);
	change_file(file, &change);
	return failed ? -1 : (ssize_t)count;
}

int
spool_io_allocate(int fd, size_t bytes)
{
	if (change_fails() || is_full(bytes))
		return -1;
	file_of(fd)->room = bytes;
	return 0;
}

int
spool_io_truncate(int fd, size_t bytes)
{
	if (change_fails())
		return -1;
	file_of(fd)->room = 0;
	change_file(file_of(fd), &(struct change){ .cut = true, .from = bytes });
	return 0;
}

/* What a failed sync could not write is clean in the cache, and no later sync writes it. */
static void
sync_file(struct file *file, bool failed)
{
	size_t kept = 0;

	for (size_t i = 0; i < file->change_count; i++) {
		struct change *change = &file->changes[i];

		if (failed || change->doomed) {
			change->doomed = true;
			file->changes[kept++] = *change;
			continue;
		}
		apply_change(&file->durable, change, change->put.count, false);
		free(change->put.at);
	}
	file->change_count = kept;
}

int
spool_io_sync(int fd)
{
	bool failed = change_fails();

	if (fd == ROOT_FD || fd == BAD_FD) {
		if (!failed)
			sync_names(slot, folder_of(fd));
	} else {
		sync_file(file_of(fd), failed);
	}
	return failed ? -1 : 0;
}

int
spool_io_look(int fd, struct spool_io_facts *facts)
{
	if (fails())
		return -1;
	*facts = (struct spool_io_facts){ .links = 1 };
	if (fd >= FIRST_FD) {
		facts->bytes = file_of(fd)->now.count;
		facts->changed_ns = file_of(fd)->changed;
	}
	return 0;
}

int
spool_io_rename(int from_folder, const char *from, int to_folder, const char *to)
{
	struct name old, fresh;
	int         at;

	if (from_folder < 0 || to_folder < 0 || change_fails()) {
		errno = from_folder < 0 || to_folder < 0 ? EBADF : errno;
		return -1;
	}
	at = find_name(&slot->now, folder_of(from_folder), from);
	if (at < 0) {
		errno = ENOENT;
		return -1;
	}
	old = slot->now.rows[at];
	fresh = make_name(folder_of(to_folder), to, old.file);
	add_move(slot, &old, &fresh);
	return 0;
}

int
spool_io_unlink(int folder, const char *name)
{
	struct name gone;
	int         at;

	if (folder < 0 || change_fails()) {
		errno = folder < 0 ? EBADF : errno;
		return -1;
	}
	at = find_name(&slot->now, folder_of(folder), name);
	if (at < 0) {
		errno = ENOENT;
		return -1;
	}
	gone = slot->now.rows[at];
	add_move(slot, &gone, NULL);
	return 0;
}

static int
compare_names(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

int
spool_io_list(int folder, char ***names)
{
	int count = 0;

	if (folder < 0) {
		errno = EBADF;
		return -1;
	}
	if (fails())
		return -1;
	*names = mem_array(slot->now.count + 1, sizeof(**names));
	for (size_t i = 0; i < slot->now.count; i++) {
		if (slot->now.rows[i].folder == folder_of(folder))
			(*names)[count++] = mem_strdup(slot->now.rows[i].text);
	}
	qsort(*names, (size_t)count, sizeof(**names), compare_names);
	return count;
}

int
spool_io_room(int folder, uint64_t *free_bytes, uint64_t *all_bytes)
{
	*all_bytes = *free_bytes = 1 << 30;
	return 0;
}

/* Power cuts. */

/* What one file may be after a cut: the choice-th of count_choices(). */
static size_t
count_choices(const struct file *file)
{
	size_t count = file->change_count <= 4 ? (size_t)1 << file->change_count
	                                       : file->change_count + 1;

	for (size_t i = 0; i < file->change_count; i++)
		count +=
		    file->changes[i].put.count; /* torn at each byte but the last; zeroes */
	return count;
}

static void
make_choice(const struct file *file, size_t choice, struct bytes *out)
{
	size_t subsets = (size_t)1 << file->change_count, at = 0;

	set_bytes(out, file->durable.at, file->durable.count);
	if (file->change_count > 4)
		subsets = file->change_count + 1;
	if (choice < subsets) {
		for (size_t i = 0; i < file->change_count; i++) {
			if (file->change_count > 4 ? i < choice : (choice >> i & 1) != 0)
				apply_change(
				    out, &file->changes[i], file->changes[i].put.count, false);
		}
		return;
	}
	choice -= subsets;
	for (; choice >= file->changes[at].put.count; at++) {
		choice -= file->changes[at].put.count;
		apply_change(out, &file->changes[at], file->changes[at].put.count, false);
	}
	if (choice == 0)
		apply_change(out, &file->changes[at], file->changes[at].put.count, true);
	else
		apply_change(out, &file->changes[at], choice, false);
}

/* The state after a cut: which moves came through, and one choice a file. */
static struct disk *
make_cut(const struct disk *disk, size_t moves, const size_t *choices)
{
	struct disk *left = disk_new();

	left->now = disk->durable;
	left->clock = disk->clock;
	for (size_t i = 0; i < disk->move_count; i++) {
		if ((moves >> i & 1) != 0)
			apply_move(&left->now, &disk->moves[i]);
	}
	left->durable = left->now;
	for (size_t i = 0; i < left->now.count; i++) {
		int          at = left->now.rows[i].file;
		struct file *file = &left->files[at];

		file->names++;
		if (file->used)
			continue;
		file->used = true;
		file->changed = disk->files[at].changed;
		make_choice(&disk->files[at], choices[at], &file->now);
		set_bytes(&file->durable, file->now.at, file->now.count);
	}
	return left;
}

size_t
disk_cuts(const struct disk *disk, size_t              most, unsigned (*draw)(unsigned below),
    void (*visit)(void *arg, struct disk *left), void *arg)
{
	size_t rooms[FILES], choices[FILES], all = (size_t)1 << disk->move_count, count = 0;

	for (int i = 0; i < FILES; i++) {
		rooms[i] = disk->files[i].used ? count_choices(&disk->files[i]) : 1;
		all = all > SIZE_MAX / CHOICES ? SIZE_MAX / CHOICES : all * rooms[i];
	}
	for (size_t i = 0; i < all && count < most; i++, count++) {
		size_t       rest = i, moves;
		bool         drawn = all > most;
		struct disk *left;

		moves = drawn ? draw(1u << disk->move_count)
		              : rest & (((size_t)1 << disk->move_count) - 1);
		rest >>= disk->move_count;
		for (int j = 0; j < FILES; j++) {
			choices[j] = drawn && rooms[j] > 1 ? draw((unsigned)rooms[j])
			                                   : rest % rooms[j];
			rest /= rooms[j];
		}
		left = make_cut(disk, moves, choices);
		visit(arg, left);
		disk_free(left);
	}
	return count;
}

static uint64_t
mix(uint64_t sum, const void *bytes, size_t count)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
	return sum;
}

/* The order of the names does not matter. */
uint64_t
disk_sum(const struct disk *disk)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < disk->now.count; i++) {
		const struct name *name = &disk->now.rows[i];
		const struct file *file = &disk->files[name->file];
		uint64_t           one = UINT64_C(0xcbf29ce484222325) + name->folder;

		one = mix(one, name->text, strlen(name->text));
		sum += mix(one, file->now.at, file->now.count);
	}
	return sum;
}

static bool
ends_in(const char *text, const char *ending)
{
	size_t count = strlen(text), length = strlen(ending);

	return count >= length && strcmp(text + count - length, ending) == 0;
}

bool
disk_flip(struct disk *disk, const char *ending, size_t byte, unsigned bit)
{
	for (size_t i = 0; i < disk->now.count; i++) {
		struct file *file = &disk->files[disk->now.rows[i].file];

		if (disk->now.rows[i].folder != ROOT ||
		    !ends_in(disk->now.rows[i].text, ending) || byte >= file->now.count)
			continue;
		file->now.at[byte] ^= (uint8_t)(1u << bit);
		set_bytes(&file->durable, file->now.at, file->now.count);
		return true;
	}
	return false;
}

size_t
disk_bytes(const struct disk *disk, const char *ending)
{
	size_t sum = 0;

	for (size_t i = 0; i < disk->now.count; i++) {
		if (disk->now.rows[i].folder == ROOT && ends_in(disk->now.rows[i].text, ending))
			sum += disk->files[disk->now.rows[i].file].now.count;
	}
	return sum;
}
