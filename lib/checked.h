/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on numbers from outside: each returns 0, or -EOVERFLOW and leaves *result alone. */
#ifndef LIB_CHECKED_H
#define LIB_CHECKED_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

static inline int checked_add(uint64_t a, uint64_t b, uint64_t *result)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return -EOVERFLOW;
	*result = sum;
	return 0;
}

static inline int checked_mul(uint64_t a, uint64_t b, uint64_t *result)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return -EOVERFLOW;
	*result = product;
	return 0;
}

/* The next multiple of step (not 0, any number) at or above value. */
static inline int checked_round_up(uint64_t value, uint64_t step, uint64_t *result)
{
	uint64_t rest = value % step;

	if (rest == 0) {
		*result = value;
		return 0;
	}
	return checked_add(value, step - rest, result);
}

/* Is [off, off + len) inside [0, size)? */
static inline bool range_within(uint64_t off, uint64_t len, uint64_t size)
{
	return off <= size && len <= size - off;
}

#endif
