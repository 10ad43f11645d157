/* SPDX-License-Identifier: Apache-2.0 */
/* LZ4 by liblz4, asked the other way round: as much input as fits an output of fixed size. */
#ifndef EROFS_LZ4_H
#define EROFS_LZ4_H

#include "plugins/erofs/options.h"

/* The working memory of one thread. */
struct erofs_lz4;

/* NULL when memory is out. */
struct erofs_lz4 *erofs_lz4_new(enum erofs_compress algorithm, int level);
void erofs_lz4_free(struct erofs_lz4 *lz4);

/*
 * Compresses the start of src into at most dst_len bytes, without reference to earlier calls.
 * Returns the bytes of dst used, 0 when nothing came out; *consumed says how much of src they hold.
 * dense: they are expected to hold little more than their own number.
 */
uint32_t erofs_lz4_fill(struct erofs_lz4 *lz4, const uint8_t *src, uint32_t src_len, uint8_t *dst,
			uint32_t dst_len, bool dense, uint32_t *consumed);

/* "liblz4 1.9.4" */
const char *erofs_lz4_version(void);

#endif
