/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest table that loads; each macro spoils one thing of it. Compiled once for every way of
 * being wrong.
 */
#include "kataimg/backend.h"

#include <errno.h>

#ifndef NAME
#define NAME "good"
#endif
#ifndef ABI
#define ABI KATAIMG_ABI_VERSION
#endif
#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(struct kataimg_backend)
#endif
#ifndef VERIFY
#define VERIFY good_verify
#endif

static int good_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	(void)host, (void)job, (void)values, (void)state;
	return -ENOSYS;
}

static int good_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	(void)state, (void)tree, (void)plan;
	return -ENOSYS;
}

static int good_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	(void)state, (void)window_bytes, (void)info;
	return -ENOSYS;
}

static int good_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	(void)state, (void)tree, (void)window_bytes;
	return -ENOSYS;
}

__attribute__((unused)) static int good_verify(void *state, uint64_t window_bytes)
{
	(void)state, (void)window_bytes;
	return -ENOSYS;
}

#ifdef BEYOND_SIZE
static int good_walk(void *state)
{
	(void)state;
	return -ENOSYS;
}
#endif

static void good_close(void *state)
{
	(void)state;
}

static int good_probe(const struct kataimg_host *host, uint64_t window_bytes,
		      struct kataimg_fs_info *info)
{
	(void)host, (void)window_bytes, (void)info;
	return -ENODATA;
}

static const struct kataimg_option options[] = {
	{ .name = "colour",
	  .default_value = "red",
	  .help = "a colour",
	  .type = KATAIMG_OPT_STRING },
#ifdef BAD_OPTION
	{ .name = "Bad Name", .help = "a bad name", .type = KATAIMG_OPT_STRING },
#endif
};

#ifndef NO_SYMBOL
const struct kataimg_backend kataimg_backend = {
	.struct_size = TABLE_SIZE,
	.abi_version = ABI,
	.option_size = sizeof(struct kataimg_option),
	.name = NAME,
	.version = "1",
	.summary = "a table for the loader's tests",
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.open = good_open,
	.plan = good_plan,
	.describe = good_describe,
	.write = good_write,
	.verify = VERIFY,
	.close = good_close,
	.probe = good_probe,
#ifdef BEYOND_SIZE
	.walk = good_walk,
#endif
};
#endif
