/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/acl.h"

#include <stdint.h>
#include <string.h>

#define ACL_PERM_MAX 7u

bool acl_is_name(const char *name)
{
	return strcmp(name, ACL_ACCESS_NAME) == 0 || strcmp(name, ACL_DEFAULT_NAME) == 0;
}

size_t acl_entry_count(size_t len)
{
	size_t header = sizeof(struct acl_header);

	return len < header ? 0 : (len - header) / sizeof(struct acl_entry);
}

static size_t entry_off(size_t number)
{
	return sizeof(struct acl_header) + number * sizeof(struct acl_entry);
}

struct acl_entry acl_entry_at(const void *value, size_t number)
{
	struct acl_entry entry;

	memcpy(&entry, (const uint8_t *)value + entry_off(number), sizeof(entry));
	return entry;
}

void acl_set_entry(void *value, size_t number, const struct acl_entry *entry)
{
	memcpy((uint8_t *)value + entry_off(number), entry, sizeof(*entry));
}

bool acl_has_id(const struct acl_entry *entry)
{
	uint16_t tag = from_le16(entry->tag);

	return tag == ACL_USER || tag == ACL_GROUP;
}

static bool is_entry(const struct acl_entry *entry)
{
	uint16_t tag = from_le16(entry->tag);

	return tag && !(tag & (tag - 1)) && tag <= ACL_OTHER &&
	       from_le16(entry->perm) <= ACL_PERM_MAX &&
	       !(acl_has_id(entry) && from_le32(entry->id) == ACL_NO_ID);
}

/* In the order of their tags, users and groups as often as one likes, a mask when there are any. */
static bool entries_are_valid(const void *value, size_t count)
{
	const uint32_t always = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
	uint32_t seen = 0, last = 0;

	for (size_t i = 0; i < count; i++) {
		struct acl_entry entry = acl_entry_at(value, i);
		uint32_t tag = from_le16(entry.tag);

		if (!is_entry(&entry) || tag < last || (tag == last && !acl_has_id(&entry)))
			return false;
		seen |= tag;
		last = tag;
	}
	return (seen & always) == always && (seen & ACL_MASK || !(seen & (ACL_USER | ACL_GROUP)));
}

bool acl_is_valid(const void *value, size_t len)
{
	struct acl_header header;

	if (len < sizeof(header) || (len - sizeof(header)) % sizeof(struct acl_entry))
		return false;
	memcpy(&header, value, sizeof(header));
	return from_le32(header.version) == ACL_VERSION &&
	       entries_are_valid(value, acl_entry_count(len));
}
