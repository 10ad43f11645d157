/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/xfs/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/calloc64.h"
#include "lib/cleanup.h"

static void close_reader(struct xfs_reader *reader)
{
	window_close(&reader->window);
	free(reader->seen);
	array_free(&reader->dirs);
}

/* ---- One inode ---- */

static int take_device(const struct xfs_reader *reader, const struct xfs_found_inode *inode,
		       struct kataimg_inode *report)
{
	uint32_t device;
	be32 disk;

	if (inode->data.format != XFS_FORK_DEVICE || inode->data.len < sizeof(disk))
		return window_refuse(&reader->window,
				     "inode %" PRIu64 " is a device without a number",
				     inode->number);
	memcpy(&disk, inode->bytes + inode->data.off, sizeof(disk));
	device = from_be32(disk);
	report->rdev_major = device >> XFS_MINOR_BITS;
	report->rdev_minor = device & ((1u << XFS_MINOR_BITS) - 1);
	return 0;
}

static int report_inode(struct xfs_reader *reader, const struct xfs_found_inode *inode)
{
	struct kataimg_inode report = { .struct_size = sizeof(report),
					.id = inode->number,
					.mtime_sec = inode->mtime_sec,
					.mtime_nsec = inode->mtime_nsec,
					.uid = inode->uid,
					.gid = inode->gid,
					.mode = inode->mode & 07777,
					.type = inode->type,
					.nlink = inode->nlink };
	uint8_t target[XFS_SYMLINK_BYTES_MAX];
	int ret = 0;

	if (inode->type == KATAIMG_REG || inode->type == KATAIMG_LNK)
		report.size = inode->size;
	if (inode->type == KATAIMG_CHR || inode->type == KATAIMG_BLK)
		ret = take_device(reader, inode, &report);
	if (inode->type == KATAIMG_LNK) {
		ret = xfs_reader_target(reader, inode, target);
		report.target = (const char *)target;
	}
	return ret < 0 ? ret : reader->sink->inode(reader->sink->ctx, &report);
}

struct file {
	const struct xfs_reader *reader;
	const struct xfs_found_inode *inode;
};

/* Blocks behind the end are room that was kept for more. */
static int report_range(void *arg, const struct xfs_found_extent *extent)
{
	const struct file *file = arg;
	const struct kataimg_sink *sink = file->reader->sink;
	uint64_t off = extent->file_block << file->reader->block_bits;
	uint64_t len = extent->blocks << file->reader->block_bits;

	if (extent->unwritten || off >= file->inode->size)
		return 0;
	if (len > file->inode->size - off)
		len = file->inode->size - off;
	return sink->range(sink->ctx, file->inode->number, off, len, extent->off);
}

static int report_content(struct xfs_reader *reader, const struct xfs_found_inode *inode)
{
	struct file file = { reader, inode };
	const struct xfs_emit emit = { report_range, &file };
	uint64_t *dir;

	if (inode->type == KATAIMG_REG)
		return xfs_reader_extents(reader, inode, &inode->data, &emit);
	if (inode->type != KATAIMG_DIR)
		return 0;
	dir = array_add(&reader->dirs);
	if (!dir)
		return -ENOMEM;
	*dir = inode->number;
	return 0;
}

/* ---- The walk ---- */

/* An entry names the inode, for the first time or again. */
static int find_inode(struct xfs_reader *reader, uint64_t number)
{
	struct xfs_found_inode inode;
	uint64_t index;
	int ret = xfs_reader_inode_index(reader, number, &index);

	if (ret < 0 || reader->seen[index / 8] & 1u << index % 8)
		return ret;
	reader->seen[index / 8] |= (uint8_t)(1u << index % 8);
	ret = xfs_reader_inode(reader, number, &inode);
	if (ret < 0)
		return ret;
	ret = report_inode(reader, &inode);
	if (ret < 0)
		return ret;
	ret = xfs_reader_attrs(reader, &inode);
	return ret < 0 ? ret : report_content(reader, &inode);
}

static int walk(struct xfs_reader *reader)
{
	uint64_t root = from_be64(reader->super.rootino);
	int ret = reader->sink->root(reader->sink->ctx, root);

	if (ret < 0)
		return ret;
	ret = find_inode(reader, root);
	while (ret == 0 && reader->dirs.count > 0) {
		struct xfs_found_inode dir;

		ret = xfs_reader_inode(reader, reader->dirs.items[--reader->dirs.count], &dir);
		if (ret < 0)
			return ret;
		ret = xfs_reader_dir(reader, &dir, find_inode);
	}
	return ret;
}

static int open_reader(struct xfs_reader *reader)
{
	int ret = xfs_reader_open_super(reader);

	if (ret < 0)
		return ret;
	reader->seen = calloc64((reader->dblocks << reader->super.inopblog) / 8 + 1, 1);
	if (!reader->seen || window_open(&reader->window) < 0)
		return -ENOMEM;
	return xfs_reader_check_log(reader);
}

int xfs_read(const struct kataimg_host *host, uint64_t window_bytes,
	     const struct kataimg_sink *sink, void **state)
{
	autocall(close_reader) struct xfs_reader reader = {
		.window = { .host = host, .bytes = window_bytes, .look_factor = XFS_LOOK_FACTOR },
		.sink = sink
	};
	int ret = open_reader(&reader);

	*state = NULL;
	return ret < 0 ? ret : walk(&reader);
}
