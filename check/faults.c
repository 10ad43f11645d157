/* SPDX-License-Identifier: Apache-2.0 */
/* Services that fail, at every call in turn. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "check/check.h"
#include "lib/libc.h"

/* So many calls are tried one by one; a service that is called more often is sampled. */
#define TRIES_MAX 200

static const char *const service_names[TRIAL_SERVICES] = {
	[TRIAL_WRITE] = "write",
	[TRIAL_WINDOW_READ] = "window_read",
	[TRIAL_PLACE] = "place",
	[TRIAL_PLACE_SCRATCH] = "place_scratch",
	[TRIAL_SOURCE_READ] = "source_read",
	[TRIAL_SCRATCH_CREATE] = "scratch_create",
	[TRIAL_SCRATCH_WRITE] = "scratch_write",
	[TRIAL_SCRATCH_READ] = "scratch_read",
	[TRIAL_DERIVE] = "derive or uuid",
	[TRIAL_PARALLEL] = "parallel",
};

static int fail_one(const struct trial_setup *setup, enum trial_service service, uint64_t nth,
		    int code)
{
	int before = check_count_entries("/proc/self/fd"), after;
	struct trial *trial = trial_new(setup);
	int result, ret = 0;

	trial_fail(trial, service, nth, code);
	result = trial_run(trial);
	if (*trial_violation(trial))
		ret = check_fail("faults: call %" PRIu64 " of %s failed: %s", nth,
				 service_names[service], trial_violation(trial));
	else if (result != -code)
		ret = check_fail("faults: call %" PRIu64
				 " of %s returned %d (%s), but the build ended with %d: %s",
				 nth, service_names[service], -code, errno_text(code), result,
				 trial_error(trial));
	trial_free(trial);
	after = check_count_entries("/proc/self/fd");
	if (ret == 0 && after > before)
		ret = check_fail("faults: call %" PRIu64
				 " of %s failed: %d descriptors were open before, %d after",
				 nth, service_names[service], before, after);
	return ret;
}

static int fail_service(const struct trial_setup *setup, enum trial_service service, uint64_t calls)
{
	uint64_t tries = calls < TRIES_MAX ? calls : TRIES_MAX;

	for (uint64_t i = 0; i < tries; i++) {
		uint64_t nth = 1 + i * calls / tries;

		if (fail_one(setup, service, nth, EIO) || fail_one(setup, service, nth, ENOSPC))
			return 1;
	}
	return 0;
}

int check_faults(const struct subject *subject)
{
	struct trial *clean autocall(cleanup_trial_free) = check_run(&subject->sample, "faults");
	int ret = clean == NULL;

	for (int service = TRIAL_OTHER + 1; clean && service < TRIAL_SERVICES; service++)
		ret |= fail_service(&subject->sample, service, trial_calls(clean, service));
	return ret;
}

int check_cancelled(const struct subject *subject)
{
	for (uint64_t calls = 0; calls < 4; calls++) {
		struct trial *trial autocall(cleanup_trial_free) = trial_new(&subject->sample);
		int result;

		trial_cancel_after(trial, calls);
		result = trial_run(trial);
		if (result != -ECANCELED)
			return check_fail("cancelled: after %" PRIu64
					  " calls of services the build was cancelled, but %s "
					  "ended with %d: %s",
					  calls, trial_stage(trial), result, trial_error(trial));
	}
	return 0;
}
