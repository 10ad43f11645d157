/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "core/decompress/codec.h"

struct zstd {
	ZSTD_DCtx *context;
	bool holds; /* more came out than there was room for */
};

static void *zstd_open(void)
{
	struct zstd *zstd = calloc(1, sizeof(*zstd));

	if (!zstd)
		return NULL;
	zstd->context = ZSTD_createDCtx();
	if (zstd->context)
		return zstd;
	free(zstd);
	return NULL;
}

static int zstd_step(void *decoder, struct decompress_io *io, bool *ended, const char **what)
{
	struct zstd *zstd = decoder;
	ZSTD_inBuffer in = { io->in, io->in_len, 0 };
	ZSTD_outBuffer out = { io->out, io->out_room, 0 };
	size_t status;

	*ended = false;
	/* The library takes it for an error when it is asked for too long for nothing. */
	if (io->in_len == 0 && !zstd->holds)
		return 0;
	status = ZSTD_decompressStream(zstd->context, &out, &in);
	io->in += in.pos;
	io->in_len -= in.pos;
	io->out += out.pos;
	io->out_room -= out.pos;
	zstd->holds = io->out_room == 0;
	*ended = status == 0;
	if (!ZSTD_isError(status))
		return 0;
	*what = ZSTD_getErrorName(status);
	return ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
}

static int zstd_restart(void *decoder)
{
	struct zstd *zstd = decoder;

	zstd->holds = false;
	ZSTD_DCtx_reset(zstd->context, ZSTD_reset_session_only);
	return 0;
}

static void zstd_close(void *decoder)
{
	struct zstd *zstd = decoder;

	ZSTD_freeDCtx(zstd->context);
	free(zstd);
}

static bool zstd_measure(const uint8_t *bytes, size_t len, size_t *in_len, size_t *out_len)
{
	unsigned long long content = ZSTD_getFrameContentSize(bytes, len);

	*in_len = ZSTD_findFrameCompressedSize(bytes, len);
	*out_len = (size_t)content;
	return content < ZSTD_CONTENTSIZE_ERROR && content <= SIZE_MAX && !ZSTD_isError(*in_len);
}

static bool zstd_span(const uint8_t *bytes, size_t len, size_t *in_len)
{
	*in_len = ZSTD_findFrameCompressedSize(bytes, len);
	return !ZSTD_isError(*in_len);
}

const struct decompress_codec decompress_zstd = {
	.name = "zstd",
	.open = zstd_open,
	.step = zstd_step,
	.restart = zstd_restart,
	.close = zstd_close,
	.measure = zstd_measure,
	.span = zstd_span,
};
