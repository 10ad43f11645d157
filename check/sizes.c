/* SPDX-License-Identifier: Apache-2.0 */
/* Plans and windows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"

#define MEBIBYTE (UINT64_C(1) << 20)

/* Plans without writing. Returns 1 after a sentence. */
static int plan(const struct trial_setup *of, const char *occasion, struct kataimg_plan *result)
{
	struct trial *trial autocall(cleanup_trial_free) = NULL;
	struct trial_setup setup = *of;

	setup.plan_only = true;
	trial = check_run(&setup, occasion);
	if (!trial)
		return 1;
	*result = *trial_plan(trial);
	return 0;
}

/* What write and plan agree on may still be too much: a filesystem that nobody writes to has no use
 * for a last granule that holds nothing. */
static int check_used(const struct subject *subject, const struct trial *trial)
{
	const struct kataimg_plan *plan = trial_plan(trial);
	uint64_t end = plan->bytes - plan->granularity;

	if (subject->backend->capabilities & KATAIMG_CAP_FREE_SPACE || end == 0 ||
	    trial_is_used(trial, end, plan->granularity))
		return 0;
	return check_fail("plan: it asks for %" PRIu64
			  " bytes, but nothing lies in the last granule of %" PRIu64,
			  plan->bytes, plan->granularity);
}

int check_plan_exact(const struct subject *subject)
{
	struct trial *trial autocall(cleanup_trial_free) = NULL;
	struct trial_setup setup = subject->sample;
	struct kataimg_plan planned;
	char accepted[200];
	int ret = plan(&setup, "plan", &planned);

	if (ret == 0 && planned.bytes > planned.granularity) {
		setup.window_bytes = planned.bytes - planned.granularity;
		snprintf(accepted, sizeof(accepted),
			 "it asks for %" PRIu64 " bytes, but write takes one granule of %" PRIu64
			 " less: the plan is not exact, or write does not look",
			 planned.bytes, planned.granularity);
		ret = check_refused(&setup, "plan, one granule less", "describe write", accepted);
	}
	if (ret == 0)
		trial = check_run(&subject->sample, "plan");
	return trial ? check_used(subject, trial) : 1;
}

int check_granularity(const struct subject *subject)
{
	struct trial *trial autocall(cleanup_trial_free) = NULL;
	struct trial_setup setup = subject->sample;
	struct kataimg_plan planned;
	int ret = plan(&setup, "granularity", &planned);

	if (ret || planned.granularity <= KATAIMG_HOLE_BYTES)
		return ret;
	setup.window_bytes = planned.bytes + KATAIMG_HOLE_BYTES;
	trial = trial_new(&setup);
	if (trial_run(trial) == 0 && trial_described(trial)->size_bytes == setup.window_bytes)
		return check_fail("granularity: it is said to be %" PRIu64
				  " bytes, but write fills a window of %u bytes more than planned",
				  planned.granularity, KATAIMG_HOLE_BYTES);
	return 0;
}

int check_windows(const struct subject *subject)
{
	static const uint64_t granules[] = { 0, 1, 2, 7, 255, 1000, 32767, 33333 };
	struct trial_setup setup = subject->sample;
	struct kataimg_plan planned;
	int ret = plan(&setup, "windows", &planned);

	for (size_t i = 0; ret == 0 && i < sizeof(granules) / sizeof(granules[0]); i++) {
		setup.extra_bytes = granules[i] * planned.granularity;
		if (check_builds(&setup, "windows"))
			ret = check_fail("windows: that was with %" PRIu64
					 " granules more than planned",
					 granules[i]);
	}
	return ret;
}

static int check_one_free_space(const struct subject *subject, uint64_t free_bytes,
				uint64_t *last_plan)
{
	struct trial *trial autocall(cleanup_trial_free) = NULL;
	struct trial_setup setup = subject->sample;
	struct kataimg_job job = subject->job;
	const struct kataimg_fs_info *info;
	int ret = 0;

	job.free_bytes = free_bytes;
	job.free_inodes = free_bytes / 16384;
	job.required |= free_bytes ? KATAIMG_JOB_FREE_SPACE : 0;
	setup.job = &job;
	trial = check_run(&setup, "free-space");
	if (!trial)
		return 1;
	info = trial_described(trial);
	if (info->free_bytes < job.free_bytes ||
	    (!(info->flags & KATAIMG_FS_INODES_NOT_COUNTED) && info->free_inodes < job.free_inodes))
		ret = check_fail("free-space: asked for %" PRIu64 " bytes and %" PRIu64
				 " inodes, describe has %" PRIu64 " and %" PRIu64,
				 job.free_bytes, job.free_inodes, info->free_bytes,
				 info->free_inodes);
	if (trial_plan(trial)->bytes < *last_plan)
		ret = check_fail("free-space: the plan for %" PRIu64
				 " free bytes is smaller than for fewer",
				 free_bytes);
	*last_plan = trial_plan(trial)->bytes;
	return ret;
}

int check_free_space(const struct subject *subject)
{
	static const uint64_t wanted[] = {
		0, 1, 4096, 100000, MEBIBYTE, 64 * MEBIBYTE, 300 * MEBIBYTE
	};
	uint64_t last_plan = 0;
	int ret = 0;

	if (subject->backend->capabilities & KATAIMG_CAP_FREE_SPACE)
		for (size_t i = 0; ret == 0 && i < sizeof(wanted) / sizeof(wanted[0]); i++)
			ret = check_one_free_space(subject, wanted[i], &last_plan);
	return ret;
}
