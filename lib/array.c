/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/array.h"

#include <errno.h>
#include <stdint.h>

#define FIRST_ROOM 16u

int array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes)
{
	size_t larger = *room + *room / 2 + FIRST_ROOM;
	void *grown;

	if (more > SIZE_MAX - count)
		return -ENOMEM;
	if (larger < count + more)
		larger = count + more;
	/* No object is larger, and some allocators end the program when asked. */
	if (larger > (size_t)PTRDIFF_MAX / item_bytes)
		return -ENOMEM;
	/* Pointers of any type are copied as bytes: they may not be read as void *. */
	memcpy(&grown, items, sizeof(grown));
	grown = realloc(grown, larger * item_bytes);
	if (!grown)
		return -ENOMEM;
	memcpy(items, &grown, sizeof(grown));
	*room = larger;
	return 0;
}

void array_shrink(void *items, size_t *room, size_t count, size_t item_bytes)
{
	void *shrunk;

	if (count == 0 || count == *room)
		return;
	memcpy(&shrunk, items, sizeof(shrunk));
	shrunk = realloc(shrunk, count * item_bytes);
	if (!shrunk)
		return;
	memcpy(items, &shrunk, sizeof(shrunk));
	*room = count;
}
