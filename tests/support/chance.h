/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that look like chance, and are the same in each run. */
#ifndef SUPPORT_CHANCE_H
#define SUPPORT_CHANCE_H

#include <stdint.h>

/* The next one, of 24 bits. The state begins as any number. */
static inline uint32_t chance_next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

#endif
