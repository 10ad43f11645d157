/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/xattr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/acl.h"
#include "lib/crc32c.h"
#include "lib/round.h"
#include "plugins/ext4/acl.h"

/* A list of entries ends with four zero bytes. */
#define LIST_END_BYTES 4u
#define INODE_CAPACITY (EXT4_XATTR_SPACE - sizeof(le32) - LIST_END_BYTES)
#define BLOCK_CAPACITY (EXT4_BLOCK_BYTES - sizeof(struct ext4_xattr_header) - LIST_END_BYTES)

/* Sums of sizes, in units of four bytes: a bit for each up to the inode's capacity. */
#define INODE_SUMS ((UINT32_C(2) << INODE_CAPACITY / 4) - 1)

#define INDEX_ACL_ACCESS 2
#define INDEX_ACL_DEFAULT 3

/* The namespaces that the kernel reads back from ext4. */
static const struct {
	const char *prefix;
	uint8_t index;
	bool whole; /* the name is the prefix itself */
} prefixes[] = {
	{ "user.", 1, false },
	{ ACL_ACCESS_NAME, INDEX_ACL_ACCESS, true },
	{ ACL_DEFAULT_NAME, INDEX_ACL_DEFAULT, true },
	{ "trusted.", 4, false },
	{ "security.", 6, false },
};

static uint32_t entry_bytes(const struct ext4_xattr *attr)
{
	return (uint32_t)(sizeof(struct ext4_xattr_entry) + round_up(attr->name_len, 4));
}

static uint32_t stored_bytes(const struct ext4_xattr *attr)
{
	return entry_bytes(attr) + (uint32_t)round_up(attr->value_bytes, 4);
}

static bool is_acl(const struct ext4_xattr *attr)
{
	return attr->name_index == INDEX_ACL_ACCESS || attr->name_index == INDEX_ACL_DEFAULT;
}

static bool parse_name(struct ext4_xattr *attr)
{
	const struct kataimg_xattr *source = attr->source;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i].prefix);

		if (source->name_len < len || memcmp(source->name, prefixes[i].prefix, len) != 0)
			continue;
		if (prefixes[i].whole != (source->name_len == len) ||
		    source->name_len - len > UINT8_MAX)
			return false;
		attr->name_index = prefixes[i].index;
		attr->name = source->name + len;
		attr->name_len = (uint8_t)(source->name_len - len);
		return true;
	}
	return false;
}

static int parse_attr(struct ext4_xattr *attr, const struct kataimg_xattr *source, char *reason,
		      size_t reason_size)
{
	*attr = (struct ext4_xattr){ .source = source, .value_bytes = source->value_len };
	if (!parse_name(attr)) {
		snprintf(reason, reason_size, "ext4 has no namespace for the extended attribute %s",
			 source->name);
		return -EFBIG;
	}
	if (!is_acl(attr))
		return 0;
	if (!acl_is_valid(source->value, source->value_len)) {
		snprintf(reason, reason_size, "%s is not a valid access control list",
			 source->name);
		return -EFBIG;
	}
	attr->value_bytes = (uint32_t)ext4_acl_disk_bytes(source->value, source->value_len);
	return 0;
}

/* Largest first; the list came sorted by name, whose order decides among equals. */
static int compare_size(const void *a, const void *b)
{
	const struct ext4_xattr *left = a, *right = b;

	if (stored_bytes(left) != stored_bytes(right))
		return stored_bytes(left) > stored_bytes(right) ? -1 : 1;
	return left->source < right->source ? -1 : 1;
}

/* The order that the kernel searches a block in. */
static int compare_name(const void *a, const void *b)
{
	const struct ext4_xattr *left = a, *right = b;

	if (left->name_index != right->name_index)
		return left->name_index < right->name_index ? -1 : 1;
	if (left->name_len != right->name_len)
		return left->name_len < right->name_len ? -1 : 1;
	return memcmp(left->name, right->name, left->name_len);
}

/*
 * Marks what fills the inode best, so that what any split could store is stored. sums[i] has the
 * sums that some of the first i attributes make; an attribute is taken where those before it, which
 * are not smaller, do not make the sum.
 */
static void choose_for_inode(const struct ext4_xattr_set *set, bool *chosen)
{
	uint32_t sums[EXT4_XATTRS_MAX + 1] = { 1 };
	uint32_t sum;

	for (uint32_t i = 0; i < set->count; i++) {
		uint32_t units = stored_bytes(&set->attrs[i]) / 4;

		sums[i + 1] = sums[i];
		if (units <= INODE_CAPACITY / 4)
			sums[i + 1] |= sums[i] << units & INODE_SUMS;
	}
	sum = 31 - (uint32_t)__builtin_clz(sums[set->count]);
	for (uint32_t i = set->count; i-- > 0;) {
		chosen[i] = !(sums[i] >> sum & 1);
		if (chosen[i])
			sum -= stored_bytes(&set->attrs[i]) / 4;
	}
}

/* Moves to the front what goes into the inode; returns the bytes of the others. */
static uint64_t split_set(struct ext4_xattr_set *set)
{
	bool chosen[EXT4_XATTRS_MAX];
	uint64_t block_bytes = 0;

	qsort(set->attrs, set->count, sizeof(set->attrs[0]), compare_size);
	choose_for_inode(set, chosen);
	for (uint32_t i = 0; i < set->count; i++) {
		struct ext4_xattr attr = set->attrs[i];

		if (!chosen[i]) {
			block_bytes += stored_bytes(&attr);
			continue;
		}
		set->attrs[i] = set->attrs[set->in_inode];
		set->attrs[set->in_inode++] = attr;
	}
	qsort(set->attrs, set->in_inode, sizeof(set->attrs[0]), compare_name);
	qsort(set->attrs + set->in_inode, set->count - set->in_inode, sizeof(set->attrs[0]),
	      compare_name);
	return block_bytes;
}

