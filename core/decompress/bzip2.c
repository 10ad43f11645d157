/* SPDX-License-Identifier: Apache-2.0 */
#include <bzlib.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/decompress/codec.h"

static void *bzip2_open(void)
{
	bz_stream *bz = calloc(1, sizeof(*bz));

	if (bz && BZ2_bzDecompressInit(bz, 0, 0) == BZ_OK)
		return bz;
	free(bz);
	return NULL;
}

static int bzip2_step(void *decoder, struct decompress_io *io, bool *ended, const char **what)
{
	bz_stream *bz = decoder;
	int status;

	/* The library does not write there; its header comes from before const. */
	bz->next_in = (char *)(uintptr_t)io->in;
	bz->avail_in = (unsigned int)io->in_len;
	bz->next_out = (char *)io->out;
	bz->avail_out = (unsigned int)io->out_room;
	status = BZ2_bzDecompress(bz);
	io->in = (const uint8_t *)bz->next_in;
	io->in_len = bz->avail_in;
	io->out = (uint8_t *)bz->next_out;
	io->out_room = bz->avail_out;
	*ended = status == BZ_STREAM_END;
	if (status == BZ_OK || status == BZ_STREAM_END)
		return 0;
	if (status == BZ_MEM_ERROR)
		return -ENOMEM;
	*what = status == BZ_DATA_ERROR_MAGIC ? "no block begins where one should"
					      : "its bytes or their sum are wrong";
	return -EBADMSG;
}

static int bzip2_restart(void *decoder)
{
	bz_stream *bz = decoder;

	BZ2_bzDecompressEnd(bz);
	*bz = (bz_stream){ 0 };
	return BZ2_bzDecompressInit(bz, 0, 0) == BZ_OK ? 0 : -ENOMEM;
}

static void bzip2_close(void *decoder)
{
	BZ2_bzDecompressEnd(decoder);
	free(decoder);
}

const struct decompress_codec decompress_bzip2 = {
	.name = "bzip2",
	.first = 'B',
	.open = bzip2_open,
	.step = bzip2_step,
	.restart = bzip2_restart,
	.close = bzip2_close,
};
