/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/acl.h"
#include "lib/checked.h"
#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/ext4/acl.h"
#include "plugins/ext4/read.h"

/* Many inodes may have the same block. Each of them counts for so much of it. */
#define SHARED_MAX 16u

#define INDEX_SYSTEM 7u
#define INLINE_NAME "data"

/* By the number that an entry has; the kernel shows none of others. */
static const char *const prefixes[] = {
	[1] = "user.",    [2] = ACL_ACCESS_NAME, [3] = ACL_DEFAULT_NAME,
	[4] = "trusted.", [6] = "security.",     [10] = "gnu.",
};
#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))

/* Entries in reader->xattrs, from `next` on; values are within [values_from, end). */
struct area {
	const struct ext4_found_inode *inode;
	uint64_t off;         /* of the first byte in the window */
	uint32_t values_from; /* what their places count from */
	uint32_t next, end;
};

static int refuse(const struct ext4_reader *reader, const struct ext4_found_inode *inode,
		  const char *why)
{
	return window_refuse(&reader->window, "inode %u %s", inode->ino, why);
}

/* ---- Entries ---- */

/* 1: there is one, which begins at *at, with its name in the area; 0: there are no more. */
static int next_entry(const struct ext4_reader *reader, struct area *area,
		      struct ext4_xattr_entry *entry, const char **name)
{
	uint32_t rest = area->end - area->next, bytes;
	le32 first = { 0 };

	if (rest < sizeof(first))
		return refuse(reader, area->inode, "has a list of attributes without an end");
	memcpy(&first, reader->xattrs + area->next, sizeof(first));
	if (from_le32(first) == 0)
		return 0;
	if (rest < sizeof(*entry))
		return refuse(reader, area->inode, "has an attribute that is cut off");
	memcpy(entry, reader->xattrs + area->next, sizeof(*entry));
	bytes = (uint32_t)round_up(sizeof(*entry) + entry->name_len, 4);
	if (bytes > rest)
		return refuse(reader, area->inode, "has an attribute whose name is cut off");
	*name = (const char *)reader->xattrs + area->next + sizeof(*entry);
	area->next += bytes;
	return 1;
}

/* Where a value lies in the area. */
static int find_value(const struct ext4_reader *reader, const struct area *area,
		      const struct ext4_xattr_entry *entry, uint32_t *at)
{
	uint32_t size = from_le32(entry->value_size);

	*at = area->values_from + from_le16(entry->value_offs);
	if (size == 0)
		*at = area->end;
	return range_within(*at, size, area->end)
		       ? 0
		       : refuse(reader, area->inode, "has an attribute whose value is cut off");
}

static int read_value_inode(struct ext4_reader *reader, const struct area *area,
			    const struct ext4_xattr_entry *entry)
{
	struct ext4_found_inode holder;
	int ret = ext4_reader_inode(reader, from_le32(entry->value_inum), &holder);

	if (ret < 0)
		return ret;
	if (!(holder.flags & EXT4_INODE_EA) || holder.type != KATAIMG_REG ||
	    holder.flags & EXT4_INODE_INLINE)
		return refuse(reader, area->inode, "has a value in an inode that holds none");
	if (from_le32(entry->value_size) != holder.size)
		return refuse(reader, area->inode, "has a value of another size than its inode");
	return ext4_reader_content(reader, &holder, reader->value, (size_t)holder.size);
}

static int read_value(struct ext4_reader *reader, const struct area *area,
		      const struct ext4_xattr_entry *entry)
{
	uint32_t at;
	int ret;

	if (from_le32(entry->value_size) > EXT4_XATTR_VALUE_MAX)
		return refuse(reader, area->inode, "has an attribute of more than 65536 bytes");
	if (from_le32(entry->value_inum))
		return read_value_inode(reader, area, entry);
	ret = find_value(reader, area, entry, &at);
	if (ret < 0)
		return ret;
	memcpy(reader->value, reader->xattrs + at, from_le32(entry->value_size));
	return 0;
}

static bool is_acl(const struct ext4_xattr_entry *entry)
{
	return entry->name_index == 2 || entry->name_index == 3;
}

static int report_entry(struct ext4_reader *reader, const struct area *area,
			const struct ext4_xattr_entry *entry, const char *last)
{
	const char *prefix = entry->name_index < PREFIXES ? prefixes[entry->name_index] : NULL;
	uint8_t *acl = reader->value + EXT4_XATTR_VALUE_MAX;
	struct kataimg_xattr xattr = { .value = reader->value };
	char name[512];
	size_t len;
	int ret;

	if (!prefix)
		return 0;
	len = strlen(prefix);
	memcpy(name, prefix, len);
	memcpy(name + len, last, entry->name_len);
	name[len + entry->name_len] = '\0';
	ret = read_value(reader, area, entry);
	if (ret < 0)
		return ret;
	xattr.name = name;
	xattr.name_len = (uint32_t)len + entry->name_len;
	xattr.value_len = from_le32(entry->value_size);
	if (is_acl(entry)) {
		xattr.value_len =
			ext4_acl_restore(reader->value, xattr.value_len, acl, EXT4_XATTR_VALUE_MAX);
		xattr.value = acl;
		if (xattr.value_len == 0)
			return refuse(reader, area->inode, "has an ACL that is none");
	}
	return reader->sink->xattr(reader->sink->ctx, area->inode->ino, &xattr);
}

