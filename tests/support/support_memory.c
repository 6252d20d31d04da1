#include "tests/support/support_memory.h"

#include "base/digest.h"
#include "base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE_BYTES = 1 << 16, NEEDLE_MAX = 256 };

/* What is larger is the sanitizer's shadow. */
static const uint64_t area_max = UINT64_C(1) << 32;

void
support_memory_mask(void *bytes, size_t count)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		at[i] ^= SUPPORT_MEMORY_MASK;
}

static void
die(const char *why)
{
	fprintf(stderr, "support_memory: %s\n", why);
	abort();
}

void
support_memory_make(uint8_t *masked, size_t count)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789AB";

	digest_random(masked, count);
	for (size_t i = 0; i < count; i++)
		masked[i] = (uint8_t)letters[masked[i] % 64] ^ SUPPORT_MEMORY_MASK;
}

void
support_memory_write(const char *path, const uint8_t *masked, size_t count)
{
	uint8_t    bytes[NEEDLE_MAX];
	struct err err;
	int        status;
	pid_t      child;

	if (count > sizeof(bytes))
		die("too long to write");
	child = fork();
	if (child == 0) {
		memcpy(bytes, masked, count);
		support_memory_mask(bytes, count);
		_exit(file_replace(path, bytes, count, 0600, &err) ? 0 : 1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		die("cannot write");
}

static unsigned
count_in(const uint8_t *bytes, size_t bytes_count, const uint8_t *masked, size_t count)
{
	const uint8_t *at = bytes, *end = bytes + bytes_count;
	unsigned       found = 0;

	while ((size_t)(end - at) >= count &&
	    (at = memchr(at, masked[0] ^ SUPPORT_MEMORY_MASK,
	         (size_t)(end - at) - count + 1)) != NULL) {
		size_t same = 1;

		while (same < count && (at[same] ^ SUPPORT_MEMORY_MASK) == masked[same])
			same++;
		found += same == count;
		at++;
	}
	return found;
}

/* Pieces overlap by less than a needle, so that none is missed or counted twice. */
static unsigned
count_in_area(int memory, uint64_t from, uint64_t end, const uint8_t *masked, size_t count)
{
	static uint8_t piece[PIECE_BYTES];
	unsigned       found = 0;

	while (from + count <= end) {
		size_t  want = end - from < PIECE_BYTES ? (size_t)(end - from) : PIECE_BYTES;
		ssize_t got = pread(memory, piece, want, (off_t)from);

		if (got < (ssize_t)count) {
			from += PIECE_BYTES / 2;
			continue;
		}
		found += count_in(piece, (size_t)got, masked, count);
		from += (uint64_t)got - count + 1;
	}
	memset(piece, 0, sizeof(piece));
	return found;
}

unsigned
support_memory_count(const uint8_t *masked, size_t count)
{
	FILE    *maps = fopen("/proc/self/maps", "r");
	int      memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char     line[512];
	unsigned found = 0;

	if (maps == NULL || memory < 0 || count < 8 || count > NEEDLE_MAX)
		die("cannot look");
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, end;
		char          rights[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &end, rights) == 3 && rights[0] == 'r' &&
		    rights[1] == 'w' && end - from < area_max)
			found += count_in_area(memory, from, end, masked, count);
	}
	fclose(maps);
	close(memory);
	return found;
}
