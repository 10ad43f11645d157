/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images as sources: FILE[:PARTITION], of anybody's making. The filesystem is that of the
 * partition, or, when none is named, of the first that a GPT calls a root filesystem, else of the
 * first one that a backend knows, else of the whole file, or what is behind its NVDIMM header.
 */
#ifndef READER_IMAGE_H
#define READER_IMAGE_H

#include "core/base/error.h"
#include "core/tree/tree.h"

/*
 * Is it a regular file or a block device in which there is a partition table, or a filesystem that
 * a backend knows? 1, 0 (also of what cannot be opened), or -ENOMEM.
 */
int image_is(const char *path, const struct backend_search *backends);

/* options->backends says who can read what, options->partition overrides the name's. Takes holes
 * and threads from the options too. */
int image_read_tree(const char *source, const struct tree_options *options, struct tree **tree,
		    struct error *error);

/* The FILE of a source, to be freed; NULL when memory is out. *partition: 0 when none is named. */
char *image_file_path(const char *source, unsigned int *partition);

#endif
