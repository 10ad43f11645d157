/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/ag.h"

#include <errno.h>
#include <stdlib.h>

#include "plugins/xfs/btree.h"
#include "plugins/xfs/log.h"

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
	struct xfs_agf *agf = (void *)bytes;

	agf->magic = to_be32(XFS_AGF_MAGIC);
	agf->version = to_be32(XFS_AG_VERSION);
	agf->seqno = to_be32(agno);
	agf->length = to_be32(ag->length);
	agf->bno_root = to_be32(xfs_ag_root(geo, xfs_bnobt.root));
	agf->cnt_root = to_be32(xfs_ag_root(geo, xfs_cntbt.root));
	agf->bno_level = to_be32(levels_for(&xfs_bnobt, ag->free_runs));
	agf->cnt_level = to_be32(levels_for(&xfs_cntbt, ag->free_runs));
	agf->flfirst = to_be32(AGFL_FIRST_SLOT);
	agf->fllast = to_be32(AGFL_FIRST_SLOT + ag->agfl_count - 1);
	agf->flcount = to_be32(ag->agfl_count);
	agf->freeblks = to_be32(ag->free_blocks);
	agf->longest = to_be32(ag->longest);
	agf->btreeblks = to_be32(ag->btree_blocks);
	memcpy(agf->uuid, job->identity->uuid, sizeof(agf->uuid));
	xfs_seal(bytes, geo->params.sector_bytes, offsetof(struct xfs_agf, crc));
}

static void pack_agi(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	const struct xfs_ag *ag = &job->layout->ags[agno];
	uint32_t free_inodes = ag_free_inodes(job, agno);
	uint32_t last_chunk = ag->chunk_start + (ag->chunks - 1) * XFS_CHUNK_BLOCKS;
	struct xfs_agi *agi = (void *)bytes;

	agi->magic = to_be32(XFS_AGI_MAGIC);
	agi->version = to_be32(XFS_AG_VERSION);
	agi->seqno = to_be32(agno);
	agi->length = to_be32(ag->length);
	agi->count = to_be32(ag->chunks * XFS_CHUNK_INODES);
	agi->root = to_be32(xfs_ag_root(geo, xfs_inobt.root));
	agi->level = to_be32(levels_for(&xfs_inobt, ag->chunks));
	agi->freecount = to_be32(free_inodes);
	agi->newino = to_be32(ag->chunks ? last_chunk * XFS_INODES_PER_BLOCK : XFS_NULL_AGINO);
	agi->dirino = to_be32(XFS_NULL_AGINO);
	memset(agi->unlinked, 0xff, sizeof(agi->unlinked));
	memcpy(agi->uuid, job->identity->uuid, sizeof(agi->uuid));
	agi->free_root = to_be32(xfs_ag_root(geo, xfs_finobt.root));
	agi->free_level = to_be32(levels_for(&xfs_finobt, free_inodes != 0));
	if (geo->params.modern) {
		agi->iblocks = to_be32(1 + ag->inobt_blocks);
		agi->fblocks = to_be32(1);
	}
	xfs_seal(bytes, geo->params.sector_bytes, offsetof(struct xfs_agi, crc));
}

/* Block number `index` of the free list: first those that every AG has, then what was taken. */
static uint32_t freelist_block(const struct xfs_ag_job *job, uint32_t agno, uint32_t index)
{
	const struct xfs_ag *ag = &job->layout->ags[agno];

	if (index < XFS_AGFL_BLOCKS)
		return xfs_ag_freelist(&job->layout->geo, agno) + index;
	return job->agspace.taken[ag->btree_blocks + index - XFS_AGFL_BLOCKS];
}

