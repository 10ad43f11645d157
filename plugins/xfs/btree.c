/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/btree.h"

#include "lib/round.h"
#include "plugins/xfs/seal.h"

#define BODY_BYTES (XFS_BLOCK_BYTES - (uint32_t)sizeof(struct xfs_short_btree))

const struct xfs_btree_kind xfs_bnobt = { XFS_BNOBT_MAGIC, 0, sizeof(struct xfs_free_record),
					  sizeof(struct xfs_free_record) };
const struct xfs_btree_kind xfs_cntbt = { XFS_CNTBT_MAGIC, 1, sizeof(struct xfs_free_record),
					  sizeof(struct xfs_free_record) };
const struct xfs_btree_kind xfs_inobt = { XFS_INOBT_MAGIC, 2, sizeof(struct xfs_chunk_record),
					  sizeof(be32) };
const struct xfs_btree_kind xfs_finobt = { XFS_FINOBT_MAGIC, 3, sizeof(struct xfs_chunk_record),
					   sizeof(be32) };

static uint32_t max_records(const struct xfs_btree_kind *kind)
{
	return BODY_BYTES / kind->record_bytes;
}

static uint32_t max_keys(const struct xfs_btree_kind *kind)
{
	return BODY_BYTES / (kind->key_bytes + (uint32_t)sizeof(be32));
}

void xfs_btree_init(struct xfs_btree *tree, const struct xfs_btree_kind *kind,
		    uint64_t record_count)
{
	uint32_t blocks = (uint32_t)div_up(record_count, max_records(kind));

	*tree = (struct xfs_btree){ .kind = kind, .record_count = record_count };
	tree->count[tree->levels++] = blocks ? blocks : 1;
	while (tree->count[tree->levels - 1] > 1) {
		blocks = (uint32_t)div_up(tree->count[tree->levels - 1], max_keys(kind));
		tree->count[tree->levels++] = blocks;
	}
}

uint32_t xfs_btree_blocks(const struct xfs_btree *tree)
{
	uint32_t blocks = 0;

	for (uint32_t level = 0; level + 1 < tree->levels; level++)
		blocks += tree->count[level];
	return blocks;
}

static uint32_t block_agbno(const struct xfs_btree *tree, const struct xfs_geometry *geo,
			    uint32_t level, uint32_t index)
{
	if (level + 1 == tree->levels)
		return xfs_ag_root(geo, tree->kind->root);
	for (uint32_t below = 0; below < level; below++)
		index += tree->count[below];
	return tree->blocks[index];
}

/* The first record or block under a block. */
static uint64_t first_below(const struct xfs_btree *tree, uint32_t level, uint32_t index)
{
	uint64_t below = level ? tree->count[level - 1] : tree->record_count;

	return xfs_part_begin(below, tree->count[level], index);
}

static const void *record_at(const struct xfs_btree *tree, uint64_t index)
{
	return (const uint8_t *)tree->records + index * tree->kind->record_bytes;
}

static const void *first_key(const struct xfs_btree *tree, uint32_t level, uint32_t index)
{
	uint64_t first = first_below(tree, level, index);

	while (level-- > 0)
		first = first_below(tree, level, (uint32_t)first);
	return record_at(tree, first);
}

static void pack_children(const struct xfs_btree *tree, const struct xfs_geometry *geo,
			  uint32_t level, uint32_t first, uint32_t count, uint8_t *body)
{
	uint32_t key_bytes = tree->kind->key_bytes;
	uint8_t *pointers = body + max_keys(tree->kind) * key_bytes;

	for (uint32_t i = 0; i < count; i++) {
		be32 pointer = to_be32(block_agbno(tree, geo, level - 1, first + i));

		memcpy(body + i * key_bytes, first_key(tree, level - 1, first + i), key_bytes);
		memcpy(pointers + i * sizeof(pointer), &pointer, sizeof(pointer));
	}
}

static be32 sibling(const struct xfs_btree *tree, const struct xfs_geometry *geo, uint32_t level,
		    uint32_t index)
{
	if (index >= tree->count[level])
		return to_be32(XFS_NULL_AGBLOCK);
	return to_be32(block_agbno(tree, geo, level, index));
}

void xfs_btree_pack(const struct xfs_btree *tree, const struct xfs_geometry *geo,
		    const uint8_t *uuid, uint32_t agno, uint32_t level, uint32_t index,
		    uint8_t *bytes)
{
	uint64_t first = first_below(tree, level, index);
	uint64_t count = first_below(tree, level, index + 1) - first;
	uint64_t block = xfs_ag_start(geo, agno) + block_agbno(tree, geo, level, index);
	uint8_t *body = bytes + sizeof(struct xfs_short_btree);
	struct xfs_short_btree head = {
		.magic = to_be32(tree->kind->magic),
		.level = to_be16((uint16_t)level),
		.numrecs = to_be16((uint16_t)count),
		.leftsib = sibling(tree, geo, level, index - 1),
		.rightsib = sibling(tree, geo, level, index + 1),
		.blkno = to_be64(xfs_daddr(block)),
		.owner = to_be32(agno),
	};

	memcpy(head.uuid, uuid, sizeof(head.uuid));
	memcpy(bytes, &head, sizeof(head));
	if (level)
		pack_children(tree, geo, level, (uint32_t)first, (uint32_t)count, body);
	else if (count)
		memcpy(body, record_at(tree, first), (size_t)count * tree->kind->record_bytes);
}

static int write_block(const struct xfs_btree *tree, struct writer *writer,
		       const struct xfs_geometry *geo, const uint8_t *uuid, uint32_t agno,
		       uint32_t level, uint32_t index)
{
	uint64_t block = xfs_ag_start(geo, agno) + block_agbno(tree, geo, level, index);
	uint8_t *bytes;
	int ret = writer_take(writer, block << XFS_BLOCK_LOG, XFS_BLOCK_BYTES, &bytes);

	if (ret < 0)
		return ret;
	xfs_btree_pack(tree, geo, uuid, agno, level, index, bytes);
	xfs_seal(bytes, XFS_BLOCK_BYTES, offsetof(struct xfs_short_btree, crc));
	return 0;
}

int xfs_btree_write(const struct xfs_btree *tree, struct writer *writer,
		    const struct xfs_geometry *geo, const uint8_t *uuid, uint32_t agno)
{
	int ret = 0;

	for (uint32_t level = tree->levels; level-- > 0;)
		for (uint32_t i = 0; ret == 0 && i < tree->count[level]; i++)
			ret = write_block(tree, writer, geo, uuid, agno, level, i);
	return ret;
}
