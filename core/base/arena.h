/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is taken in many small pieces and freed at once. Not for several threads. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks;
	size_t left; /* bytes at the end of the first chunk */
};

#define ARENA_INIT ((struct arena){ NULL, 0 })

/* Zeroed, aligned for any type; NULL when memory is out. size may be 0. */
void *arena_alloc(struct arena *arena, size_t size);
/* count objects of size bytes; NULL too when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* len bytes and a NUL, unaligned. */
char *arena_text(struct arena *arena, const void *bytes, size_t len);
/* Takes over the other one's memory, which stays where it is. */
void arena_join(struct arena *arena, struct arena *other);
void arena_free(struct arena *arena);

#endif
