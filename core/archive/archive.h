/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees out of archives: tar in all its forms and cpio, plain or compressed by gzip, bzip2, xz or
 * zstd. A plain one is read in place; another one, and a stream, goes through one scratch file.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include "core/tree/tree.h"

/* What an archive may unpack to when nobody says: no honest one is beyond. */
#define ARCHIVE_LIMIT_BYTES ((uint64_t)1 << 30)
#define ARCHIVE_LIMIT_RATIO 256 /* and so much for each byte read */

/* path "-": standard input. A root or a directory on the way that has no entry is 0755, 0:0. */
int archive_read_tree(const char *path, const struct tree_options *options, struct tree **tree,
		      struct error *error);

#endif
