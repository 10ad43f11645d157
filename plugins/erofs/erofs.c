/* SPDX-License-Identifier: Apache-2.0 */
/* The EROFS backend: its table and what the core calls. */
#include "plugins/erofs/erofs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"
#include "plugins/erofs/chunk.h"
#include "plugins/erofs/compress.h"
#include "plugins/erofs/data.h"
#include "plugins/erofs/dedupe.h"
#include "plugins/erofs/dir.h"
#include "plugins/erofs/inode.h"
#include "plugins/erofs/layout.h"
#include "plugins/erofs/lz4.h"
#include "plugins/erofs/options.h"
#include "plugins/erofs/probe.h"
#include "plugins/erofs/super.h"
#include "plugins/erofs/verify.h"
#include "plugins/erofs/write.h"
#include "plugins/erofs/xattr.h"

/* A link's target ends with a NUL within PATH_MAX. */
#define SYMLINK_BYTES_MAX 4095
#define XATTR_VALUE_BYTES_MAX 65535
/* Linux's own limit: EROFS could hold "user." and 255 bytes more, which nobody could ask for. */
#define XATTR_NAME_BYTES_MAX 255

static void erofs_close(void *state)
{
	struct erofs *fs = state;

	if (fs->chunk_runs)
		free(fs->chunk_runs->runs);
	free(fs->chunk_runs);
	erofs_segments_free(fs->segments);
	erofs_xattrs_free(fs->xattrs);
	free(fs->order);
	free(fs->inodes);
	free(fs);
}

static int erofs_open(const struct kataimg_host *host, const struct kataimg_job *job,
		      const struct kataimg_value *values, void **state)
{
	struct erofs *fs = calloc(1, sizeof(*fs));
	int err;

	if (!fs) {
		host->error(host->ctx, "out of memory");
		return -ENOMEM;
	}
	fs->host = host;
	fs->job = job;
	err = erofs_options_read(fs, values);
	if (err)
		erofs_close(fs);
	else
		*state = fs;
	return err;
}

static int erofs_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	limits->name_bytes = EROFS_NAME_BYTES;
	limits->symlink_bytes = SYMLINK_BYTES_MAX;
	limits->xattr_name_bytes = XATTR_NAME_BYTES_MAX;
	limits->xattr_value_bytes = XATTR_VALUE_BYTES_MAX;
	limits->device_major = EROFS_DEVICE_MAJOR_MAX;
	limits->device_minor = EROFS_DEVICE_MINOR_MAX;
	limits->id = UINT32_MAX - 1; /* -1 is no user */
	limits->file_bytes = (uint64_t)UINT32_MAX * EROFS_BLOCK_BYTES;
	return 0;
}

/* Why the attribute cannot be stored, NULL when it can. */
static const char *xattr_refusal(const struct kataimg_xattr *xattr)
{
	const char *suffix;
	uint32_t suffix_len;
	uint8_t prefix;

	if (erofs_xattr_split(xattr, &prefix, &suffix, &suffix_len))
		return "EROFS has no namespace for it";
	if ((prefix == EROFS_XATTR_ACL_ACCESS || prefix == EROFS_XATTR_ACL_DEFAULT) &&
	    !acl_is_valid(xattr->value, xattr->value_len))
		return "it is not a valid access control list";
	return NULL;
}

static int erofs_check(void *state, const struct kataimg_node *node, char *reason,
		       size_t reason_size)
{
	const uint64_t max = sizeof(struct erofs_xattr_header) + (EROFS_XATTR_COUNT_MAX - 1) * 4;
	uint64_t bytes = erofs_xattr_bytes_alone(node);

	(void)state;
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		const char *why = xattr_refusal(&node->xattrs[i]);

		if (!why)
			continue;
		snprintf(reason, reason_size, "extended attribute %s: %s", node->xattrs[i].name,
			 why);
		return KATAIMG_CHECK_XATTRS;
	}
	if (bytes <= max)
		return KATAIMG_CHECK_OK;
	snprintf(reason, reason_size,
		 "extended attributes of %" PRIu64 " bytes do not fit the %" PRIu64 " of an inode",
		 bytes, max);
	return KATAIMG_CHECK_XATTRS;
}

