#include "tests/support/support_memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of one read; regions beyond AREA_MAX are the sanitizer's shadow. */
enum { PIECE_BYTES = 1 << 16, NEEDLE_MAX = 256 };

static const uint64_t area_max = UINT64_C(1) << 32;

void
support_memory_mask(void *bytes, size_t count)
{
	uint8_t *at = bytes;

	for (size_t i = 0; i < count; i++)
		at[i] ^= SUPPORT_MEMORY_MASK;
}

static unsigned
count_in(const uint8_t *bytes, size_t bytes_count, const uint8_t *masked, size_t count)
{
	unsigned found = 0;

	for (size_t i = 0; i + count <= bytes_count; i++) {
		size_t at = 0;

		while (at < count && (bytes[i + at] ^ SUPPORT_MEMORY_MASK) == masked[at])
			at++;
		found += at == count;
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

	if (maps == NULL || memory < 0 || count < 8 || count > NEEDLE_MAX) {
		fputs("support_memory: cannot look\n", stderr);
		abort();
	}
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
