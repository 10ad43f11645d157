/* SPDX-License-Identifier: Apache-2.0 */
/* Scope-bound release of resources: `autofree char *name = NULL;`. steal_ptr/steal_fd hand
 * ownership on. */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *pointer)
{
	free(*(void **)pointer);
}

/* Keeps errno, so that a descriptor can close on the way out of an error. */
static inline void cleanup_close(const int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

static inline void *steal_pointer(void *pointer)
{
	void *taken = *(void **)pointer;

	*(void **)pointer = NULL;
	return taken;
}

static inline int steal_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define autofree __attribute__((cleanup(cleanup_free)))
#define autoclose __attribute__((cleanup(cleanup_close)))
#define autocall(destructor) __attribute__((cleanup(destructor)))
#define steal_ptr(pointer) ((__typeof__(*(pointer)))steal_pointer(pointer))

/* Makes cleanup_NAME() for autocall() out of a destructor that takes the pointer. */
#define DEFINE_CLEANUP(type, destructor)                        \
	static inline void cleanup_##destructor(type **pointer) \
	{                                                       \
		destructor(*pointer);                           \
	}

#endif
