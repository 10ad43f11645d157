/* SPDX-License-Identifier: Apache-2.0 */
/* For test support code: what cannot be (memory out, a wrong use by the test) ends the program. */
#ifndef CHECK_SUPPORT_MUST_H
#define CHECK_SUPPORT_MUST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(condition) ((condition) ? (void)0 : must_die(__FILE__, __LINE__, #condition))

static inline __attribute__((noreturn)) void must_die(const char *file, int line,
						      const char *condition)
{
	fprintf(stderr, "%s:%d: test support: %s does not hold\n", file, line, condition);
	abort();
}

static inline void *must_realloc(void *old, size_t size)
{
	void *pointer = realloc(old, size ? size : 1);

	must(pointer);
	return pointer;
}

static inline void *must_calloc(size_t count, size_t size)
{
	void *pointer = calloc(count, size);

	must(pointer);
	return pointer;
}

static inline void *must_memdup(const void *bytes, size_t len)
{
	void *copy = must_realloc(NULL, len);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

#endif
