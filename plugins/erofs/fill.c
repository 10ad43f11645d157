/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/fill.h"

#include <stdio.h>
#include <stdlib.h>

#include "plugins/erofs/lz4.h"
#include "plugins/erofs/zstd.h"

/* The first length that is tried, in times of the output. */
#define FIRST_RATIO 3u

/* One of them. */
struct erofs_filler {
	struct erofs_lz4 *lz4;
	struct erofs_zstd *zstd;
};

static bool open_library(struct erofs_filler *filler, const struct erofs_options *options)
{
#ifdef HAVE_ZSTD
	if (options->compress == EROFS_COMPRESS_ZSTD) {
		filler->zstd =
			erofs_zstd_new(options->level, options->cluster_blocks * EROFS_BLOCK_BYTES);
		return filler->zstd;
	}
#endif
	filler->lz4 = erofs_lz4_new(options->compress, options->level);
	return filler->lz4;
}

struct erofs_filler *erofs_filler_new(const struct erofs_options *options)
{
	struct erofs_filler *filler = calloc(1, sizeof(*filler));

	if (!filler || open_library(filler, options))
		return filler;
	free(filler);
	return NULL;
}

void erofs_filler_free(struct erofs_filler *filler)
{
	if (!filler)
		return;
#ifdef HAVE_ZSTD
	erofs_zstd_free(filler->zstd);
#endif
	erofs_lz4_free(filler->lz4);
	free(filler);
}

#ifdef HAVE_ZSTD
/* How much input an output holds, if it is as the one before. */
static uint32_t expect(struct erofs_ratio before, uint32_t dst_len)
{
	return before.out ? (uint32_t)((uint64_t)dst_len * before.in / before.out)
			  : dst_len * FIRST_RATIO;
}
#endif

uint32_t erofs_fill(struct erofs_filler *filler, const uint8_t *src, uint32_t src_len, uint8_t *dst,
		    uint32_t dst_len, struct erofs_ratio before, uint32_t *consumed)
{
	bool dense = before.out && before.in <= before.out;

#ifdef HAVE_ZSTD
	if (filler->zstd)
		return erofs_zstd_fill(filler->zstd, src, src_len, dst, dst_len,
				       dense ? dst_len + 1 : expect(before, dst_len), consumed);
#endif
	return erofs_lz4_fill(filler->lz4, src, src_len, dst, dst_len, dense, consumed);
}

bool erofs_filler_failed(const struct erofs_filler *filler)
{
#ifdef HAVE_ZSTD
	return filler->zstd && erofs_zstd_failed(filler->zstd);
#else
	(void)filler;
	return false;
#endif
}

const char *erofs_fill_libraries(void)
{
#ifdef HAVE_ZSTD
	static char text[80]; /* the same whoever writes it */

	snprintf(text, sizeof(text), "%s, %s", erofs_lz4_version(), erofs_zstd_version());
	return text;
#else
	return erofs_lz4_version();
#endif
}
