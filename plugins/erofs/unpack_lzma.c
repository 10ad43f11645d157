/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <lzma.h>

#include "plugins/erofs/unpack.h"

/* No distance is longer than what comes out. */
#define DICTIONARY_BYTES_MIN 4096u

int erofs_unpack_lzma(const struct erofs_unpack *job)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	uint32_t dictionary =
		job->out_bytes > DICTIONARY_BYTES_MIN ? job->out_bytes : DICTIONARY_BYTES_MIN;
	lzma_ret ret = lzma_microlzma_decoder(&stream, job->in_bytes, job->out_bytes, !job->partial,
					      dictionary);

	if (ret == LZMA_OK) {
		stream.next_in = job->in;
		stream.avail_in = job->in_bytes;
		stream.next_out = job->out;
		stream.avail_out = job->out_bytes;
		ret = lzma_code(&stream, LZMA_FINISH);
	}
	lzma_end(&stream);
	if (ret == LZMA_MEM_ERROR)
		return -ENOMEM;
	return ret == LZMA_STREAM_END && stream.avail_out == 0 ? 0 : -EUCLEAN;
}
