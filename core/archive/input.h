/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as bytes: which of them are compressed, how to get those into a plain file, and
 * libarchive's view of a cpio that lies in a file. Programs outside are never run for it.
 */
#ifndef ARCHIVE_INPUT_H
#define ARCHIVE_INPUT_H

#include <archive.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "lib/cleanup.h"

static inline void cleanup_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

/* A stretch of a file that an archive is. */
struct archive_input {
	const char *label; /* what messages call it */
	int fd;            /* not owned */
	uint64_t off, bytes;
	uint64_t at;  /* libarchive's place, from off on */
	void *buffer; /* owned */
};

/* Opens it as a cpio, uncompressed. input must outlive *archive. */
int archive_input_open(struct archive_input *input, struct archive **archive, struct error *error);
void archive_input_release(struct archive_input *input);

/* gzip, bzip2, xz or zstd? */
int archive_input_is_compressed(struct archive_input *input, bool *compressed, struct error *error);

/*
 * Writes what is behind the compression, if any, to the empty file to; *bytes: how much it is.
 * Zeros become holes, and the rest is limit at most; 0: as archive.h has it. A stream (input->bytes
 * is UINT64_MAX) is read to its end.
 */
int archive_input_unpack(struct archive_input *input, int to, uint64_t limit, uint64_t *bytes,
			 struct error *error);

#endif
