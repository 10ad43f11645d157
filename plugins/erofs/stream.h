/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata as one ascending stream of bytes, whose gaps are zeros. */
#ifndef EROFS_STREAM_H
#define EROFS_STREAM_H

#include "plugins/common/writer.h"
#include "plugins/erofs/layout.h"

struct erofs_stream {
	struct writer writer;
	uint64_t off; /* where the next bytes go */
};

/* -ENOMEM. */
int erofs_stream_init(struct erofs_stream *stream, const struct kataimg_host *host);
void erofs_stream_clear(struct erofs_stream *stream);

/* Forward only. */
static inline void erofs_stream_seek(struct erofs_stream *stream, uint64_t off)
{
	stream->off = off;
}

int erofs_stream_put(struct erofs_stream *stream, const void *bytes, size_t len);
/* So many bytes, less than a block, of a regular file. */
int erofs_stream_put_file(struct erofs_stream *stream, const struct kataimg_node *node,
			  uint64_t file_off, uint32_t len);
/* Writes what is left, and the superblock's checksum. Nothing may follow. */
int erofs_stream_finish(struct erofs_stream *stream);

#endif
