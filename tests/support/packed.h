/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that libarchive compresses and core/decompress/ unpacks. Failed expectations fail the
 * cmocka test. */
#ifndef SUPPORT_PACKED_H
#define SUPPORT_PACKED_H

#include <sys/types.h>

#include "core/decompress/decompress.h"

/* Of each decompression. */
extern unsigned int packed_threads;

struct text {
	uint8_t *bytes; /* owned */
	size_t len;
};

/* So many bytes, of which the first half can be compressed. */
struct text packed_content(size_t len);
/* By libarchive's filter of this name. */
struct text packed_make(const char *filter, const struct text *content);
void packed_append(struct text *text, const void *bytes, size_t len);

/* Gives a text in pieces, now and then nothing at first. */
struct pieces {
	const struct text *text;
	size_t at, piece;
	bool is_late, is_due;
	int error; /* at its end */
};

/* For struct decompress_source. */
ssize_t packed_read(void *pieces, void *buf, size_t room);

/* What comes out is *into, up to an error of which is told. 1: something is behind it. */
int packed_unpack(const struct text *packed, size_t piece, size_t room, struct text *into,
		  struct decompress_failure *failure);
/* It is all of that text. */
void packed_check(const struct text *packed, size_t piece, size_t room, const struct text *want,
		  int result);

#endif
