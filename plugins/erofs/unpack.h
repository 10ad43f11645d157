/* SPDX-License-Identifier: Apache-2.0 */
/* The four ways in which data of an EROFS is compressed, each by its library. */
#ifndef EROFS_UNPACK_H
#define EROFS_UNPACK_H

#include <stdbool.h>
#include <stdint.h>

/* Numbered as an index has them. */
enum erofs_unpack_algorithm {
	EROFS_UNPACK_LZ4,
	EROFS_UNPACK_LZMA,
	EROFS_UNPACK_DEFLATE,
	EROFS_UNPACK_ZSTD,
	EROFS_UNPACK_COUNT
};

struct erofs_unpack {
	const uint8_t *in;
	uint32_t in_bytes;
	uint8_t *out;
	uint32_t out_bytes; /* exactly so many are wanted */
	bool partial;       /* and more would come */
};

/* NULL: there is no such algorithm. */
const char *erofs_unpack_name(unsigned int algorithm);
/* Was its library there when this was built? */
bool erofs_unpack_can(unsigned int algorithm);
/* -EUCLEAN: that is no such data, or it has fewer bytes. No message. */
int erofs_unpack(unsigned int algorithm, const struct erofs_unpack *job);

int erofs_unpack_lzma(const struct erofs_unpack *job);
int erofs_unpack_deflate(const struct erofs_unpack *job);
int erofs_unpack_zstd(const struct erofs_unpack *job);

#endif
