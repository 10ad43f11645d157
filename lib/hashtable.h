/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers by the hash of what they number, which lies in an array of the caller's, who compares:
 *
 *   size_t step = 0;
 *   uint32_t number;
 *
 *   while (hashtable_next(&table, hash, &step, &number))
 *           if (is_equal(&things[number], wanted))
 *                   return &things[number];
 *
 * All zeros is an empty one. Nothing is ever taken out.
 */
#ifndef LIB_HASHTABLE_H
#define LIB_HASHTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashtable {
	struct hashtable_slot *slots;
	size_t room, count; /* room: 0 or a power of two, at most half of it taken */
};

/* The next number that was put under the hash, in the order in which they were put. *step begins at
 * 0. */
bool hashtable_next(const struct hashtable *table, uint32_t hash, size_t *step, uint32_t *number);

/* A number below UINT32_MAX. -ENOMEM: all is as it was. */
int hashtable_put(struct hashtable *table, uint32_t hash, uint32_t number);

void hashtable_free(struct hashtable *table);

/* FNV-1a; start is HASH_START, or the hash of what comes before. */
#define HASH_START UINT32_C(2166136261)
uint32_t hash_bytes(uint32_t start, const void *bytes, size_t len);

#endif