static void pack_agfl(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
{
	uint32_t sector_bytes = job->layout->geo.params.sector_bytes;
	struct xfs_agfl *agfl = (void *)bytes;
	be32 *slots = (void *)(agfl + 1);

	agfl->magic = to_be32(XFS_AGFL_MAGIC);
	agfl->seqno = to_be32(agno);
	memcpy(agfl->uuid, job->identity->uuid, sizeof(agfl->uuid));
	memset(slots, 0xff, (sector_bytes - sizeof(*agfl)) / sizeof(*slots) * sizeof(*slots));
	for (uint32_t i = 0; i < job->layout->ags[agno].agfl_count; i++)
		slots[AGFL_FIRST_SLOT + i] = to_be32(freelist_block(job, agno, i));
	xfs_seal(bytes, sector_bytes, offsetof(struct xfs_agfl, crc));
}

void xfs_ag_pack_header(const struct xfs_ag_job *job, uint32_t agno, uint8_t *bytes)
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

static struct xfs_free_record *free_records(const struct xfs_agspace *agspace)
{
	struct xfs_free_record *records = reallocarray(NULL, agspace->count + 1, sizeof(*records));

	for (uint32_t i = 0; records && i < agspace->count; i++)
		records[i] = (struct xfs_free_record){
			.startblock = to_be32(agspace->runs[i].start),
			.blockcount = to_be32(agspace->runs[i].blocks),
		};
	return records;
}

static int write_free_tree(struct xfs_ag_job *job, uint32_t agno, const struct xfs_btree_kind *kind,
			   const uint32_t *blocks)
{
	struct xfs_free_record *records = free_records(&job->agspace);
	struct xfs_btree tree;
	int ret;

	if (!records)
		return -ENOMEM;
	xfs_btree_init(&tree, kind, job->agspace.count);
	tree.records = records;
	tree.blocks = blocks;
	ret = xfs_btree_write(&tree, job->writer, &job->layout->geo, job->identity->uuid, agno);
	free(records);
	return ret;
}

static int write_free_trees(struct xfs_ag_job *job, uint32_t agno)
{
	struct xfs_agspace *agspace = &job->agspace;
	int ret = write_free_tree(job, agno, &xfs_bnobt, agspace->taken);

	if (ret < 0)
		return ret;
	if (agspace->count)
		qsort(agspace->runs, agspace->count, sizeof(*agspace->runs), compare_lengths);
	return write_free_tree(job, agno, &xfs_cntbt,
			       agspace->taken ? agspace->taken + agspace->btree_blocks / 2 : NULL);
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

static int write_inode_tree(const struct xfs_ag_job *job, uint32_t agno,
			    const struct xfs_btree_kind *kind,
			    const struct xfs_chunk_record *records, uint32_t count,
			    const uint32_t *blocks)
{
	struct xfs_btree tree;

	xfs_btree_init(&tree, kind, count);
	tree.records = records;
	tree.blocks = blocks;
	return xfs_btree_write(&tree, job->writer, &job->layout->geo, job->identity->uuid, agno);
}

static int write_inode_trees(const struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_ag *ag = &job->layout->ags[agno];
	uint32_t free_inodes = ag_free_inodes(job, agno);
	struct xfs_chunk_record *records =
		reallocarray(NULL, ag->chunks + (size_t)1, sizeof(*records));
	uint32_t *blocks = reallocarray(NULL, ag->inobt_blocks + (size_t)1, sizeof(*blocks));
	int ret = records && blocks ? 0 : -ENOMEM;

	for (uint32_t i = 0; ret == 0 && i < ag->chunks; i++)
		records[i] = chunk_record(ag, i, i + 1 == ag->chunks ? free_inodes : 0);
	for (uint32_t i = 0; ret == 0 && i < ag->inobt_blocks; i++)
		blocks[i] = ag->inobt_start + i;
	if (ret == 0)
		ret = write_inode_tree(job, agno, &xfs_inobt, records, ag->chunks, blocks);
	if (ret == 0)
		ret = write_inode_tree(job, agno, &xfs_finobt,
				       ag->chunks ? &records[ag->chunks - 1] : NULL,
				       free_inodes != 0, NULL);
	free(records);
	free(blocks);
	return ret;
}

static int write_header(struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	uint8_t *bytes;
	int ret = xfs_writer_take(job->writer, xfs_ag_start(geo, agno) << XFS_BLOCK_LOG,
				  (size_t)xfs_ag_root(geo, 0) << XFS_BLOCK_LOG, &bytes);

	if (ret == 0)
		xfs_ag_pack_header(job, agno, bytes);
	return ret;
}

static int write_log(struct xfs_ag_job *job, uint32_t agno)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	uint64_t block = xfs_ag_start(geo, agno) + xfs_ag_log_start(geo);
	uint8_t *bytes;
	int ret = xfs_writer_take(job->writer, block << XFS_BLOCK_LOG, XFS_BLOCK_BYTES, &bytes);

	if (ret == 0)
		xfs_log_pack(geo->params.sector_bytes, job->identity->uuid, bytes);
	return ret;
}

static int write_parts(struct xfs_ag_job *job, uint32_t agno)
{
	int ret = xfs_agspace_collect(&job->agspace, job->layout, agno);

	if (ret == 0)
		ret = write_header(job, agno);
	if (ret == 0)
		ret = write_free_trees(job, agno);
	if (ret == 0)
		ret = write_inode_trees(job, agno);
	if (ret == 0 && agno == job->layout->geo.log_ag)
		ret = write_log(job, agno);
	job->chunks_before += job->layout->ags[agno].chunks;
	return ret;
}

int xfs_ag_write(struct xfs_ag_job *job, uint32_t agno)
{
	const struct kataimg_host *host = job->writer->host;
	int ret = write_parts(job, agno);

	if (ret == -ENOMEM)
		host->error(host->ctx, "no memory for the trees of allocation group %u", agno);
	return ret;
}
