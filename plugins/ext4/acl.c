/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/acl.h"

#include "lib/acl.h"

#define ACL_DISK_VERSION 1u

/* The stored entry is a prefix of the other, with or without the id. */
static size_t entry_disk_bytes(const struct acl_entry *entry)
{
	return acl_has_id(entry) ? sizeof(*entry) : offsetof(struct acl_entry, id);
}

size_t ext4_acl_disk_bytes(const void *value, size_t len)
{
	size_t bytes = sizeof(le32);

	for (size_t i = 0; i < acl_entry_count(len); i++) {
		struct acl_entry entry = acl_entry_at(value, i);

		bytes += entry_disk_bytes(&entry);
	}
	return bytes;
}

void ext4_acl_convert(const void *value, size_t len, uint8_t *to)
{
	le32 version = to_le32(ACL_DISK_VERSION);

	memcpy(to, &version, sizeof(version));
	to += sizeof(version);
	for (size_t i = 0; i < acl_entry_count(len); i++) {
		struct acl_entry entry = acl_entry_at(value, i);

		memcpy(to, &entry, entry_disk_bytes(&entry));
		to += entry_disk_bytes(&entry);
	}
}

uint32_t ext4_acl_restore(const uint8_t *disk, size_t len, uint8_t *to, size_t room)
{
	const struct acl_header header = { to_le32(ACL_VERSION) };
	size_t bytes = sizeof(header);
	le32 version;

	if (len < sizeof(version) || room < sizeof(header))
		return 0;
	memcpy(&version, disk, sizeof(version));
	if (from_le32(version) != ACL_DISK_VERSION)
		return 0;
	memcpy(to, &header, sizeof(header));
	for (size_t done = sizeof(version), part; done < len; done += part) {
		struct acl_entry entry = { .id = to_le32(ACL_NO_ID) };

		if (len - done < offsetof(struct acl_entry, id) || room - bytes < sizeof(entry))
			return 0;
		memcpy(&entry, disk + done, offsetof(struct acl_entry, id));
		part = entry_disk_bytes(&entry);
		if (len - done < part)
			return 0;
		memcpy(&entry, disk + done, part);
		memcpy(to + bytes, &entry, sizeof(entry));
		bytes += sizeof(entry);
	}
	return (uint32_t)bytes;
}
