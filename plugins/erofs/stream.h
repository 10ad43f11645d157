/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata as one ascending stream of bytes, written in pieces of 1 MiB from offset 0. The
 * tails of files that follow their inodes are left open while a piece fills and read on all threads
 * before it is written.
 */
#ifndef EROFS_STREAM_H
#define EROFS_STREAM_H

#include "plugins/erofs/layout.h"

struct erofs_stream;

/* NULL when memory is out. */
struct erofs_stream *erofs_stream_new(const struct erofs_layout *layout);
void erofs_stream_free(struct erofs_stream *stream);

/* Zeros up to off, which must not lie behind. */
int erofs_stream_seek(struct erofs_stream *stream, uint64_t off);
int erofs_stream_put(struct erofs_stream *stream, const void *data, size_t len);
/* So many bytes of a regular file; the place must not cross a block. */
int erofs_stream_put_file(struct erofs_stream *stream, const struct kataimg_node *node,
			  uint64_t file_off, uint32_t len);
/* Writes what is left. Nothing may follow. */
int erofs_stream_finish(struct erofs_stream *stream);

#endif
