/* SPDX-License-Identifier: Apache-2.0 */
/* What is behind the compression of an archive, by gzip, bzip2, xz or zstd, from front to end. */
#ifndef ARCHIVE_STREAM_H
#define ARCHIVE_STREAM_H

#include "core/archive/input.h"
#include "core/base/digest.h"
#include "core/decompress/ahead.h"

struct archive_stream {
	struct archive_input *input;
	struct ahead *ahead;   /* owned; reads input; NULL: it was not opened */
	uint64_t limit;        /* that was asked for */
	struct digest *digest; /* of all bytes; not owned; NULL */
	/* The block that was read last, and where it is. */
	const char *block;
	size_t len;
	uint64_t off;
	uint64_t taken;    /* of the input, for all blocks so far */
	uint64_t stored;   /* bytes that are not holes */
	uint64_t reported; /* of the input, as progress */
	/* Which member a place is in or behind, in words that are to be freed; NULL: not known. The
	 * function itself may be NULL; of use when it is set behind archive_stream_open. */
	char *(*find_member)(void *arg, uint64_t off);
	void *find_arg;
};

/* Is the input compressed? */
int archive_stream_is_needed(const struct archive_input *input, bool *needed, struct error *error);

/* limit: of bytes in blocks that are not zeros, 0: as archive.h has it. input must outlive stream,
 * which is to be closed in any case. */
int archive_stream_open(struct archive_stream *stream, struct archive_input *input, uint64_t limit,
			struct digest *digest, struct error *error);
void archive_stream_close(struct archive_stream *stream);

/* 1: a block, behind the one before; 0: the end, which is at stream->off. */
int archive_stream_next(struct archive_stream *stream, struct error *error);

/* At the end: says when the input goes on behind it, and reads that for the input's digest. */
int archive_stream_finish(const struct archive_stream *stream, struct error *error);

/* Writes all of it to the file to, zeros as holes; *bytes: how much it is. */
int archive_stream_store(struct archive_stream *stream, int to, uint64_t *bytes,
			 struct error *error);

#endif
