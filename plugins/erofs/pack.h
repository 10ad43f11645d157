/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed file: an inode that no directory names, which holds ends of files, and whole ones
 * (fragments), and is compressed as one. What is alike lies together in it, for a window sees 64
 * KiB only: by the ending of the name, by the name, and in the tree's order. Equal fragments are
 * there once.
 */
#ifndef EROFS_PACK_H
#define EROFS_PACK_H

#include "plugins/erofs/inode.h"

struct erofs_pack;

/* Gathers the fragments of inodes, and gives them their places. *made is NULL when there are none.
 * -EFBIG: there are too many. */
int erofs_pack_make(const struct erofs_source *source, struct erofs_inode *inodes,
		    struct erofs_pack **made);
void erofs_pack_free(struct erofs_pack *pack);

/* As a node of the tree would be, with the index behind the last of those. */
const struct kataimg_node *erofs_pack_node(const struct erofs_pack *pack);

/* Bytes of it. From any thread. */
int erofs_pack_read(const struct erofs_pack *pack, uint64_t off, void *buf, size_t len);

/* How many different fragments there are. */
uint64_t erofs_pack_fragments(const struct erofs_pack *pack);

#endif
