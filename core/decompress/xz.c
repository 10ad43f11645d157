/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "core/decompress/codec.h"

/* A window of xz -9 has 64 MiB. */
#define MEMORY_BYTES ((uint64_t)1 << 30)

static void *xz_open(void)
{
	lzma_stream *lzma = calloc(1, sizeof(*lzma));

	if (lzma && lzma_stream_decoder(lzma, MEMORY_BYTES, LZMA_CONCATENATED) == LZMA_OK)
		return lzma;
	free(lzma);
	return NULL;
}

static const char *reason_of(lzma_ret status)
{
	switch (status) {
	case LZMA_FORMAT_ERROR:
		return "no stream begins where one should";
	case LZMA_OPTIONS_ERROR:
		return "a filter or an option that is not known";
	case LZMA_MEMLIMIT_ERROR:
		return "its window is larger than 1 GiB";
	default:
		return "its bytes or their sum are wrong";
	}
}

/* The library itself goes on from stream to stream, and wants to know of the end for that. */
static int xz_step(void *decoder, struct decompress_io *io, bool *ended, const char **what)
{
	lzma_stream *lzma = decoder;
	lzma_ret status;

	lzma->next_in = io->in;
	lzma->avail_in = io->in_len;
	lzma->next_out = io->out;
	lzma->avail_out = io->out_room;
	status = lzma_code(lzma, io->in_ends ? LZMA_FINISH : LZMA_RUN);
	io->in = lzma->next_in;
	io->in_len = lzma->avail_in;
	io->out = lzma->next_out;
	io->out_room = lzma->avail_out;
	*ended = status == LZMA_STREAM_END;
	if (status == LZMA_OK || status == LZMA_STREAM_END || status == LZMA_BUF_ERROR)
		return 0;
	if (status == LZMA_MEM_ERROR)
		return -ENOMEM;
	*what = reason_of(status);
	return -EBADMSG;
}

static int xz_restart(void *decoder)
{
	return lzma_stream_decoder(decoder, MEMORY_BYTES, LZMA_CONCATENATED) == LZMA_OK ? 0
											: -ENOMEM;
}

static void xz_close(void *decoder)
{
	lzma_end(decoder);
	free(decoder);
}

const struct decompress_codec decompress_xz = {
	.name = "xz",
	.open = xz_open,
	.step = xz_step,
	.restart = xz_restart,
	.close = xz_close,
};
