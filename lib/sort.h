/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts where the items are, where qsort(3) would take a copy of them all. */
#ifndef LIB_SORT_H
#define LIB_SORT_H

#include <stddef.h>

#define SORT_ITEM_BYTES_MAX 64u

/* As qsort(3), for items of at most SORT_ITEM_BYTES_MAX bytes. What is in order already costs one
 * look; nothing that an attacker chooses costs more than n log n. Not stable. */
void sort_in_place(void *items, size_t count, size_t item_bytes,
		   int (*compare)(const void *a, const void *b));

#endif
