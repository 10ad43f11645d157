/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file, without its blocks of zeros, which are holes where nobody writes them. */
#ifndef ARCHIVE_RUNS_H
#define ARCHIVE_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runs {
	const char *bytes;
	size_t len;
	uint64_t off;      /* of bytes in the file */
	size_t start, end; /* of the present run; of the first both are 0 before it */
};

/* The next run: false when there is none. */
bool runs_next(struct runs *runs);

/* Writes all of them: 0 or -errno. */
int runs_write(int fd, const void *bytes, size_t len, uint64_t off);

#endif
