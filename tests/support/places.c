/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/places.h"

#include <stdlib.h>

static bool add(struct places *places, uint64_t place)
{
	size_t slot = (size_t)(place >> 32) % PLACES_ROOM;

	while (places->known[slot] && places->known[slot] != place)
		slot = (slot + 1) % PLACES_ROOM;
	if (places->known[slot])
		return false;
	if (places->count++ == PLACES_ROOM / 2)
		abort();
	places->known[slot] = place;
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

bool places_ask(struct places *places, uint64_t place)
{
	if (!places->counting && !places->fails_at)
		return false;
	places->asked++;
	if (places->counting && add(places, place | 1))
		places->points[places->point_count++] = places->asked;
	return places->asked == places->fails_at;
}
