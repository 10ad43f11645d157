/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filesystem for no more than a root directory: a header, and a block that comes from scratch. It
 * keeps the contract, unless the option `lie` names a way not to: the tests of these need no module
 * each (toy.c is compiled for each of its own).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kataimg/backend.h"

#define BLOCK 4096u
#define MAGIC "a filesystem of one directory\n"

struct header {
	char magic[32];
	uint64_t bytes;
	int64_t mtime_sec;
	uint8_t uuid[16];
	uint32_t mode, mtime_nsec;
};

struct liar {
	const struct kataimg_host *host;
	const char *lie;
	uint32_t threads, next; /* of the jobs */
};

static pid_t loader;

__attribute__((constructor)) static void note_loader(void)
{
	loader = getpid();
}

static int lies(const struct liar *liar, const char *lie)
{
	return strcmp(liar->lie, lie) == 0;
}

static int fail(const struct liar *liar, int code, const char *why)
{
	liar->host->error(liar->host->ctx, "%s", why);
	return -code;
}

static int liar_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	struct liar *liar = calloc(1, sizeof(*liar));

	if (!liar) {
		host->error(host->ctx, "out of memory");
		return -ENOMEM;
	}
	liar->host = host;
	liar->lie = values[0].string;
	liar->threads = job->threads;
	*state = liar;
	if (!lies(liar, "passed-over"))
		return 0;
	host->error(host->ctx, "nothing came of it");
	return 0;
}

static int liar_limits(void *state, struct kataimg_limits *limits)
{
	const struct liar *liar = state;

	limits->nodes =
		lies(liar, "reasons") || lies(liar, "no-reason") || lies(liar, "answer") ? 600 : 1;
	limits->mtime_granularity_nsec = lies(liar, "no-time") ? 0 : lies(liar, "odd-time") ? 7 : 1;
	if (lies(liar, "endless-time"))
		limits->mtime_granularity_nsec = UINT64_MAX - 1;
	if (lies(liar, "young"))
		limits->mtime_min = INT64_C(2000000000);
	return lies(liar, "silent-limits") ? -EIO : 0;
}

static int liar_check(void *state, const struct kataimg_node *node, char *reason,
		      size_t reason_size)
{
	const struct liar *liar = state;

	if (node->parent == node)
		return KATAIMG_CHECK_OK;
	if (lies(liar, "answer"))
		return 99;
	if (!lies(liar, "no-reason"))
		snprintf(reason, reason_size, "reason\t%u", (unsigned int)node->index % 30);
	return KATAIMG_CHECK_NODE;
}

/* How it uses what is none of its business at that time. */
static int do_what_must_not_be(const struct liar *liar)
{
	static const char *const argv[] = { "true", NULL };
	const struct kataimg_host *host = liar->host;
	struct kataimg_scratch *scratch;
	char byte;
	int ret;

	if (lies(liar, "early-read"))
		return host->window_read(host->ctx, 0, &byte, 1);
	if (lies(liar, "program"))
		return host->run(host->ctx, argv, NULL, NULL);
	if (lies(liar, "level"))
		host->log(host->ctx, 9, "very quiet");
	if (lies(liar, "progress"))
		host->progress(host->ctx, 5, 3);
	if (!lies(liar, "scratch-end"))
		return 0;
	ret = host->scratch_create(host->ctx, &scratch);
	return ret < 0 ? ret : host->scratch_read(host->ctx, scratch, 0, &byte, 1);
}

static int liar_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	static int plans;
	const struct liar *liar = state;

	if (tree->node_count != 1)
		return fail(liar, EFBIG, "there is more than a directory");
	if (lies(liar, "once") && plans++ > 0)
		return fail(liar, EBUSY, "once is enough");
	plan->bytes = 2 * BLOCK;
	plan->granularity = lies(liar, "once") ? BLOCK : 2 * BLOCK;
	if (lies(liar, "nothing"))
		plan->bytes = 0;
	if (lies(liar, "no-granule"))
		plan->granularity = 0;
	if (lies(liar, "uneven"))
		plan->bytes += BLOCK;
	if (lies(liar, "enormous"))
		plan->bytes = UINT64_C(1) << 63;
	return do_what_must_not_be(liar);
}

static void fill_info(const struct header *header, struct kataimg_fs_info *info)
{
	info->size_bytes = header->bytes;
	info->block_bytes = BLOCK;
	info->inodes = 1;
	memcpy(info->uuid, header->uuid, sizeof(info->uuid));
	strcpy(info->type, "liar");
}

/* It may leave the end of a window that is no whole number of granules. */
static uint64_t used_bytes(const struct liar *liar, uint64_t window_bytes)
{
	return lies(liar, "rounds") ? window_bytes / (2 * BLOCK) * (2 * BLOCK) : window_bytes;
}

static int liar_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	const struct liar *liar = state;
	struct header header = { .bytes = used_bytes(liar, window_bytes) };
	int ret = liar->host->uuid(liar->host->ctx, "liar", header.uuid);

	fill_info(&header, info);
	if (lies(liar, "label"))
		strcpy(info->label, "another");
	if (lies(liar, "uuid"))
		info->uuid[0] ^= 1;
	return ret;
}

static int job(void *arg, uint64_t index)
{
	struct liar *liar = arg;

	if (lies(liar, "forwards") && liar->threads == 1 && index != liar->next++)
		return fail(liar, EPROTO, "that is not the next one");
	return 0;
}

