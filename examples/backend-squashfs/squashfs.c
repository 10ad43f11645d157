/* SPDX-License-Identifier: Apache-2.0 */
/*
 * squashfs for kataimg, by libsquashfs. All of it is packed into a scratch file in plan, which
 * knows no size before; write only says where the bytes belong.
 */
#include <errno.h>
#include <inttypes.h>
#include <sqfs/compressor.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "kataimg/backend.h"
#include "pack.h"
#include "read.h"
#include "super.h"

#define COMPARE_BYTES 65536u
/* A directory's size has 32 bits; an entry takes up to 8 bytes, a name and a header of 12 bytes. */
#define ENTRIES_MAX (UINT32_MAX / (8 + 255 + 12))
/* An inode's block list has 32 bits of bytes, 4 a block; the library doubles it as it grows. */
#define FILE_BLOCKS_MAX (UINT64_C(1) << 28)

struct squashfs {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	sqfs_compressor_config_t compression;
	struct file packed; /* the filesystem, in a scratch file */
	sqfs_super_t super;
};

enum { OPTION_COMPRESS, OPTION_LEVEL, OPTION_BLOCK_SIZE };

static const char *const compress_choices[] = { "gzip", "xz", "lz4", "lz4hc", "zstd", NULL };
static const char *const block_size_choices[] = { "4K",   "8K",   "16K",  "32K", "64K",
						  "128K", "256K", "512K", "1M",  NULL };

static const struct kataimg_option squashfs_options[] = {
	[OPTION_COMPRESS] = { .name = "compress",
			      .type = KATAIMG_OPT_ENUM,
			      .choices = compress_choices,
			      .default_value = "gzip",
			      .help = "how blocks and tables are compressed",
			      .since = "1.0" },
	[OPTION_LEVEL] = { .name = "level",
			   .type = KATAIMG_OPT_U64,
			   .max = SQFS_ZSTD_MAX_LEVEL,
			   .help = "gzip: 1 to 9, xz: 0 to 9, zstd: 1 to 22; not given: the "
				   "library's",
			   .since = "1.0" },
	[OPTION_BLOCK_SIZE] = { .name = "block-size",
				.type = KATAIMG_OPT_ENUM,
				.choices = block_size_choices,
				.default_value = "128K",
				.help = "how much of a file is compressed as one",
				.since = "1.0" },
};

static const char *squashfs_libraries(void)
{
	return "libsquashfs " LIBSQUASHFS_VERSION;
}

/* The choice's number in superblocks, its flags, and the levels that it knows (none: both 0). */
static const struct {
	SQFS_COMPRESSOR id;
	uint16_t flags;
	uint32_t level_min, level_max;
} compressors[] = {
	{ SQFS_COMP_GZIP, 0, SQFS_GZIP_MIN_LEVEL, SQFS_GZIP_MAX_LEVEL },
	{ SQFS_COMP_XZ, 0, SQFS_XZ_MIN_LEVEL, SQFS_XZ_MAX_LEVEL },
	{ SQFS_COMP_LZ4, 0, 0, 0 },
	{ SQFS_COMP_LZ4, SQFS_COMP_FLAG_LZ4_HC, 0, 0 },
	{ SQFS_COMP_ZSTD, 0, SQFS_ZSTD_MIN_LEVEL, SQFS_ZSTD_MAX_LEVEL },
};

