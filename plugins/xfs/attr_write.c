/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/attr_write.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "plugins/xfs/da.h"
#include "plugins/xfs/seal.h"

static void put_local(const struct xfs_attr *attr, uint8_t *to)
{
	struct xfs_attr_local record = {
		.valuelen = to_be16((uint16_t)attr->value_len),
		.namelen = attr->name_len,
	};

	memcpy(to, &record, sizeof(record));
	memcpy(to + sizeof(record), attr->name, attr->name_len);
	if (attr->value_len)
		memcpy(to + sizeof(record) + attr->name_len, attr->value, attr->value_len);
}

static void put_remote(const struct xfs_attr *attr, uint64_t value_block, uint8_t *to)
{
	struct xfs_attr_remote record = {
		.valueblk = to_be32((uint32_t)value_block),
		.valuelen = to_be32(attr->value_len),
		.namelen = attr->name_len,
	};

	memcpy(to, &record, sizeof(record));
	memcpy(to + sizeof(record), attr->name, attr->name_len);
}

static void put_record(const struct xfs_attr *attr, uint64_t *value_block, uint8_t *to)
{
	if (xfs_attr_is_local(attr)) {
		put_local(attr, to);
		return;
	}
	put_remote(attr, *value_block, to);
	*value_block += xfs_attr_value_blocks(attr);
}

static struct xfs_attr_entry entry_of(const struct xfs_attr *attr, uint32_t off)
{
	uint32_t local = xfs_attr_is_local(attr) ? XFS_ATTR_LOCAL : 0;

	return (struct xfs_attr_entry){
		.hash = to_be32(attr->hash),
		.nameidx = to_be16((uint16_t)off),
		.flags = (uint8_t)(attr->flags | local),
	};
}

void xfs_attr_pack_leaf(const struct xfs_attrs *attrs, uint32_t first, uint32_t end,
			uint64_t *value_block, uint8_t *bytes)
{
	struct xfs_attr_leaf head = {
		.head.magic = to_be16(XFS_ATTR_LEAF_MAGIC),
		.count = to_be16((uint16_t)(end - first)),
	};
	uint32_t entries_end = sizeof(head);
	uint32_t off = XFS_BLOCK_BYTES;

	for (uint32_t i = first; i < end; i++) {
		const struct xfs_attr *attr = &attrs->items[i];
		struct xfs_attr_entry entry = entry_of(attr, off - xfs_attr_record_bytes(attr));

		off -= xfs_attr_record_bytes(attr);
		put_record(attr, value_block, bytes + off);
		memcpy(bytes + entries_end, &entry, sizeof(entry));
		entries_end += (uint32_t)sizeof(entry);
	}
	head.usedbytes = to_be16((uint16_t)(XFS_BLOCK_BYTES - off));
	head.firstused = to_be16((uint16_t)off);
	head.freemap[0].base = to_be16((uint16_t)entries_end);
	head.freemap[0].size = to_be16((uint16_t)(off - entries_end));
	memcpy(bytes, &head, sizeof(head));
}

static int write_node(struct xfs_fork *fork, const struct xfs_da_tree *tree, uint32_t level,
		      uint32_t index)
{
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(fork, xfs_da_address(tree, level, index), &bytes, &block);

	if (ret < 0)
		return ret;
	xfs_da_pack_node(tree, level, index, bytes);
	xfs_fork_seal_da(fork, block, bytes);
	return 0;
}

static int write_leaves(struct xfs_fork *fork, const struct xfs_attrs *attrs,
			const struct xfs_da_tree *tree)
{
	uint64_t value_block = xfs_da_blocks(tree->count[0]);
	uint32_t first = 0;

	for (uint32_t i = 0; i < tree->count[0]; i++) {
		uint32_t end = xfs_attrs_leaf_end(attrs, first);
		uint64_t block;
		uint8_t *bytes;
		int ret = xfs_fork_take(fork, xfs_da_address(tree, 0, i), &bytes, &block);

		if (ret < 0)
			return ret;
		xfs_attr_pack_leaf(attrs, first, end, &value_block, bytes);
		xfs_da_link(tree, 0, i, bytes);
		xfs_fork_seal_da(fork, block, bytes);
		first = end;
	}
	return 0;
}

static int write_value_block(struct xfs_fork *fork, const struct xfs_attr *attr, uint32_t off,
			     uint64_t file_block)
{
	uint32_t len = attr->value_len - off;
	struct xfs_attr_value head = {
		.magic = to_be32(XFS_ATTR_VALUE_MAGIC),
		.offset = to_be32(off),
		.owner = to_be64(fork->owner),
		.lsn = to_be64(UINT64_MAX),
	};
	uint64_t block;
	uint8_t *bytes;
	int ret = xfs_fork_take(fork, file_block, &bytes, &block);

	if (ret < 0)
		return ret;
	if (len > XFS_ATTR_VALUE_BYTES)
		len = XFS_ATTR_VALUE_BYTES;
	head.bytes = to_be32(len);
	head.blkno = to_be64(xfs_daddr(block));
	memcpy(head.uuid, fork->uuid, sizeof(head.uuid));
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), (const uint8_t *)attr->value + off, len);
	xfs_seal(bytes, XFS_BLOCK_BYTES, offsetof(struct xfs_attr_value, crc));
	return 0;
}

static int write_values(struct xfs_fork *fork, const struct xfs_attrs *attrs, uint64_t file_block)
{
	int ret = 0;

	for (uint32_t i = 0; i < attrs->count; i++) {
		const struct xfs_attr *attr = &attrs->items[i];
		uint32_t blocks = xfs_attr_value_blocks(attr);

		for (uint32_t part = 0; ret == 0 && part < blocks; part++)
			ret = write_value_block(fork, attr, part * XFS_ATTR_VALUE_BYTES,
						file_block++);
	}
	return ret;
}

static int write_tree(struct xfs_fork *fork, const struct xfs_attrs *attrs,
		      const struct xfs_da_tree *tree)
{
	int ret = tree->levels ? write_node(fork, tree, tree->levels, 0) : 0;

	if (ret < 0)
		return ret;
	ret = write_leaves(fork, attrs, tree);
	for (uint32_t level = 1; level < tree->levels; level++)
		for (uint32_t i = 0; ret == 0 && i < tree->count[level]; i++)
			ret = write_node(fork, tree, level, i);
	return ret;
}

static void find_last_hashes(const struct xfs_attrs *attrs, uint32_t *last_hash)
{
	for (uint32_t first = 0; first < attrs->count;) {
		first = xfs_attrs_leaf_end(attrs, first);
		*last_hash++ = attrs->items[first - 1].hash;
	}
}

int xfs_attrs_write(struct xfs_fork *fork, const struct xfs_attrs *attrs)
{
	uint32_t leaves = xfs_attrs_leaves(attrs);
	autofree uint32_t *last_hash = reallocarray(NULL, leaves, sizeof(*last_hash));
	struct xfs_da_tree tree;
	int ret;

	if (!last_hash)
		return -ENOMEM;
	find_last_hashes(attrs, last_hash);
	xfs_da_init(&tree, 0, leaves, last_hash);
	ret = write_tree(fork, attrs, &tree);
	return ret < 0 ? ret : write_values(fork, attrs, xfs_da_blocks(leaves));
}
