/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/acl.h"

#include <errno.h>
#include <stdbool.h>

#include "ondisk/byteorder.h"

#define ACL_XATTR_VERSION 2u
#define ACL_DISK_VERSION 1u
#define ACL_TAG_USER 0x02u
#define ACL_TAG_GROUP 0x08u

struct acl_xattr_entry {
	le16 tag;
	le16 perm;
	le32 id;
};

struct acl_disk_entry {
	le16 tag;
	le16 perm;
};

static bool has_id(const struct acl_xattr_entry *entry)
{
	uint16_t tag = from_le16(entry->tag);

	return tag == ACL_TAG_USER || tag == ACL_TAG_GROUP;
}

static size_t entry_disk_bytes(const struct acl_xattr_entry *entry)
{
	return sizeof(struct acl_disk_entry) + (has_id(entry) ? sizeof(le32) : 0);
}

int64_t ext4_acl_disk_bytes(const void *value, size_t len)
{
	const uint8_t *from = value;
	int64_t bytes = sizeof(le32);
	le32 version;

	if (len < sizeof(version) || (len - sizeof(version)) % sizeof(struct acl_xattr_entry))
		return -EINVAL;
	memcpy(&version, from, sizeof(version));
	if (from_le32(version) != ACL_XATTR_VERSION)
		return -EINVAL;
	for (size_t at = sizeof(version); at < len; at += sizeof(struct acl_xattr_entry)) {
		struct acl_xattr_entry entry;

		memcpy(&entry, from + at, sizeof(entry));
		bytes += entry_disk_bytes(&entry);
	}
	return bytes;
}

void ext4_acl_convert(const void *value, size_t len, uint8_t *to)
{
	const uint8_t *from = value;
	le32 version = to_le32(ACL_DISK_VERSION);

	memcpy(to, &version, sizeof(version));
	to += sizeof(version);
	for (size_t at = sizeof(version); at < len; at += sizeof(struct acl_xattr_entry)) {
		struct acl_xattr_entry entry;

		/* The stored entry is a prefix of the other, with or without the id. */
		memcpy(&entry, from + at, sizeof(entry));
		memcpy(to, &entry, entry_disk_bytes(&entry));
		to += entry_disk_bytes(&entry);
	}
}
