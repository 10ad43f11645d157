/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/crc32c.h"
#include "plugins/ext4/feature.h"
#include "plugins/ext4/probe.h"
#include "plugins/ext4/read.h"

#define INCOMPAT_READ                                                                 \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_META_BG | EXT4_INCOMPAT_EXTENTS |     \
	 EXT4_INCOMPAT_64BIT | EXT4_INCOMPAT_MMP | EXT4_INCOMPAT_FLEX_BG |            \
	 EXT4_INCOMPAT_EA_INODE | EXT4_INCOMPAT_CSUM_SEED | EXT4_INCOMPAT_LARGE_DIR | \
	 EXT4_INCOMPAT_INLINE_DATA | EXT4_INCOMPAT_ENCRYPT | EXT4_INCOMPAT_CASEFOLD)

#define CHECKSUM_CRC32C 1

static int check_features(const struct ext4_reader *reader)
{
	const struct ext4_features unknown = { .incompat = reader->incompat & ~INCOMPAT_READ };
	char names[128];

	if (reader->incompat & EXT4_INCOMPAT_RECOVER)
		return window_decline(&reader->window,
				      "its journal must be replayed: e2fsck -fp FILE");
	if (unknown.incompat) {
		ext4_features_names(&unknown, names, sizeof(names));
		return window_decline(&reader->window, "it has what cannot be read here: %s",
				      names);
	}
	if (reader->has_checksums && reader->super.checksum_type != CHECKSUM_CRC32C)
		return window_decline(
			&reader->window,
			"its checksums are of a kind that is newer than this reader: %u",
			reader->super.checksum_type);
	return 0;
}

static void warn_state(const struct ext4_reader *reader)
{
	const struct kataimg_host *host = reader->window.host;
	uint16_t state = from_le16(reader->super.state);

	if (state & EXT4_STATE_ERRORS)
		host->log(host->ctx, KATAIMG_LOG_WARNING,
			  "the filesystem is marked as one with errors: e2fsck -f FILE");
	else if (!(state & EXT4_STATE_VALID))
		host->log(host->ctx, KATAIMG_LOG_WARNING,
			  "the filesystem was not unmounted: e2fsck -f FILE");
}

static bool is_power(uint32_t value)
{
	return value && !(value & (value - 1));
}

static int read_sizes(struct ext4_reader *reader)
{
	const struct ext4_super *super = &reader->super;
	bool is_old = from_le32(super->rev_level) == 0;

	reader->inode_bytes = is_old ? 128 : from_le16(super->inode_size);
	reader->first_ino = is_old ? EXT4_FIRST_INO : from_le32(super->first_ino);
	reader->descriptor_bytes = 32;
	if (reader->incompat & EXT4_INCOMPAT_64BIT)
		reader->descriptor_bytes = from_le16(super->descriptor_bytes);
	if (!is_power(reader->inode_bytes) || reader->inode_bytes < 128 ||
	    reader->inode_bytes > reader->block_bytes)
		return window_refuse(&reader->window, "the superblock has inodes of %u bytes",
				     reader->inode_bytes);
	if (!is_power(reader->descriptor_bytes) || reader->descriptor_bytes > 1024 ||
	    (reader->incompat & EXT4_INCOMPAT_64BIT &&
	     reader->descriptor_bytes < sizeof(struct ext4_descriptor)))
		return window_refuse(&reader->window,
				     "the superblock has group descriptors of %u bytes",
				     reader->descriptor_bytes);
	return 0;
}

static int check_groups(const struct ext4_reader *reader)
{
	const struct ext4_super *super = &reader->super;
	uint64_t groups;

	if (from_le32(super->first_data_block) > 1 || !from_le32(super->blocks_per_group) ||
	    !from_le32(super->inodes_per_group) || reader->blocks < 2)
		return window_refuse(&reader->window, "the superblock has impossible groups");
	groups = (reader->blocks - from_le32(super->first_data_block) - 1) /
			 from_le32(super->blocks_per_group) +
		 1;
	if (reader->inodes < EXT4_ROOT_INO ||
	    (reader->inodes - 1) / from_le32(super->inodes_per_group) >= groups ||
	    reader->inodes > reader->window.bytes / reader->inode_bytes)
		return window_refuse(&reader->window,
				     "the superblock claims %u inodes, for which there is no room",
				     reader->inodes);
	return 0;
}

static uint32_t checksum_seed(const struct ext4_reader *reader)
{
	if (reader->incompat & EXT4_INCOMPAT_CSUM_SEED)
		return from_le32(reader->super.checksum_seed);
	return crc32c(~0u, reader->super.uuid, sizeof(reader->super.uuid));
}

/* Reads the superblock, and takes from it what does not depend on features. */
static int load_super(struct ext4_reader *reader)
{
	struct kataimg_fs_info info = { .struct_size = sizeof(info) };
	struct ext4_super *super = &reader->super;
	int ret = ext4_probe(reader->window.host, reader->window.bytes, &info);

	if (ret == -ENODATA)
		return window_refuse(&reader->window, "it has no ext4 superblock");
	if (ret < 0)
		return ret;
	ret = window_fetch(&reader->window, EXT4_SUPER_OFFSET, super, sizeof(*super));
	if (ret < 0)
		return ret;
	reader->block_bytes = 1024u << from_le32(super->log_block_size);
	reader->blocks = info.size_bytes / reader->block_bytes;
	reader->inodes = from_le32(super->inodes_count);
	/* The first revision has no features. */
	if (from_le32(super->rev_level) == 0)
		return 0;
	reader->incompat = from_le32(super->feature_incompat);
	reader->has_checksums = from_le32(super->feature_ro_compat) & EXT4_RO_COMPAT_METADATA_CSUM;
	return 0;
}

int ext4_reader_open_super(struct ext4_reader *reader)
{
	int ret = load_super(reader);

	if (ret < 0)
		return ret;
	ret = check_features(reader);
	if (ret < 0)
		return ret;
	ret = read_sizes(reader);
	if (ret < 0)
		return ret;
	ret = check_groups(reader);
	if (ret < 0)
		return ret;
	reader->checksum_seed = checksum_seed(reader);
	warn_state(reader);
	return 0;
}
