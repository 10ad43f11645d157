/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filesystem that nobody can mount, but that keeps the contract: a header block, a stream of
 * inodes (toystore.h), then each file's data on block boundaries. Compiled once as it is, and once
 * for each way of breaking a promise: -DBREAK_...
 */
#include "toy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toybreak.h"
#include "toystore.h"

/* Where the header block lies, as btrfs has its own at 64 KiB. */
#ifdef LATE
#define HEADER_BLOCK 16u
#else
#define HEADER_BLOCK 0u
#endif
#ifdef BREAK_LARGE
#define FREE_SPACE 0 /* so that room for nothing has no excuse */
#else
#define FREE_SPACE KATAIMG_CAP_FREE_SPACE
#endif
#ifdef KATAIMG_CAP_WRITE_AGAIN /* not of the first headers */
#define WRITE_AGAIN KATAIMG_CAP_WRITE_AGAIN
#else
#define WRITE_AGAIN 0
#endif
#define MAGIC "toy filesystem\n"
/* Where in a block a file's data begins. */
#ifdef BREAK_PAGE
#define SHIFT 512u
#else
#define SHIFT 0u
#endif

struct toy_header {
	char magic[16];
	uint64_t blocks, nodes, free_blocks, store_bytes;
	uint8_t uuid[16];
	uint32_t noise;    /* 0 when all is well */
	uint32_t reserved; /* else the structure ends in bytes of any value */
};

static int toy_open(const struct kataimg_host *host, const struct kataimg_job *job,
		    const struct kataimg_value *values, void **state)
{
	struct toy *toy = calloc(1, sizeof(*toy));
	int ret;

	(void)values;
	if (!toy) {
		host->error(host->ctx, "out of memory");
		return -ENOMEM;
	}
	toy->host = host;
	toy->job = job;
	ret = break_open(toy);
	if (ret < 0) {
		free(toy);
		return ret;
	}
	*state = toy;
	return 0;
}

static uint64_t blocks_of(uint64_t bytes)
{
	return bytes / BLOCK + (bytes % BLOCK != 0);
}

/* Where a file's data goes that wants huge pages, which count from the start of the image. */
static uint64_t align_block(const struct toy *toy, const struct kataimg_node *node, uint64_t block)
{
	uint64_t huge = toy->job->hugepage_bytes / BLOCK;
	uint64_t before = toy->job->window_offset / BLOCK;

#ifdef BREAK_DAX
	return block;
#endif
	if (!huge || node->size < toy->job->hugepage_bytes)
		return block;
	return (before + block + huge - 1) / huge * huge - before;
}

static uint64_t first_data_block(const struct toy *toy)
{
	return HEADER_BLOCK + 1 + blocks_of(toy->store_bytes);
}

/* What the toys do that are more than the toy. */
static int do_more(struct toy *toy, const struct kataimg_tree *tree)
{
	int ret = 0;

	(void)toy;
	(void)tree;
#ifdef SMALL
	ret = toy_refuse_too_much(toy, tree) < 0 ? -EFBIG : 0;
#endif
#ifdef RUN
	ret = toy_run(toy->host);
#endif
#ifdef ESCAPE
	toy_escape(toy->host);
	ret = toy_needs_other(toy->host);
#endif
	return ret;
}

static void count_blocks(struct toy *toy, const struct kataimg_tree *tree)
{
	toy->nodes = tree->node_count;
	toy->store_bytes = toystore_bytes(tree);
	toy->blocks = first_data_block(toy);
	for (uint64_t i = 0; i < tree->node_count; i++)
		if (tree->nodes[i]->type == KATAIMG_REG)
			toy->blocks = align_block(toy, tree->nodes[i], toy->blocks) +
				      blocks_of(tree->nodes[i]->size + SHIFT);
	break_blocks(toy);
}

static int toy_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct toy *toy = state;
	int ret = do_more(toy, tree);

	if (ret < 0)
		return ret;
	count_blocks(toy, tree);
	plan->bytes = (toy->blocks + blocks_of(toy->job->free_bytes)) * BLOCK;
	plan->granularity = BLOCK;
	return break_plan(toy, plan);
}

static void fill_info(const struct toy_header *header, struct kataimg_fs_info *info)
{
	info->size_bytes = header->blocks * BLOCK;
	info->block_bytes = BLOCK;
	info->free_bytes = header->free_blocks * BLOCK;
	info->inodes = header->nodes + UINT32_MAX;
	info->free_inodes = UINT32_MAX;
#ifdef BREAK_INODES
	info->free_inodes = 1;
#endif
	memcpy(info->uuid, header->uuid, sizeof(info->uuid));
	strcpy(info->type, "toy");
#ifdef FAT
	info->inodes = info->free_inodes = 0;
	info->flags = KATAIMG_FS_INODES_NOT_COUNTED;
#endif
#ifdef BREAK_ENDLESS
	memset(info->features, 'x', sizeof(info->features));
#endif
}

