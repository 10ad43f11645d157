/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/zstd.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

/* An output is as good as full when less of it, its 4096th part, is not used. */
#define FULL_PART 4096u
#define TRIES_MAX 14
/* After so many tries interpolation alone gets no further. */
#define TRIES_FINE 5

struct erofs_zstd {
	ZSTD_CCtx *context;
	uint8_t *out; /* of the last try */
	size_t room;
	bool failed;
};

/* What was tried: the longest start that fits, and the shortest that does not. Sizes are 0 where
 * there is none. */
struct bounds {
	uint32_t fits, fits_size;
	uint32_t too_long, too_long_size;
	unsigned int tries, misses; /* misses: those that did not fit */
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

/* While nothing fitted. A start compresses worse than the whole, so each time more is left out. */
static uint32_t shorten(const struct bounds *bounds, uint32_t dst_len)
{
	static const unsigned int shifts[] = { 6, 4, 2, 1 };
	unsigned int last = sizeof(shifts) / sizeof(shifts[0]) - 1;
	unsigned int miss = bounds->misses - 1 < last ? bounds->misses - 1 : last;
	uint32_t len = (uint32_t)((uint64_t)bounds->too_long * dst_len / bounds->too_long_size);

	return len - (len >> shifts[miss]);
}

/* Between both, where the size would be the output's if it grew evenly; it does not, so neither
 * bound may stay where it is. */
static uint32_t interpolate(const struct bounds *bounds, uint32_t dst_len)
{
	uint32_t gap = bounds->too_long - bounds->fits;
	uint32_t margin = gap / (bounds->tries > TRIES_FINE ? 4 : 16);
	uint32_t wanted = dst_len - dst_len / FULL_PART / 2 - bounds->fits_size;
	uint32_t more =
		(uint32_t)((uint64_t)gap * wanted / (bounds->too_long_size - bounds->fits_size));

	if (more < 1 + margin)
		more = 1 + margin;
	if (more > gap - 1 - margin)
		more = gap - 1 - margin;
	return bounds->fits + more;
}

/* What to try next; 0: nothing. */
static uint32_t next_len(const struct bounds *bounds, uint32_t dst_len)
{
	uint64_t next;

	if (bounds->tries == TRIES_MAX || bounds->too_long - bounds->fits < 2 ||
	    (bounds->fits && dst_len - bounds->fits_size < dst_len / FULL_PART))
		return 0;
	if (!bounds->fits)
		return shorten(bounds, dst_len);
	if (bounds->too_long_size)
		return interpolate(bounds, dst_len);
	next = (uint64_t)bounds->fits * dst_len / bounds->fits_size;
	if (next >= bounds->too_long)
		next = bounds->too_long - 1;
	return next > bounds->fits ? (uint32_t)next : bounds->fits + 1;
}

/* Compresses src[0 .. len), and moves a bound. */
static void try_len(struct erofs_zstd *zstd, const uint8_t *src, uint32_t len, uint8_t *dst,
		    uint32_t dst_len, struct bounds *bounds)
{
	size_t size = ZSTD_compress2(zstd->context, zstd->out, zstd->room, src, len);

	if (ZSTD_isError(size)) {
		zstd->failed |= ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall;
		size = zstd->room;
	}
	bounds->tries++;
	if (size > dst_len) {
		bounds->misses++;
		bounds->too_long = len;
		bounds->too_long_size = (uint32_t)size;
		return;
	}
	memcpy(dst, zstd->out, size);
	bounds->fits = len;
	bounds->fits_size = (uint32_t)size;
}

uint32_t erofs_zstd_fill(struct erofs_zstd *zstd, const uint8_t *src, uint32_t src_len,
			 uint8_t *dst, uint32_t dst_len, uint32_t guess, uint32_t *consumed)
{
	struct bounds bounds = { .too_long = src_len + 1 };
	uint32_t len = guess < src_len ? guess : src_len;

	/* Nothing that shrinks is shorter than the output. */
	while (len && !zstd->failed && (bounds.too_long > dst_len + 1 || !bounds.misses)) {
		try_len(zstd, src, len, dst, dst_len, &bounds);
		len = next_len(&bounds, dst_len);
	}
	if (bounds.fits < src_len && bounds.fits <= bounds.fits_size) {
		*consumed = dst_len < src_len ? dst_len : src_len;
		return *consumed;
	}
	*consumed = bounds.fits;
	return bounds.fits_size;
}

bool erofs_zstd_failed(const struct erofs_zstd *zstd)
{
	return zstd->failed;
}

const char *erofs_zstd_version(void)
{
	static char text[32]; /* the same whoever writes it */

	snprintf(text, sizeof(text), "libzstd %s", ZSTD_versionString());
	return text;
}
