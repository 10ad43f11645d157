/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gathers metadata into large writes: neighbouring pieces share a buffer. Also what every metadata
 * block needs: its checksum.
 */
#ifndef XFS_WRITER_H
#define XFS_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kataimg/backend.h"

/* The largest piece. */
#define XFS_WRITER_BYTES (256u << 10)

struct xfs_writer {
	const struct kataimg_host *host;
	uint8_t *buffer;
	uint64_t start; /* of the buffer, in the window */
	size_t used;
};

/* -ENOMEM, with its message. */
int xfs_writer_init(struct xfs_writer *writer, const struct kataimg_host *host);
void xfs_writer_clear(struct xfs_writer *writer);

/* len zeros to fill in, to be written at off; valid until the next call. */
int xfs_writer_take(struct xfs_writer *writer, uint64_t off, size_t len, uint8_t **bytes);
int xfs_writer_flush(struct xfs_writer *writer);

/* Fills in the checksum at crc_off of an object whose checksum is 0. */
void xfs_seal(void *object, size_t len, size_t crc_off);
/* Is the checksum right? The object is unchanged afterwards. */
bool xfs_seal_matches(void *object, size_t len, size_t crc_off);

#endif
