/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "plugins/erofs/unpack.h"

/* A frame may ask for gigabytes; none that unpacks to what a piece may be needs more. */
#define WINDOW_BITS_MAX 24

static int unpack_with(ZSTD_DCtx *context, const struct erofs_unpack *job)
{
	ZSTD_inBuffer in = { job->in, job->in_bytes, 0 };
	ZSTD_outBuffer out = { job->out, job->out_bytes, 0 };
	size_t ret = ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, WINDOW_BITS_MAX);

	if (!ZSTD_isError(ret))
		ret = ZSTD_decompressStream(context, &out, &in);
	if (ZSTD_getErrorCode(ret) == ZSTD_error_memory_allocation)
		return -ENOMEM;
	return !ZSTD_isError(ret) && out.pos == out.size ? 0 : -EUCLEAN;
}

int erofs_unpack_zstd(const struct erofs_unpack *job)
{
	ZSTD_DCtx *context = ZSTD_createDCtx();
	int ret = context ? unpack_with(context, job) : -ENOMEM;

	ZSTD_freeDCtx(context);
	return ret;
}
