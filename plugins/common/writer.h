/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metadata is built in place in a buffer, and what lies together is written with one call. A
 * backend that goes upward through its window has few and large writes.
 */
#ifndef COMMON_WRITER_H
#define COMMON_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"

/* The largest piece. */
#define WRITER_BYTES (256u << 10)

struct writer {
	const struct kataimg_host *host;
	uint8_t *buffer;
	uint64_t start; /* of the buffer, in the window */
	size_t used;
};

/* -ENOMEM. */
int writer_init(struct writer *writer, const struct kataimg_host *host);
/* What was not flushed is lost. */
void writer_clear(struct writer *writer);

/* len zeros (at most WRITER_BYTES) to fill in, to be written at off; valid until the next call. 0,
 * or the host's error. */
int writer_take(struct writer *writer, uint64_t off, size_t len, uint8_t **bytes);
int writer_flush(struct writer *writer);

#endif
