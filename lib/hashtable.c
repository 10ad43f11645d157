/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/hashtable.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_ROOM 64u
#define FNV_PRIME UINT32_C(16777619)

/* Open addressing: a hash's numbers are in the slots behind its own, up to the first free one. */
struct hashtable_slot {
	uint32_t hash;
	uint32_t number_plus_one; /* 0: free */
};

/* The last step of FNV leaves the low bits poorly mixed for keys that differ in high ones. */
static size_t home(const struct hashtable *table, uint32_t hash)
{
	return (hash ^ hash >> 16) & (table->room - 1);
}

bool hashtable_next(const struct hashtable *table, uint32_t hash, size_t *step, uint32_t *number)
{
	while (*step < table->room) {
		const struct hashtable_slot *slot =
			&table->slots[(home(table, hash) + *step) & (table->room - 1)];

		if (slot->number_plus_one == 0)
			return false;
		++*step;
		if (slot->hash == hash) {
			*number = slot->number_plus_one - 1;
			return true;
		}
	}
	return false;
}

static void put(struct hashtable *table, struct hashtable_slot slot)
{
	size_t at = home(table, slot.hash);

	while (table->slots[at].number_plus_one)
		at = (at + 1) & (table->room - 1);
	table->slots[at] = slot;
}

/* From a free slot on, once round: so what is together in a row keeps its order. */
static void put_all(struct hashtable *table, const struct hashtable *from)
{
	size_t first = 0;

	while (first < from->room && from->slots[first].number_plus_one)
		first++;
	for (size_t i = 0; i < from->room; i++) {
		struct hashtable_slot slot = from->slots[(first + i) & (from->room - 1)];

		if (slot.number_plus_one)
			put(table, slot);
	}
}

static int grow(struct hashtable *table)
{
	struct hashtable larger = { .room = table->room ? 2 * table->room : FIRST_ROOM,
				    .count = table->count };

	larger.slots = calloc(larger.room, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	put_all(&larger, table);
	free(table->slots);
	*table = larger;
	return 0;
}

int hashtable_put(struct hashtable *table, uint32_t hash, uint32_t number)
{
	int ret = 2 * table->count >= table->room ? grow(table) : 0;

	if (ret < 0)
		return ret;
	put(table, (struct hashtable_slot){ hash, number + 1 });
	table->count++;
	return 0;
}

void hashtable_free(struct hashtable *table)
{
	free(table->slots);
	*table = (struct hashtable){ 0 };
}

uint32_t hash_bytes(uint32_t start, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < len; i++)
		start = (start ^ from[i]) * FNV_PRIME;
	return start;
}
