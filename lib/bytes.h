/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIB_BYTES_H
#define LIB_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Also true of no bytes at all. */
static inline bool bytes_are_zero(const void *bytes, size_t len)
{
	const char *first = bytes;

	return len == 0 || (*first == 0 && memcmp(first, first + 1, len - 1) == 0);
}

#endif
