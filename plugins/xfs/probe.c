/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/probe.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "plugins/xfs/seal.h"

#define MIN_SECTOR_BYTES 512u
#define MIN_AG_BYTES (XFS_AG_MIN_BLOCKS * XFS_BLOCK_BYTES)

struct probe_job {
	const struct kataimg_host *host;
	uint64_t window_bytes;
	struct xfs_found *found;
};

static int broken(const struct kataimg_host *host, const char *what)
{
	host->error(host->ctx, "%s", what);
	return -EUCLEAN;
}

static bool is_log2(uint32_t value, uint8_t log, uint8_t least, uint8_t most)
{
	return log >= least && log <= most && value == UINT32_C(1) << log;
}

static bool sizes_are_sound(const struct xfs_superblock *super)
{
	return is_log2(from_be32(super->blocksize), super->blocklog, 9, 16) &&
	       is_log2(from_be16(super->inodesize), super->inodelog, 8, 11) &&
	       super->inodelog < super->blocklog && super->agblklog < 32 &&
	       from_be16(super->inopblock) == 1u << (super->blocklog - super->inodelog);
}

static bool geometry_is_sound(const struct xfs_superblock *super, uint64_t window_bytes)
{
	uint64_t dblocks = from_be64(super->dblocks);
	uint64_t agblocks = from_be32(super->agblocks);
	uint64_t agcount = from_be32(super->agcount);

	return sizes_are_sound(super) && dblocks <= window_bytes >> super->blocklog &&
	       agblocks << super->blocklog >= MIN_AG_BYTES && agcount > 0 &&
	       dblocks > (agcount - 1) * agblocks && dblocks <= agcount * agblocks;
}

static bool counts_are_sound(const struct xfs_superblock *super)
{
	uint64_t inodes = from_be64(super->icount);

	return inodes <= from_be64(super->dblocks) * from_be16(super->inopblock) &&
	       from_be64(super->ifree) <= inodes &&
	       from_be64(super->fdblocks) <= from_be64(super->dblocks) && super->imax_pct <= 100;
}

static int check_super(const struct kataimg_host *host, uint8_t *sector,
		       const struct xfs_superblock *super, uint64_t window_bytes)
{
	uint16_t version = from_be16(super->versionnum) & XFS_SB_VERSION_NUMBER;

	if (version != 4 && version != 5)
		return broken(host, "the superblock has a version that does not exist");
	if (version == 5 && !xfs_seal_matches(sector, from_be16(super->sectsize),
					      offsetof(struct xfs_superblock, crc)))
		return broken(host, "the superblock's checksum is wrong");
	if (!geometry_is_sound(super, window_bytes))
		return broken(host, "the superblock's sizes contradict each other or the window");
	if (!counts_are_sound(super))
		return broken(host, "the superblock counts more than there is room for");
	return 0;
}

/* The checksum is over the sector, whose size the superblock says. */
static int read_super(const struct kataimg_host *host, uint64_t window_bytes,
		      struct xfs_superblock *super)
{
	autofree uint8_t *sector = NULL;
	uint32_t sector_bytes;
	int ret;

	if (window_bytes < MIN_SECTOR_BYTES)
		return -ENODATA;
	ret = host->window_read(host->ctx, 0, super, sizeof(*super));
	if (ret < 0)
		return ret;
	if (from_be32(super->magic) != XFS_SB_MAGIC)
		return -ENODATA;
	sector_bytes = from_be16(super->sectsize);
	if (!is_log2(sector_bytes, super->sectlog, 9, 15) || sector_bytes > window_bytes)
		return broken(host, "the superblock's sector size is impossible");
	sector = malloc(sector_bytes);
	if (!sector)
		return -ENOMEM;
	ret = host->window_read(host->ctx, 0, sector, sector_bytes);
	return ret < 0 ? ret : check_super(host, sector, super, window_bytes);
}

static uint32_t ag_length(const struct xfs_superblock *super, uint32_t agno)
{
	uint64_t rest = from_be64(super->dblocks) - (uint64_t)agno * from_be32(super->agblocks);
	uint32_t agblocks = from_be32(super->agblocks);

	return rest < agblocks ? (uint32_t)rest : agblocks;
}

static uint32_t ag_log_blocks(const struct xfs_superblock *super, uint32_t agno)
{
	uint64_t start = from_be64(super->logstart);

	return start && start >> super->agblklog == agno ? from_be32(super->logblocks) : 0;
}

