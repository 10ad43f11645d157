/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "plugins/xfs/probe.h"
#include "plugins/xfs/read.h"

#define INCOMPAT_READ                                                          \
	(XFS_INCOMPAT_FTYPE | XFS_INCOMPAT_SPINODES | XFS_INCOMPAT_META_UUID | \
	 XFS_INCOMPAT_BIGTIME | XFS_INCOMPAT_NREXT64 | XFS_INCOMPAT_EXCHANGE | \
	 XFS_INCOMPAT_PARENT)
#define DIR_BYTES_MAX_LOG 16

/* Features that are known and not read: what a filesystem with them is, and what to do. */
static const struct {
	uint32_t bit;
	const char *what;
} declined[] = {
	{ XFS_INCOMPAT_NEEDSREPAIR, "it is marked as in need of repair: xfs_repair it" },
	{ XFS_INCOMPAT_METADIR, "it has metadata directories (metadir), which cannot be read here: "
				"mount it" },
	{ XFS_INCOMPAT_ZONED, "it has a zoned realtime device (zoned), which cannot be read here: "
			      "mount it" },
	{ XFS_INCOMPAT_ZONE_GAPS,
	  "it has a zoned realtime device (zone_gaps), which cannot be read "
	  "here: mount it" },
};

/* Features that only writers must know (ro_compat) are none of ours. */
static int check_features(const struct xfs_reader *reader)
{
	uint32_t unknown = from_be32(reader->super.features_incompat) & ~INCOMPAT_READ;

	for (size_t i = 0; i < sizeof(declined) / sizeof(declined[0]); i++)
		if (unknown & declined[i].bit)
			return window_decline(&reader->window, "%s", declined[i].what);
	if (unknown)
		return window_decline(&reader->window,
				      "it has a feature that is newer than this reader: 0x%x",
				      unknown & -unknown);
	return 0;
}

static int check_super(const struct xfs_reader *reader)
{
	const struct xfs_superblock *super = &reader->super;

	if ((from_be16(super->versionnum) & XFS_SB_VERSION_NUMBER) != 5)
		return window_decline(&reader->window,
				      "it is XFS version 4, which cannot be read here, "
				      "and which newer kernels do not mount either");
	if (super->inprogress)
		return window_refuse(&reader->window, "its making was not finished");
	if (super->blocklog + super->dirblklog > DIR_BYTES_MAX_LOG)
		return window_refuse(&reader->window,
				     "its directories have blocks of an impossible "
				     "size");
	if (super->inopblog != super->blocklog - super->inodelog ||
	    from_be32(super->agblocks) > UINT64_C(1) << super->agblklog)
		return window_refuse(&reader->window, "its inode and block numbers have impossible "
						      "sizes");
	return check_features(reader);
}

static void take_super(struct xfs_reader *reader)
{
	const struct xfs_superblock *super = &reader->super;
	uint32_t incompat = from_be32(super->features_incompat);

	memcpy(reader->uuid, incompat & XFS_INCOMPAT_META_UUID ? super->meta_uuid : super->uuid,
	       sizeof(reader->uuid));
	reader->block_bits = super->blocklog;
	reader->block_bytes = 1u << super->blocklog;
	reader->inode_bytes = 1u << super->inodelog;
	reader->dir_bytes = 1u << (super->blocklog + super->dirblklog);
	reader->has_types = incompat & XFS_INCOMPAT_FTYPE;
	reader->dblocks = from_be64(super->dblocks);
	reader->agblocks = from_be32(super->agblocks);
}

int xfs_reader_open_super(struct xfs_reader *reader)
{
	struct xfs_found found;
	int ret = xfs_probe_read(reader->window.host, reader->window.bytes, &found);

	if (ret == -ENODATA)
		return window_refuse(&reader->window, "it has no XFS superblock");
	if (ret < 0)
		return ret;
	reader->super = found.super;
	ret = check_super(reader);
	if (ret < 0)
		return ret;
	take_super(reader);
	return xfs_devices_check(reader->window.host, &reader->super);
}
