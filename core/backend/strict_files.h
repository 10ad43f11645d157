/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of which files a backend has placed or read, by whole blocks of KATAIMG_HOLE_BYTES.
 */
#ifndef BACKEND_STRICT_FILES_H
#define BACKEND_STRICT_FILES_H

#include "kataimg/backend.h"

struct strict_files;

struct strict_files *strict_files_new(void); /* NULL when memory is out */
void strict_files_free(struct strict_files *files);

/* [off, off + len), inside a regular file, is used. One thread at a time. -ENOMEM. */
int strict_files_use(struct strict_files *files, const struct kataimg_node *node, uint64_t off,
		     uint64_t len);

/* The first file of which a block with data was never used; NULL: there is none. */
const struct kataimg_node *strict_files_unused(const struct strict_files *files,
					       const struct kataimg_tree *tree);

#endif
