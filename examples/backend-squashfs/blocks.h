/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed blocks of a finished filesystem, and parts of files in them. */
#ifndef SQUASHFS_BLOCKS_H
#define SQUASHFS_BLOCKS_H

#include <sqfs/compressor.h>
#include <sqfs/super.h>

#include "file.h"

struct blocks;

/* file is the window's, and a copy is kept. Takes the compressor. NULL when memory is out. */
struct blocks *blocks_new(const struct file *file, const sqfs_super_t *super,
			  sqfs_compressor_t *compressor);
void blocks_free(void *blocks);

/*
 * A part of a file that begins at byte from of what the block at off unpacks to; stored is the
 * block's size as squashfs writes it. *cookie is what blocks_decode knows it by.
 */
int blocks_add(struct blocks *blocks, uint64_t off, uint32_t stored, uint32_t from,
	       uint64_t *cookie);

/* The contract's decode. */
int blocks_decode(void *blocks, uint64_t cookie, uint64_t skip, void *buf, size_t len);

#endif
