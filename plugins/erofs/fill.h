/* SPDX-License-Identifier: Apache-2.0 */
/* As much input as fits an output of fixed size, by the library of the algorithm that is asked for.
 */
#ifndef EROFS_FILL_H
#define EROFS_FILL_H

#include "plugins/erofs/options.h"

/* The working memory of one thread. */
struct erofs_filler;

/* What the cluster before held: so many bytes of input in so many of output. Zeros: there is none.
 */
struct erofs_ratio {
	uint32_t in, out;
};

/* NULL when memory is out. */
struct erofs_filler *erofs_filler_new(const struct erofs_options *options);
void erofs_filler_free(struct erofs_filler *filler);

/*
 * Compresses the start of src into at most dst_len bytes, without reference to earlier calls.
 * Returns the bytes of dst used, 0 when nothing came out; *consumed says how much of src they hold:
 * when that is no more, dst may hold nothing. before: for a guess.
 */
uint32_t erofs_fill(struct erofs_filler *filler, const uint8_t *src, uint32_t src_len, uint8_t *dst,
		    uint32_t dst_len, struct erofs_ratio before, uint32_t *consumed);
/* Was memory out in some call? */
bool erofs_filler_failed(const struct erofs_filler *filler);

/* "liblz4 1.9.4, libzstd 1.5.4" */
const char *erofs_fill_libraries(void);

#endif
