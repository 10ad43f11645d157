/* SPDX-License-Identifier: Apache-2.0 */
/* Group descriptors, of which each is read where it lies and none is kept. */
#include <inttypes.h>
#include <string.h>

#include "lib/checked.h"
#include "lib/crc32c.h"
#include "plugins/ext4/read.h"

#define CHECKSUM_OFF offsetof(struct ext4_descriptor, checksum)
#define DESCRIPTOR_BYTES_MAX 1024u

/* ---- Where descriptors are ---- */

static bool is_power_of(uint64_t value, uint64_t base)
{
	while (value % base == 0)
		value /= base;
	return value == 1;
}

/* Does the group, not the first one, begin with a copy of the superblock? */
static bool has_backup(const struct ext4_super *super, uint64_t group)
{
	if (from_le32(super->feature_compat) & EXT4_COMPAT_SPARSE_SUPER2)
		return group == from_le32(super->backup_groups[0]) ||
		       group == from_le32(super->backup_groups[1]);
	if (group == 1 || !(from_le32(super->feature_ro_compat) & EXT4_RO_COMPAT_SPARSE_SUPER))
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

static uint64_t group_block(const struct ext4_reader *reader, uint64_t group)
{
	return from_le32(reader->super.first_data_block) +
	       group * from_le32(reader->super.blocks_per_group);
}

/* Block number `number` of all descriptors. With meta_bg each lies in the first of its groups. */
static uint64_t descriptor_block(const struct ext4_reader *reader, uint64_t number)
{
	uint64_t super_block = EXT4_SUPER_OFFSET / reader->block_bytes;
	uint64_t group = number * (reader->block_bytes / reader->descriptor_bytes);

	if (!(reader->incompat & EXT4_INCOMPAT_META_BG) ||
	    number < from_le32(reader->super.first_meta_group))
		return super_block + 1 + number;
	if (group == 0)
		return super_block + 1;
	return group_block(reader, group) + has_backup(&reader->super, group);
}

/* ---- Whether they are right ---- */

/* The polynomial 0x8005, reflected. */
static uint16_t crc16(uint16_t crc, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)(crc >> 1 ^ (crc & 1 ? 0xa001 : 0));
	}
	return crc;
}

static uint16_t crc32c_descriptor(const struct ext4_reader *reader, le32 group,
				  const uint8_t *bytes)
{
	const le16 none = { 0 };
	uint32_t crc = crc32c(reader->checksum_seed, &group, sizeof(group));

	crc = crc32c(crc, bytes, CHECKSUM_OFF);
	crc = crc32c(crc, &none, sizeof(none));
	return (uint16_t)crc32c(crc, bytes + CHECKSUM_OFF + sizeof(none),
				reader->descriptor_bytes - CHECKSUM_OFF - sizeof(none));
}

static uint16_t crc16_descriptor(const struct ext4_reader *reader, le32 group, const uint8_t *bytes)
{
	uint16_t crc = crc16(0xffff, reader->super.uuid, sizeof(reader->super.uuid));

	crc = crc16(crc, &group, sizeof(group));
	crc = crc16(crc, bytes, CHECKSUM_OFF);
	return crc16(crc, bytes + CHECKSUM_OFF + sizeof(le16),
		     reader->descriptor_bytes - CHECKSUM_OFF - sizeof(le16));
}

static int check_descriptor(const struct ext4_reader *reader, uint64_t group, const uint8_t *bytes)
{
	le32 number = to_le32((uint32_t)group);
	le16 checksum;
	uint16_t crc;

	memcpy(&checksum, bytes + CHECKSUM_OFF, sizeof(checksum));
	if (reader->has_checksums)
		crc = crc32c_descriptor(reader, number, bytes);
	else if (from_le32(reader->super.feature_ro_compat) & EXT4_RO_COMPAT_GROUP_CSUM)
		crc = crc16_descriptor(reader, number, bytes);
	else
		return 0;
	if (crc == from_le16(checksum))
		return 0;
	return window_refuse(&reader->window,
			     "the descriptor of group %" PRIu64 " has a wrong checksum", group);
}

static int find_table(struct ext4_reader *reader, uint64_t group)
{
	uint32_t per_block = reader->block_bytes / reader->descriptor_bytes;
	uint64_t block = descriptor_block(reader, group / per_block), table;
	uint8_t bytes[DESCRIPTOR_BYTES_MAX] = { 0 };
	struct ext4_descriptor descriptor;
	int ret;

	if (block >= reader->blocks)
		return window_refuse(
			&reader->window,
			"the descriptor of group %" PRIu64 " is outside the filesystem", group);
	ret = window_fetch(&reader->window,
			   block * reader->block_bytes +
				   group % per_block * reader->descriptor_bytes,
			   bytes, reader->descriptor_bytes);
	if (ret < 0)
		return ret;
	ret = check_descriptor(reader, group, bytes);
	if (ret < 0)
		return ret;
	memcpy(&descriptor, bytes, sizeof(descriptor));
	table = (uint64_t)from_le32(descriptor.inode_table_hi) << 32 |
		from_le32(descriptor.inode_table_lo);
	if (table >= reader->blocks)
		return window_refuse(&reader->window,
				     "the inodes of group %" PRIu64 " are outside the filesystem",
				     group);
	reader->group = group;
	reader->table_off = table * reader->block_bytes;
	return 0;
}

int ext4_reader_locate_inode(struct ext4_reader *reader, uint32_t ino, uint64_t *off)
{
	uint32_t per_group = from_le32(reader->super.inodes_per_group);
	uint64_t group = (ino - 1) / per_group;
	int ret = group == reader->group ? 0 : find_table(reader, group);

	if (ret < 0)
		return ret;
	*off = reader->table_off + (uint64_t)((ino - 1) % per_group) * reader->inode_bytes;
	return 0;
}
