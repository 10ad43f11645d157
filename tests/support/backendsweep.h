/* SPDX-License-Identifier: Apache-2.0 */
/* All samples of a backend, built and read back, with a call that fails at one place after the
 * other. */
#ifndef SUPPORT_BACKENDSWEEP_H
#define SUPPORT_BACKENDSWEEP_H

#include "check/support/trial.h"
#include "tests/support/places.h"

struct sweep {
	const struct kataimg_backend *backend;
	struct places places; /* asked by whoever lets calls fail */
	int code;             /* which error a run must then end with, positive */
	const char *text;     /* that its message must have */
};

/* At how many places a call has failed. Ends the test where a run does not end as it must. */
size_t sweep_builds(struct sweep *sweep);
size_t sweep_reads(struct sweep *sweep);

#endif
