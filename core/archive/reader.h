/* SPDX-License-Identifier: Apache-2.0 */
/* An archive's members one after the other: tar by its own headers (tar.h), cpio by libarchive. */
#ifndef ARCHIVE_READER_H
#define ARCHIVE_READER_H

#include <archive_entry.h>

#include "core/archive/input.h"
#include "core/tree/content.h"

/* The reader's, until the next one. */
struct archive_member {
	/* Names, type, mode, owner, device, extended attributes and ACLs. */
	struct archive_entry *entry;
	const char *path;
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint64_t size;       /* of the file */
	uint64_t off, bytes; /* where its data lies in the input */
	/* Of a sparse file, source_off in the input as well; NULL: all is data. */
	const struct tree_range *ranges;
	uint32_t range_count;
	bool has_flags; /* chattr(1)'s, or of another system */
};

struct archive_reader;

struct archive_reader_options {
	bool layer; /* of a container image: global pax headers are passed over, as Go does */
	bool quiet; /* another reading warns */
};

/* input must outlive the reader. */
int archive_reader_open(struct archive_input *input, const struct archive_reader_options *options,
			struct archive_reader **reader, struct error *error);
void archive_reader_free(struct archive_reader *reader);
DEFINE_CLEANUP(struct archive_reader, archive_reader_free)

/* 1: a member; 0: the end. */
int archive_reader_next(struct archive_reader *reader, struct archive_member *member,
			struct error *error);

/* After the end: where it is in the input, and whether a mark says that it is. */
uint64_t archive_reader_end(const struct archive_reader *reader, bool *marked);

/* Which member a place of the input is in or behind, as far as was read: "MEMBER" or "behind
 * MEMBER", to be freed; NULL: behind none, or memory is out. reader may be NULL. */
char *archive_reader_describe(const struct archive_reader *reader, uint64_t at);

/* tar_entry.c: fills entry and member from the headers that tar stands at. */
struct tar;
int tar_fill_entry(struct tar *tar, struct archive_member *member, struct error *error);

/* cpio.c */
struct cpio {
	struct archive_input *input;
	struct archive *archive; /* owned */
	char *previous;          /* path of the member before; owned */
	uint64_t previous_end;   /* of its data */
};
int cpio_open(struct cpio *cpio, struct archive_input *input, struct error *error);
void cpio_release(struct cpio *cpio);
int cpio_next(struct cpio *cpio, struct archive_member *member, struct error *error);

#endif