int ext4_xattr_set_read(struct ext4_xattr_set *set, const struct kataimg_node *node, char *reason,
			size_t reason_size)
{
	uint64_t block_bytes;

	set->count = node->xattr_count;
	set->in_inode = 0;
	if (node->xattr_count > EXT4_XATTRS_MAX) {
		snprintf(reason, reason_size,
			 "%u extended attributes do not fit the inode and one block of %u bytes",
			 node->xattr_count, EXT4_BLOCK_BYTES);
		return -EFBIG;
	}
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		int ret = parse_attr(&set->attrs[i], &node->xattrs[i], reason, reason_size);

		if (ret < 0)
			return ret;
	}
	block_bytes = split_set(set);
	if (block_bytes > BLOCK_CAPACITY) {
		snprintf(reason, reason_size,
			 "extended attributes: %" PRIu64
			 " bytes are left for the block, which holds %zu",
			 block_bytes, (size_t)BLOCK_CAPACITY);
		return -EFBIG;
	}
	return 0;
}

static void put_value(const struct ext4_xattr *attr, uint8_t *to)
{
	if (is_acl(attr))
		ext4_acl_convert(attr->source->value, attr->source->value_len, to);
	else if (attr->value_bytes)
		memcpy(to, attr->source->value, attr->value_bytes);
}

/* Entries grow from the start of list, values from its end; offsets count from base. Hashes belong
 * to blocks only. */
static void pack_list(const struct ext4_xattr *attrs, uint32_t count, uint8_t *base, uint8_t *list,
		      uint8_t *end, bool hashed)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct ext4_xattr *attr = &attrs[i];
		struct ext4_xattr_entry entry = {
			.name_len = attr->name_len,
			.name_index = attr->name_index,
			.value_size = to_le32(attr->value_bytes),
		};

		end -= round_up(attr->value_bytes, 4);
		put_value(attr, end);
		if (attr->value_bytes)
			entry.value_offs = to_le16((uint16_t)(end - base));
		if (hashed)
			entry.hash = to_le32(ext4_xattr_hash(attr->name, attr->name_len, end,
							     attr->value_bytes));
		memcpy(list, &entry, sizeof(entry));
		memcpy(list + sizeof(entry), attr->name, attr->name_len);
		list += entry_bytes(attr);
	}
}

void ext4_xattr_pack_inode(const struct ext4_xattr_set *set, uint8_t space[EXT4_XATTR_SPACE])
{
	le32 magic = to_le32(EXT4_XATTR_MAGIC);
	uint8_t *list = space + sizeof(magic);

	if (set->in_inode == 0)
		return;
	memcpy(space, &magic, sizeof(magic));
	pack_list(set->attrs, set->in_inode, list, list, space + EXT4_XATTR_SPACE, false);
}

uint32_t ext4_xattr_hash(const char *name, size_t name_len, const uint8_t *value,
			 size_t value_bytes)
{
	uint32_t hash = 0;

	for (size_t i = 0; i < name_len; i++)
		hash = (hash << 5 | hash >> 27) ^ (uint8_t)name[i];
	for (size_t at = 0; at < value_bytes; at += sizeof(le32)) {
		le32 word;

		memcpy(&word, value + at, sizeof(word));
		hash = (hash << 16 | hash >> 16) ^ from_le32(word);
	}
	return hash;
}

/* The block's hash is made of its entries' hashes; an entry without one makes the block unshared.
 */
static uint32_t block_hash(const struct ext4_xattr_set *set, const uint8_t *list)
{
	uint32_t hash = 0;

	for (uint32_t i = set->in_inode; i < set->count; i++) {
		struct ext4_xattr_entry entry;

		memcpy(&entry, list, sizeof(entry));
		if (from_le32(entry.hash) == 0)
			return 0;
		hash = (hash << 16 | hash >> 16) ^ from_le32(entry.hash);
		list += entry_bytes(&set->attrs[i]);
	}
	return hash;
}

void ext4_xattr_pack_block(const struct ext4_xattr_set *set, uint8_t block[EXT4_BLOCK_BYTES])
{
	uint8_t *list = block + sizeof(struct ext4_xattr_header);
	struct ext4_xattr_header header = {
		.magic = to_le32(EXT4_XATTR_MAGIC),
		.blocks = to_le32(1),
	};

	pack_list(set->attrs + set->in_inode, set->count - set->in_inode, block, list,
		  block + EXT4_BLOCK_BYTES, true);
	header.hash = to_le32(block_hash(set, list));
	memcpy(block, &header, sizeof(header));
}

void ext4_xattr_seal_block(uint8_t block[EXT4_BLOCK_BYTES], uint32_t csum_seed, uint64_t number,
			   uint32_t refcount)
{
	struct ext4_xattr_header header;
	le64 disk_number = to_le64(number);
	uint32_t crc = crc32c(csum_seed, &disk_number, sizeof(disk_number));

	memcpy(&header, block, sizeof(header));
	header.refcount = to_le32(refcount);
	header.checksum = to_le32(0);
	memcpy(block, &header, sizeof(header));
	header.checksum = to_le32(crc32c(crc, block, EXT4_BLOCK_BYTES));
	memcpy(block, &header, sizeof(header));
}
