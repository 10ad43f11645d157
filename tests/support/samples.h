/* SPDX-License-Identifier: Apache-2.0 */
/* For each backend builds that, together, come by everything that it can write. */
#ifndef SUPPORT_SAMPLES_H
#define SUPPORT_SAMPLES_H

#include "check/support/trial.h"

struct sample {
	const char *backend; /* NULL: any that has no samples of its own */
	struct memtree *(*tree)(void);
	const char *options[6]; /* as of a trial, up to the first NULL */
	uint64_t free_bytes;
};

/* A backend's samples by their number, from 0; NULL: there are no more. */
const struct sample *sample_at(const struct kataimg_backend *backend, size_t number);

/* The sample as a trial: the tree is the caller's, and job lasts as long as the setup. */
struct trial_setup sample_setup(const struct sample *sample, const struct kataimg_backend *backend,
				struct memtree *tree, struct kataimg_job *job);

#endif
