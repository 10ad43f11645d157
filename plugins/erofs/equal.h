/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ranges of files hold the same bytes. Ranges of one length are compared by SHA-256, and
 * those that agree byte by byte.
 */
#ifndef EROFS_EQUAL_H
#define EROFS_EQUAL_H

#include "plugins/erofs/source.h"

struct erofs_range {
	uint64_t off, len; /* len is not 0 */
	uint32_t node;
	uint32_t first; /* the number of the first range that it is equal to; its own when none */
};

/* Fills first of all. Reads files on all threads. */
int erofs_equal_find(const struct erofs_source *source, struct erofs_range *ranges, size_t count);

#endif
