/* SPDX-License-Identifier: Apache-2.0 */
/* Services that fail, at every call in turn. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "check/check.h"

/* So many calls are tried one by one; a service that is called more often is sampled. */
#define TRIES_MAX 200

static const char *const service_names[FAKEHOST_SERVICES] = {
	[FAKEHOST_WRITE] = "write",
	[FAKEHOST_WINDOW_READ] = "window_read",
	[FAKEHOST_PLACE] = "place",
	[FAKEHOST_PLACE_SCRATCH] = "place_scratch",
	[FAKEHOST_SOURCE_READ] = "source_read",
	[FAKEHOST_SCRATCH_CREATE] = "scratch_create",
	[FAKEHOST_SCRATCH_WRITE] = "scratch_write",
	[FAKEHOST_SCRATCH_READ] = "scratch_read",
	[FAKEHOST_DERIVE] = "derive or uuid",
	[FAKEHOST_PARALLEL] = "parallel",
};

static int fail_one(const struct fakehost_setup *setup, enum fakehost_service service, uint64_t nth,
		    int code)
{
	int before = check_count_entries("/proc/self/fd"), after;
	struct fakehost *host = fakehost_new(setup);
	int result, ret = 0;

	fakehost_fail(host, service, nth, code);
	result = fakehost_run(host);
	if (*fakehost_violation(host))
		ret = check_fail("faults: call %" PRIu64 " of %s failed: %s", nth,
				 service_names[service], fakehost_violation(host));
	else if (result != -code)
		ret = check_fail("faults: call %" PRIu64
				 " of %s returned %d (%s), but the build ended with %d",
				 nth, service_names[service], -code, strerrordesc_np(code), result);
	fakehost_free(host);
	after = check_count_entries("/proc/self/fd");
	if (ret == 0 && after > before)
		ret = check_fail("faults: call %" PRIu64
				 " of %s failed: %d descriptors were open before, %d after",
				 nth, service_names[service], before, after);
	return ret;
}

static int fail_service(const struct fakehost_setup *setup, enum fakehost_service service,
			uint64_t calls)
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
	struct memtree *tree = check_sample_tree(subject);
	const struct fakehost_setup setup = check_setup(subject, tree);
	struct fakehost *clean = check_run(&setup, "faults");
	int ret = clean == NULL;

	for (int service = 0; clean && service < FAKEHOST_SERVICES; service++)
		ret |= fail_service(&setup, service, fakehost_calls(clean, service));
	fakehost_free(clean);
	memtree_free(tree);
	return ret;
}

int check_cancelled(const struct subject *subject)
{
	struct memtree *tree = check_sample_tree(subject);
	const struct fakehost_setup setup = check_setup(subject, tree);
	int ret = 0;

	for (uint64_t calls = 0; ret == 0 && calls < 4; calls++) {
		struct fakehost *host = fakehost_new(&setup);
		int result;

		fakehost_cancel_after(host, calls);
		result = fakehost_run(host);
		if (result != -ECANCELED)
			ret = check_fail("cancelled: after %" PRIu64
					 " calls of services the build was cancelled, but %s ended "
					 "with %d",
					 calls, fakehost_stage(host), result);
		fakehost_free(host);
	}
	memtree_free(tree);
	return ret;
}
