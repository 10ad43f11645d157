/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growable arrays of one type. All zeros is an empty one:
 *
 *   ARRAY(struct thing) things = { 0 };
 *   struct thing *thing = array_add(&things);
 *
 * Items move when the array grows: keep their numbers, not their addresses.
 */
#ifndef LIB_ARRAY_H
#define LIB_ARRAY_H

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY(type)                 \
	struct {                    \
		type *items;        \
		size_t count, room; \
	}

/* Room for so many more: 0, or -ENOMEM and all is as it was. */
#define array_reserve(array, more)                                                     \
	((array)->room - (array)->count >= (more)                                      \
		 ? 0                                                                   \
		 : array_grow(&(array)->items, &(array)->room, (array)->count, (more), \
			      sizeof(*(array)->items)))

/* A new last item, all zeros; NULL when memory is out. */
#define array_add(array)                                                                    \
	(array_reserve(array, 1) < 0                                                        \
		 ? NULL                                                                     \
		 : (__typeof__((array)->items))memset(&(array)->items[(array)->count++], 0, \
						      sizeof(*(array)->items)))

/* Gives room back that is not used. */
#define array_trim(array) \
	array_shrink(&(array)->items, &(array)->room, (array)->count, sizeof(*(array)->items))

/* Leaves an empty one, when somebody else has the items now. */
#define array_forget(array)                         \
	do {                                        \
		(array)->items = NULL;              \
		(array)->count = (array)->room = 0; \
	} while (0)

/* Leaves an empty one. */
#define array_free(array)                           \
	do {                                        \
		free((array)->items);               \
		(array)->items = NULL;              \
		(array)->count = (array)->room = 0; \
	} while (0)

/* For array_reserve: items is the address of the pointer to them. */
int array_grow(void *items, size_t *room, size_t count, size_t more, size_t item_bytes);

/* For array_trim. */
void array_shrink(void *items, size_t *room, size_t count, size_t item_bytes);

#endif
