/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard by libzstd: as much input as fits an output of fixed size, which it cannot be asked for
 * and is found by trying. */
#ifndef EROFS_ZSTD_H
#define EROFS_ZSTD_H

#include <stdbool.h>
#include <stdint.h>

#define EROFS_ZSTD_WINDOW_BITS_MIN 15u
#define EROFS_ZSTD_WINDOW_BITS_MAX 20u

/* The working memory of one thread. */
struct erofs_zstd;

/* For outputs of at most dst_max bytes. NULL when memory is out. */
struct erofs_zstd *erofs_zstd_new(int level, uint32_t dst_max);
void erofs_zstd_free(struct erofs_zstd *zstd);

/* As erofs_fill. guess: how much of src is taken to fit. */
uint32_t erofs_zstd_fill(struct erofs_zstd *zstd, const uint8_t *src, uint32_t src_len,
			 uint8_t *dst, uint32_t dst_len, uint32_t guess, uint32_t *consumed);
/* Was memory out in some call? */
bool erofs_zstd_failed(const struct erofs_zstd *zstd);

/* log2 of how far back a match may be, from outputs of at most dst_max bytes: a reader must have
 * room for that, and the kernel has for the largest cluster, which is 1 MiB. */
static inline unsigned int erofs_zstd_window_bits(uint32_t dst_max)
{
	unsigned int bits = EROFS_ZSTD_WINDOW_BITS_MIN;

	while (bits < EROFS_ZSTD_WINDOW_BITS_MAX && dst_max > UINT32_C(1) << (bits - 3))
		bits++;
	return bits;
}

/* "libzstd 1.5.4" */
const char *erofs_zstd_version(void);

#endif
