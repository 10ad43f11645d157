/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/dir.h"

#include "lib/round.h"
#include "plugins/xfs/da.h"
#include "plugins/xfs/dir_data.h"

/* Count, count of large inode numbers, parent. */
#define SHORT_HEAD_BYTES 6u
/* Length, offset, file type, inode number. */
#define SHORT_ENTRY_BYTES 8u

#define DOTS 2u /* "." and ".." */

uint64_t xfs_dir_short_bytes(const struct kataimg_node *node)
{
	uint64_t bytes = SHORT_HEAD_BYTES + (uint64_t)SHORT_ENTRY_BYTES * node->entry_count;

	for (uint32_t i = 0; i < node->entry_count; i++)
		bytes += node->entries[i].name_len;
	return bytes;
}

uint64_t xfs_dir_data_blocks(const struct kataimg_node *node)
{
	uint32_t used = XFS_DIR_DOTS_END;
	uint64_t blocks = 1;

	for (uint32_t i = 0; i < node->entry_count; i++) {
		uint32_t bytes = xfs_dir_entry_bytes(node->entries[i].name_len);

		if (used + bytes > XFS_BLOCK_BYTES) {
			blocks++;
			used = sizeof(struct xfs_dir_data);
		}
		used += bytes;
	}
	return blocks;
}

static bool fits_block(const struct kataimg_node *node)
{
	uint64_t used = XFS_DIR_DOTS_END + sizeof(struct xfs_dir_block_tail) +
			sizeof(struct xfs_dir_leaf_entry) * (node->entry_count + (uint64_t)DOTS);

	for (uint32_t i = 0; i < node->entry_count && used <= XFS_BLOCK_BYTES; i++)
		used += xfs_dir_entry_bytes(node->entries[i].name_len);
	return used <= XFS_BLOCK_BYTES;
}

static bool fits_leaf(const struct kataimg_node *node, uint64_t data_blocks)
{
	return sizeof(struct xfs_da_node) +
		       sizeof(struct xfs_dir_leaf_entry) * (node->entry_count + (uint64_t)DOTS) +
		       sizeof(be16) * data_blocks + sizeof(be32) <=
	       XFS_BLOCK_BYTES;
}

enum xfs_dir_form xfs_dir_choose_form(const struct kataimg_node *node)
{
	if (fits_block(node))
		return XFS_DIR_BLOCK;
	return fits_leaf(node, xfs_dir_data_blocks(node)) ? XFS_DIR_LEAF : XFS_DIR_NODE;
}

struct xfs_dir_shape xfs_dir_shape_of(const struct kataimg_node *node, enum xfs_dir_form form,
				      uint64_t data_blocks)
{
	struct xfs_dir_shape shape = { .form = form };

	if (form == XFS_DIR_SHORT)
		return shape;
	shape.data_blocks = data_blocks;
	if (form == XFS_DIR_LEAF)
		shape.leaf_blocks = 1;
	if (form == XFS_DIR_NODE) {
		shape.leaf_blocks = xfs_da_blocks(xfs_dir_leaves(node));
		shape.free_blocks = div_up(data_blocks, XFS_DIR_FREE_BESTS);
	}
	return shape;
}

uint64_t xfs_dir_size(const struct kataimg_node *node, const struct xfs_dir_shape *shape)
{
	if (shape->form == XFS_DIR_SHORT)
		return xfs_dir_short_bytes(node);
	return shape->data_blocks << XFS_BLOCK_LOG;
}

static uint8_t *put_be16(uint8_t *to, uint32_t value)
{
	be16 disk = to_be16((uint16_t)value);

	memcpy(to, &disk, sizeof(disk));
	return to + sizeof(disk);
}

static uint8_t *put_number(uint8_t *to, uint64_t number)
{
	be32 disk = to_be32((uint32_t)number);

	memcpy(to, &disk, sizeof(disk));
	return to + sizeof(disk);
}

/* Each entry remembers where it would be in a data block. */
void xfs_dir_pack_short(const struct kataimg_node *node, const struct xfs_numbers *numbers,
			uint8_t *fork)
{
	uint32_t offset = XFS_DIR_DOTS_END;
	uint8_t *to = fork + 2;

	fork[0] = (uint8_t)node->entry_count;
	to = put_number(to, xfs_number_of(numbers, node->parent));
	for (uint32_t i = 0; i < node->entry_count; i++) {
		const struct kataimg_entry *entry = &node->entries[i];

		*to++ = (uint8_t)entry->name_len;
		to = put_be16(to, offset);
		memcpy(to, entry->name, entry->name_len);
		to += entry->name_len;
		*to++ = entry->node->type;
		to = put_number(to, xfs_number_of(numbers, entry->node));
		offset += xfs_dir_entry_bytes(entry->name_len);
	}
}
