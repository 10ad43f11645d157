/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of compression share: a way in and a way out. */
#ifndef COMPRESS_PRIVATE_H
#define COMPRESS_PRIVATE_H

#include "core/compress/compress.h"

/* One compression on its way. */
struct compress_stream {
	const struct compress_request *request;
	int level;          /* as it is, never 0 but for COMPRESS_NONE */
	uint64_t out_bytes; /* came out so far */
};

/* Bytes [off, off + len) of the request's range. Any thread. */
int compress_read(const struct compress_stream *stream, void *buf, size_t len, uint64_t off,
		  struct error *error);

/* The next bytes that come out. */
int compress_emit(struct compress_stream *stream, const void *bytes, size_t len,
		  struct error *error);

/* So many of the request's bytes are done. */
void compress_tell(const struct compress_stream *stream, uint64_t done);

int compress_gzip(struct compress_stream *stream, struct error *error);
int compress_zstd(struct compress_stream *stream, struct error *error);

/* Of the libraries; NULL: there is none. */
const char *compress_gzip_version(void);
const char *compress_zstd_version(void);

#endif
