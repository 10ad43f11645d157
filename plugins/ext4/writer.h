/* SPDX-License-Identifier: Apache-2.0 */
/* Builds metadata blocks in place in a buffer, and writes neighbours with one call. */
#ifndef EXT4_WRITER_H
#define EXT4_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"

struct ext4_writer {
	const struct kataimg_host *host;
	uint8_t *buf; /* owned */
	uint64_t start_block;
	size_t blocks; /* in buf */
};

/* -ENOMEM without a message. */
int ext4_writer_init(struct ext4_writer *writer, const struct kataimg_host *host);

/* Frees the buffer, with what was not flushed. */
void ext4_writer_destroy(struct ext4_writer *writer);

/* *block: 4096 zero bytes to fill, valid until the next call, that will be written at that block. A
 * block is asked for once. 0, or the host's error. */
int ext4_writer_block(struct ext4_writer *writer, uint64_t number, uint8_t **block);

int ext4_writer_flush(struct ext4_writer *writer);

#endif