static int report_area(struct ext4_reader *reader, struct area *area)
{
	struct ext4_xattr_entry entry;
	const char *name = NULL;
	int ret;

	while ((ret = next_entry(reader, area, &entry, &name)) == 1) {
		ret = report_entry(reader, area, &entry, name);
		if (ret < 0)
			return ret;
	}
	return ret;
}

/* ---- Areas ---- */

/* 1: the inode has attributes in itself, which are loaded; 0: it has not. */
static int load_inside(struct ext4_reader *reader, const struct ext4_found_inode *inode,
		       struct area *area)
{
	uint32_t len = reader->inode_bytes - inode->xattr_skip;
	le32 magic;
	int ret;

	if (len < 2 * sizeof(magic))
		return 0;
	*area = (struct area){ .inode = inode,
			       .off = inode->off + inode->xattr_skip,
			       .values_from = sizeof(magic),
			       .next = sizeof(magic),
			       .end = len };
	ret = window_fetch(&reader->window, area->off, reader->xattrs, len);
	if (ret < 0)
		return ret;
	memcpy(&magic, reader->xattrs, sizeof(magic));
	return from_le32(magic) == EXT4_XATTR_MAGIC;
}

static int check_block(struct ext4_reader *reader, const struct ext4_found_inode *inode)
{
	le64 number = to_le64(inode->xattr_block);
	const le32 none = { 0 };
	struct ext4_xattr_header header;
	uint32_t crc;
	size_t skip = offsetof(struct ext4_xattr_header, checksum) + sizeof(none);

	memcpy(&header, reader->xattrs, sizeof(header));
	if (from_le32(header.magic) != EXT4_XATTR_MAGIC || from_le32(header.blocks) != 1)
		return refuse(reader, inode, "has a block of attributes that is none");
	if (!reader->has_checksums || reader->xattr_block == inode->xattr_block)
		return 0;
	crc = crc32c(reader->checksum_seed, &number, sizeof(number));
	crc = crc32c(crc, reader->xattrs, skip - sizeof(none));
	crc = crc32c(crc, &none, sizeof(none));
	crc = crc32c(crc, reader->xattrs + skip, reader->block_bytes - skip);
	if (crc != from_le32(header.checksum))
		return refuse(reader, inode, "has a block of attributes with a wrong checksum");
	reader->xattr_block = inode->xattr_block;
	return 0;
}

static int report_block(struct ext4_reader *reader, const struct ext4_found_inode *inode)
{
	struct area area = { .inode = inode,
			     .next = sizeof(struct ext4_xattr_header),
			     .end = reader->block_bytes };
	int ret = window_look(&reader->window, reader->block_bytes / SHARED_MAX);

	if (ret < 0)
		return ret;
	ret = ext4_reader_fetch_block(reader, inode->xattr_block, reader->xattrs);
	if (ret < 0)
		return ret;
	ret = check_block(reader, inode);
	return ret < 0 ? ret : report_area(reader, &area);
}

int ext4_reader_report_xattrs(struct ext4_reader *reader, const struct ext4_found_inode *inode)
{
	struct area area;
	int ret = load_inside(reader, inode, &area);

	if (ret == 1)
		ret = report_area(reader, &area);
	if (ret < 0 || inode->xattr_block == 0)
		return ret;
	return report_block(reader, inode);
}

int ext4_reader_inline_rest(struct ext4_reader *reader, const struct ext4_found_inode *inode,
			    uint64_t *off, uint32_t *bytes)
{
	struct ext4_xattr_entry entry;
	struct area area;
	const char *name = NULL;
	uint32_t at;
	int ret = load_inside(reader, inode, &area);

	*bytes = 0;
	if (ret <= 0)
		return ret;
	while ((ret = next_entry(reader, &area, &entry, &name)) == 1) {
		if (entry.name_index != INDEX_SYSTEM || entry.name_len != strlen(INLINE_NAME) ||
		    memcmp(name, INLINE_NAME, entry.name_len) != 0)
			continue;
		if (from_le32(entry.value_inum))
			return refuse(reader, inode, "has inline data elsewhere");
		ret = find_value(reader, &area, &entry, &at);
		*off = area.off + at;
		*bytes = from_le32(entry.value_size);
		return ret;
	}
	return ret;
}
