/* SPDX-License-Identifier: Apache-2.0 */
/* Are two names, or descriptors, of one file? */
#ifndef LIB_SAMEFILE_H
#define LIB_SAMEFILE_H

#include <stdbool.h>
#include <sys/stat.h>

static inline bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Symbolic links are followed; what is not there is no file. */
static inline bool same_file_named(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && same_file(&x, &y);
}

#endif
