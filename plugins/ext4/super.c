/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/super.h"

#include <errno.h>
#include <stdio.h>

#include "lib/crc32c.h"
#include "plugins/common/space.h"
#include "plugins/ext4/ext4.h"
#include "plugins/ext4/feature.h"
#include "plugins/ext4/frame.h"
#include "plugins/ext4/size.h"

#define LOG_BLOCK_SIZE_MAX 6u /* 64 KiB */

/* What decides a description, from a layout or from a superblock. */
struct facts {
	struct ext4_features features;
	uint64_t blocks, free_blocks, reserved_blocks;
	uint64_t inodes, free_inodes;
	uint64_t block_bytes;
	const uint8_t *uuid;
	const char *label; /* at most EXT4_LABEL_BYTES, not always with a NUL */
};

/* As statfs shows it: without what root and the kernel keep back. */
static uint64_t available_blocks(const struct facts *facts)
{
	uint64_t kept = facts->reserved_blocks;

	if (facts->features.incompat & EXT4_INCOMPAT_EXTENTS)
		kept += ext4_kernel_reserve_blocks(facts->blocks);
	return facts->free_blocks > kept ? facts->free_blocks - kept : 0;
}

static void fill_info(const struct facts *facts, struct kataimg_fs_info *info)
{
	info->size_bytes = facts->blocks * facts->block_bytes;
	info->block_bytes = facts->block_bytes;
	info->free_bytes = available_blocks(facts) * facts->block_bytes;
	info->inodes = facts->inodes;
	info->free_inodes = facts->free_inodes;
	memcpy(info->uuid, facts->uuid, sizeof(info->uuid));
	snprintf(info->type, sizeof(info->type), "%s", ext4_features_type(&facts->features));
	snprintf(info->label, sizeof(info->label), "%.*s", (int)EXT4_LABEL_BYTES, facts->label);
	ext4_features_kernel(&facts->features, info->min_kernel, sizeof(info->min_kernel));
	ext4_features_names(&facts->features, info->features, sizeof(info->features));
}

void ext4_super_describe(const struct ext4 *ext4, struct kataimg_fs_info *info)
{
	const struct ext4_geometry *geo = &ext4->layout.geo;
	uint64_t inodes = (uint64_t)geo->inodes_per_group * geo->groups;
	struct facts facts = {
		.features = { ext4_frame_compat(ext4), EXT4_FRAME_INCOMPAT, EXT4_FRAME_RO_COMPAT },
		.blocks = geo->blocks,
		.free_blocks = space_free_blocks(ext4->layout.space),
		.reserved_blocks =
			ext4_reserved_blocks(geo->blocks, ext4->options.reserved_percent),
		.inodes = inodes,
		.free_inodes = inodes - ext4_used_inodes(ext4),
		.block_bytes = EXT4_BLOCK_BYTES,
		.uuid = ext4->options.uuid,
		.label = ext4->options.label,
	};

	fill_info(&facts, info);
}

static int bad_super(const struct kataimg_host *host, const char *what)
{
	host->error(host->ctx, "the ext4 superblock %s", what);
	return -EUCLEAN;
}

static int check_super(const struct kataimg_host *host, const struct ext4_super *super,
		       uint64_t window_bytes, const struct facts *facts)
{
	if (from_le32(super->log_block_size) > LOG_BLOCK_SIZE_MAX)
		return bad_super(host, "has an impossible block size");
	if ((facts->features.ro_compat & EXT4_RO_COMPAT_METADATA_CSUM) &&
	    crc32c(~0u, super, offsetof(struct ext4_super, checksum)) != from_le32(super->checksum))
		return bad_super(host, "has a wrong checksum");
	if (facts->blocks == 0 || facts->inodes == 0)
		return bad_super(host, "claims no blocks or no inodes");
	if (facts->blocks > window_bytes / facts->block_bytes)
		return bad_super(host, "claims more blocks than there are");
	if (facts->free_blocks > facts->blocks || facts->free_inodes > facts->inodes)
		return bad_super(host, "claims more free than there is");
	return 0;
}

static uint64_t join(le32 high, le32 low, bool is_64bit)
{
	return (is_64bit ? (uint64_t)from_le32(high) << 32 : 0) | from_le32(low);
}

static void read_facts(const struct ext4_super *super, struct facts *facts)
{
	bool is_64bit = from_le32(super->feature_incompat) & EXT4_INCOMPAT_64BIT;

	*facts = (struct facts){
		.features = { from_le32(super->feature_compat), from_le32(super->feature_incompat),
			      from_le32(super->feature_ro_compat) },
		.blocks = join(super->blocks_count_hi, super->blocks_count_lo, is_64bit),
		.free_blocks =
			join(super->free_blocks_count_hi, super->free_blocks_count_lo, is_64bit),
		.reserved_blocks =
			join(super->r_blocks_count_hi, super->r_blocks_count_lo, is_64bit),
		.inodes = from_le32(super->inodes_count),
		.free_inodes = from_le32(super->free_inodes_count),
		.block_bytes = UINT64_C(1024) << (from_le32(super->log_block_size) & 7),
		.uuid = super->uuid,
		.label = super->volume_name,
	};
}

int ext4_super_read(const struct kataimg_host *host, uint64_t window_bytes,
		    struct ext4_super *super)
{
	int ret;

	if (window_bytes < EXT4_SUPER_OFFSET + sizeof(*super))
		return -ENODATA;
	ret = host->window_read(host->ctx, EXT4_SUPER_OFFSET, super, sizeof(*super));
	if (ret < 0)
		return ret;
	if (from_le16(super->magic) != EXT4_SUPER_MAGIC ||
	    (from_le32(super->feature_incompat) & EXT4_INCOMPAT_JOURNAL_DEV))
		return -ENODATA;
	return 0;
}

int ext4_super_probe(const struct kataimg_host *host, uint64_t window_bytes,
		     struct kataimg_fs_info *info)
{
	struct ext4_super super;
	struct facts facts;
	int ret = ext4_super_read(host, window_bytes, &super);

	if (ret < 0)
		return ret;
	read_facts(&super, &facts);
	ret = check_super(host, &super, window_bytes, &facts);
	if (ret == 0)
		fill_info(&facts, info);
	return ret;
}