/* What the steps of the plan start from: plain data of its own for every node. */
static void begin_inode(struct erofs *fs, const struct kataimg_node *node)
{
	struct erofs_inode *inode = &fs->inodes[node->index];

	inode->size = node->type == KATAIMG_DIR ? erofs_dir_bytes(node) : node->size;
	inode->xattr_bytes = erofs_xattrs_node_bytes(fs->xattrs, node);
	inode->extended = erofs_inode_is_extended(fs, node, inode->size);
	inode->owner = node->index;
	inode->copies = 1;
}

static int begin_plan(struct erofs *fs, const struct kataimg_tree *tree)
{
	int err;

	fs->tree = tree;
	fs->inodes = erofs_alloc(fs, tree->node_count, sizeof(*fs->inodes));
	fs->chunk_runs = erofs_alloc(fs, 1, sizeof(*fs->chunk_runs));
	if (!fs->inodes || !fs->chunk_runs)
		return -ENOMEM;
	err = erofs_xattrs_collect(fs);
	for (uint64_t i = 0; i < tree->node_count && !err; i++)
		begin_inode(fs, tree->nodes[i]);
	return err;
}

static int plan_chunks(struct erofs *fs)
{
	int err = 0;

	for (uint64_t i = 0; i < fs->tree->node_count && !err; i++)
		if (fs->tree->nodes[i]->type == KATAIMG_REG && fs->inodes[i].owner == i)
			err = erofs_chunk_plan(fs, fs->tree->nodes[i]);
	return err;
}

static void describe(const struct erofs *fs, struct kataimg_fs_info *info)
{
	uint8_t bytes[EROFS_SUPER_BYTES_MAX];
	struct erofs_super super;

	erofs_super_encode(fs, bytes);
	memcpy(&super, bytes, sizeof(super));
	erofs_super_describe(&super, info);
}

/* What a guest that mounts with dax reads through its page cache all the same. */
static void report_dax(const struct erofs *fs)
{
	uint64_t files = 0, bytes = 0;

	for (uint64_t i = 0; i < fs->tree->node_count; i++) {
		const struct erofs_inode *inode = &fs->inodes[i];

		if (fs->tree->nodes[i]->type != KATAIMG_REG ||
		    (inode->layout != EROFS_COMPRESSED_COMPACT &&
		     inode->layout != EROFS_FLAT_INLINE))
			continue;
		files++;
		bytes += inode->size;
	}
	if (files && fs->job->required & KATAIMG_JOB_DAX)
		fs->host->log(fs->host->ctx, KATAIMG_LOG_INFO,
			      "%" PRIu64 " files of %" PRIu64 " bytes are compressed or packed: "
			      "guests read them through their page cache, without DAX",
			      files, bytes);
}

static int erofs_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct erofs *fs = state;
	struct kataimg_fs_info info;
	int err = begin_plan(fs, tree);

	if (!err && fs->options.dedupe)
		err = erofs_dedupe_plan(fs);
	if (!err)
		err = plan_chunks(fs);
	if (!err)
		err = erofs_compress_plan(fs);
	if (!err)
		err = erofs_layout_plan(fs);
	if (!err)
		err = erofs_data_assign(fs);
	if (err)
		return err;
	plan->bytes = fs->blocks * EROFS_BLOCK_BYTES;
	plan->granularity = EROFS_BLOCK_BYTES;
	if (fs->options.dedupe)
		erofs_dedupe_report(fs);
	report_dax(fs);
	describe(fs, &info);
	fs->host->fact(fs->host->ctx, "min_kernel", info.min_kernel);
	return 0;
}

static int erofs_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	(void)window_bytes;
	describe(state, info);
	return 0;
}

static int erofs_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	const struct erofs *fs = state;
	int err;

	(void)tree;
	(void)window_bytes;
	err = erofs_write_metadata(fs);
	return err ? err : erofs_data_place(fs);
}

static int erofs_verify(void *state, uint64_t window_bytes)
{
	return erofs_verify_window(state, window_bytes);
}

KATAIMG_BACKEND(.name = "erofs", .version = "0.1.0",
		.summary = "EROFS, read-only, for DAX or compressed",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_ACLS | KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE |
				KATAIMG_CAP_DAX,
		.job_features = KATAIMG_JOB_DAX, .options = erofs_option_table,
		.option_count = EROFS_OPTION_COUNT, .libraries = erofs_lz4_version,
		.open = erofs_open, .limits = erofs_limits, .check = erofs_check,
		.plan = erofs_plan, .describe = erofs_describe, .write = erofs_write,
		.verify = erofs_verify, .close = erofs_close, .probe = erofs_probe);
