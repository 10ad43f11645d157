/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The XFS backend: a writer of populated, clean XFS version 5 filesystems. layout.h says how one is
 * laid out, format.h how it looks on disk.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/round.h"
#include "plugins/xfs/attr.h"
#include "plugins/xfs/inode.h"
#include "plugins/xfs/plan.h"
#include "plugins/xfs/state.h"
#include "plugins/xfs/symlink.h"
#include "plugins/xfs/write.h"

/* mkfs.xfs makes nothing smaller, which is its policy alone. Ours begin at 16.25 MiB: two AGs, of
 * 4096 and of 64 blocks, are the least that kernel and xfs_repair accept (geometry.h). */
#define MKFS_MIN_BLOCKS (UINT64_C(300) << (20 - XFS_BLOCK_LOG))

#define MAX_LINKS UINT64_C(0x7fffffff)
/* One contiguous extent. */
#define MAX_ATTR_BLOCKS XFS_EXTENT_MAX_BLOCKS

static int xfs_open(const struct kataimg_host *host, const struct kataimg_job *job,
		    const struct kataimg_value *values, void **opened)
{
	struct xfs_state *state = calloc(1, sizeof(*state));
	int ret;

	if (!state) {
		host->error(host->ctx, "out of memory");
		return -ENOMEM;
	}
	state->host = host;
	state->job = job;
	ret = xfs_options_read(state, values);
	if (ret == 0 && job->hugepage_bytes &&
	    (job->hugepage_bytes | job->window_offset) % XFS_BLOCK_BYTES) {
		host->error(host->ctx, "no block of a window at %llu is on a huge page",
			    (unsigned long long)job->window_offset);
		ret = -EINVAL;
	}
	if (ret < 0)
		free(state);
	else
		*opened = state;
	return ret;
}

static int xfs_limits(void *opened, struct kataimg_limits *limits)
{
	const struct xfs_state *state = opened;

	limits->name_bytes = 255;
	limits->symlink_bytes = XFS_SYMLINK_MAX_BYTES;
	limits->xattr_name_bytes = XFS_ATTR_MAX_NAME;
	limits->xattr_value_bytes = XFS_ATTR_MAX_VALUE;
	limits->mtime_min = XFS_TIME_MIN;
	limits->mtime_max = state->params.modern ? XFS_BIGTIME_MAX : XFS_TIME_MAX;
	limits->device_major = XFS_DEVICE_MAX_MAJOR;
	limits->device_minor = XFS_DEVICE_MAX_MINOR;
	limits->id = UINT32_MAX - 1;
	limits->links = MAX_LINKS;
	limits->subdirectories = MAX_LINKS - 2;
	limits->file_bytes = INT64_MAX;
	limits->nodes = XFS_MAX_NODES;
	return 0;
}

/* -ENOMEM is taken as "can be stored": plan will say it. */
static uint64_t count_attr_blocks(const struct kataimg_node *node)
{
	struct xfs_attrs attrs = { 0 };
	uint64_t blocks = 0;

	if (xfs_attrs_load(&attrs, node) == 0) {
		xfs_attrs_sort(&attrs);
		blocks = xfs_attrs_blocks(&attrs);
	}
	xfs_attrs_clear(&attrs);
	return blocks;
}

static int xfs_check(void *opened, const struct kataimg_node *node, char *reason,
		     size_t reason_size)
{
	(void)opened;
	if (node->type == KATAIMG_LNK && node->size == 0) {
		snprintf(reason, reason_size, "a symbolic link needs a target");
		return KATAIMG_CHECK_NODE;
	}
	if (node->type == KATAIMG_DIR && xfs_dir_data_blocks(node) > XFS_DIR_MAX_DATA_BLOCKS) {
		snprintf(reason, reason_size, "its names take more than 32 GiB");
		return KATAIMG_CHECK_NODE;
	}
	if (node->xattr_count == 0)
		return KATAIMG_CHECK_OK;
	if (!xfs_attrs_check(node, reason, reason_size))
		return KATAIMG_CHECK_XATTRS;
	if (count_attr_blocks(node) > MAX_ATTR_BLOCKS) {
		snprintf(reason, reason_size, "its extended attributes take more than 8 GiB");
		return KATAIMG_CHECK_XATTRS;
	}
	return KATAIMG_CHECK_OK;
}

