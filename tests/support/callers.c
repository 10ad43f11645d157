/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/callers.h"

#include <execinfo.h>
#include <string.h>

#define LEVELS 10
#define OWN_MAX 6
#define DEPTH_MAX 64

static __thread int below; /* frames of who began */

void callers_begin(void)
{
	backtrace((void *[1]){ NULL }, 1);
}

void callers_begin_here(void)
{
	void *frames[DEPTH_MAX];

	below = backtrace(frames, DEPTH_MAX) - 1;
}

/* As backtrace has it: 32-bit ARM returns to an odd address where Thumb's instructions go on. */
static void *address_of(const void *caller)
{
#ifdef __arm__
	return (void *)((uintptr_t)caller & ~(uintptr_t)1);
#else
	return (void *)(uintptr_t)caller;
#endif
}

int callers_list(void *frames[CALLERS_MAX], const void *caller)
{
	void *all[DEPTH_MAX], *first = address_of(caller);
	int depth = backtrace(all, below ? DEPTH_MAX : CALLERS_MAX + OWN_MAX) - below;
	int own = 0, count;

	while (own < OWN_MAX && own < depth && all[own] != first)
		own++;
	/* Libraries without tables of their frames end the way before it comes to the caller. */
	if (own >= depth || all[own] != first) {
		frames[0] = first;
		return 1;
	}
	count = depth - own < CALLERS_MAX ? depth - own : CALLERS_MAX;
	memcpy(frames, all + own, (size_t)count * sizeof(*frames));
	return count;
}

uint64_t callers_sum(void *const *frames, int count)
{
	uint64_t sum = UINT64_C(14695981039346656037); /* FNV-1a */

	for (int i = 0; i < count && i < LEVELS; i++)
		sum = (sum ^ (uintptr_t)frames[i]) * UINT64_C(1099511628211);
	return sum;
}

uint64_t callers_place(const void *caller)
{
	void *frames[CALLERS_MAX];

	return callers_sum(frames, callers_list(frames, caller));
}
