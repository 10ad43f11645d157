/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as bytes, and libarchive's view of them. Programs outside are never run for it.
 */
#ifndef ARCHIVE_INPUT_H
#define ARCHIVE_INPUT_H

#include <archive.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/archive/inflate.h"
#include "core/base/error.h"
#include "lib/cleanup.h"

struct archive_partial;

static inline void cleanup_archive(struct archive **archive)
{
	archive_read_free(*archive);
}

/* A stretch of a file that an archive is. */
struct archive_input {
	const char *label; /* what messages call it */
	int fd;            /* not owned */
	uint64_t off, bytes;
	/* The file does not have all of it yet (archive/partial.h); not owned; NULL: it has. */
	struct archive_partial *partial;
	uint64_t at;                     /* libarchive's place, from off on */
	void *buffer;                    /* owned */
	bool decompress;                 /* is gzip looked for? */
	bool ended;                      /* libarchive asked for more than there is */
	bool failed;                     /* what libarchive says is of here */
	struct archive_inflate *inflate; /* owned; NULL: it is none, or not looked at yet */
};

/* Bytes at a place of the stretch: 0, -ENODATA when the file ends before, or -errno. */
int archive_input_read(const struct archive_input *input, uint64_t at, void *buf, size_t len);

/* How much of it was made use of. */
uint64_t archive_input_taken(const struct archive_input *input);

/* Is it read to its end, wherever that is? Its bytes are UINT64_MAX. */
bool archive_input_is_stream(const struct archive_input *input);

/* "LABEL: MEMBER: what libarchive says", and where in what is compressed; member: NULL, or where
 * it was found. */
int archive_input_fail(const struct archive_input *input, struct archive *archive,
		       const char *member, struct error *error);

/* It is no archive: says what it is, if that is seen. */
int archive_input_fail_foreign(const struct archive_input *input, struct error *error);

/* Opens it as a cpio, uncompressed. input must outlive *archive. */
int archive_input_open(struct archive_input *input, struct archive **archive, struct error *error);
void archive_input_release(struct archive_input *input);

/* In two steps: a new *archive, and, when it knows its formats, the input as what it reads. */
int archive_input_begin(struct archive_input *input, struct archive **archive, struct error *error);
int archive_input_attach(struct archive_input *input, struct archive *archive, struct error *error);

#endif
