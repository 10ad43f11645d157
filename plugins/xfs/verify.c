/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "plugins/xfs/log.h"
#include "plugins/xfs/state.h"
#include "plugins/xfs/writer.h"

struct verify_job {
	const struct xfs_layout *layout;
	const struct kataimg_host *host;
	const struct xfs_identity *identity;
	uint64_t free_blocks, inodes;
};

static int contradicts(const struct verify_job *job, const char *what, uint32_t agno)
{
	job->host->error(job->host->ctx, "%s of allocation group %u is not what was written", what,
			 agno);
	return -EIO;
}

static int read_block(const struct verify_job *job, uint64_t block, uint8_t *bytes)
{
	return job->host->window_read(job->host->ctx, block << XFS_BLOCK_LOG, bytes,
				      XFS_BLOCK_BYTES);
}

static int read_sector(const struct verify_job *job, uint32_t agno, uint32_t sector, uint8_t *bytes)
{
	uint64_t start = xfs_ag_start(&job->layout->geo, agno) << XFS_BLOCK_LOG;
	uint32_t sector_bytes = job->layout->geo.params.sector_bytes;

	return job->host->window_read(job->host->ctx, start + (uint64_t)sector * sector_bytes,
				      bytes, sector_bytes);
}

static int verify_super(const struct verify_job *job, uint32_t agno)
{
	uint32_t sector_bytes = job->layout->geo.params.sector_bytes;
	uint8_t expected[XFS_BLOCK_BYTES] = { 0 };
	uint8_t found[XFS_BLOCK_BYTES];
	int ret = read_sector(job, agno, 0, found);

	if (ret < 0)
		return ret;
	xfs_super_pack(&job->layout->geo, job->identity, &job->layout->totals, expected);
	return memcmp(expected, found, sector_bytes) ? contradicts(job, "superblock", agno) : 0;
}

static int verify_agf(struct verify_job *job, uint32_t agno)
{
	const struct xfs_ag *ag = &job->layout->ags[agno];
	uint8_t bytes[XFS_BLOCK_BYTES];
	const struct xfs_agf *agf = (const void *)bytes;
	int ret = read_sector(job, agno, 1, bytes);

	if (ret < 0)
		return ret;
	if (!xfs_seal_matches(bytes, job->layout->geo.params.sector_bytes,
			      offsetof(struct xfs_agf, crc)) ||
	    from_be32(agf->magic) != XFS_AGF_MAGIC || from_be32(agf->seqno) != agno ||
	    from_be32(agf->length) != ag->length || from_be32(agf->freeblks) != ag->free_blocks)
		return contradicts(job, "AGF", agno);
	job->free_blocks += (uint64_t)from_be32(agf->freeblks) + from_be32(agf->flcount) +
			    from_be32(agf->btreeblks);
	return 0;
}

static int verify_agi(struct verify_job *job, uint32_t agno)
{
	uint8_t bytes[XFS_BLOCK_BYTES];
	const struct xfs_agi *agi = (const void *)bytes;
	int ret = read_sector(job, agno, 2, bytes);

	if (ret < 0)
		return ret;
	if (!xfs_seal_matches(bytes, job->layout->geo.params.sector_bytes,
			      offsetof(struct xfs_agi, crc)) ||
	    from_be32(agi->magic) != XFS_AGI_MAGIC || from_be32(agi->seqno) != agno)
		return contradicts(job, "AGI", agno);
	job->inodes += from_be32(agi->count);
	return 0;
}

static int verify_agfl(const struct verify_job *job, uint32_t agno)
{
	uint8_t bytes[XFS_BLOCK_BYTES];
	const struct xfs_agfl *agfl = (const void *)bytes;
	int ret = read_sector(job, agno, 3, bytes);

	if (ret < 0)
		return ret;
	if (!xfs_seal_matches(bytes, job->layout->geo.params.sector_bytes,
			      offsetof(struct xfs_agfl, crc)) ||
	    from_be32(agfl->magic) != XFS_AGFL_MAGIC || from_be32(agfl->seqno) != agno)
		return contradicts(job, "AGFL", agno);
	return 0;
}

static int verify_ag(struct verify_job *job, uint32_t agno)
{
	int ret = verify_super(job, agno);

	if (ret == 0)
		ret = verify_agf(job, agno);
	if (ret == 0)
		ret = verify_agi(job, agno);
	return ret < 0 ? ret : verify_agfl(job, agno);
}

static int verify_log(const struct verify_job *job)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	uint8_t expected[XFS_BLOCK_BYTES] = { 0 };
	uint8_t found[XFS_BLOCK_BYTES];
	int ret = read_block(job, xfs_ag_start(geo, geo->log_ag) + xfs_ag_log_start(geo), found);

	if (ret < 0)
		return ret;
	xfs_log_pack(geo->params.sector_bytes, job->identity->uuid, expected);
	return memcmp(expected, found, sizeof(found)) ? contradicts(job, "log", geo->log_ag) : 0;
}

static int verify_root(const struct verify_job *job)
{
	const struct xfs_geometry *geo = &job->layout->geo;
	uint8_t bytes[XFS_BLOCK_BYTES];
	const struct xfs_dinode *root = (const void *)bytes;
	int ret = read_block(job, xfs_ag_first_chunk(geo, 0), bytes);

	if (ret < 0)
		return ret;
	if (!xfs_seal_matches(bytes, XFS_INODE_BYTES, offsetof(struct xfs_dinode, crc)) ||
	    from_be16(root->magic) != XFS_INODE_MAGIC ||
	    from_be64(root->ino) != job->layout->chunks[0])
		return contradicts(job, "root inode", 0);
	return 0;
}

int xfs_verify(const struct xfs_layout *layout, const struct xfs_identity *identity)
{
	struct verify_job job = { layout, layout->source->host, identity };
	int ret = 0;

	for (uint32_t agno = 0; ret == 0 && agno < layout->geo.agcount; agno++)
		ret = verify_ag(&job, agno);
	if (ret < 0)
		return ret;
	if (job.free_blocks != layout->totals.fdblocks || job.inodes != layout->totals.icount)
		return contradicts(&job, "sum of counters", 0);
	ret = verify_log(&job);
	return ret < 0 ? ret : verify_root(&job);
}
