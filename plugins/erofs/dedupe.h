/* SPDX-License-Identifier: Apache-2.0 */
/* Equal files (equal.h): the first in the tree's order owns the data of all. */
#ifndef EROFS_DEDUPE_H
#define EROFS_DEDUPE_H

#include "plugins/erofs/inode.h"

/* Fills owner and copies of the inodes. Reads files on all threads. */
int erofs_dedupe_share(const struct erofs_source *source, struct erofs_inode *inodes);

/* Says, of a finished layout, how many files share data and the bytes that they do not take. */
void erofs_dedupe_report(const struct erofs_source *source, const struct erofs_inode *inodes);

#endif
