/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are made to fail, each place of a program that makes them once. One run is counted:
 * it finds the places that no earlier one came to; then each of these is armed and run again. Not
 * for several threads.
 */
#ifndef SUPPORT_PLACES_H
#define SUPPORT_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACES_ROOM 16384u /* a power of two; half of it is used at most */

struct places {
	uint64_t known[PLACES_ROOM]; /* by their numbers; 0 is none */
	size_t count;
	unsigned long points[PLACES_ROOM / 2]; /* of the last count: numbers of calls, from 1 */
	size_t point_count;
	unsigned long asked, fails_at;
	bool counting;
};

/* Nothing fails, and new places are noted, until places_disarm. */
void places_count(struct places *places);
/* Call number `at` will fail; 0: none will. */
void places_arm(struct places *places, unsigned long at);
/* Was the run one that came to the call that was to fail? */
bool places_disarm(struct places *places);

/* To be asked at each call, with the place's number (callers.h): is it to fail? */
bool places_ask(struct places *places, uint64_t place);

#endif
