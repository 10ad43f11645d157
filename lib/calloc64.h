/* SPDX-License-Identifier: Apache-2.0 */
/* Counts are 64 bits wide on every machine, memory is not. */
#ifndef LIB_CALLOC64_H
#define LIB_CALLOC64_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* As calloc(3); for a count that is more than this machine's size_t, memory is out. */
static inline void *calloc64(uint64_t count, size_t size)
{
	if (count <= SIZE_MAX)
		return calloc((size_t)count, size);
	errno = ENOMEM;
	return NULL;
}

#endif
