/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952) with the sums that it ends with, by zlib. */
#include <errno.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/decompress/codec.h"

/* zlib's way to say: the largest window, in a gzip file and nothing else. */
#define WINDOW_BITS (15 + 16)

static void *gzip_open(void)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z && inflateInit2(z, WINDOW_BITS) == Z_OK)
		return z;
	free(z);
	return NULL;
}

static int gzip_step(void *decoder, struct decompress_io *io, bool *ended, const char **what)
{
	z_stream *z = decoder;
	int status;

	z->next_in = io->in;
	z->avail_in = (uInt)io->in_len;
	z->next_out = io->out;
	z->avail_out = (uInt)io->out_room;
	status = inflate(z, Z_NO_FLUSH);
	io->in = z->next_in;
	io->in_len = z->avail_in;
	io->out = z->next_out;
	io->out_room = z->avail_out;
	*ended = status == Z_STREAM_END;
	if (status == Z_MEM_ERROR)
		return -ENOMEM;
	if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR)
		return 0;
	*what = z->msg ? z->msg : "a preset dictionary";
	return -EBADMSG;
}

static int gzip_restart(void *decoder)
{
	inflateReset(decoder);
	return 0;
}

static void gzip_close(void *decoder)
{
	inflateEnd(decoder);
	free(decoder);
}

const struct decompress_codec decompress_gzip = {
	.name = "gzip",
	.first = 0x1f,
	.is_exact = true,
	.open = gzip_open,
	.step = gzip_step,
	.restart = gzip_restart,
	.close = gzip_close,
	.measure = gzip_measure_block,
};
