/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is behind gzip (RFC 1952), with the sums that it ends with: libarchive's own filter does not
 * look at them, so that a file which bits were changed in would be read as if nothing had happened.
 * gzip within gzip is read as well, and checked alike.
 */
#ifndef ARCHIVE_INFLATE_H
#define ARCHIVE_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/cleanup.h"

struct archive_inflate;

#define ARCHIVE_INFLATE_MAGIC_BYTES 3

/* Do bytes begin a gzip file? */
bool archive_inflate_is(const void *bytes, size_t len);

struct archive_inflate *archive_inflate_new(void); /* NULL when memory is out */
void archive_inflate_free(struct archive_inflate *inflate);
DEFINE_CLEANUP(struct archive_inflate, archive_inflate_free)

/* More of the file, which must stay until archive_inflate_next answers -EAGAIN; len 0: its end. */
void archive_inflate_feed(struct archive_inflate *inflate, const void *bytes, size_t len);

/*
 * The next *block of *len bytes, until the next call; *len 0 at the end, which is the last
 * member's: what follows it is no gzip. -EAGAIN: it wants to be fed. -EBADMSG: *reason, a static
 * text, says why. -ENOMEM.
 */
int archive_inflate_next(struct archive_inflate *inflate, const void **block, size_t *len,
			 const char **reason);

/* At the end: did something follow, other than zeros, in what was fed? */
bool archive_inflate_has_rest(const struct archive_inflate *inflate);

/* So many bytes of what was fed are not looked at yet. */
size_t archive_inflate_left(const struct archive_inflate *inflate);

#endif
