/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/super.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/types.h>

#include <ext2fs/ext2fs.h>

#include "plugins/ext4/size.h"

#define LOG_GROUPS_PER_FLEX 4

#define FEATURES_INCOMPAT                                                       \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_EXTENTS | EXT4_INCOMPAT_64BIT | \
	 EXT4_INCOMPAT_FLEX_BG)
#define FEATURES_RO_COMPAT                                                                    \
	(EXT4_RO_COMPAT_SPARSE_SUPER | EXT4_RO_COMPAT_LARGE_FILE | EXT4_RO_COMPAT_HUGE_FILE | \
	 EXT4_RO_COMPAT_DIR_NLINK | EXT4_RO_COMPAT_EXTRA_ISIZE | EXT4_RO_COMPAT_METADATA_CSUM)

static uint32_t features_compat(const struct ext4_source *source)
{
	return EXT4_COMPAT_EXT_ATTR | EXT4_COMPAT_DIR_INDEX |
	       (source->options.journal ? EXT4_COMPAT_HAS_JOURNAL : 0);
}

/* ---- What it says ---- */

/* As statfs shows it: without what root and the kernel keep back. */
static uint64_t available_blocks(const struct ext4_facts *facts)
{
	uint64_t kept = facts->reserved_blocks;

	if (facts->features.incompat & EXT4_INCOMPAT_EXTENTS)
		kept += ext4_size_kernel_reserve_blocks(facts->blocks);
	return facts->free_blocks > kept ? facts->free_blocks - kept : 0;
}

void ext4_facts_describe(const struct ext4_facts *facts, struct kataimg_fs_info *info)
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

void ext4_super_describe(const struct ext4_layout *layout, struct kataimg_fs_info *info)
{
	const struct ext4_geometry *geo = &layout->geo;
	const struct ext4_options *options = &layout->census->source->options;
	uint64_t inodes = (uint64_t)geo->inodes_per_group * geo->groups;
	const struct ext4_facts facts = {
		.features = { features_compat(layout->census->source), FEATURES_INCOMPAT,
			      FEATURES_RO_COMPAT },
		.blocks = geo->blocks,
		.free_blocks = space_free_blocks(layout->space),
		.reserved_blocks =
			ext4_size_reserved_blocks(geo->blocks, options->reserved_percent),
		.inodes = inodes,
		.free_inodes = inodes - layout->census->used_inodes,
		.block_bytes = EXT4_BLOCK_BYTES,
		.uuid = options->uuid,
		.label = options->label,
	};

	ext4_facts_describe(&facts, info);
}

/* ---- Its making ---- */

void ext4_super_set_parameters(const struct ext4_layout *layout, struct ext2_super_block *param)
{
	const struct ext4_geometry *geo = &layout->geo;
	const struct ext4_source *source = layout->census->source;

	param->s_rev_level = EXT2_DYNAMIC_REV;
	param->s_log_block_size = EXT4_BLOCK_BITS - EXT2_MIN_BLOCK_LOG_SIZE;
	param->s_log_cluster_size = param->s_log_block_size;
	param->s_blocks_per_group = geo->blocks_per_group;
	param->s_inode_size = EXT4_INODE_BYTES;
	param->s_first_ino = EXT4_FIRST_INO;
	param->s_inodes_count = geo->inodes_per_group * geo->groups;
	param->s_feature_compat = features_compat(source);
	param->s_feature_incompat = FEATURES_INCOMPAT;
	param->s_feature_ro_compat = FEATURES_RO_COMPAT;
	param->s_log_groups_per_flex = LOG_GROUPS_PER_FLEX;
	param->s_errors = EXT2_ERRORS_CONTINUE;
	param->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	/* Lets a mount with data=ordered pass where there is no journal to order. */
	if (!source->options.journal)
		param->s_default_mount_opts |= EXT3_DEFM_JMODE_ORDERED;
	ext2fs_blocks_count_set(param, geo->blocks);
	ext2fs_r_blocks_count_set(
		param, ext4_size_reserved_blocks(geo->blocks, source->options.reserved_percent));
}

int ext4_super_check(const struct ext4_layout *layout, const struct struct_ext2_filsys *fs)
{
	const struct ext4_geometry *geo = &layout->geo;
	const struct kataimg_host *host = layout->census->source->host;

	if (ext2fs_blocks_count(fs->super) == geo->blocks &&
	    fs->super->s_feature_incompat == FEATURES_INCOMPAT &&
	    fs->super->s_blocks_per_group == geo->blocks_per_group &&
	    fs->super->s_inodes_per_group == geo->inodes_per_group &&
	    fs->group_desc_count == geo->groups && fs->desc_blocks == geo->desc_blocks &&
	    fs->inode_blocks_per_group == geo->itable_blocks)
		return 0;
	host->error(host->ctx,
		    "libext2fs makes %" PRIu64 " blocks in %u groups of %u inodes, features %#x, "
		    "where %" PRIu64 ", %u, %u and %#x were planned",
		    (uint64_t)ext2fs_blocks_count(fs->super), fs->group_desc_count,
		    fs->super->s_inodes_per_group, fs->super->s_feature_incompat, geo->blocks,
		    geo->groups, geo->inodes_per_group, FEATURES_INCOMPAT);
	return -EUCLEAN;
}

static void set_times(struct ext2_super_block *super, int64_t now)
{
	super->s_mkfs_time = super->s_lastcheck = (uint32_t)now;
	super->s_mkfs_time_hi = super->s_lastcheck_hi = (uint8_t)(now >> 32);
}

static uint64_t used_by_filesystem(const struct ext4_layout *layout)
{
	return ext4_geometry_overhead(&layout->geo) +
	       (layout->census->source->options.journal ? EXT4_JOURNAL_BLOCKS : 0);
}

void ext4_super_fill(const struct ext4_layout *layout, struct struct_ext2_filsys *fs)
{
	const struct ext4_source *source = layout->census->source;
	const struct ext4_options *options = &source->options;
	struct ext2_super_block *super = fs->super;

	fs->now = (time_t)source->job->build_time;
	set_times(super, source->job->build_time);
	memcpy(super->s_uuid, options->uuid, sizeof(super->s_uuid));
	memcpy(super->s_hash_seed, options->hash_seed, sizeof(super->s_hash_seed));
	super->s_def_hash_version = EXT4_DX_HASH_HALF_MD4;
	super->s_flags = EXT2_FLAGS_SIGNED_HASH;
	super->s_max_mnt_count = -1;
	super->s_creator_os = EXT2_OS_LINUX;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	super->s_kbytes_written = 0;
	super->s_overhead_clusters = (uint32_t)used_by_filesystem(layout);
	memcpy(super->s_volume_name, options->label, sizeof(super->s_volume_name));
	ext2fs_init_csum_seed(fs);
}
