/* SPDX-License-Identifier: Apache-2.0 */
/* The backend's table: options, limits, and the way through the callbacks. */
#include "plugins/ext4/ext4.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <ext2fs/ext2fs.h>

#include "lib/crc32c.h"
#include "plugins/common/uuid.h"
#include "plugins/ext4/frame.h"
#include "plugins/ext4/size.h"
#include "plugins/ext4/super.h"
#include "plugins/ext4/verify.h"
#include "plugins/ext4/write.h"
#include "plugins/ext4/xattr.h"

static const char *const journal_choices[] = { "auto", "yes", "no", NULL };

enum journal { JOURNAL_AUTO, JOURNAL_YES, JOURNAL_NO };

const struct kataimg_option ext4_options[EXT4_OPTIONS] = {
	[EXT4_OPTION_RESERVED_PERCENT] = {
		.name = "reserved-percent",
		.type = KATAIMG_OPT_U64,
		.default_value = "3",
		.max = 50,
		.help = "blocks that only root may use, in percent of all",
		.since = "0.1",
	},
	[EXT4_OPTION_INODES] = {
		.name = "inodes",
		.type = KATAIMG_OPT_U64,
		.min = EXT4_FIRST_INO,
		.max = UINT32_MAX,
		.help = "how many inodes there are at least (default: what the tree needs and a few)",
		.since = "0.1",
	},
	[EXT4_OPTION_JOURNAL] = {
		.name = "journal",
		.type = KATAIMG_OPT_ENUM,
		.default_value = "auto",
		.choices = journal_choices,
		.help = "a journal, of 4 MiB; auto: yes, since runtimes mount with data=ordered",
		.since = "0.1",
	},
	[EXT4_OPTION_LABEL] = {
		.name = "label",
		.type = KATAIMG_OPT_STRING,
		.max = EXT4_LABEL_BYTES,
		.help = "the volume's name",
		.since = "0.1",
	},
	[EXT4_OPTION_UUID] = {
		.name = "uuid",
		.type = KATAIMG_OPT_STRING,
		.max = 36,
		.help = "the volume's UUID (default: made from the build's seed)",
		.since = "0.1",
	},
};

static const char *ext4_libraries(void)
{
	static __thread char text[64];
	const char *version;

	ext2fs_get_library_version(&version, NULL);
	snprintf(text, sizeof(text), "libext2fs %s", version);
	return text;
}

/* ---- open ---- */

static int set_hash_seed(struct ext4 *ext4)
{
	const struct kataimg_host *host = ext4->host;
	uint8_t bytes[32];
	int ret = host->derive(host->ctx, "ext4 directory hash", bytes);

	for (size_t i = 0; ret == 0 && i < 4; i++) {
		le32 word;

		memcpy(&word, bytes + i * sizeof(word), sizeof(word));
		ext4->format.hash_seed[i] = from_le32(word);
	}
	return ret;
}

static int check_alignment(const struct ext4 *ext4)
{
	const struct kataimg_job *job = ext4->job;

	if (job->hugepage_bytes == 0 ||
	    (job->hugepage_bytes % EXT4_BLOCK_BYTES == 0 &&
	     job->window_offset % EXT4_BLOCK_BYTES == 0 &&
	     EXT4_EXTENT_MAX_BLOCKS * (uint64_t)EXT4_BLOCK_BYTES % job->hugepage_bytes == 0))
		return 0;
	ext4->host->error(ext4->host->ctx,
			  "blocks of %u bytes in a filesystem at byte %llu of the image cannot "
			  "start at multiples of %llu",
			  EXT4_BLOCK_BYTES, (unsigned long long)job->window_offset,
			  (unsigned long long)job->hugepage_bytes);
	return -EINVAL;
}

static int set_options(struct ext4 *ext4, const struct kataimg_value *values)
{
	int ret = uuid_from_option(ext4->host, ext4_options, values, EXT4_OPTION_UUID,
				   "ext4 filesystem", ext4->options.uuid);

	if (ret == 0)
		ret = set_hash_seed(ext4);
	if (ret == 0)
		ret = check_alignment(ext4);
	ext4->options.reserved_percent = values[EXT4_OPTION_RESERVED_PERCENT].number;
	ext4->options.inodes = values[EXT4_OPTION_INODES].number;
	ext4->options.journal = values[EXT4_OPTION_JOURNAL].number != JOURNAL_NO;
	if (values[EXT4_OPTION_LABEL].is_set)
		snprintf(ext4->options.label, sizeof(ext4->options.label), "%s",
			 values[EXT4_OPTION_LABEL].string);
	ext4->format.linear_blocks =
		ext4->job->free_bytes ? EXT4_LINEAR_BLOCKS_GROWING : EXT4_LINEAR_BLOCKS_FIXED;
	ext4->format.csum_seed = crc32c(~0u, ext4->options.uuid, sizeof(ext4->options.uuid));
	return ret;
}

