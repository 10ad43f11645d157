/* SPDX-License-Identifier: Apache-2.0 */
#include "plugins/cpio/cpio.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/cleanup.h"
#include "lib/round.h"
#include "plugins/cpio/info.h"
#include "plugins/cpio/limits.h"
#include "plugins/cpio/members.h"
#include "plugins/cpio/probe.h"
#include "plugins/cpio/read.h"
#include "plugins/cpio/write.h"

/* What a core that takes every image for a disk wants. */
#define DISK_BYTES 4096u

static void cpio_close(void *state)
{
	free(state);
}

static int cpio_open(const struct kataimg_host *host, const struct kataimg_job *job,
		     const struct kataimg_value *values, void **state)
{
	struct cpio *cpio = calloc(1, sizeof(*cpio));

	(void)values;
	if (!cpio)
		return -ENOMEM;
	cpio->host = host;
	cpio->job = job;
	*state = cpio;
	return 0;
}

static int cpio_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	cpio_limits_set(limits);
	return 0;
}

static int find_trailer(struct cpio *cpio)
{
	struct cpio_members members autocall(cpio_members_end) = { 0 };
	struct cpio_member member;
	int ret = cpio_members_begin(&members, cpio->tree);

	if (ret < 0)
		return ret;
	do
		ret = cpio_members_next(&members, &member);
	while (ret > 0);
	cpio->trailer_off = members.next_off;
	if (ret == -EOVERFLOW)
		cpio->host->error(cpio->host->ctx, "the archive would have more than 2^63 bytes");
	return ret == -EOVERFLOW ? -EFBIG : ret;
}

static int cpio_plan(void *state, const struct kataimg_tree *tree, struct kataimg_plan *plan)
{
	struct cpio *cpio = state;
	int ret;

	cpio->tree = tree;
	ret = find_trailer(cpio);
	if (ret < 0)
		return ret;
	plan->granularity =
		cpio->job->required & KATAIMG_JOB_NO_DISK ? CPIO_BLOCK_BYTES : DISK_BYTES;
	plan->bytes = round_up(cpio_archive_bytes(cpio->trailer_off), plan->granularity);
	return 0;
}

static int cpio_describe(void *state, uint64_t window_bytes, struct kataimg_fs_info *info)
{
	const struct cpio *cpio = state;

	(void)window_bytes;
	cpio_info_describe(cpio_archive_bytes(cpio->trailer_off), info);
	return 0;
}

static int cpio_write(void *state, const struct kataimg_tree *tree, uint64_t window_bytes)
{
	(void)tree;
	(void)window_bytes;
	return cpio_write_archive(state);
}

/* Everything here comes from write, and the core has compared what write makes a second time. */
static int cpio_verify(void *state, uint64_t window_bytes)
{
	(void)state;
	(void)window_bytes;
	return 0;
}

KATAIMG_BACKEND(.name = "cpio", .version = "0.1.0",
		.summary = "cpio in the form newc, which the kernel unpacks: an initrd",
		.capabilities = KATAIMG_CAP_SYMLINKS | KATAIMG_CAP_HARDLINKS | KATAIMG_CAP_DEVICES |
				KATAIMG_CAP_FIFOS | KATAIMG_CAP_SOCKETS | KATAIMG_CAP_WRITE_AGAIN |
				KATAIMG_CAP_NO_DISK,
		.job_features = KATAIMG_JOB_NO_DISK, .open = cpio_open, .limits = cpio_limits,
		.plan = cpio_plan, .describe = cpio_describe, .write = cpio_write,
		.verify = cpio_verify, .close = cpio_close, .probe = cpio_probe, .read = cpio_read);
