/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/zstd.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

/* The first length that is tried, in times of the output. */
#define FIRST_RATIO 3u
/* An output is as good as full when so little of it, its 1024th part, is not used. */
#define FULL_PART 1024u
#define TRIES_MAX 12

struct erofs_zstd {
	ZSTD_CCtx *context;
	uint8_t *out; /* of the last try */
	size_t room;
};

/* What was tried: the longest start that fits, and the shortest that does not. */
struct bounds {
	uint32_t fits, fits_size;
	uint32_t too_long;
};

static bool set_up(struct erofs_zstd *zstd, int level, uint32_t dst_max)
{
	int window_bits = (int)erofs_zstd_window_bits(dst_max);

	/* A length that is a little too long still says by how much. */
	zstd->room = (size_t)dst_max * 2;
	zstd->out = malloc(zstd->room);
	zstd->context = ZSTD_createCCtx();
	return zstd->out && zstd->context &&
	       !ZSTD_isError(
		       ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_compressionLevel, level)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(zstd->context, ZSTD_c_windowLog, window_bits));
}

struct erofs_zstd *erofs_zstd_new(int level, uint32_t dst_max)
{
	struct erofs_zstd *zstd = calloc(1, sizeof(*zstd));

	if (!zstd || set_up(zstd, level, dst_max))
		return zstd;
	erofs_zstd_free(zstd);
	return NULL;
}

void erofs_zstd_free(struct erofs_zstd *zstd)
{
	if (!zstd)
		return;
	ZSTD_freeCCtx(zstd->context);
	free(zstd->out);
	free(zstd);
}

/* What to try next, from the size that len had; 0: enough was tried. */
static uint32_t next_len(const struct bounds *bounds, uint32_t len, uint32_t size, uint32_t dst_len)
{
	uint64_t next = size ? (uint64_t)len * dst_len / size : len / 2;

	if (bounds->fits && dst_len - bounds->fits_size < dst_len / FULL_PART)
		return 0;
	if (bounds->too_long - bounds->fits < 2)
		return 0;
	/* The last bytes cost more than the average. */
	next -= next / FULL_PART;
	if (next >= bounds->too_long)
		next = bounds->too_long - 1 - (bounds->too_long - bounds->fits - 1) / 8;
	if (next <= bounds->fits)
		next = bounds->fits + 1 + (bounds->too_long - bounds->fits - 1) / 8;
	return next < bounds->too_long ? (uint32_t)next : 0;
}

/* Compresses src[0 .. len). Returns its size, 0 when it was far too large. */
static uint32_t try_len(struct erofs_zstd *zstd, const uint8_t *src, uint32_t len, uint8_t *dst,
			uint32_t dst_len, struct bounds *bounds)
{
	size_t size = ZSTD_compress2(zstd->context, zstd->out, zstd->room, src, len);

	if (ZSTD_isError(size) || size > dst_len) {
		bounds->too_long = len;
		return ZSTD_isError(size) ? 0 : (uint32_t)size;
	}
	memcpy(dst, zstd->out, size);
	bounds->fits = len;
	bounds->fits_size = (uint32_t)size;
	return (uint32_t)size;
}

uint32_t erofs_zstd_fill(struct erofs_zstd *zstd, const uint8_t *src, uint32_t src_len,
			 uint8_t *dst, uint32_t dst_len, uint32_t *consumed)
{
	struct bounds bounds = { .too_long = src_len + 1 };
	uint32_t len = dst_len * FIRST_RATIO < src_len ? dst_len * FIRST_RATIO : src_len;

	for (int i = 0; len && i < TRIES_MAX; i++) {
		uint32_t size = try_len(zstd, src, len, dst, dst_len, &bounds);

		len = next_len(&bounds, len, size, dst_len);
	}
	*consumed = bounds.fits;
	return bounds.fits_size;
}

const char *erofs_zstd_version(void)
{
	static char text[32]; /* the same whoever writes it */

	snprintf(text, sizeof(text), "libzstd %s", ZSTD_versionString());
	return text;
}
