/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The XFS backend: a writer of populated, clean XFS version 5 filesystems. layout.h says how one is
 * laid out, format.h how it looks on disk.
 */
#include "plugins/xfs/xfs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/xfs/limits.h"
#include "plugins/xfs/plan.h"
#include "plugins/xfs/probe.h"
#include "plugins/xfs/read.h"
#include "plugins/xfs/verify.h"
#include "plugins/xfs/write.h"

/* mkfs.xfs makes nothing smaller, which is its policy alone. Ours begin at 16.25 MiB: two AGs, of
 * 4096 and of 64 blocks, are the least that kernel and xfs_repair accept (geometry.h). */
#define MKFS_MIN_BLOCKS (UINT64_C(300) << (20 - XFS_BLOCK_LOG))

static void xfs_close(void *state)
{
	struct xfs *xfs = state;

	xfs_layout_clear(&xfs->layout);
	xfs_shapes_clear(&xfs->source.shapes);
	free(xfs);
}

static int check_job(const struct kataimg_host *host, const struct kataimg_job *job)
{
	if (!job->hugepage_bytes ||
	    (job->hugepage_bytes | job->window_offset) % XFS_BLOCK_BYTES == 0)
		return 0;
	host->error(host->ctx, "no block of a window at %" PRIu64 " is on a huge page",
		    job->window_offset);
	return -EINVAL;
}

static int xfs_open(const struct kataimg_host *host, const struct kataimg_job *job,
		    const struct kataimg_value *values, void **state)
{
	autofree struct xfs *xfs = calloc(1, sizeof(*xfs));
	int ret;

	if (!xfs)
		return -ENOMEM;
	xfs->host = host;
	xfs->job = job;
	ret = xfs_options_read(host, job, values, &xfs->options);
	if (ret < 0)
		return ret;
	ret = check_job(host, job);
	if (ret < 0)
		return ret;
	*state = steal_ptr(&xfs);
	return 0;
}

static int xfs_limits(void *state, struct kataimg_limits *limits)
{
	const struct xfs *xfs = state;

	xfs_limits_fill(&xfs->options.params, limits);
	return 0;
}

static int xfs_check(void *state, const struct kataimg_node *node, char *reason, size_t reason_size)
{
	(void)state;
	return xfs_limits_check(node, reason, reason_size);
}

static struct xfs_source begin_source(const struct xfs *xfs, const struct kataimg_tree *tree)
{
	const struct kataimg_job *job = xfs->job;

	return (struct xfs_source){
		.host = xfs->host,
		.params = xfs->options.params,
		.huge_blocks = job->hugepage_bytes >> XFS_BLOCK_LOG,
		.window_blocks = job->window_offset >> XFS_BLOCK_LOG,
		.free_blocks = div_up(job->free_bytes, XFS_BLOCK_BYTES),
		.free_inodes = job->free_inodes,
		.tree = tree,
	};
}

static int xfs_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct xfs *xfs = state;
	int ret;

	xfs->source = begin_source(xfs, tree);
	ret = xfs_shapes_make(&xfs->source.shapes, xfs->host, tree, xfs->job->hugepage_bytes);
	if (ret < 0)
		return ret;
	ret = xfs_plan_least(&xfs->source, &xfs->least_blocks);
	if (ret < 0)
		return ret;
	plan->bytes = xfs->least_blocks << XFS_BLOCK_LOG;
	plan->granularity = XFS_BLOCK_BYTES;
	return 0;
}

static int use_window(struct xfs *xfs, uint64_t window_bytes)
{
	uint64_t blocks = window_bytes >> XFS_BLOCK_LOG;
	int ret;

	if (xfs->layout_blocks == blocks)
		return 0;
	xfs_layout_clear(&xfs->layout);
	xfs->layout_blocks = 0;
	if (blocks < xfs->least_blocks) {
		xfs->host->error(xfs->host->ctx,
				 "a window of %" PRIu64 " bytes is too small, %" PRIu64
				 " are needed",
				 window_bytes, xfs->least_blocks << XFS_BLOCK_LOG);
		return -ENOSPC;
	}
	ret = xfs_plan_window(&xfs->source, xfs->least_blocks, blocks, &xfs->layout);
	if (ret < 0)
		return ret;
	xfs->layout_blocks = blocks;
	return 0;
}

static int xfs_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct xfs *xfs = state;
	const struct xfs_totals *totals = &xfs->layout.totals;
	struct xfs_superblock super;
	int ret = use_window(xfs, window_bytes);

	if (ret < 0)
		return ret;
	super = xfs_super_make(&xfs->layout.geo, &xfs->options.identity, totals);
	xfs_super_describe(&super, info);
	xfs_totals_describe(totals, XFS_BLOCK_BYTES, XFS_INODES_PER_BLOCK, info);
	return 0;
}

static void warn_of_size(const struct xfs *xfs, uint64_t window_bytes)
{
	const struct kataimg_host *host = xfs->host;
	uint64_t blocks = xfs->layout.geo.dblocks;
	uint64_t bytes = blocks << XFS_BLOCK_LOG;

	if (blocks < MKFS_MIN_BLOCKS)
		host->log(host->ctx, KATAIMG_LOG_WARNING,
			  "the filesystem of %" PRIu64 " bytes is smaller than any of mkfs.xfs, "
			  "which begins at 300 MiB; kernels mount it",
			  bytes);
	if (bytes < window_bytes)
		host->log(host->ctx, KATAIMG_LOG_INFO,
			  "the last %" PRIu64 " bytes of the window stay unused",
			  window_bytes - bytes);
}

static int xfs_write_window(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	struct xfs *xfs = state;
	int ret = use_window(xfs, window_bytes);

	(void)tree;
	if (ret < 0)
		return ret;
	warn_of_size(xfs, window_bytes);
	return xfs_write(&xfs->layout, &xfs->options.identity);
}

static int xfs_verify_window(void *state, uint64_t window_bytes)
{
	const struct xfs *xfs = state;

	return xfs_verify(xfs->host, window_bytes);
}

KATAIMG_BACKEND(.name = "xfs", .version = "0.1.0",
		.summary = "XFS, writable, with huge-page aligned files",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_ACLS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE |
				KATAIMG_CAP_DAX | KATAIMG_CAP_FREE_SPACE | KATAIMG_CAP_WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX | KATAIMG_JOB_FREE_SPACE,
		.options = xfs_option_table, .option_count = XFS_OPTION_COUNT, .open = xfs_open,
		.limits = xfs_limits, .check = xfs_check, .plan = xfs_plan,
		.describe = xfs_describe, .write = xfs_write_window, .verify = xfs_verify_window,
		.close = xfs_close, .probe = xfs_probe, .read = xfs_read);
