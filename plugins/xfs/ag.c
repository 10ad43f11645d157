/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/ag.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "plugins/xfs/btree.h"
#include "plugins/xfs/log.h"
#include "plugins/xfs/seal.h"

/* The free list is a ring; as mkfs.xfs does, slot 0 stays empty. */
#define AGFL_FIRST_SLOT 1u

static uint32_t levels_for(const struct xfs_btree_kind *kind, uint64_t records)
{
	struct xfs_btree tree;

	xfs_btree_init(&tree, kind, records);
	return tree.levels;
}

/* Unused inodes are all in the last chunk. */
static uint32_t ag_free_inodes(const struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_layout *layout = job->layout;
	uint64_t chunks = job->chunks_before + layout->ags[agno].chunks;

	if (layout->ags[agno].chunks == 0 || chunks < layout->chunk_count)
		return 0;
	return (uint32_t)layout->totals.ifree;
}

static void pack_agf(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	const struct xfs_ag *ag = &job->layout->ags[agno];
	struct xfs_agf agf = {
		.magic = to_be32(XFS_AGF_MAGIC),
		.version = to_be32(XFS_AG_VERSION),
		.seqno = to_be32(agno),
		.length = to_be32(ag->length),
		.bno_root = to_be32(xfs_ag_root(geo, xfs_bnobt.root)),
		.cnt_root = to_be32(xfs_ag_root(geo, xfs_cntbt.root)),
		.bno_level = to_be32(levels_for(&xfs_bnobt, ag->free_runs)),
		.cnt_level = to_be32(levels_for(&xfs_cntbt, ag->free_runs)),
		.flfirst = to_be32(AGFL_FIRST_SLOT),
		.fllast = to_be32(AGFL_FIRST_SLOT + ag->agfl_count - 1),
		.flcount = to_be32(ag->agfl_count),
		.freeblks = to_be32(ag->free_blocks),
		.longest = to_be32(ag->longest),
		.btreeblks = to_be32(ag->btree_blocks),
	};

	memcpy(agf.uuid, job->identity->uuid, sizeof(agf.uuid));
	memcpy(bytes, &agf, sizeof(agf));
	xfs_seal(bytes, geo->params.sector_bytes, offsetof(struct xfs_agf, crc));
}

static void pack_agi(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	const struct xfs_ag *ag = &job->layout->ags[agno];
	uint32_t free_inodes = ag_free_inodes(job, agno);
	uint32_t last_chunk = ag->chunk_start + (ag->chunks - 1) * XFS_CHUNK_BLOCKS;
	struct xfs_agi agi = {
		.magic = to_be32(XFS_AGI_MAGIC),
		.version = to_be32(XFS_AG_VERSION),
		.seqno = to_be32(agno),
		.length = to_be32(ag->length),
		.count = to_be32(ag->chunks * XFS_CHUNK_INODES),
		.root = to_be32(xfs_ag_root(geo, xfs_inobt.root)),
		.level = to_be32(levels_for(&xfs_inobt, ag->chunks)),
		.freecount = to_be32(free_inodes),
		.newino = to_be32(ag->chunks ? last_chunk * XFS_INODES_PER_BLOCK : XFS_NULL_AGINO),
		.dirino = to_be32(XFS_NULL_AGINO),
		.free_root = to_be32(xfs_ag_root(geo, xfs_finobt.root)),
		.free_level = to_be32(levels_for(&xfs_finobt, free_inodes != 0)),
	};

	memset(agi.unlinked, 0xff, sizeof(agi.unlinked));
	memcpy(agi.uuid, job->identity->uuid, sizeof(agi.uuid));
	if (geo->params.modern) {
		agi.iblocks = to_be32(1 + ag->inobt_blocks);
		agi.fblocks = to_be32(1);
	}
	memcpy(bytes, &agi, sizeof(agi));
	xfs_seal(bytes, geo->params.sector_bytes, offsetof(struct xfs_agi, crc));
}

/* Block number `index` of the free list: first those that every AG has, then what was taken. */
static uint32_t freelist_block(const struct xfs_ag_job *job, uint32_t agno, uint32_t index)
{
	const struct xfs_ag *ag = &job->layout->ags[agno];

	if (index < XFS_AGFL_BLOCKS)
		return xfs_ag_freelist(&job->layout->geo, agno) + index;
	return job->agspace.taken.items[ag->btree_blocks + index - XFS_AGFL_BLOCKS];
}

