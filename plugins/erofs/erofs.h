/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EROFS backend's state, and how its parts work together:
 *
 *   options.c   the section [erofs]
 *   limits.c    what EROFS cannot store
 *   plan.c      from the source to a layout (layout.h), step by step:
 *     mapped.c    what a guest maps
 *     xattr.c     attributes, and which of them are shared
 *     dedupe.c    files with equal content (equal.c)
 *     chunk.c     files with holes
 *     compress.c  files that shrink, in segments (segments.c) on all threads (worker.c, fill.c)
 *     pack.c      the packed file of their ends
 *     places.c    each inode's form, and its place in the metadata (slots.c)
 *     data.c      blocks for the data; in write, its promises
 *   write.c     the metadata as one ascending stream (stream.c): superblock (super.c), inodes
 *               (inode.c), directories (dir.c), indexes (zmap.c, zmap_write.c)
 *   probe.c     a superblock of any image
 *   read.c      what is in one, with read_*.c, decode.c and unpack*.c: see read.h
 *
 * The image: superblock, inodes with what follows them, and the shared xattrs, packed into blocks
 * from 0; then the whole blocks of directories and long links; then file data.
 */
#ifndef EROFS_EROFS_H
#define EROFS_EROFS_H

#include "plugins/erofs/layout.h"

struct erofs {
	struct erofs_source source;
	struct erofs_identity identity;
	struct erofs_layout layout; /* made by plan */
};

#endif
