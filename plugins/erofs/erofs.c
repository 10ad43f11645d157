/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/erofs/erofs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/data.h"
#include "plugins/erofs/dedupe.h"
#include "plugins/erofs/fill.h"
#include "plugins/erofs/limits.h"
#include "plugins/erofs/plan.h"
#include "plugins/erofs/probe.h"
#include "plugins/erofs/read.h"
#include "plugins/erofs/super.h"
#include "plugins/erofs/write.h"

static void erofs_close(void *state)
{
	struct erofs *erofs = state;

	erofs_layout_clear(&erofs->layout);
	free(erofs);
}

static int erofs_open(const struct kataimg_host *host, const struct kataimg_job *job,
		      const struct kataimg_value *values, void **state)
{
	autofree struct erofs *erofs = calloc(1, sizeof(*erofs));
	int ret;

	if (!erofs)
		return -ENOMEM;
	erofs->source.host = host;
	erofs->source.job = job;
	ret = erofs_options_read(host, job, values, &erofs->source.options, &erofs->identity);
	if (ret < 0)
		return ret;
	*state = steal_ptr(&erofs);
	return 0;
}

static int erofs_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	erofs_limits_set(limits);
	return 0;
}

static int erofs_check(void *state, const struct kataimg_node *node, char *reason,
		       size_t reason_size)
{
	(void)state;
	return erofs_limits_check(node, reason, reason_size);
}

/* What a guest that mounts with dax reads through its page cache all the same. */
static void report_dax(const struct erofs_layout *layout)
{
	const struct erofs_source *source = layout->source;
	uint64_t files = 0, bytes = 0;

	for (uint64_t i = 0; i < source->tree->node_count; i++) {
		const struct erofs_inode *inode = &layout->inodes[i];

		if (source->tree->nodes[i]->type != KATAIMG_REG ||
		    (inode->layout != EROFS_COMPRESSED_COMPACT &&
		     inode->layout != EROFS_FLAT_INLINE))
			continue;
		files++;
		bytes += inode->size;
	}
	if (files && source->job->required & KATAIMG_JOB_DAX)
		source->host->log(source->host->ctx, KATAIMG_LOG_INFO,
				  "%" PRIu64 " files of %" PRIu64
				  " bytes are compressed or packed: "
				  "guests read them through their page cache, without DAX",
				  files, bytes);
}

static void report(const struct erofs *erofs)
{
	const struct kataimg_host *host = erofs->source.host;
	struct kataimg_fs_info info;

	if (erofs->layout.segments)
		erofs_compress_report(&erofs->layout);
	if (erofs->source.options.dedupe)
		erofs_dedupe_report(&erofs->source, erofs->layout.inodes);
	report_dax(&erofs->layout);
	erofs_super_foretell(&erofs->layout, &erofs->identity, &info);
	host->fact(host->ctx, "min_kernel", info.min_kernel);
}

static int erofs_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct erofs *erofs = state;
	int ret;

	erofs->source.tree = tree;
	ret = erofs_plan_layout(&erofs->layout, &erofs->source);
	if (ret < 0)
		return ret;
	plan->bytes = erofs->layout.blocks * EROFS_BLOCK_BYTES;
	plan->granularity = EROFS_BLOCK_BYTES;
	report(erofs);
	return 0;
}

static int erofs_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	const struct erofs *erofs = state;

	(void)window_bytes;
	erofs_super_foretell(&erofs->layout, &erofs->identity, info);
	return 0;
}

static int erofs_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	const struct erofs *erofs = state;
	int ret;

	(void)tree;
	(void)window_bytes;
	ret = erofs_write_metadata(&erofs->layout, &erofs->identity);
	return ret < 0 ? ret : erofs_data_place(&erofs->layout);
}

/* Everything here comes from write, and the core has compared what write makes a second time. */
static int erofs_verify(void *state, uint64_t window_bytes)
{
	(void)state;
	(void)window_bytes;
	return 0;
}

KATAIMG_BACKEND(.name = "erofs", .version = "0.2.0",
		.summary = "EROFS, read-only, for DAX or compressed",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_ACLS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE |
				KATAIMG_CAP_DAX | KATAIMG_CAP_WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX, .options = erofs_option_table,
		.option_count = EROFS_OPTION_COUNT, .libraries = erofs_fill_libraries,
		.open = erofs_open, .limits = erofs_limits, .check = erofs_check,
		.plan = erofs_plan, .describe = erofs_describe, .write = erofs_write,
		.verify = erofs_verify, .close = erofs_close, .probe = erofs_probe,
		.read = erofs_read, .decode = erofs_decode, .read_end = erofs_read_end);