static int make_header(struct toy *toy, uint64_t window_bytes, struct toy_header *header)
{
	*header = (struct toy_header){ .magic = MAGIC,
				       .blocks = window_bytes / BLOCK,
				       .nodes = toy->nodes,
				       .store_bytes = toy->store_bytes };
	header->free_blocks = header->blocks - toy->blocks;
	return toy->host->uuid(toy->host->ctx, "toy", header->uuid);
}

static int toy_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	struct toy_header header;
	int ret = make_header(state, window_bytes, &header);

	if (ret == 0)
		fill_info(&header, info);
#ifdef BREAK_DESCRIBE
	info->free_bytes += BLOCK;
#endif
	return ret;
}

/* starts: where each file's data begins, by its node's index. */
static int place_files(struct toy *toy, const struct kataimg_tree *tree, uint64_t *starts)
{
	uint64_t block = first_data_block(toy);
	int ret = 0;

	for (uint64_t i = 0; ret == 0 && i < tree->node_count; i++) {
		const struct kataimg_node *node = tree->nodes[i];

		if (node->type != KATAIMG_REG || node->size == 0)
			continue;
		block = align_block(toy, node, block);
		starts[i] = block * BLOCK + SHIFT;
		ret = toy->host->place(toy->host->ctx, starts[i], node, 0, node->size);
#ifdef BREAK_SAME_PLACE
		continue;
#endif
#ifdef BREAK_UNREAD
		break;
#endif
		block += blocks_of(node->size + SHIFT);
	}
	return ret;
}

static int write_tree(struct toy *toy, const struct kataimg_tree *tree)
{
	uint64_t *starts = calloc(tree->node_count, sizeof(*starts));
	int ret = starts ? place_files(toy, tree, starts) : -ENOMEM;

	if (ret == 0)
		ret = toystore_write(toy->host, (HEADER_BLOCK + 1) * BLOCK, tree, starts);
	free(starts);
	return ret;
}

static int check_window(struct toy *toy, uint64_t window_bytes)
{
	(void)toy;
	(void)window_bytes;
#if !defined(BREAK_PLAN)
	if (window_bytes / BLOCK < toy->blocks) {
#ifdef BREAK_REFUSAL
		return -ENOSPC;
#endif
		toy->host->error(toy->host->ctx, "the window is too small");
		return -ENOSPC;
	}
#endif
#ifdef BREAK_WINDOW
	if (window_bytes / BLOCK > toy->blocks + 1000) {
		toy->host->error(toy->host->ctx, "the window is too large");
		return -ENOSPC;
	}
#endif
	return 0;
}

static int toy_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	struct toy *toy = state;
	struct toy_header header;
	int ret = check_window(toy, window_bytes);

	if (ret == 0)
		ret = make_header(toy, window_bytes, &header);
	if (ret < 0)
		return ret;
	header.noise = break_bytes(toy);
#ifdef BREAK_OVERLAP
	ret = toy->host->place(toy->host->ctx, 0, tree->nodes[0], 0, BLOCK);
	if (ret < 0)
		return ret;
#endif
	ret = toy->host->write(toy->host->ctx, HEADER_BLOCK * BLOCK, &header, sizeof(header));
	ret = break_write(toy, window_bytes, ret);
	if (ret == 0)
		ret = write_tree(toy, tree);
#ifdef BREAK_FAULTS
	ret = 0;
#endif
	return ret;
}

static int read_header(const struct kataimg_host *host, uint64_t window_bytes,
		       struct toy_header *header)
{
	if (window_bytes < (HEADER_BLOCK + 1) * BLOCK)
		return -ENODATA;
	return host->window_read(host->ctx, HEADER_BLOCK * BLOCK, header, sizeof(*header));
}

static int toy_verify(void *state, uint64_t window_bytes)
{
	struct toy *toy = state;
	struct toy_header header;
	int ret = read_header(toy->host, window_bytes, &header);

#ifndef BREAK_VERIFY
	if (ret == 0 && memcmp(header.magic, MAGIC, sizeof(MAGIC)) != 0) {
#ifndef BREAK_ALARM
		toy->host->error(toy->host->ctx, "the header is gone");
#endif
		return -EBADMSG;
	}
#endif
#ifdef BREAK_MESSAGE
	return -EIO;
#endif
#ifdef BREAK_STAGE
	ret = toy->host->write(toy->host->ctx, 0, &header, sizeof(header));
#endif
	return ret;
}

