/* SPDX-License-Identifier: Apache-2.0 */
/* Whole builds, and what probe and verify say to windows that hold something else. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "check/support/must.h"
#include "lib/cleanup.h"

#define NOISE_BYTES ((size_t)1 << 20)

int check_empty_tree(const struct subject *subject)
{
	struct memtree *tree autocall(cleanup_memtree_free) = check_empty_root(subject);
	const struct trial_setup setup = check_setup(subject, tree);

	return check_builds(&setup, "empty-tree");
}

int check_whole_tree(const struct subject *subject)
{
	struct memtree *tree autocall(cleanup_memtree_free) =
		check_sample_tree(subject, "whole-tree");
	const struct trial_setup setup = check_setup(subject, tree);
	struct trial *trial autocall(cleanup_trial_free) = check_run(&setup, "whole-tree");

	if (trial && subject->keep)
		return check_keep(subject->keep, trial, tree);
	return trial == NULL;
}

static int build_job(const struct subject *subject, const struct kataimg_job *job,
		     const char *occasion)
{
	struct trial_setup setup = subject->sample;

	setup.job = job;
	return check_builds(&setup, occasion);
}

int check_jobs(const struct subject *subject)
{
	struct kataimg_job no_dax = subject->job, small_pages = subject->job,
			   large_sectors = subject->job;

	no_dax.required &= ~KATAIMG_JOB_DAX;
	no_dax.window_offset /= 3; /* what is no disk has it at 0 in every job */
	small_pages.hugepage_bytes = 0;
	large_sectors.sector_bytes = 4096;
	return build_job(subject, &no_dax, "jobs, dax = no") |
	       build_job(subject, &small_pages, "jobs, hugepages = no") |
	       build_job(subject, &large_sectors, "jobs, sectors of 4096 bytes");
}

/* Where the start of the file would lie in the image must be as the device's pages have it. */
static int check_place(const struct kataimg_job *job, const struct trial_place *place)
{
	uint64_t start = job->window_offset + place->off - place->file_off;
	char path[256];

	if (!place->node)
		return 0;
	tree_path(place->node, path, sizeof(path));
	if (start % KATAIMG_HOLE_BYTES != 0)
		return check_fail("dax: byte %" PRIu64 " of %s is placed at %" PRIu64
				  " of the window: a page of the file is no page of the image",
				  place->file_off, path, place->off);
	if (place->node->size >= job->hugepage_bytes && place->file_off == 0 &&
	    start % job->hugepage_bytes != 0)
		return check_fail("dax: %s of %" PRIu64 " bytes begins at %" PRIu64
				  " of the image, not at a multiple of %" PRIu64,
				  path, place->node->size, start, job->hugepage_bytes);
	return 0;
}

int check_dax(const struct subject *subject)
{
	struct trial *trial autocall(cleanup_trial_free) = check_run(&subject->sample, "dax");
	int ret = trial == NULL;

	if (trial && subject->job.required & KATAIMG_JOB_DAX)
		for (uint64_t i = 0; ret == 0 && i < trial_place_count(trial); i++)
			ret = check_place(&subject->job, trial_place_at(trial, i));
	return ret;
}

static int probe_says_no(const struct subject *subject, const uint8_t *bytes, size_t len,
			 const char *what)
{
	struct kataimg_fs_info info;
	int ret = trial_probe_bytes(subject->backend, bytes, len, &info);

	if (ret == -ENODATA)
		return 0;
	return check_fail("probe: it returned %d (%s), not -ENODATA, for %zu bytes of %s", ret,
			  check_errno(ret), len, what);
}

int check_probe_garbage(const struct subject *subject)
{
	static const size_t lengths[] = { 0, 1, 511, 512, 1023, 1024, 1500, 4096, NOISE_BYTES };
	autofree uint8_t *zeros = must_calloc(1, NOISE_BYTES);
	autofree uint8_t *noise = must_calloc(1, NOISE_BYTES);
	uint32_t random = 1;
	int ret = 0;

	for (size_t i = 0; i < NOISE_BYTES; i++) {
		random = random * 1664525 + 1013904223;
		noise[i] = (uint8_t)(random >> 24);
	}
	for (size_t i = 0; ret == 0 && i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		ret |= probe_says_no(subject, zeros, lengths[i], "zeros");
		ret |= probe_says_no(subject, noise, lengths[i], "noise");
	}
	return ret;
}

int check_verify_notices(const struct subject *subject)
{
	struct trial_setup setup = subject->sample;

	setup.corrupt_all = true;
	return check_refused(&setup, "verify", "verify probe",
			     "neither verify nor probe minds a window of zeros");
}
