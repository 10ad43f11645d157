/* SPDX-License-Identifier: Apache-2.0 */
/* For test support code: what cannot be (memory out, a wrong use by the test) ends the process. */
#ifndef CHECK_SUPPORT_MUST_H
#define CHECK_SUPPORT_MUST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How it ends, which is no backend's fault: Meson, too, takes this for a test that was none. */
#define MUST_STATUS 99

#define must(condition)                                           \
	do {                                                      \
		if (!(condition))                                 \
			must_die(__FILE__, __LINE__, #condition); \
	} while (0)

static inline __attribute__((noreturn)) void must_die(const char *file, int line,
						      const char *condition)
{
	fprintf(stderr, "%s:%d: test support: %s does not hold: %s\n", file, line, condition,
		strerror(errno));
	_exit(MUST_STATUS);
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
