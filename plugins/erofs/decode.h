/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compressed pieces of an image, by number: kataimg_backend.decode and read_end. A piece is asked
 * for in parts, by several threads, and the small files of one piece one after the other; so the
 * last ones stay unpacked for a while.
 */
#ifndef EROFS_DECODE_H
#define EROFS_DECODE_H

#include <stdbool.h>

#include "kataimg/backend.h"

/* As the kernel has it. */
#define EROFS_PACKED_BYTES_MAX (UINT32_C(1) << 20)
#define EROFS_UNPACKED_BYTES_MAX (UINT32_C(12) << 20)

struct erofs_packed {
	uint64_t off; /* in the window */
	uint32_t bytes;
	uint32_t unpacked_bytes;
	uint8_t algorithm;
	bool partial; /* it goes on behind unpacked_bytes */
};

struct erofs_decoder;

/* zero_padded: LZ4 data ends with its blocks, zeros come before it. NULL when memory is out. */
struct erofs_decoder *erofs_decoder_new(const struct kataimg_host *host, uint64_t window_bytes,
					bool zero_padded);

/* Refuses what lies outside the window or has no unpacker. Not while erofs_decode runs. The cookie
 * plus n is that of what begins n bytes into the piece. */
int erofs_decoder_add(struct erofs_decoder *decoder, const struct erofs_packed *packed,
		      uint64_t *cookie);

/* How much was unpacked so far. Not while erofs_decode runs. */
uint64_t erofs_decoder_unpacked_bytes(const struct erofs_decoder *decoder);

/* kataimg_backend.decode and read_end. */
int erofs_decode(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len);
void erofs_read_end(void *state);

#endif
