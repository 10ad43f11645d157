/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/probe.h"

#include <errno.h>

#include "lib/crc32c.h"
#include "plugins/ext4/super.h"

#define LOG_BLOCK_SIZE_MAX 6u /* 64 KiB */

static int refuse(const struct kataimg_host *host, const char *why)
{
	host->error(host->ctx, "the superblock %s", why);
	return -EUCLEAN;
}

static int check_super(const struct kataimg_host *host, const struct ext4_super *super,
		       uint64_t window_bytes, const struct ext4_facts *facts)
{
	if (from_le32(super->log_block_size) > LOG_BLOCK_SIZE_MAX)
		return refuse(host, "has an impossible block size");
	if ((facts->features.ro_compat & EXT4_RO_COMPAT_METADATA_CSUM) &&
	    crc32c(~0u, super, offsetof(struct ext4_super, checksum)) != from_le32(super->checksum))
		return refuse(host, "has a wrong checksum");
	if (facts->blocks == 0 || facts->inodes == 0)
		return refuse(host, "claims no blocks or no inodes");
	if (facts->blocks > window_bytes / facts->block_bytes)
		return refuse(host, "claims more blocks than there are");
	if (facts->free_blocks > facts->blocks || facts->free_inodes > facts->inodes)
		return refuse(host, "claims more free than there is");
	return 0;
}

static uint64_t join(le32 high, le32 low, bool is_64bit)
{
	return (is_64bit ? (uint64_t)from_le32(high) << 32 : 0) | from_le32(low);
}

static void read_facts(const struct ext4_super *super, struct ext4_facts *facts)
{
	bool is_64bit = from_le32(super->feature_incompat) & EXT4_INCOMPAT_64BIT;

	*facts = (struct ext4_facts){
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

int ext4_probe(const struct kataimg_host *host, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct ext4_super super;
	struct ext4_facts facts;
	int ret;

	if (window_bytes < EXT4_SUPER_OFFSET + sizeof(super))
		return -ENODATA;
	ret = host->window_read(host->ctx, EXT4_SUPER_OFFSET, &super, sizeof(super));
	if (ret < 0)
		return ret;
	if (from_le16(super.magic) != EXT4_SUPER_MAGIC)
		return -ENODATA;
	if (from_le32(super.feature_incompat) & EXT4_INCOMPAT_JOURNAL_DEV) {
		host->error(host->ctx, "it is the journal of another filesystem (journal_dev), and "
				       "has no files");
		return -EOPNOTSUPP;
	}
	read_facts(&super, &facts);
	ret = check_super(host, &super, window_bytes, &facts);
	if (ret == 0)
		ext4_facts_describe(&facts, info);
	return ret;
}
