/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/acl.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/acl.h"
#include "plugins/xfs/format.h"

static int compare_keys(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left;
	uint64_t b = *(const uint64_t *)right;

	return (a > b) - (a < b);
}

/* Entries need not come in the order of their ids. */
static bool ids_are_unique(const void *value, uint32_t entries)
{
	uint64_t keys[XFS_ACL_MAX_ENTRIES];

	for (uint32_t i = 0; i < entries; i++) {
		struct acl_entry entry = acl_entry_at(value, i);

		keys[i] = (uint64_t)from_le16(entry.tag) << 32 | from_le32(entry.id);
	}
	qsort(keys, entries, sizeof(*keys), compare_keys);
	for (uint32_t i = 1; i < entries; i++)
		if (keys[i] == keys[i - 1])
			return false;
	return true;
}

int xfs_acl_check(const void *value, uint32_t value_len)
{
	uint32_t entries;

	if (!acl_is_valid(value, value_len))
		return -EINVAL;
	entries = xfs_acl_entries(value_len);
	if (entries > XFS_ACL_MAX_ENTRIES)
		return -E2BIG;
	return ids_are_unique(value, entries) ? 0 : -EINVAL;
}

uint32_t xfs_acl_entries(uint32_t value_len)
{
	return (uint32_t)acl_entry_count(value_len);
}

bool xfs_acl_is_trivial(const void *value, uint32_t value_len)
{
	return acl_is_valid(value, value_len) && xfs_acl_entries(value_len) == 3;
}

uint32_t xfs_acl_bytes(uint32_t entries)
{
	return (uint32_t)(sizeof(be32) + entries * sizeof(struct xfs_acl_entry));
}

void xfs_acl_convert(const void *value, uint32_t entries, uint8_t *out)
{
	be32 count = to_be32(entries);

	memcpy(out, &count, sizeof(count));
	out += sizeof(count);
	for (uint32_t i = 0; i < entries; i++) {
		struct acl_entry entry = acl_entry_at(value, i);
		struct xfs_acl_entry stored = {
			.tag = to_be32(from_le16(entry.tag)),
			.id = to_be32(acl_has_id(&entry) ? from_le32(entry.id) : ACL_NO_ID),
			.perm = to_be16(from_le16(entry.perm)),
		};

		memcpy(out, &stored, sizeof(stored));
		out += sizeof(stored);
	}
}

int xfs_acl_count(const uint8_t *value, uint32_t value_len, uint32_t *entries)
{
	be32 count;

	if (value_len < sizeof(count))
		return -EINVAL;
	memcpy(&count, value, sizeof(count));
	*entries = from_be32(count);
	if (*entries > XFS_ACL_MAX_ENTRIES || xfs_acl_bytes(*entries) != value_len)
		return -EINVAL;
	return 0;
}

uint32_t xfs_acl_linux_bytes(uint32_t entries)
{
	return (uint32_t)(sizeof(struct acl_header) + entries * sizeof(struct acl_entry));
}

void xfs_acl_restore(const uint8_t *value, uint32_t entries, uint8_t *out)
{
	const struct acl_header header = { to_le32(ACL_VERSION) };

	memcpy(out, &header, sizeof(header));
	value += sizeof(be32);
	for (uint32_t i = 0; i < entries; i++) {
		struct xfs_acl_entry stored;
		struct acl_entry entry = { 0 };

		memcpy(&stored, value + i * sizeof(stored), sizeof(stored));
		entry.tag = to_le16((uint16_t)from_be32(stored.tag));
		entry.perm = to_le16(from_be16(stored.perm));
		entry.id = to_le32(acl_has_id(&entry) ? from_be32(stored.id) : ACL_NO_ID);
		acl_set_entry(out, i, &entry);
	}
}
