/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <zstd.h>

#include "core/compress/expand_private.h"

static int zstd_open(struct expand *expand, struct error *error)
{
	expand->decoder = ZSTD_createDCtx();
	return expand->decoder ? 0 : error_nomem(error);
}

static int zstd_step(struct expand *expand, size_t *len, bool *ended, const char **what)
{
	ZSTD_inBuffer in = { expand->in, expand->in_len, expand->in_used };
	ZSTD_outBuffer out = { expand->out, EXPAND_BYTES, 0 };
	size_t status = ZSTD_decompressStream(expand->decoder, &out, &in);

	expand->in_used = in.pos;
	*len = out.pos;
	*ended = status == 0;
	if (!ZSTD_isError(status))
		return 0;
	*what = ZSTD_getErrorName(status);
	return -EBADMSG;
}

static void zstd_close(struct expand *expand)
{
	ZSTD_freeDCtx(expand->decoder);
}

const struct expander expander_zstd = { zstd_open, zstd_step, zstd_close };
