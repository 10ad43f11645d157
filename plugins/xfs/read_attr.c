/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/xfs/read.h"

/* Nodes above the leaves. */
#define LEVELS_MAX 8

static const struct xfs_block_kind node_kind =
	XFS_BLOCK_KIND("node of attributes", struct xfs_da_block, XFS_DA_NODE_MAGIC);
static const struct xfs_block_kind leaf_kind =
	XFS_BLOCK_KIND("leaf of attributes", struct xfs_da_block, XFS_ATTR_LEAF_MAGIC);

struct attrs {
	struct xfs_reader *reader;
	const struct xfs_found_inode *inode;
	struct xfs_map *map;
	uint8_t *block;
	uint8_t *value; /* XFS_VALUE_BYTES_MAX */
};

static int refuse(const struct attrs *attrs, const char *why)
{
	return window_refuse(&attrs->reader->window, "inode %" PRIu64 " has %s",
			     attrs->inode->number, why);
}

/* ---- In the inode ---- */

static int read_short(const struct attrs *attrs)
{
	const struct xfs_found_fork *fork = &attrs->inode->attr;
	const uint8_t *bytes = attrs->inode->bytes + fork->off;
	struct xfs_attr_short head;
	uint32_t off = sizeof(head), end;

	if (fork->len < sizeof(head))
		return refuse(attrs, "no room for its attributes");
	memcpy(&head, bytes, sizeof(head));
	end = from_be16(head.totsize);
	if (end > fork->len)
		return refuse(attrs, "attributes longer than their place");
	for (uint32_t i = 0; i < head.count; i++) {
		struct xfs_found_attr attr;
		int ret;

		if (off + 3 > end || off + 3 + bytes[off] + bytes[off + 1] > end)
			return refuse(attrs, "an attribute that leaves its place");
		attr = (struct xfs_found_attr){
			.name_len = bytes[off],
			.value_len = bytes[off + 1],
			.flags = bytes[off + 2],
			.name = bytes + off + 3,
			.value = bytes + off + 3 + bytes[off],
		};
		off += 3 + attr.name_len + attr.value_len;
		ret = xfs_reader_report_attr(attrs->reader, attrs->inode, &attr);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- In leaves ---- */

static int read_local(const struct attrs *attrs, uint32_t off, struct xfs_found_attr *attr)
{
	uint32_t end = attrs->reader->block_bytes;
	struct xfs_attr_local local;

	memcpy(&local, attrs->block + off, sizeof(local));
	off += (uint32_t)sizeof(local);
	attr->name_len = local.namelen;
	attr->value_len = from_be16(local.valuelen);
	if (attr->name_len + attr->value_len > end - off)
		return refuse(attrs, "an attribute that leaves its block");
	attr->name = attrs->block + off;
	attr->value = attr->name + attr->name_len;
	return xfs_reader_report_attr(attrs->reader, attrs->inode, attr);
}

static int read_remote(const struct attrs *attrs, uint32_t off, struct xfs_found_attr *attr)
{
	uint32_t end = attrs->reader->block_bytes;
	struct xfs_attr_remote remote;
	int ret;

	if (end - off < sizeof(remote))
		return refuse(attrs, "an attribute that leaves its block");
	memcpy(&remote, attrs->block + off, sizeof(remote));
	off += (uint32_t)sizeof(remote);
	attr->name_len = remote.namelen;
	attr->value_len = from_be32(remote.valuelen);
	if (attr->name_len > end - off)
		return refuse(attrs, "an attribute that leaves its block");
	if (attr->value_len > XFS_VALUE_BYTES_MAX)
		return refuse(attrs, "an attribute that is longer than any");
	attr->name = attrs->block + off;
	attr->value = attrs->value;
	ret = xfs_reader_remote_value(attrs->reader, attrs->inode, attrs->map,
				      from_be32(remote.valueblk), attrs->value, attr->value_len);
	return ret < 0 ? ret : xfs_reader_report_attr(attrs->reader, attrs->inode, attr);
}

static int read_entry(const struct attrs *attrs, uint32_t number)
{
	struct xfs_attr_entry entry;
	struct xfs_found_attr attr = { 0 };
	uint32_t off;

	memcpy(&entry, attrs->block + sizeof(struct xfs_attr_leaf) + number * sizeof(entry),
	       sizeof(entry));
	attr.flags = entry.flags;
	if (entry.flags & (XFS_ATTR_INCOMPLETE | XFS_ATTR_PARENT))
		return 0;
	off = from_be16(entry.nameidx);
	if (off < sizeof(struct xfs_attr_leaf) ||
	    off > attrs->reader->block_bytes - sizeof(struct xfs_attr_local))
		return refuse(attrs, "an attribute outside its block");
	return entry.flags & XFS_ATTR_LOCAL ? read_local(attrs, off, &attr)
					    : read_remote(attrs, off, &attr);
}

static int read_leaf(const struct attrs *attrs, uint32_t *next)
{
	uint32_t room = attrs->reader->block_bytes - (uint32_t)sizeof(struct xfs_attr_leaf);
	struct xfs_attr_leaf leaf;
	uint32_t count;
	int ret = 0;

	memcpy(&leaf, attrs->block, sizeof(leaf));
	*next = from_be32(leaf.head.forw);
	count = from_be16(leaf.count);
	if (count > room / sizeof(struct xfs_attr_entry))
		return refuse(attrs, "more attributes than their block has room for");
	for (uint32_t i = 0; ret == 0 && i < count; i++)
		ret = read_entry(attrs, i);
	return ret;
}

static int load_block(const struct attrs *attrs, uint32_t number, bool *is_leaf)
{
	struct xfs_reader *reader = attrs->reader;
	uint64_t off;
	int ret = xfs_map_read(reader, attrs->inode, attrs->map, number, 1, attrs->block, &off);

	if (ret < 0)
		return ret;
	*is_leaf = !xfs_block_is(attrs->block, &node_kind);
	return xfs_reader_check_block(reader, attrs->block, reader->block_bytes, off,
				      *is_leaf ? &leaf_kind : &node_kind, attrs->inode->number);
}

/* The leaf of the lowest hashes, which the others follow, is in the block afterwards. Neither nodes
 * nor leaves can go in a circle: the map gives each block once. */
static int find_first_leaf(const struct attrs *attrs)
{
	uint32_t number = 0;

	for (uint32_t level = 0; level <= LEVELS_MAX; level++) {
		struct xfs_da_node node;
		struct xfs_da_entry first;
		bool is_leaf;
		int ret = load_block(attrs, number, &is_leaf);

		if (ret < 0 || is_leaf)
			return ret;
		memcpy(&node, attrs->block, sizeof(node));
		if (from_be16(node.count) == 0)
			return refuse(attrs, "a node of attributes that is empty");
		memcpy(&first, attrs->block + sizeof(node), sizeof(first));
		number = from_be32(first.before);
	}
	return refuse(attrs, "attributes behind too many nodes");
}

static int read_leaves(const struct attrs *attrs)
{
	uint32_t next = 0;
	int ret = find_first_leaf(attrs);

	while (ret == 0) {
		bool is_leaf;

		ret = read_leaf(attrs, &next);
		if (ret < 0 || !next)
			return ret;
		ret = load_block(attrs, next, &is_leaf);
		if (ret == 0 && !is_leaf)
			return refuse(attrs, "a node of attributes where a leaf should be");
	}
	return ret;
}

int xfs_reader_attrs(struct xfs_reader *reader, const struct xfs_found_inode *inode)
{
	autocall(xfs_map_free) struct xfs_map map = { 0 };
	struct attrs attrs = { .reader = reader, .inode = inode, .map = &map };
	autofree uint8_t *bytes = NULL;
	int ret;

	if (inode->attr.len == 0 ||
	    (inode->attr.format == XFS_FORK_EXTENTS && inode->attr.extents == 0))
		return 0;
	if (inode->attr.format == XFS_FORK_LOCAL)
		return read_short(&attrs);
	bytes = malloc(reader->block_bytes + XFS_VALUE_BYTES_MAX);
	if (!bytes)
		return -ENOMEM;
	attrs.block = bytes;
	attrs.value = bytes + reader->block_bytes;
	ret = xfs_map_load(reader, inode, &inode->attr, &map);
	return ret < 0 ? ret : read_leaves(&attrs);
}