static int write_scratch(const struct liar *liar)
{
	const struct kataimg_host *host = liar->host;
	struct kataimg_scratch *scratch;
	char passed[] = "passed on";
	uint64_t bytes;
	int ret = host->scratch_create(host->ctx, &scratch);

	if (ret == 0)
		ret = host->scratch_write(host->ctx, scratch, 0, passed, sizeof(passed));
	if (ret == 0)
		ret = host->scratch_read(host->ctx, scratch, 0, passed, sizeof(passed));
	if (ret == 0)
		ret = host->scratch_size(host->ctx, scratch, &bytes);
	return ret < 0 ? ret : host->place_scratch(host->ctx, BLOCK, scratch, 0, bytes);
}

/* What a call that failed makes of it. */
static int take_failure(const struct liar *liar, int ret)
{
	if (ret == -ENOSPC && lies(liar, "other-error"))
		return -EIO;
	if (ret < 0 && lies(liar, "harm"))
		liar->host->log(liar->host->ctx, 9, "that hurt");
	return ret;
}

static void end_early(const struct liar *liar)
{
	if (lies(liar, "exit"))
		_exit(7);
	if (lies(liar, "killed"))
		raise(SIGKILL);
}

static int liar_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	struct liar *liar = state;
	const struct kataimg_host *host = liar->host;
	struct header header = { .magic = MAGIC,
				 .bytes = used_bytes(liar, window_bytes),
				 .mtime_sec = tree->nodes[0]->mtime_sec,
				 .mtime_nsec = tree->nodes[0]->mtime_nsec,
				 .mode = tree->nodes[0]->mode };
	int ret;

	end_early(liar);
	if (lies(liar, "number"))
		return -99999;
	if (lies(liar, "number-said"))
		return fail(liar, 99999, "it is that bad");
	if (lies(liar, "late") || (lies(liar, "elsewhere") && getppid() != loader))
		return fail(liar, EIO, "it is too late");
	if (window_bytes % (2 * BLOCK) != 0 && !lies(liar, "rounds"))
		return fail(liar, ENOSPC, "that is half a filesystem");
	ret = host->uuid(host->ctx, "liar", header.uuid);
	if (ret == 0)
		ret = host->write(host->ctx, 0, &header, sizeof(header));
	if (ret == 0)
		ret = write_scratch(liar);
	liar->next = 0;
	if (ret == 0)
		ret = host->parallel(host->ctx, 3, job, liar);
	return take_failure(liar, ret);
}

static int read_header(const struct kataimg_host *host, uint64_t window_bytes,
		       struct header *header)
{
	int ret = window_bytes < BLOCK ? -ENODATA
				       : host->window_read(host->ctx, 0, header, sizeof(*header));

	if (ret == 0 && memcmp(header->magic, MAGIC, sizeof(MAGIC)) != 0)
		return -ENODATA;
	return ret;
}

static int liar_verify(void *state, uint64_t window_bytes)
{
	const struct liar *liar = state;
	struct header header;
	int ret = read_header(liar->host, window_bytes, &header);

	return ret == -ENODATA ? fail(liar, EBADMSG, "the header is gone") : ret;
}

static void liar_close(void *state)
{
	free(state);
}

static int liar_probe(const struct kataimg_host *host, uint64_t window_bytes,
		      struct kataimg_fs_info *info)
{
	struct header header;
	int ret = read_header(host, window_bytes, &header);

	if (ret == 0)
		fill_info(&header, info);
	return ret;
}

/* A reader has no options: these lies are the environment's. */
static int read_lies(const char *lie)
{
	const char *told = getenv("LIAR");

	return told && strcmp(told, lie) == 0;
}

static void be_greedy(void)
{
	static volatile char *taken;
	const size_t bytes = (size_t)300 << 20;

	if (taken || !read_lies("greedy"))
		return;
	taken = malloc(bytes);
	for (size_t at = 0; taken && at < bytes; at += BLOCK)
		taken[at] = 1;
}

static int liar_read(const struct kataimg_host *host, uint64_t window_bytes,
		     const struct kataimg_sink *sink, void **state)
{
	struct kataimg_inode root = { .struct_size = sizeof(root),
				      .type = KATAIMG_DIR,
				      .nlink = 1 };
	struct header header = { .magic = "" };
	int ret = read_lies("mute") ? -ENODATA : read_header(host, window_bytes, &header);

	*state = NULL;
	if (ret < 0) {
		host->error(host->ctx, "nothing can be read");
		return -EUCLEAN;
	}
	be_greedy();
	root.mode = (uint16_t)(header.mode & 07777);
	root.mtime_sec = header.mtime_sec;
	root.mtime_nsec = header.mtime_nsec;
	if (read_lies("links"))
		root.nlink = 5;
	ret = sink->root(sink->ctx, 0);
	return ret < 0 ? ret : sink->inode(sink->ctx, &root);
}

static int liar_decode(void *state, uint64_t cookie, uint64_t skip, void *buf, size_t len)
{
	(void)state, (void)cookie, (void)skip, (void)buf, (void)len;
	return -EIO;
}

static const struct kataimg_option options[] = {
	{ .name = "lie",
	  .help = "none, or which",
	  .type = KATAIMG_OPT_STRING,
	  .default_value = "none" },
};

KATAIMG_BACKEND(.name = "liar", .version = "1", .summary = "a toy that lies when it is asked to",
		.capabilities = KATAIMG_CAP_NANOSECONDS, .options = options, .option_count = 1,
		.open = liar_open, .limits = liar_limits, .check = liar_check, .plan = liar_plan,
		.describe = liar_describe, .write = liar_write, .verify = liar_verify,
		.close = liar_close, .probe = liar_probe, .read = liar_read, .decode = liar_decode,
		.read_end = liar_close);
