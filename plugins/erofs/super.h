/* SPDX-License-Identifier: Apache-2.0 */
/* The superblock: made from the layout, sealed with its checksum, and read back. */
#ifndef EROFS_SUPER_H
#define EROFS_SUPER_H

#include "plugins/erofs/layout.h"

/* The superblock and what may follow it. */
#define EROFS_SUPER_BYTES_MAX (sizeof(struct erofs_super) + sizeof(struct erofs_lz4_config))

/* What lies at EROFS_SUPER_OFFSET with the features of the layout, in bytes. */
uint32_t erofs_super_bytes(const struct erofs_layout *layout);

/* Makes it from a finished layout, without the checksum. Returns erofs_super_bytes. */
uint32_t erofs_super_encode(const struct erofs_layout *layout,
			    const struct erofs_identity *identity,
			    uint8_t out[EROFS_SUPER_BYTES_MAX]);

/* Puts the checksum into a complete block 0. */
void erofs_super_seal(uint8_t block[EROFS_BLOCK_BYTES]);

/* The checksum that the block should have. block_bytes is above 1024. */
uint32_t erofs_super_checksum(const uint8_t *block, uint32_t block_bytes);

/* What a superblock says, with the oldest kernel that its features need. */
void erofs_super_describe(const struct erofs_super *super, struct kataimg_fs_info *info);
/* What that of a layout will say. */
void erofs_super_foretell(const struct erofs_layout *layout, const struct erofs_identity *identity,
			  struct kataimg_fs_info *info);

#endif
