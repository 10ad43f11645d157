/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed archive of which a scratch file has no more than what is needed: its headers, if
 * they are not in memory, and the data of those members that somebody will ask for. All else is a
 * hole of the scratch, at its own place. Whoever asks for a byte that is not there has the whole
 * archive unpacked, once; so the input is kept, and must be a file that can be read again.
 */
#ifndef ARCHIVE_PARTIAL_H
#define ARCHIVE_PARTIAL_H

#include "core/archive/reader.h"
#include "core/base/digest.h"

struct archive_partial;

struct archive_partial_options {
	uint64_t limit; /* archive/stream.h */
	struct archive_reader_options reader;
	struct digest *digest; /* of all that is unpacked; NULL */
	size_t memory;         /* so many bytes of headers may be kept there */
	/* Of each member, in order: 1: its data will be asked for, 0: it will not be, maybe; or
	 * -ENOMEM. NULL: 0. */
	int (*needs)(void *arg, const struct archive_member *member);
	void *needs_arg;
};

/* fd: the empty scratch file, which must stay open as long as *partial is. *bytes: what the archive
 * is when it is unpacked. Nothing of packed is needed afterwards. */
int archive_partial_new(const struct archive_input *packed, int fd,
			const struct archive_partial_options *options,
			struct archive_partial **partial, uint64_t *bytes, struct error *error);
void archive_partial_free(struct archive_partial *partial);
DEFINE_CLEANUP(struct archive_partial, archive_partial_free)

/* Has [at, at + len) in the scratch file, and if it was not there the whole archive. Any thread. */
int archive_partial_fill(struct archive_partial *partial, uint64_t at, uint64_t len,
			 struct error *error);

/* Bytes at a place, unpacked once more if they are not there, and not kept: from front to back that
 * is done once for all of them. One thread, before the whole archive is asked for. */
int archive_partial_peek(struct archive_partial *partial, uint64_t at, void *buf, size_t len,
			 struct error *error);

/* For archive_input_read. While the archive is looked through there are zeros behind its end;
 * archive_partial_within: how many of the bytes at a place are not. */
int archive_partial_read(struct archive_partial *partial, uint64_t at, void *buf, size_t len);
size_t archive_partial_within(const struct archive_partial *partial, uint64_t at, size_t len);

#endif
