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
#include "lib/array.h"

/* The largest piece. */
#define WRITER_BYTES (1u << 20)
/* A gap of less is written as zeros: a block of data does not fit in between. */
#define WRITER_GAP_BYTES 4096u

struct writer {
	const struct kataimg_host *host;
	uint8_t *buffer;
	uint64_t start; /* of the buffer, in the window */
	size_t used;
	ARRAY(struct writer_inline) inlines; /* to be read before the buffer is written */
};

/* -ENOMEM. */
int writer_init(struct writer *writer, const struct kataimg_host *host);
/* What was not flushed is lost. */
void writer_clear(struct writer *writer);

/* len zeros (at most WRITER_BYTES) to fill in, to be written at off; valid until the next call.
 * No place is asked for twice. This and all below return 0, -ENOMEM, or the host's error. */
int writer_take(struct writer *writer, uint64_t off, size_t len, uint8_t **bytes);
/* A copy of any number of bytes. */
int writer_put(struct writer *writer, uint64_t off, const void *bytes, size_t len);
/* So many bytes (at most WRITER_BYTES) of a regular file, as content of the image. They are read on
 * all threads when the buffer is written. */
int writer_put_inline(struct writer *writer, uint64_t off, const struct kataimg_node *node,
		      uint64_t file_off, size_t len);
int writer_flush(struct writer *writer);

#endif
