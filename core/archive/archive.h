/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees out of archives: tar in all its forms and cpio, plain or compressed by gzip, bzip2, xz or
 * zstd. A plain one is read in place; another one, and a stream, goes through one scratch file.
 */
#ifndef ARCHIVE_ARCHIVE_H
#define ARCHIVE_ARCHIVE_H

#include "core/tree/tree.h"

/* Makes an unnamed file: a descriptor for the caller, or -errno. */
struct archive_scratch {
	int (*open)(void *arg);
	void *arg;
};

struct archive_options {
	enum tree_holes holes;
	int64_t build_time; /* what directories get that no entry describes; 0: the newest time */
	struct archive_scratch scratch;
};

/* path "-": standard input. A root or a directory on the way that has no entry is 0755, 0:0. */
int archive_read_tree(const char *path, const struct archive_options *options, struct tree **tree,
		      struct error *error);

#endif