static int ext4_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	struct ext4 *ext4 = calloc(1, sizeof(*ext4));
	int ret;

	if (!ext4)
		return ext4_nomem(host);
	ext4->host = host;
	ext4->job = job;
	ret = set_options(ext4, values);
	if (ret < 0)
		free(ext4);
	else
		*state = ext4;
	return ret;
}

static void ext4_close(void *state)
{
	struct ext4 *ext4 = state;

	ext4_layout_destroy(&ext4->layout);
	ext4_census_destroy(&ext4->census);
	free(ext4);
}

/* ---- limits, check ---- */

static int ext4_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	limits->name_bytes = 255;
	limits->symlink_bytes = EXT4_BLOCK_BYTES - 1;
	limits->xattr_name_bytes = 255;
	limits->mtime_min = EXT4_TIME_MIN;
	limits->mtime_max = EXT4_TIME_MAX;
	limits->device_major = 0xfff;
	limits->device_minor = 0xfffff;
	limits->id = UINT32_MAX - 1; /* -1 is no user */
	limits->links = EXT4_LINK_MAX;
	limits->file_bytes = (uint64_t)UINT32_MAX * EXT4_BLOCK_BYTES;
	limits->nodes = UINT32_MAX - 2 * EXT4_FIRST_INO;
	return 0;
}

static int ext4_check(void *state, const struct kataimg_node *node, char *reason,
		      size_t reason_size)
{
	struct ext4_xattr_set set;

	(void)state;
	if (node->type == KATAIMG_DIR &&
	    ext4_dir_blocks_bound(node->entries, node->entry_count) > EXT4_DIR_BLOCKS_MAX) {
		snprintf(reason, reason_size, "%u names do not fit a directory's two-level index",
			 node->entry_count);
		return KATAIMG_CHECK_NODE;
	}
	return ext4_xattr_set_init(&set, node, reason, reason_size) < 0 ? KATAIMG_CHECK_XATTRS
									: KATAIMG_CHECK_OK;
}

/* ---- plan, describe, write, verify, probe ---- */

/* What has no node has this time. */
static int check_build_time(const struct ext4 *ext4)
{
	if (ext4->job->build_time <= EXT4_TIME_MAX)
		return 0;
	ext4->host->error(
		ext4->host->ctx,
		"a build time of %lld seconds since 1970 is after %lld, the last that ext4 "
		"stores",
		(long long)ext4->job->build_time, (long long)EXT4_TIME_MAX);
	return -ERANGE;
}

static int ext4_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct ext4 *ext4 = state;
	int ret = check_build_time(ext4);

	if (ret < 0)
		return ret;
	ext4->tree = tree;
	ret = ext4_census_init(&ext4->census, ext4);
	if (ret < 0)
		return ret;
	ext4->format.first_tree_ino = EXT4_FIRST_INO - 1 + ext4->census.lost_found;
	ret = ext4_size_plan(ext4);
	if (ret < 0)
		return ret;
	plan->bytes = ext4->planned_blocks * EXT4_BLOCK_BYTES;
	plan->granularity = EXT4_BLOCK_BYTES;
	return 0;
}

static int ext4_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct ext4 *ext4 = state;
	int ret = ext4_size_layout(ext4, window_bytes);

	if (ret == 0)
		ext4_super_describe(ext4, info);
	return ret;
}

static void report_unused_tail(const struct ext4 *ext4, uint64_t window_bytes)
{
	uint64_t used = ext4->layout.geo.blocks * EXT4_BLOCK_BYTES;

	if (used < window_bytes)
		ext4->host->log(ext4->host->ctx, KATAIMG_LOG_INFO,
				"the last %llu bytes of %llu are too few for a block group "
				"and stay unused",
				(unsigned long long)(window_bytes - used),
				(unsigned long long)window_bytes);
}

static int ext4_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	struct ext4 *ext4 = state;
	uint8_t journal_block[60] = { 0 };
	int ret;

	(void)tree;
	ret = ext4_size_layout(ext4, window_bytes);
	if (ret < 0)
		return ret;
	report_unused_tail(ext4, window_bytes);
	ret = ext4_write_content(ext4, journal_block);
	return ret < 0 ? ret : ext4_frame_write(ext4, journal_block);
}

static int ext4_probe(const struct kataimg_host *host, uint64_t window_bytes,
		      struct kataimg_fs_info *info)
{
	return ext4_super_probe(host, window_bytes, info);
}

static int ext4_verify(void *state, uint64_t window_bytes)
{
	return ext4_verify_window(state, window_bytes);
}

KATAIMG_BACKEND(.name = "ext4", .version = "0.1.0",
		.summary = "ext4 with checksums, hashed directories and a small journal",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_ACLS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE |
				KATAIMG_CAP_DAX | KATAIMG_CAP_FREE_SPACE | KATAIMG_CAP_WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX | KATAIMG_JOB_FREE_SPACE, .options = ext4_options,
		.option_count = EXT4_OPTIONS, .libraries = ext4_libraries, .open = ext4_open,
		.limits = ext4_limits, .check = ext4_check, .plan = ext4_plan,
		.describe = ext4_describe, .write = ext4_write, .verify = ext4_verify,
		.close = ext4_close, .probe = ext4_probe);
