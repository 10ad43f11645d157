/* SPDX-License-Identifier: Apache-2.0 */
/* Extents: what one cluster holds of a file. */
#ifndef EROFS_EXTENT_H
#define EROFS_EXTENT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * But for a file's last one, an extent either covers more than a block's bytes, or is plain and
 * covers at most as many: in each logical cluster at most one begins.
 */
struct erofs_extent {
	uint32_t bytes;  /* of the file */
	uint16_t blocks; /* on disk */
	bool plain;      /* stored as it is */
};

#endif
