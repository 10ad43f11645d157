/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)256 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	alignas(max_align_t) unsigned char bytes[];
};

/* A large piece gets a chunk of its own. That is put behind the first chunk, so that what is
 * left of the first one can still be given out. */
static void *alloc_chunk(struct arena *arena, size_t size)
{
	size_t bytes = size > CHUNK_BYTES / 4 ? size : CHUNK_BYTES;
	struct arena_chunk *chunk;

	if (bytes > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = calloc(1, sizeof(*chunk) + bytes);
	if (!chunk)
		return NULL;
	chunk->size = bytes;
	if (bytes != CHUNK_BYTES && arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->left = bytes - size;
	}
	return chunk->bytes;
}

static void *take(struct arena *arena, size_t size, size_t align)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t start;

	if (!chunk || arena->left < size)
		return alloc_chunk(arena, size);
	start = (chunk->size - arena->left + align - 1) & ~(align - 1);
	if (chunk->size < start || chunk->size - start < size)
		return alloc_chunk(arena, size);
	arena->left = chunk->size - start - size;
	return chunk->bytes + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return take(arena, size, alignof(max_align_t));
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return take(arena, bytes, alignof(uint64_t));
}

char *arena_text(struct arena *arena, const void *bytes, size_t len)
{
	char *text = len < SIZE_MAX ? take(arena, len + 1, 1) : NULL;

	if (text)
		memcpy(text, bytes, len);
	return text;
}

void arena_join(struct arena *arena, struct arena *other)
{
	struct arena_chunk *last = other->chunks;

	if (!last)
		return;
	while (last->next)
		last = last->next;
	/* behind the first chunk, of which the rest can still be given out */
	if (arena->chunks) {
		last->next = arena->chunks->next;
		arena->chunks->next = other->chunks;
	} else {
		*arena = *other;
	}
	*other = ARENA_INIT;
}

void arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	arena->left = 0;
}
