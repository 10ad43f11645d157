/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "core/compress/expand_private.h"

/* zlib's way to say: the largest window, in a gzip file and nothing else. */
#define WINDOW_BITS (15 + 16)

static int gzip_open(struct expand *expand, struct error *error)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || inflateInit2(z, WINDOW_BITS) != Z_OK) {
		free(z);
		return error_nomem(error);
	}
	expand->decoder = z;
	return 0;
}

static int gzip_step(struct expand *expand, size_t *len, bool *ended, const char **what)
{
	z_stream *z = expand->decoder;
	int status;

	z->next_in = expand->in + expand->in_used;
	z->avail_in = (uInt)(expand->in_len - expand->in_used);
	z->next_out = expand->out;
	z->avail_out = EXPAND_BYTES;
	status = inflate(z, Z_NO_FLUSH);
	expand->in_used = expand->in_len - z->avail_in;
	*len = EXPAND_BYTES - z->avail_out;
	*ended = status == Z_STREAM_END;
	if (status == Z_MEM_ERROR)
		return -ENOMEM;
	if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR)
		return 0;
	*what = z->msg ? z->msg : "a preset dictionary";
	return -EBADMSG;
}

static void gzip_close(struct expand *expand)
{
	inflateEnd(expand->decoder);
	free(expand->decoder);
}

const struct expander expander_gzip = { gzip_open, gzip_step, gzip_close };
