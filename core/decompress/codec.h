/* SPDX-License-Identifier: Apache-2.0 */
/* One way of compression, undone step by step: what the libraries have in common. */
#ifndef DECOMPRESS_CODEC_H
#define DECOMPRESS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A member is what the format puts behind each other: a gzip member, a zstd frame, a bzip2 or xz
 * stream. */
struct decompress_io {
	const uint8_t *in; /* moves on with what is taken */
	size_t in_len;
	bool in_ends; /* nothing comes behind it */
	uint8_t *out; /* likewise, with what is given */
	size_t out_room;
};

struct decompress_codec {
	const char *name;
	/* What a member begins with, where something else may follow one, which is then left out;
	 * 0: all that follows is a member, or damaged. */
	uint8_t first;
	bool is_exact;    /* of a damaged place it has taken no more than what is in front of it */
	const char *lack; /* what it is built without, and so only known by name; NULL */

	void *(*open)(void); /* NULL when memory is out */
	/* -ENOMEM, or -EBADMSG with what is wrong, a static text. *ended: the member is. */
	int (*step)(void *decoder, struct decompress_io *io, bool *ended, const char **what);
	int (*restart)(void *decoder); /* for the next member; -ENOMEM */
	void (*close)(void *decoder);
	/* Is the first member whole, and says how much it is, packed and unpacked? It may lie.
	 * NULL: none does. */
	bool (*measure)(const uint8_t *bytes, size_t len, size_t *in_len, size_t *out_len);
	/* Is the first member whole, by what it says itself, and how long is it, packed? NULL: none
	 * says so. */
	bool (*span)(const uint8_t *bytes, size_t len, size_t *in_len);
};

/* gzip_blocks.c: measure of the blocks of bgzip. */
bool gzip_measure_block(const uint8_t *bytes, size_t len, size_t *in_len, size_t *out_len);

extern const struct decompress_codec decompress_gzip, decompress_bzip2, decompress_xz,
	decompress_zstd;

/* By what it begins with: NULL for what is not compressed. */
const struct decompress_codec *decompress_codec_of(const void *bytes, size_t len);
/* So many bytes tell it. */
#define DECOMPRESS_MAGIC_BYTES ((size_t)10)

#endif
