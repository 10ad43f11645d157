/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/ext4/ext4.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include "lib/cleanup.h"
#include "plugins/ext4/frame.h"
#include "plugins/ext4/limits.h"
#include "plugins/ext4/probe.h"
#include "plugins/ext4/read.h"
#include "plugins/ext4/super.h"
#include "plugins/ext4/verify.h"
#include "plugins/ext4/write.h"

static void ext4_close(void *state)
{
	struct ext4 *ext4 = state;

	ext4_layout_clear(&ext4->layout);
	ext4_census_clear(&ext4->census);
	free(ext4);
}

static int ext4_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	autofree struct ext4 *ext4 = calloc(1, sizeof(*ext4));
	int ret;

	if (!ext4)
		return -ENOMEM;
	ext4->source.host = host;
	ext4->source.job = job;
	ret = ext4_options_read(host, values, &ext4->source.options);
	if (ret < 0)
		return ret;
	ret = ext4_limits_check_window(host, job);
	if (ret < 0)
		return ret;
	*state = steal_ptr(&ext4);
	return 0;
}

static int ext4_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	ext4_limits_set(limits);
	return 0;
}

static int ext4_check(void *state, const struct kataimg_node *node, char *reason,
		      size_t reason_size)
{
	(void)state;
	return ext4_limits_check(node, reason, reason_size);
}

static int ext4_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct ext4 *ext4 = state;
	int ret = ext4_limits_check_time(ext4->source.host, ext4->source.job);

	if (ret < 0)
		return ret;
	ext4->source.tree = tree;
	ret = ext4_census_make(&ext4->census, &ext4->source);
	if (ret < 0)
		return ret;
	ret = ext4_size_plan(&ext4->size, &ext4->census);
	if (ret < 0)
		return ret;
	plan->bytes = ext4->size.blocks * EXT4_BLOCK_BYTES;
	plan->granularity = EXT4_BLOCK_BYTES;
	return 0;
}

/* Lays out for a window of this size, unless the last layout was for the same. */
static int use_window(struct ext4 *ext4, uint64_t window_bytes)
{
	int ret;

	if (ext4->window_bytes == window_bytes)
		return 0;
	ext4->window_bytes = 0;
	ret = ext4_size_layout(&ext4->size, &ext4->census, window_bytes, &ext4->layout);
	if (ret == 0)
		ext4->window_bytes = window_bytes;
	return ret;
}

static int ext4_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct ext4 *ext4 = state;
	int ret = use_window(ext4, window_bytes);

	if (ret == 0)
		ext4_super_describe(&ext4->layout, info);
	return ret;
}

static void report_unused_tail(const struct ext4 *ext4, uint64_t window_bytes)
{
	const struct kataimg_host *host = ext4->source.host;
	uint64_t used = ext4->layout.geo.blocks * EXT4_BLOCK_BYTES;

	if (used < window_bytes)
		host->log(host->ctx, KATAIMG_LOG_INFO,
			  "the last %" PRIu64 " bytes of %" PRIu64 " are too few for a block group "
			  "and stay unused",
			  window_bytes - used, window_bytes);
}

static int ext4_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	struct ext4 *ext4 = state;
	uint8_t journal_block[EXT4_INODE_BLOCK_BYTES] = { 0 };
	int ret;

	(void)tree;
	ret = use_window(ext4, window_bytes);
	if (ret < 0)
		return ret;
	report_unused_tail(ext4, window_bytes);
	ret = ext4_write_content(&ext4->layout, journal_block);
	return ret < 0 ? ret : ext4_frame_write(&ext4->layout, journal_block);
}

static int ext4_verify(void *state, uint64_t window_bytes)
{
	const struct ext4 *ext4 = state;

	(void)window_bytes;
	return ext4_verify_groups(&ext4->layout);
}

KATAIMG_BACKEND(.name = "ext4", .version = "0.1.0",
		.summary = "ext4 with checksums, hashed directories and a small journal",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_ACLS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE |
				KATAIMG_CAP_DAX | KATAIMG_CAP_FREE_SPACE | KATAIMG_CAP_WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX | KATAIMG_JOB_FREE_SPACE,
		.options = ext4_option_table, .option_count = EXT4_OPTION_COUNT,
		.libraries = ext4_frame_libraries, .open = ext4_open, .limits = ext4_limits,
		.check = ext4_check, .plan = ext4_plan, .describe = ext4_describe,
		.write = ext4_write, .verify = ext4_verify, .close = ext4_close,
		.probe = ext4_probe, .read = ext4_read);
