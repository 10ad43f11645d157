/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 512 bytes of a tar header. Their places are those of POSIX.1-2001 (pax, "ustar Interchange
 * Format"); where GNU tar and star have other fields is in GNU tar's manual, "Basic Tar Format".
 */
#ifndef ARCHIVE_TAR_FIELD_H
#define ARCHIVE_TAR_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAR_BLOCK_BYTES 512

struct tar_header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char checksum[8];
	char type;
	char target[100];
	char magic[8]; /* and version */
	char uname[32], gname[32];
	char major[8], minor[8];
	char rest[167]; /* ustar: a prefix of the name, 155 bytes; others: struct below */
};

enum tar_dialect {
	TAR_V7,    /* nothing behind the target means anything */
	TAR_USTAR, /* and pax: with a prefix */
	TAR_STAR,  /* a prefix of 131 bytes, then times */
	TAR_GNU    /* no prefix */
};

/* One pair of a GNU or star map of data. */
struct tar_sparse_field {
	char off[12], len[12];
};

/* rest of a GNU header (type S) and of a star header, from the start of rest. */
#define TAR_GNU_MAP_AT 41
#define TAR_GNU_MAP_COUNT 4
#define TAR_GNU_MORE_AT 137
#define TAR_GNU_REALSIZE_AT 138
#define TAR_STAR_MORE_AT 10
#define TAR_STAR_MAP_AT 11
#define TAR_STAR_REALSIZE_AT 107
/* A block of more pairs, and where it says that another one follows. */
#define TAR_MAP_BLOCK_COUNT 21
#define TAR_MAP_BLOCK_MORE_AT 504

/* Is the block a header by its sum, of signed or unsigned bytes? */
bool tar_is_header(const void *block);

enum tar_dialect tar_dialect_of(const struct tar_header *header);

/*
 * A numeric field: octal digits up to its end, a NUL or a blank; blanks and NULs in front mean
 * nothing, as does a field of them alone: 0. With the first bit set the rest is a binary number of
 * two's complement, most significant byte first. -EINVAL: neither; -ERANGE: beyond 64 bits.
 */
int tar_number(const char *field, size_t len, int64_t *value);

#endif
