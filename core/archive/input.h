/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as bytes, and libarchive's view of them. Programs outside are never run for it.
 */
#ifndef ARCHIVE_INPUT_H
#define ARCHIVE_INPUT_H

#include <archive.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/error.h"
#include "lib/cleanup.h"

struct archive_partial;
struct digest;

static inline void cleanup_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

/* A stretch of a file that an archive is. */
struct archive_input {
	const char *label; /* what messages call it */
	int fd;            /* not owned */
	uint64_t off, bytes;
	bool unpacked; /* not what was named: what it unpacks to, or what a pipe held */
	/* The file does not have all of it yet (archive/partial.h); not owned; NULL: it has. */
	struct archive_partial *partial;
	uint64_t at; /* how far it is read, from off on, by who reads it from front to end */
	struct digest *digest;  /* of all bytes, when a stream (archive/stream.h) reads it; not
				   owned; NULL */
	unsigned int threads;   /* that unpack it, where its compression lets; 0: one */
	const char *unpacks_to; /* what messages call the place of scratch files */
	void *buffer;           /* owned; of libarchive */
};

/* Bytes at a place of the stretch: 0, -ENODATA when the file ends before, or -errno. */
int archive_input_read(const struct archive_input *input, uint64_t at, void *buf, size_t len);

/* Is it read to its end, wherever that is? Its bytes are UINT64_MAX. */
bool archive_input_is_stream(const struct archive_input *input);

/* It is no archive: says what it is, if that is seen. */
int archive_input_fail_foreign(const struct archive_input *input, struct error *error);

/* Opens it as a cpio, uncompressed. input must outlive *archive. */
int archive_input_open(struct archive_input *input, struct archive **archive, struct error *error);
void archive_input_release(struct archive_input *input);

#endif