static void fill_source(struct xfs_state *state, const struct kataimg_tree *tree,
			const struct xfs_demand *demand)
{
	const struct kataimg_job *job = state->job;

	state->source = (struct xfs_source){
		.host = state->host,
		.tree = tree,
		.shapes = state->shapes,
		.demand = *demand,
		.params = state->params,
		.huge_blocks = job->hugepage_bytes >> XFS_BLOCK_LOG,
		.window_blocks = job->window_offset >> XFS_BLOCK_LOG,
		.free_blocks = div_up(job->free_bytes, XFS_BLOCK_BYTES),
		.free_inodes = job->free_inodes,
	};
}

static int xfs_plan(void *opened, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct xfs_state *state = opened;
	struct xfs_demand demand;
	int ret = xfs_shapes_make(state->host, tree, state->job->hugepage_bytes, &state->shapes,
				  &demand);

	if (ret < 0)
		return ret;
	fill_source(state, tree, &demand);
	ret = xfs_plan_least(&state->source, &state->least_blocks);
	if (ret < 0)
		return ret;
	plan->bytes = state->least_blocks << XFS_BLOCK_LOG;
	plan->granularity = XFS_BLOCK_BYTES;
	return 0;
}

static int use_window(struct xfs_state *state, uint64_t window_bytes)
{
	uint64_t blocks = window_bytes >> XFS_BLOCK_LOG;
	int ret;

	if (state->layout_blocks == blocks)
		return 0;
	xfs_layout_clear(&state->layout);
	state->layout_blocks = 0;
	if (blocks < state->least_blocks) {
		state->host->error(state->host->ctx,
				   "a window of %llu bytes is too small, %llu are needed",
				   (unsigned long long)window_bytes,
				   (unsigned long long)state->least_blocks << XFS_BLOCK_LOG);
		return -ENOSPC;
	}
	ret = xfs_plan_window(&state->source, state->least_blocks, blocks, &state->layout);
	if (ret == 0)
		state->layout_blocks = blocks;
	return ret;
}

static int xfs_describe(void *opened, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct xfs_state *state = opened;
	uint8_t sector[XFS_BLOCK_BYTES] = { 0 };
	int ret = use_window(state, window_bytes);

	if (ret < 0)
		return ret;
	xfs_super_pack(&state->layout.geo, &state->identity, &state->layout.totals, sector);
	xfs_super_describe((const void *)sector, info);
	xfs_totals_describe(&state->layout.totals, XFS_BLOCK_BYTES, XFS_INODES_PER_BLOCK, info);
	return 0;
}

static void warn_of_size(const struct xfs_state *state, uint64_t window_bytes)
{
	const struct kataimg_host *host = state->host;
	const struct xfs_geometry *geo = &state->layout.geo;
	uint64_t bytes = geo->dblocks << XFS_BLOCK_LOG;

	if (geo->dblocks < MKFS_MIN_BLOCKS)
		host->log(host->ctx, KATAIMG_LOG_WARNING,
			  "the filesystem of %llu bytes is smaller than any of mkfs.xfs, "
			  "which begins at 300 MiB; kernels mount it",
			  (unsigned long long)bytes);
	if (bytes < window_bytes)
		host->log(host->ctx, KATAIMG_LOG_INFO,
			  "the last %llu bytes of the window stay unused",
			  (unsigned long long)(window_bytes - bytes));
}

static int xfs_write_window(void *opened, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	struct xfs_state *state = opened;
	int ret = use_window(state, window_bytes);

	(void)tree;
	if (ret < 0)
		return ret;
	warn_of_size(state, window_bytes);
	return xfs_write(&state->layout, &state->identity);
}

static int xfs_verify_window(void *opened, uint64_t window_bytes)
{
	struct xfs_state *state = opened;
	int ret = use_window(state, window_bytes);

	return ret < 0 ? ret : xfs_verify(&state->layout, &state->identity);
}

static void xfs_close(void *opened)
{
	struct xfs_state *state = opened;

	xfs_layout_clear(&state->layout);
	free(state->shapes);
	free(state);
}

KATAIMG_BACKEND(.name = "xfs", .version = "0.1.0",
		.summary = "XFS, writable, with huge-page aligned files",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_ACLS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE |
				KATAIMG_CAP_DAX | KATAIMG_CAP_FREE_SPACE | KATAIMG_CAP_WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX | KATAIMG_JOB_FREE_SPACE, .options = xfs_options,
		.option_count = XFS_OPTION_COUNT, .open = xfs_open, .limits = xfs_limits,
		.check = xfs_check, .plan = xfs_plan, .describe = xfs_describe,
		.write = xfs_write_window, .verify = xfs_verify_window, .close = xfs_close,
		.probe = xfs_probe);
