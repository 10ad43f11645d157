/* SPDX-License-Identifier: Apache-2.0 */
/* As much input as fits an output of fixed size, by the library of the algorithm that is asked for.
 */
#ifndef EROFS_FILL_H
#define EROFS_FILL_H

#include "plugins/erofs/options.h"

/* The working memory of one thread. */
struct erofs_filler;

/* NULL when memory is out. */
struct erofs_filler *erofs_filler_new(const struct erofs_options *options);
void erofs_filler_free(struct erofs_filler *filler);

/*
 * Compresses the start of src into at most dst_len bytes, without reference to earlier calls.
 * Returns the bytes of dst used, 0 when nothing came out; *consumed says how much of src they hold.
 * dense: they are expected to hold little more than their own number.
 */
uint32_t erofs_fill(struct erofs_filler *filler, const uint8_t *src, uint32_t src_len, uint8_t *dst,
		    uint32_t dst_len, bool dense, uint32_t *consumed);

/* "liblz4 1.9.4, libzstd 1.5.4" */
const char *erofs_fill_libraries(void);

#endif
