/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/super.h"

#include <stdbool.h>
#include <stdio.h>

#include "plugins/xfs/seal.h"

#define INODE_ALIGN_BLOCKS 8u
#define SPARSE_ALIGN_BLOCKS 4u
#define SECTOR_512_LOG 9

static uint32_t ro_compat(const struct xfs_params *params)
{
	return XFS_RO_COMPAT_FINOBT | (params->modern ? XFS_RO_COMPAT_INOBTCNT : 0);
}

static uint32_t incompat(const struct xfs_params *params)
{
	return XFS_INCOMPAT_FTYPE | XFS_INCOMPAT_SPINODES |
	       (params->modern ? XFS_INCOMPAT_BIGTIME : 0);
}

static void put_geometry(const struct xfs_geometry *geo, struct xfs_superblock *super)
{
	uint64_t log_block = xfs_ag_start(geo, geo->log_ag) + xfs_ag_log_start(geo);
	uint64_t root = xfs_inode_number(geo, 0, xfs_ag_first_chunk(geo, 0));

	super->blocksize = to_be32(XFS_BLOCK_BYTES);
	super->dblocks = to_be64(geo->dblocks);
	super->logstart = to_be64(xfs_fsbno(geo, log_block));
	super->rootino = to_be64(root);
	super->rbmino = to_be64(root + 1);
	super->rsumino = to_be64(root + 2);
	super->rextsize = to_be32(1);
	super->agblocks = to_be32(geo->agblocks);
	super->agcount = to_be32(geo->agcount);
	super->logblocks = to_be32(geo->params.log_blocks);
	super->inodesize = to_be16(XFS_INODE_BYTES);
	super->inopblock = to_be16(XFS_INODES_PER_BLOCK);
	super->blocklog = XFS_BLOCK_LOG;
	super->inodelog = XFS_INODE_LOG;
	super->inopblog = XFS_BLOCK_LOG - XFS_INODE_LOG;
	super->agblklog = geo->agblklog;
	super->inoalignmt = to_be32(INODE_ALIGN_BLOCKS);
	super->spino_align = to_be32(SPARSE_ALIGN_BLOCKS);
}

/* Sectors of 512 bytes leave the fields of the log's sectors 0. */
static void put_sectors(uint32_t sector_bytes, struct xfs_superblock *super)
{
	bool large = sector_bytes != 1u << SECTOR_512_LOG;
	uint8_t log = large ? XFS_BLOCK_LOG : SECTOR_512_LOG;

	super->versionnum = to_be16(XFS_SB_VERSION | (large ? XFS_SB_VERSION_SECTOR : 0));
	super->sectsize = to_be16((uint16_t)sector_bytes);
	super->sectlog = log;
	super->logsectlog = large ? log : 0;
	super->logsectsize = to_be16((uint16_t)(large ? sector_bytes : 0));
	super->logsunit = to_be32(large ? sector_bytes : 1);
}

struct xfs_superblock xfs_super_make(const struct xfs_geometry *geo,
				     const struct xfs_identity *identity,
				     const struct xfs_totals *totals)
{
	struct xfs_superblock super = {
		.magic = to_be32(XFS_SB_MAGIC),
		.imax_pct = totals->imax_pct,
		.icount = to_be64(totals->icount),
		.ifree = to_be64(totals->ifree),
		.fdblocks = to_be64(totals->fdblocks),
		.features2 = to_be32(XFS_SB_FEATURES2),
		.bad_features2 = to_be32(XFS_SB_FEATURES2),
		.features_ro_compat = to_be32(ro_compat(&geo->params)),
		.features_incompat = to_be32(incompat(&geo->params)),
	};

	memcpy(super.uuid, identity->uuid, sizeof(super.uuid));
	memcpy(super.fname, identity->label, sizeof(super.fname));
	put_geometry(geo, &super);
	put_sectors(geo->params.sector_bytes, &super);
	return super;
}

void xfs_super_pack(const struct xfs_geometry *geo, const struct xfs_identity *identity,
		    const struct xfs_totals *totals, uint8_t *bytes)
{
	struct xfs_superblock super = xfs_super_make(geo, identity, totals);

	memcpy(bytes, &super, sizeof(super));
	xfs_seal(bytes, geo->params.sector_bytes, offsetof(struct xfs_superblock, crc));
}

/* In the order of the kernels that brought them: the last one that is set says which is the oldest.
 */
static const struct feature {
	uint32_t ro_compat, incompat;
	const char *name, *kernel;
} features[] = {
	{ 0, XFS_INCOMPAT_FTYPE, "ftype", "3.15" },
	{ XFS_RO_COMPAT_FINOBT, 0, "finobt", "3.16" },
	{ 0, XFS_INCOMPAT_SPINODES, "sparse", "4.2" },
	{ 0, XFS_INCOMPAT_META_UUID, "meta-uuid", "4.3" },
	{ XFS_RO_COMPAT_RMAPBT, 0, "rmapbt", "4.8" },
	{ XFS_RO_COMPAT_REFLINK, 0, "reflink", "4.9" },
	{ XFS_RO_COMPAT_INOBTCNT, 0, "inobtcount", "5.10" },
	{ 0, XFS_INCOMPAT_BIGTIME, "bigtime", "5.10" },
	{ 0, XFS_INCOMPAT_NREXT64, "nrext64", "5.19" },
	{ 0, XFS_INCOMPAT_EXCHANGE, "exchange", "6.10" },
	{ 0, XFS_INCOMPAT_PARENT, "parent", "6.10" },
	{ 0, XFS_INCOMPAT_METADIR, "metadir", "6.13" },
};

void xfs_super_describe(const struct xfs_superblock *super, struct kataimg_fs_info *info)
{
	bool v5 = (from_be16(super->versionnum) & XFS_SB_VERSION_NUMBER) == 5;
	size_t len = 0;

	snprintf(info->type, sizeof(info->type), "xfs");
	memcpy(info->uuid, super->uuid, sizeof(info->uuid));
	snprintf(info->label, sizeof(info->label), "%.*s", XFS_LABEL_BYTES, super->fname);
	len = (size_t)snprintf(info->features, sizeof(info->features), v5 ? "crc" : "v4");
	info->min_kernel[0] = '\0';
	for (size_t i = 0; v5 && i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *feature = &features[i];

		if (!(from_be32(super->features_ro_compat) & feature->ro_compat) &&
		    !(from_be32(super->features_incompat) & feature->incompat))
			continue;
		len += (size_t)snprintf(info->features + len, sizeof(info->features) - len, " %s",
					feature->name);
		snprintf(info->min_kernel, sizeof(info->min_kernel), "%s", feature->kernel);
	}
}
