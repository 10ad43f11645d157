/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members that stand whole behind each other and say how large they are, as bgzip and zstd:chunked
 * make them, decompressed on several processors.
 */
#ifndef DECOMPRESS_BATCH_H
#define DECOMPRESS_BATCH_H

#include "core/decompress/codec.h"

/* Of one batch: what goes in and what comes out. */
#define BATCH_IN_BYTES ((size_t)2 << 20)
#define BATCH_OUT_BYTES ((size_t)8 << 20)

struct batch {
	uint8_t *bytes; /* owned */
	size_t used, len;
};

/*
 * Decompresses as many members as there are, from the first on, into the empty batch. *taken: so
 * many bytes they have; 0 when there are not two of them, or the first is not as it says. What is
 * wrong with a member is not told: who reads it by itself finds out. -ENOMEM.
 */
int batch_decompress(struct batch *batch, const struct decompress_codec *codec,
		     const uint8_t *bytes, size_t len, unsigned int threads, size_t *taken);

/* The next bytes of it, at most room: how many. */
size_t batch_read(struct batch *batch, void *buf, size_t room);

void batch_release(struct batch *batch);

#endif
