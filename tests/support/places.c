/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/places.h"

#include <stdlib.h>

#define LEVELS 10

/* FNV-1a; not 0. */
static uint64_t sum_of(void *const *frames, int count)
{
	uint64_t sum = UINT64_C(14695981039346656037);

	for (int i = 0; i < count && i < LEVELS; i++)
		sum = (sum ^ (uintptr_t)frames[i]) * UINT64_C(1099511628211);
	return sum ? sum : 1;
}

static bool add(struct places *places, uint64_t sum)
{
	size_t slot = (size_t)(sum >> 32) % PLACES_ROOM;

	while (places->known[slot] && places->known[slot] != sum)
		slot = (slot + 1) % PLACES_ROOM;
	if (places->known[slot])
		return false;
	if (places->count++ == PLACES_ROOM / 2)
		abort();
	places->known[slot] = sum;
	return true;
}

void places_count(struct places *places)
{
	places->counting = true;
	places->point_count = 0;
	places_arm(places, 0);
}

void places_arm(struct places *places, unsigned long at)
{
	places->asked = 0;
	places->fails_at = at;
}

bool places_disarm(struct places *places)
{
	bool met = places->fails_at && places->asked >= places->fails_at;

	places->counting = false;
	places->fails_at = 0;
	return met;
}

bool places_ask(struct places *places, void *const *frames, int count)
{
	if (!places->counting && !places->fails_at)
		return false;
	places->asked++;
	if (places->counting && add(places, sum_of(frames, count)))
		places->points[places->point_count++] = places->asked;
	return places->asked == places->fails_at;
}