static int read_header(const struct probe_job *job, uint32_t agno, uint32_t sector, void *bytes,
		       size_t len)
{
	const struct xfs_superblock *super = &job->found->super;
	uint64_t start = (uint64_t)agno * from_be32(super->agblocks) << super->blocklog;
	uint32_t sector_bytes = from_be16(super->sectsize);

	if (start + (sector + 1) * (uint64_t)sector_bytes > job->window_bytes)
		return broken(job->host, "an allocation group lies outside the window");
	return job->host->window_read(job->host->ctx, start + (uint64_t)sector * sector_bytes,
				      bytes, len);
}

/* What the kernel keeps back in the AG, if blocks and inodes have our own sizes, and else 0.
 * Reserves of the reverse-mapping and reference-count trees are not counted. */
static uint64_t ag_reserve(const struct xfs_superblock *super, uint32_t agno,
			   const struct xfs_agi *agi)
{
	uint32_t ro_compat = from_be32(super->features_ro_compat);
	uint32_t blocks = ro_compat & XFS_RO_COMPAT_INOBTCNT ? from_be32(agi->fblocks) : 1;

	if (!(ro_compat & XFS_RO_COMPAT_FINOBT) || super->blocklog != XFS_BLOCK_LOG ||
	    super->inodelog != XFS_INODE_LOG || ag_log_blocks(super, agno) > ag_length(super, agno))
		return 0;
	return xfs_finobt_reserve(ag_length(super, agno), ag_log_blocks(super, agno), blocks);
}

static int count_ag(const struct probe_job *job, uint32_t agno)
{
	struct xfs_found *found = job->found;
	struct xfs_agf agf;
	struct xfs_agi agi;
	int ret = read_header(job, agno, 1, &agf, sizeof(agf));

	if (ret < 0)
		return ret;
	ret = read_header(job, agno, 2, &agi, sizeof(agi));
	if (ret < 0)
		return ret;
	if (from_be32(agf.magic) != XFS_AGF_MAGIC || from_be32(agi.magic) != XFS_AGI_MAGIC)
		return broken(job->host, "an allocation group has no headers");
	found->totals.btree_blocks += from_be32(agf.btreeblks);
	found->totals.reserve_blocks += ag_reserve(&found->super, agno, &agi);
	found->free_blocks += (uint64_t)from_be32(agf.freeblks) + from_be32(agf.flcount) +
			      from_be32(agf.btreeblks);
	found->inodes += from_be32(agi.count);
	found->free_inodes += from_be32(agi.freecount);
	return 0;
}

static struct xfs_totals totals_of(const struct xfs_superblock *super)
{
	return (struct xfs_totals){
		.dblocks = from_be64(super->dblocks),
		.agcount = from_be32(super->agcount),
		.icount = from_be64(super->icount),
		.ifree = from_be64(super->ifree),
		.fdblocks = from_be64(super->fdblocks),
		.imax_pct = super->imax_pct,
	};
}

int xfs_probe_read(const struct kataimg_host *host, uint64_t window_bytes, struct xfs_found *found)
{
	struct probe_job job = { host, window_bytes, found };
	int ret;

	*found = (struct xfs_found){ 0 };
	ret = read_super(host, window_bytes, &found->super);
	if (ret < 0)
		return ret;
	found->totals = totals_of(&found->super);
	for (uint32_t agno = 0; ret == 0 && agno < found->totals.agcount; agno++)
		ret = count_ag(&job, agno);
	return ret;
}

int xfs_devices_check(const struct kataimg_host *host, const struct xfs_superblock *super)
{
	const char *missing = NULL;

	if (from_be64(super->rblocks))
		missing = "it has a realtime device, which cannot be read here: mount it, with "
			  "-o rtdev=DEVICE";
	else if (!from_be64(super->logstart))
		missing = "its log is on a device of its own, which cannot be read here: mount it, "
			  "with -o logdev=DEVICE";
	if (!missing)
		return 0;
	host->error(host->ctx, "%s", missing);
	return -EOPNOTSUPP;
}

int xfs_probe(const struct kataimg_host *host, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct xfs_found found;
	int ret = xfs_probe_read(host, window_bytes, &found);

	if (ret < 0)
		return ret;
	xfs_super_describe(&found.super, info);
	xfs_totals_describe(&found.totals, from_be32(found.super.blocksize),
			    from_be16(found.super.inopblock), info);
	return xfs_devices_check(host, &found.super);
}
