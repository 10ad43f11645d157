/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/acl.h"

#include <errno.h>

#include "plugins/common/acl.h"
#include "plugins/xfs/format.h"

#define ACL_NO_ID UINT32_C(0xffffffff)

static bool is_same(struct acl_entry a, struct acl_entry b)
{
	return from_le16(a.tag) == from_le16(b.tag) && from_le32(a.id) == from_le32(b.id);
}

/* Quadratic, for at most 5461 entries. */
static bool ids_are_unique(const void *value, uint32_t entries)
{
	for (uint32_t i = 0; i < entries; i++)
		for (uint32_t j = 0; j < i; j++)
			if (is_same(acl_entry_at(value, i), acl_entry_at(value, j)))
				return false;
	return true;
}

int xfs_acl_entries(const void *value, uint32_t value_len)
{
	uint32_t entries;

	if (!acl_is_valid(value, value_len))
		return -EINVAL;
	entries = (uint32_t)acl_entry_count(value_len);
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
		struct acl_entry entry = acl_entry_at(value, i);

		stored[i] = (struct xfs_acl_entry){
			.tag = to_be32(from_le16(entry.tag)),
			.id = to_be32(acl_has_id(&entry) ? from_le32(entry.id) : ACL_NO_ID),
			.perm = to_be16(from_le16(entry.perm)),
		};
	}
}