static void pack_agfl(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
{
	uint32_t sector_bytes = job->layout->geo.params.sector_bytes;
	struct xfs_agfl agfl = { .magic = to_be32(XFS_AGFL_MAGIC), .seqno = to_be32(agno) };
	size_t slots = (sector_bytes - sizeof(agfl)) / sizeof(be32);
	uint8_t *slot = bytes + sizeof(agfl);

	memcpy(agfl.uuid, job->identity->uuid, sizeof(agfl.uuid));
	memcpy(bytes, &agfl, sizeof(agfl));
	memset(slot, 0xff, slots * sizeof(be32));
	slot += AGFL_FIRST_SLOT * sizeof(be32);
	for (uint32_t i = 0; i < job->layout->ags[agno].agfl_count; i++) {
		be32 block = to_be32(freelist_block(job, agno, i));

		memcpy(slot + i * sizeof(block), &block, sizeof(block));
	}
	xfs_seal(bytes, sector_bytes, offsetof(struct xfs_agfl, crc));
}

/* Header sectors of AG agno, each sealed, into zeros; the free list from job->agspace. */
static void pack_header(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
{
	const struct xfs_layout *layout = job->layout;
	uint32_t sector_bytes = layout->geo.params.sector_bytes;

	xfs_super_pack(&layout->geo, job->identity, &layout->totals, bytes);
	pack_agf(job, agno, bytes + sector_bytes);
	pack_agi(job, agno, bytes + 2 * sector_bytes);
	pack_agfl(job, agno, bytes + 3 * sector_bytes);
}

static int compare_lengths(const void *left, const void *right)
{
	const struct xfs_run *a = left;
	const struct xfs_run *b = right;

	if (a->blocks != b->blocks)
		return a->blocks < b->blocks ? -1 : 1;
	return (a->start > b->start) - (a->start < b->start);
}

static int write_tree(const struct xfs_ag_job *job, uint32_t agno,
		      const struct xfs_btree_kind *kind, const void *records, uint64_t count,
		      const uint32_t *blocks)
{
	struct xfs_btree tree;

	xfs_btree_init(&tree, kind, count);
	tree.records = records;
	tree.blocks = blocks;
	return xfs_btree_write(&tree, job->writer, &job->layout->geo, job->identity->uuid, agno);
}

static int write_free_tree(const struct xfs_ag_job *job, uint32_t agno,
			   const struct xfs_btree_kind *kind, const uint32_t *blocks)
{
	const struct xfs_run *runs = job->agspace.runs.items;
	size_t count = job->agspace.runs.count;
	autofree struct xfs_free_record *records = reallocarray(NULL, count + 1, sizeof(*records));

	if (!records)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		records[i] = (struct xfs_free_record){
			.startblock = to_be32(runs[i].start),
			.blockcount = to_be32(runs[i].blocks),
		};
	return write_tree(job, agno, kind, records, count, blocks);
}

static int write_free_trees(struct xfs_ag_job *job, uint32_t agno)
{
	struct xfs_agspace *agspace = &job->agspace;
	const uint32_t *taken = agspace->taken.items;
	int ret = write_free_tree(job, agno, &xfs_bnobt, taken);

	if (ret < 0)
		return ret;
	if (agspace->runs.count)
		qsort(agspace->runs.items, agspace->runs.count, sizeof(*agspace->runs.items),
		      compare_lengths);
	return write_free_tree(job, agno, &xfs_cntbt,
			       taken ? taken + agspace->btree_blocks / 2 : NULL);
}

static struct xfs_chunk_record chunk_record(const struct xfs_ag *ag, uint32_t chunk,
					    uint32_t free_inodes)
{
	uint64_t mask = free_inodes ? UINT64_MAX << (XFS_CHUNK_INODES - free_inodes) : 0;
	uint32_t agbno = ag->chunk_start + chunk * XFS_CHUNK_BLOCKS;

	return (struct xfs_chunk_record){
		.startino = to_be32(agbno * XFS_INODES_PER_BLOCK),
		.count = XFS_CHUNK_INODES,
		.freecount = (uint8_t)free_inodes,
		.free = to_be64(mask),
	};
}

static int write_inode_trees(const struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_ag *ag = &job->layout->ags[agno];
	uint32_t free_inodes = ag_free_inodes(job, agno);
	autofree struct xfs_chunk_record *records =
		reallocarray(NULL, ag->chunks + (size_t)1, sizeof(*records));
	autofree uint32_t *blocks =
		reallocarray(NULL, ag->inobt_blocks + (size_t)1, sizeof(*blocks));
	int ret;

	if (!records || !blocks)
		return -ENOMEM;
	for (uint32_t i = 0; i < ag->chunks; i++)
		records[i] = chunk_record(ag, i, i + 1 == ag->chunks ? free_inodes : 0);
	for (uint32_t i = 0; i < ag->inobt_blocks; i++)
		blocks[i] = ag->inobt_start + i;
	ret = write_tree(job, agno, &xfs_inobt, records, ag->chunks, blocks);
	if (ret < 0)
		return ret;
	return write_tree(job, agno, &xfs_finobt, ag->chunks ? &records[ag->chunks - 1] : NULL,
			  free_inodes != 0, NULL);
}

static int write_header(const struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	uint8_t *bytes;
	int ret = writer_take(job->writer, xfs_ag_start(geo, agno) << XFS_BLOCK_LOG,
			      (size_t)xfs_ag_root(geo, 0) << XFS_BLOCK_LOG, &bytes);

	if (ret < 0)
		return ret;
	pack_header(job, agno, bytes);
	return 0;
}

static int write_log(const struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	uint64_t block = xfs_ag_start(geo, agno) + xfs_ag_log_start(geo);
	uint8_t *bytes;
	int ret = writer_take(job->writer, block << XFS_BLOCK_LOG, XFS_BLOCK_BYTES, &bytes);

	if (ret < 0)
		return ret;
	xfs_log_pack(geo->params.sector_bytes, job->identity->uuid, bytes);
	return 0;
}

int xfs_ag_write(struct xfs_ag_job *job, uint32_t agno)
{
	int ret = xfs_agspace_collect(&job->agspace, job->layout, agno);

	if (ret < 0)
		return ret;
	ret = write_header(job, agno);
	if (ret < 0)
		return ret;
	ret = write_free_trees(job, agno);
	if (ret < 0)
		return ret;
	ret = write_inode_trees(job, agno);
	job->chunks_before += job->layout->ags[agno].chunks;
	if (ret < 0 || agno != job->layout->geo.log_ag)
		return ret;
	return write_log(job, agno);
}
