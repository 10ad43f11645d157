/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/acl.h"

#include <errno.h>

#include "plugins/xfs/format.h"

#define ACL_VERSION 2u
#define ACL_NO_ID UINT32_C(0xffffffff)

enum acl_tag {
	ACL_USER_OBJ = 0x01,
	ACL_USER = 0x02,
	ACL_GROUP_OBJ = 0x04,
	ACL_GROUP = 0x08,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20
};

/* What getxattr(2) gives: the version, then these. */
struct acl_source_entry {
	le16 tag, perm;
	le32 id;
};

static struct acl_source_entry source_entry(const void *value, uint32_t index)
{
	struct acl_source_entry entry;

	memcpy(&entry, (const uint8_t *)value + sizeof(le32) + index * sizeof(entry),
	       sizeof(entry));
	return entry;
}

static bool has_id(uint16_t tag)
{
	return tag == ACL_USER || tag == ACL_GROUP;
}

static bool is_tag(uint16_t tag)
{
	return tag && !(tag & (tag - 1)) && tag <= ACL_OTHER;
}

static bool is_same(struct acl_source_entry a, struct acl_source_entry b)
{
	return from_le16(a.tag) == from_le16(b.tag) && from_le32(a.id) == from_le32(b.id);
}

/* Quadratic, for at most 5461 entries. */
static bool ids_are_unique(const void *value, uint32_t entries)
{
	for (uint32_t i = 0; i < entries; i++)
		for (uint32_t j = 0; j < i; j++)
			if (is_same(source_entry(value, i), source_entry(value, j)))
				return false;
	return true;
}

/* The three base entries once each, and a mask where users or groups are named. */
static bool entries_are_complete(const void *value, uint32_t entries)
{
	uint32_t count[ACL_OTHER + 1] = { 0 };

	for (uint32_t i = 0; i < entries; i++) {
		uint16_t tag = from_le16(source_entry(value, i).tag);

		if (!is_tag(tag))
			return false;
		count[tag]++;
	}
	return count[ACL_USER_OBJ] == 1 && count[ACL_GROUP_OBJ] == 1 && count[ACL_OTHER] == 1 &&
	       count[ACL_MASK] <= 1 && (count[ACL_MASK] || !(count[ACL_USER] + count[ACL_GROUP]));
}

int xfs_acl_entries(const void *value, uint32_t value_len)
{
	uint32_t entries;
	le32 version;

	if (value_len < sizeof(version))
		return -EINVAL;
	memcpy(&version, value, sizeof(version));
	value_len -= sizeof(version);
	entries = value_len / sizeof(struct acl_source_entry);
	if (from_le32(version) != ACL_VERSION || value_len % sizeof(struct acl_source_entry) ||
	    !entries_are_complete(value, entries))
		return -EINVAL;
	if (entries > XFS_ACL_MAX_ENTRIES)
		return -E2BIG;
	return ids_are_unique(value, entries) ? (int)entries : -EINVAL;
}

bool xfs_acl_is_trivial(const void *value, uint32_t value_len)
{
	return xfs_acl_entries(value, value_len) == 3;
}

uint32_t xfs_acl_bytes(uint32_t entries)
{
	return (uint32_t)(sizeof(be32) + entries * sizeof(struct xfs_acl_entry));
}

void xfs_acl_convert(const void *value, uint32_t entries, void *out)
{
	struct xfs_acl_entry *stored = (void *)((uint8_t *)out + sizeof(be32));
	be32 count = to_be32(entries);

	memcpy(out, &count, sizeof(count));
	for (uint32_t i = 0; i < entries; i++) {
		struct acl_source_entry entry = source_entry(value, i);
		uint16_t tag = from_le16(entry.tag);

		stored[i] = (struct xfs_acl_entry){
			.tag = to_be32(tag),
			.id = to_be32(has_id(tag) ? from_le32(entry.id) : ACL_NO_ID),
			.perm = to_be16(from_le16(entry.perm)),
		};
	}
}