static void toy_close(void *state)
{
	free(state);
}

static int toy_probe(const struct kataimg_host *host, uint64_t window_bytes,
		     struct kataimg_fs_info *info)
{
	struct toy_header header;
	int ret = read_header(host, window_bytes, &header);

#ifdef ESCAPE
	toy_escape(host);
#endif
	if (ret < 0)
		return ret;
#if !defined(BREAK_PROBE) && !defined(BREAK_VERIFY)
	if (memcmp(header.magic, MAGIC, sizeof(MAGIC)) != 0)
		return -ENODATA;
#endif
	fill_info(&header, info);
	return 0;
}

#ifdef KATAIMG_HAVE_READ /* not of the first headers */
#define READS .read = toy_read, .decode = toy_decode, .read_end = toy_close
static int toy_read(const struct kataimg_host *host, uint64_t window_bytes,
		    const struct kataimg_sink *sink, void **state)
{
	struct toy_header header = { .magic = "" };
	uint8_t *stream;
	int ret = read_header(host, window_bytes, &header);

	*state = NULL;
	if (ret == 0 && (memcmp(header.magic, MAGIC, sizeof(MAGIC)) != 0 ||
			 header.store_bytes > window_bytes || header.store_bytes == 0))
		ret = -ENODATA;
	if (ret < 0) {
		host->error(host->ctx, "there is no toy filesystem");
		return -EUCLEAN;
	}
	stream = malloc(header.store_bytes);
	if (!stream)
		return -ENOMEM;
	ret = host->window_read(host->ctx, (HEADER_BLOCK + 1) * BLOCK, stream, header.store_bytes);
	if (ret == 0)
		ret = toystore_read(host, stream, header.store_bytes, header.nodes, sink);
	free(stream);
	return ret;
}

static int toy_decode(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len)
{
	(void)state, (void)cookie, (void)skip, (void)buf, (void)len;
	return -EIO;
}
#else
#define READS .walk = NULL
#endif

#ifdef BREAK_EXPORTS
KATAIMG_EXPORT int toy_helper(void);
KATAIMG_EXPORT int toy_helper(void)
{
	return 0;
}
#endif

#ifdef BREAK_PROTECTED
__attribute__((visibility("protected"))) int toy_protected(void);
int toy_protected(void)
{
	return 0;
}
#endif

static const struct kataimg_option options[] = {
#ifdef BREAK_OPTIONS
	{ .name = "silent", .type = KATAIMG_OPT_STRING },
#elif defined(BREAK_LINES)
	{ .name = "lines", .help = "one\nand another", .type = KATAIMG_OPT_STRING },
	{ .name = "empty", .help = "", .type = KATAIMG_OPT_STRING },
#elif defined(BREAK_RANGE)
	{ .name = "range", .help = "unused", .type = KATAIMG_OPT_U64, .min = 5, .max = 4 },
#elif defined(BREAK_DEFAULT)
	{ .name = "level", .help = "unused", .type = KATAIMG_OPT_U64, .default_value = "high" },
#elif defined(BREAK_TWICE)
	{ .name = "label", .help = "unused", .type = KATAIMG_OPT_STRING },
	{ .name = "label", .help = "unused", .type = KATAIMG_OPT_STRING },
#else
	{ .name = "label", .help = "unused", .type = KATAIMG_OPT_STRING },
#endif
};

#if !defined(SMALL) && !defined(FAT)
#define toy_limits NULL
#define toy_check NULL
#endif

#if defined(RUN) && defined(KATAIMG_HAVE_PROGRAMS) /* not of the first headers */
static const char *const programs[] = { "sh", NULL };
#define PROGRAMS .programs = programs,
#else
#define PROGRAMS
#endif

KATAIMG_BACKEND(.name = NAME, .version = "1", .summary = "a toy for the check tool's tests",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_XATTRS |
				KATAIMG_CAP_NANOSECONDS | KATAIMG_CAP_SPARSE | KATAIMG_CAP_DAX |
				FREE_SPACE | WRITE_AGAIN,
		.job_features = KATAIMG_JOB_DAX | KATAIMG_JOB_FREE_SPACE, .options = options,
		.option_count = sizeof(options) / sizeof(options[0]), .open = toy_open,
		.limits = toy_limits, .check = toy_check, .plan = toy_plan,
		.describe = toy_describe, .write = toy_write, .verify = toy_verify,
		.close = toy_close, .probe = toy_probe, PROGRAMS READS);
