#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BLOCK_BYTES = 2048, LAST_BLOCK_BYTES = 65536 };

struct block {
	struct block *next; /* owned */
	size_t        used, room;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *top; /* owned; allocation happens here */
	size_t        taken_bytes;
};

static void
die_of_memory(size_t bytes)
{
	fprintf(stderr, "out of memory: %zu bytes wanted\n", bytes);
	abort();
}

static size_t
multiply(size_t count, size_t bytes_each)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, bytes_each, &bytes))
		die_of_memory(SIZE_MAX);
	return bytes;
}

void *
mem_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes != 0 ? bytes : 1);

	if (memory == NULL)
		die_of_memory(bytes);
	return memory;
}

void *
mem_array(size_t count, size_t bytes_each)
{
	return mem_alloc(multiply(count, bytes_each));
}

void *
mem_grow(void *old, size_t count, size_t bytes_each)
{
	size_t bytes = multiply(count, bytes_each);
	void  *memory = realloc(old, bytes != 0 ? bytes : 1);

	if (memory == NULL)
		die_of_memory(bytes);
	return memory;
}

char *
mem_strdup(const char *text)
{
	size_t count = text != NULL ? strlen(text) : 0;
	char  *copy = mem_alloc(count + 1);

	if (count != 0)
		memcpy(copy, text, count);
	return copy;
}

static int PRINTF_LIKE(1, 0) measure(const char *format, va_list args)
{
	va_list again;
	int     count;

	va_copy(again, args);
	count = vsnprintf(NULL, 0, format, again);
	va_end(again);
	return count < 0 ? 0 : count;
}

char *
mem_printf(const char *format, ...)
{
	va_list args;
	char   *text;
	int     count;

	va_start(args, format);
	count = measure(format, args);
	text = mem_alloc((size_t)count + 1);
	vsnprintf(text, (size_t)count + 1, format, args);
	va_end(args);
	return text;
}

struct arena *
arena_new(void)
{
	return mem_alloc(sizeof(struct arena));
}

void
arena_free(struct arena *arena)
{
	struct block *block, *next;

	if (arena == NULL)
		return;
	for (block = arena->top; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

void
arena_free_wiped(struct arena *arena)
{
	if (arena == NULL)
		return;
	for (struct block *block = arena->top; block != NULL; block = block->next)
		explicit_bzero(block->bytes, block->used);
	arena_free(arena);
}

static struct block *
add_block(struct arena *arena, size_t bytes)
{
	size_t        room = arena->top != NULL ? arena->top->room * 2 : FIRST_BLOCK_BYTES;
	struct block *block;

	if (room > LAST_BLOCK_BYTES)
		room = LAST_BLOCK_BYTES;
	if (room < bytes)
		room = bytes;
	block = mem_alloc(sizeof(*block) + room);
	block->room = room;
	block->next = arena->top;
	arena->top = block;
	arena->taken_bytes += sizeof(*block) + room;
	return block;
}

void *
arena_alloc(struct arena *arena, size_t bytes)
{
	size_t        unit = alignof(max_align_t);
	struct block *block = arena->top;
	void         *memory;

	if (bytes > SIZE_MAX / 2)
		die_of_memory(bytes);
	bytes = (bytes + unit - 1) / unit * unit;
	if (block == NULL || block->room - block->used < bytes)
		block = add_block(arena, bytes);
	memory = block->bytes + block->used;
	block->used += bytes;
	return memory;
}

void *
arena_array(struct arena *arena, size_t count, size_t bytes_each)
{
	return arena_alloc(arena, multiply(count, bytes_each));
}

char *
arena_strndup(struct arena *arena, const char *text, size_t count)
{
	char *copy = arena_alloc(arena, count + 1);

	if (count != 0)
		memcpy(copy, text, count);
	return copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, text != NULL ? strlen(text) : 0);
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char   *text;
	int     count;

	va_start(args, format);
	count = measure(format, args);
	text = arena_alloc(arena, (size_t)count + 1);
	vsnprintf(text, (size_t)count + 1, format, args);
	va_end(args);
	return text;
}

size_t
arena_bytes(const struct arena *arena)
{
	return arena->taken_bytes;
}
