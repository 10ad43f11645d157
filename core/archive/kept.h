/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of an archive that is read once from front to end: headers in memory, as long as
 * there is room for them, and the rest in a scratch file, each byte at its own place.
 */
#ifndef ARCHIVE_KEPT_H
#define ARCHIVE_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/array.h"

struct kept {
	int fd;                               /* the scratch file; not owned */
	size_t memory;                        /* so many bytes may be kept there */
	ARRAY(struct kept_stretch) stretches; /* ascending, apart from each other */
	ARRAY(uint8_t) bytes;
};

/* Behind all that was kept before: 0, -ENOMEM, or -errno. is_data: it has to be in the file. */
int kept_add(struct kept *kept, uint64_t at, const void *buf, size_t len, bool is_data);

/* Are all these bytes kept? */
bool kept_has(const struct kept *kept, uint64_t at, uint64_t len);
/* And in the file? */
bool kept_is_stored(const struct kept *kept, uint64_t at, uint64_t len);

/* Bytes that are kept: 0 or -errno. */
int kept_read(const struct kept *kept, uint64_t at, void *buf, size_t len);

/* Where the last of them ends. */
uint64_t kept_end(const struct kept *kept);

void kept_release(struct kept *kept);

#endif
