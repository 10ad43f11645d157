/* SPDX-License-Identifier: Apache-2.0 */
/* Whole units. No result leaves 64 bits with numbers from a layout; lib/checked.h has those for
 * numbers from outside. */
#ifndef LIB_ROUND_H
#define LIB_ROUND_H

#include <stdint.h>

/* How many steps (not 0) hold the value. */
static inline uint64_t div_up(uint64_t value, uint64_t step)
{
	return value / step + (value % step != 0);
}

/* The next multiple of step (not 0, any number) at or above the value. */
static inline uint64_t round_up(uint64_t value, uint64_t step)
{
	return div_up(value, step) * step;
}

#endif
