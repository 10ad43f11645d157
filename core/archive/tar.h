/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar, header by header: v7, ustar, pax, GNU and star. Where a member's data lies follows from
 * these headers alone, and every form of a sparse file's map is held against it; what does not add
 * up is an error. All places are from the archive's start. libarchive's reader is not used for tar:
 * it takes fields of one form for another's, and steps by the map of a sparse file to the next
 * member.
 */
#ifndef ARCHIVE_TAR_H
#define ARCHIVE_TAR_H

#include "core/archive/input.h"
#include "core/archive/pax.h"
#include "core/archive/tar_field.h"
#include "core/tree/content.h"

struct tar_member {
	uint64_t at;         /* of its header, the last one of those that describe it */
	uint64_t off, bytes; /* its data, without a map in front */
	uint64_t size;       /* of the file, with its holes */
	/* The data of a sparse file, source_off from the archive's start; NULL: not a sparse one */
	struct tree_range *ranges;
	uint32_t range_count;
	char type; /* as in the header; '5' for what is a directory by its name */
	char *path, *target;
	enum tar_dialect dialect;
	struct tar_header header;
};

struct tar {
	struct archive_input *input;
	/* Records of global headers are passed over: so do all readers of container layers. */
	bool no_global;
	bool ended; /* with an end mark */
	uint64_t next;
	struct pax own, global;
	char *long_path, *long_target; /* owned */
	struct tar_member member;      /* owned: ranges, path, target */
	size_t range_room;
	char *previous;               /* path of the member before, for messages */
	bool charset_seen, type_seen; /* warned of */
	char *window;                 /* the part of the input that was read last */
	uint64_t window_at;
	size_t window_len;
};

/* Does the input begin with a tar header, or an end mark? -errno. */
int tar_probe(const struct archive_input *input, bool *is, struct error *error);

void tar_init(struct tar *tar, struct archive_input *input);
void tar_release(struct tar *tar);

/* The next member: 1 and tar->member, 0 at the end, or -errno. */
int tar_next(struct tar *tar, struct error *error);

/* "LABEL: MEMBER: at byte AT: what": of a damaged archive. */
int tar_fail(const struct tar *tar, uint64_t at, struct error *error, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* len bytes at a place. */
int tar_read(struct tar *tar, uint64_t at, void *buf, size_t len, struct error *error);

/* Behind the bytes that end at end, and what fills their last block. */
int tar_step(struct tar *tar, uint64_t end, struct error *error);

/* The decimal or octal or binary number that a member's field or record has. */
int tar_field_number(const struct tar *tar, const char *key, const char *field, size_t len,
		     int64_t *value, struct error *error);

/* tar_map.c: sets size, off, bytes and ranges of a member whose size of the header is stored,
 * when one of its maps says so. */
int tar_read_map(struct tar *tar, uint64_t stored, struct error *error);

#endif
