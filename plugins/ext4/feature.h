/* SPDX-License-Identifier: Apache-2.0 */
/* The feature words of a superblock, in words. */
#ifndef EXT4_FEATURE_H
#define EXT4_FEATURE_H

#include <stddef.h>
#include <stdint.h>

struct ext4_features {
	uint32_t compat, incompat, ro_compat;
};

/* "ext2", "ext3" or "ext4": the first of them that knows all the features. */
const char *ext4_features_type(const struct ext4_features *features);

/* The names that dumpe2fs uses, separated by spaces; unknown bits as "compat:0x...". */
void ext4_features_names(const struct ext4_features *features, char *buf, size_t size);

/* The oldest Linux that mounts such a filesystem, to write too; "" with unknown incompatible bits.
 */
void ext4_features_kernel(const struct ext4_features *features, char *buf, size_t size);

#endif
