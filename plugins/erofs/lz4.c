/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/lz4.h"

#include <lz4.h>
#include <lz4hc.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * How much input is offered at first. Below 64 KiB LZ4's fast mode has a table of twice as many
 * entries, and the longest match that lz4hc tries to follow, over and over, is bounded.
 */
#define WINDOW_BYTES_MIN 65536u
#define WINDOW_RATIO 8u
/* Where there are no matches lz4hc looks for one to the end of what it is offered, and only then
 * sees that the output was full long before. */
#define DENSE_EXTRA 4u /* a quarter more than the output */
/* A byte of output stands for at most 255 of input. */
#define RATIO_MAX 256u

struct erofs_lz4 {
	LZ4_streamHC_t *hc; /* NULL: the fast mode, which keeps nothing */
	int level;
};

struct erofs_lz4 *erofs_lz4_new(enum erofs_compress algorithm, int level)
{
	struct erofs_lz4 *lz4 = calloc(1, sizeof(*lz4));

	if (!lz4 || algorithm != EROFS_COMPRESS_LZ4HC)
		return lz4;
	lz4->level = level;
	lz4->hc = LZ4_createStreamHC();
	if (lz4->hc)
		return lz4;
	free(lz4);
	return NULL;
}

void erofs_lz4_free(struct erofs_lz4 *lz4)
{
	if (!lz4)
		return;
	if (lz4->hc)
		LZ4_freeStreamHC(lz4->hc);
	free(lz4);
}

static uint32_t fill(struct erofs_lz4 *lz4, const uint8_t *src, uint32_t src_len, uint8_t *dst,
		     uint32_t dst_len, uint32_t *consumed)
{
	int len = (int)src_len;
	int size;

	if (lz4->hc) {
		/* Forgets what came before without clearing 256 KiB of tables. */
		LZ4_resetStreamHC_fast(lz4->hc, lz4->level);
		size = LZ4_compress_HC_continue_destSize(lz4->hc, (const char *)src, (char *)dst,
							 &len, (int)dst_len);
	} else {
		size = LZ4_compress_destSize((const char *)src, (char *)dst, &len, (int)dst_len);
	}
	*consumed = size > 0 ? (uint32_t)len : 0;
	return size > 0 ? (uint32_t)size : 0;
}

static uint32_t first_window(uint32_t dst_len, bool dense)
{
	if (dense)
		return dst_len + dst_len / DENSE_EXTRA;
	return dst_len * WINDOW_RATIO < WINDOW_BYTES_MIN ? WINDOW_BYTES_MIN
							 : dst_len * WINDOW_RATIO;
}

uint32_t erofs_lz4_fill(struct erofs_lz4 *lz4, const uint8_t *src, uint32_t src_len, uint8_t *dst,
			uint32_t dst_len, bool dense, uint32_t *consumed)
{
	uint32_t window = first_window(dst_len, dense);
	uint32_t size;

	if (src_len / RATIO_MAX > dst_len)
		src_len = dst_len * RATIO_MAX;
	if (window >= src_len)
		return fill(lz4, src, src_len, dst, dst_len, consumed);
	size = fill(lz4, src, window, dst, dst_len, consumed);
	if (*consumed < window)
		return size;
	if (dense)
		return erofs_lz4_fill(lz4, src, src_len, dst, dst_len, false, consumed);
	return fill(lz4, src, src_len, dst, dst_len, consumed);
}

const char *erofs_lz4_version(void)
{
	static char text[48]; /* the same whoever writes it */
	/* It hashes words of memory, whose order the processor decides, and looks at a bounded
	 * number of places with a hash: in both modes. */
	const bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	snprintf(text, sizeof(text), "liblz4 %s%s", LZ4_versionString(),
		 big ? " (big-endian)" : "");
	return text;
}
