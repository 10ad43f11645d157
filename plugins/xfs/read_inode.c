/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "lib/filetype.h"
#include "plugins/xfs/read.h"
#include "plugins/xfs/seal.h"

#define FORK_UNIT 8u
#define NSEC_PER_SEC UINT64_C(1000000000)

static int refuse(const struct xfs_reader *reader, uint64_t number, const char *why)
{
	return window_refuse(&reader->window, "inode %" PRIu64 " %s", number, why);
}

int xfs_reader_inode_index(const struct xfs_reader *reader, uint64_t number, uint64_t *index)
{
	unsigned int bits = reader->super.inopblog;
	uint64_t fsbno = number >> bits, off;
	int ret = xfs_reader_place(reader, fsbno, 1, number, &off);

	if (ret < 0)
		return ret;
	*index = off >> reader->block_bits << bits | (number & ((UINT64_C(1) << bits) - 1));
	return 0;
}

static int check_core(const struct xfs_reader *reader, uint64_t number,
		      struct xfs_found_inode *inode, const struct xfs_dinode *core)
{
	if (from_be16(core->magic) != XFS_INODE_MAGIC || core->version != XFS_INODE_VERSION)
		return refuse(reader, number, "is named by a directory and is none");
	if (!xfs_seal_matches(inode->bytes, reader->inode_bytes, offsetof(struct xfs_dinode, crc)))
		return refuse(reader, number, "has a wrong checksum");
	if (from_be64(core->ino) != number ||
	    memcmp(core->uuid, reader->uuid, sizeof(reader->uuid)) != 0)
		return refuse(reader, number, "belongs elsewhere");
	if (!from_be16(core->mode) || !from_be32(core->nlink))
		return refuse(reader, number, "is named by a directory and not in use");
	return 0;
}

static int take_forks(const struct xfs_reader *reader, struct xfs_found_inode *inode,
		      const struct xfs_dinode *core)
{
	uint32_t literal = reader->inode_bytes - (uint32_t)sizeof(*core);
	uint32_t data_bytes = core->forkoff ? core->forkoff * FORK_UNIT : literal;
	bool wide = from_be64(core->flags2) & XFS_DIFLAG2_NREXT64;

	if (data_bytes > literal || (core->forkoff && data_bytes == literal))
		return refuse(reader, inode->number, "has its attributes outside itself");
	inode->data = (struct xfs_found_fork){
		.off = sizeof(*core),
		.len = data_bytes,
		.format = core->format,
		.extents = wide ? from_be64(core->big_nextents) : from_be32(core->nextents),
	};
	inode->attr = (struct xfs_found_fork){
		.off = (uint32_t)sizeof(*core) + data_bytes,
		.len = literal - data_bytes,
		.format = core->aformat,
		.extents = wide ? from_be32(core->nextents) : from_be16(core->anextents),
	};
	return 0;
}

static int take_time(const struct xfs_reader *reader, struct xfs_found_inode *inode,
		     const struct xfs_dinode *core)
{
	uint64_t time = from_be64(core->mtime);

	if (from_be64(core->flags2) & XFS_DIFLAG2_BIGTIME) {
		inode->mtime_sec = (int64_t)(time / NSEC_PER_SEC) - XFS_BIGTIME_EPOCH;
		inode->mtime_nsec = (uint32_t)(time % NSEC_PER_SEC);
		return 0;
	}
	inode->mtime_sec = (int32_t)(time >> 32);
	inode->mtime_nsec = (uint32_t)time;
	if (inode->mtime_nsec >= NSEC_PER_SEC)
		return refuse(reader, inode->number, "has a time of too many nanoseconds");
	return 0;
}

static int check_type(const struct xfs_reader *reader, const struct xfs_found_inode *inode,
		      const struct xfs_dinode *core)
{
	if (!inode->type)
		return refuse(reader, inode->number, "has a type that there is none of");
	if (inode->size > INT64_MAX)
		return refuse(reader, inode->number, "has an impossible size");
	if (inode->type == KATAIMG_REG && from_be16(core->flags) & XFS_DIFLAG_REALTIME)
		return window_decline(&reader->window,
				      "inode %" PRIu64
				      " is a realtime file, which cannot be read here: mount "
				      "the filesystem",
				      inode->number);
	return 0;
}

static int take_core(const struct xfs_reader *reader, struct xfs_found_inode *inode,
		     const struct xfs_dinode *core)
{
	int ret;

	inode->size = from_be64(core->size);
	inode->uid = from_be32(core->uid);
	inode->gid = from_be32(core->gid);
	inode->nlink = from_be32(core->nlink);
	inode->mode = from_be16(core->mode);
	inode->type = filetype_of_mode(inode->mode);
	ret = check_type(reader, inode, core);
	if (ret < 0)
		return ret;
	ret = take_time(reader, inode, core);
	return ret < 0 ? ret : take_forks(reader, inode, core);
}

int xfs_reader_inode(struct xfs_reader *reader, uint64_t number, struct xfs_found_inode *inode)
{
	struct xfs_dinode core;
	uint64_t index;
	int ret = xfs_reader_inode_index(reader, number, &index);

	if (ret < 0)
		return ret;
	ret = window_fetch(&reader->window, index << reader->super.inodelog, inode->bytes,
			   reader->inode_bytes);
	if (ret < 0)
		return ret;
	memcpy(&core, inode->bytes, sizeof(core));
	inode->number = number;
	ret = check_core(reader, number, inode, &core);
	return ret < 0 ? ret : take_core(reader, inode, &core);
}
