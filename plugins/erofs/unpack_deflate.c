/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <zlib.h>

#include "plugins/erofs/unpack.h"

/* The data is raw deflate, without zlib's header and trailer, for a window of any size. */
#define RAW_WINDOW_BITS (-15)

int erofs_unpack_deflate(const struct erofs_unpack *job)
{
	z_stream stream = { .next_in = (z_const Bytef *)job->in,
			    .avail_in = job->in_bytes,
			    .next_out = job->out,
			    .avail_out = job->out_bytes };
	int ret = inflateInit2(&stream, RAW_WINDOW_BITS);

	if (ret == Z_OK) {
		ret = inflate(&stream, Z_SYNC_FLUSH);
		inflateEnd(&stream);
	}
	if (ret == Z_MEM_ERROR)
		return -ENOMEM;
	return stream.avail_out == 0 ? 0 : -EUCLEAN;
}