/* The core names the option and its line; one that is older than option_error does not. */
KATAIMG_PRINTF(3, 4)
static int refuse(const struct kataimg_host *host, uint64_t index, const char *fmt, ...)
{
	char message[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	if (KATAIMG_HAS(kataimg_host, host, option_error))
		host->option_error(host->ctx, index, "%s", message);
	else
		host->error(host->ctx, "%s: %s", squashfs_options[index].name, message);
	return -EINVAL;
}

static int set_level(struct squashfs *squashfs, const struct kataimg_value *compress,
		     uint64_t level)
{
	uint32_t min = compressors[compress->number].level_min;
	uint32_t max = compressors[compress->number].level_max;

	if (level >= min && level <= max && max > 0) {
		squashfs->compression.level = (uint32_t)level;
		return 0;
	}
	if (max == 0)
		return refuse(squashfs->host, OPTION_LEVEL, "%s has no levels", compress->string);
	return refuse(squashfs->host, OPTION_LEVEL, "the levels of %s are %u to %u",
		      compress->string, min, max);
}

static int configure(struct squashfs *squashfs, const struct kataimg_value *values)
{
	const struct kataimg_value *compress = &values[OPTION_COMPRESS];
	uint32_t block_bytes = SQFS_MIN_BLOCK_SIZE << values[OPTION_BLOCK_SIZE].number;
	int result = sqfs_compressor_config_init(&squashfs->compression,
						 compressors[compress->number].id, block_bytes,
						 compressors[compress->number].flags);

	if (result < 0)
		return file_error(&squashfs->packed, result, "choosing the compressor");
	if (!values[OPTION_LEVEL].is_set)
		return 0;
	return set_level(squashfs, compress, values[OPTION_LEVEL].number);
}

static int squashfs_open(const struct kataimg_host *host, const struct kataimg_job *job,
			 const struct kataimg_value *values, void **state)
{
	struct squashfs *squashfs = calloc(1, sizeof(*squashfs));
	int ret;

	if (!squashfs)
		return -ENOMEM;
	squashfs->host = host;
	squashfs->job = job;
	file_init_scratch(&squashfs->packed, host, NULL);
	ret = configure(squashfs, values);
	if (ret < 0) {
		free(squashfs);
		return ret;
	}
	*state = squashfs;
	return 0;
}

static void squashfs_close(void *state)
{
	free(state);
}

static int squashfs_limits(void *state, struct kataimg_limits *limits)
{
	const struct squashfs *squashfs = state;

	limits->name_bytes = 255;
	limits->symlink_bytes = 4095;
	limits->xattr_value_bytes = 65536;
	limits->mtime_min = 0;
	limits->mtime_max = UINT32_MAX;
	limits->device_major = 0xfff;
	limits->device_minor = 0xfffff;
	limits->entries = ENTRIES_MAX;
	limits->file_bytes = squashfs->compression.block_size * FILE_BLOCKS_MAX;
	limits->nodes = UINT32_MAX - 1;
	return 0;
}

/* Only a prefix that has a number can be stored. ACLs have none: capabilities say so. */
static int squashfs_check(void *state, const struct kataimg_node *node, char *reason,
			  size_t reason_size)
{
	static const char *const prefixes[] = { "user.", "trusted.", "security.",
						"system.posix_acl_" };

	(void)state;
	for (uint32_t i = 0; i < node->xattr_count; i++) {
		size_t known = 0;

		for (size_t j = 0; j < sizeof(prefixes) / sizeof(prefixes[0]); j++)
			known += !strncmp(node->xattrs[i].name, prefixes[j], strlen(prefixes[j]));
		if (known)
			continue;
		snprintf(reason, reason_size, "%s is neither user., trusted. nor security.",
			 node->xattrs[i].name);
		return KATAIMG_CHECK_XATTRS;
	}
	return KATAIMG_CHECK_OK;
}

static int squashfs_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct squashfs *squashfs = state;
	const struct kataimg_host *host = squashfs->host;
	struct kataimg_scratch *scratch;
	int ret;

	if (squashfs->job->build_time > UINT32_MAX) {
		host->error(host->ctx, "squashfs cannot store a build time after 2106");
		return -ERANGE;
	}
	ret = host->scratch_create(host->ctx, &scratch);
	if (ret < 0)
		return ret;
	file_init_scratch(&squashfs->packed, host, scratch);
	ret = pack_tree(squashfs->job, tree, &squashfs->compression, &squashfs->packed,
			&squashfs->super);
	plan->bytes = super_window_bytes(&squashfs->super);
	plan->granularity = GRANULE_BYTES;
	return ret;
}

static int squashfs_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	const struct squashfs *squashfs = state;

	(void)window_bytes; /* a read-only filesystem need not fill its window */
	super_describe(&squashfs->super, info);
	return 0;
}

static int squashfs_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	const struct squashfs *squashfs = state;
	const struct kataimg_host *host = squashfs->host;

	(void)tree;
	(void)window_bytes;
	return host->place_scratch(host->ctx, 0, squashfs->packed.scratch, 0,
				   squashfs->super.bytes_used);
}

static int squashfs_probe(const struct kataimg_host *host, uint64_t window_bytes,
			  struct kataimg_fs_info *info)
{
	struct file window;
	sqfs_super_t super;
	int ret;

	file_init_window(&window, host, window_bytes);
	ret = super_read(&window, &super);
	if (ret < 0)
		return ret;
	super_describe(&super, info);
	return 0;
}

/* [off, off + len) of the window against what was packed. */
static int compare(const struct squashfs *squashfs, uint64_t off, size_t len)
{
	const struct kataimg_host *host = squashfs->host;
	uint8_t expected[COMPARE_BYTES], found[COMPARE_BYTES];
	int ret = host->scratch_read(host->ctx, squashfs->packed.scratch, off, expected, len);

	if (ret < 0)
		return ret;
	ret = host->window_read(host->ctx, off, found, len);
	if (ret < 0 || memcmp(expected, found, len) == 0)
		return ret;
	host->error(host->ctx,
		    "the tables within 64 KiB of byte %" PRIu64 " are not what was packed", off);
	return -EUCLEAN;
}

static int squashfs_verify(void *state, uint64_t window_bytes)
{
	const struct squashfs *squashfs = state;
	const sqfs_super_t *super = &squashfs->super;
	struct file window;
	sqfs_super_t found;
	int ret;

	file_init_window(&window, squashfs->host, window_bytes);
	ret = super_read(&window, &found);
	if (ret == -ENODATA || (ret == 0 && memcmp(&found, super, sizeof(found)))) {
		squashfs->host->error(squashfs->host->ctx,
				      "the superblock is not what was written");
		return -EUCLEAN;
	}
	for (uint64_t off = super->inode_table_start; ret == 0 && off < super->bytes_used;
	     off += COMPARE_BYTES) {
		uint64_t left = super->bytes_used - off;

		ret = compare(squashfs, off, left < COMPARE_BYTES ? left : COMPARE_BYTES);
	}
	return ret;
}

KATAIMG_BACKEND(.name = "squashfs", .version = BACKEND_VERSION,
		.summary = "squashfs: read-only, compressed, by libsquashfs",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_SPARSE,
		.options = squashfs_options,
		.option_count = sizeof(squashfs_options) / sizeof(squashfs_options[0]),
		.libraries = squashfs_libraries, .open = squashfs_open, .limits = squashfs_limits,
		.check = squashfs_check, .plan = squashfs_plan, .describe = squashfs_describe,
		.write = squashfs_write, .verify = squashfs_verify, .close = squashfs_close,
		.probe = squashfs_probe, .read = squashfs_read, .decode = blocks_decode,
		.read_end = blocks_free);
