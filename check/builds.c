/* SPDX-License-Identifier: Apache-2.0 */
/* Whole builds, and what probe and verify say to windows that hold something else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"

#define NOISE_BYTES ((size_t)1 << 20)

int check_empty_tree(const struct subject *subject)
{
	struct memtree *tree = memtree_new();
	const struct fakehost_setup setup = check_setup(subject, tree);
	struct fakehost *host = check_run(&setup, "empty-tree");

	fakehost_free(host);
	memtree_free(tree);
	return host == NULL;
}

int check_whole_tree(const struct subject *subject)
{
	struct memtree *tree = check_sample_tree(subject->backend);
	const struct fakehost_setup setup = check_setup(subject, tree);
	struct fakehost *host = check_run(&setup, "whole-tree");

	fakehost_free(host);
	memtree_free(tree);
	return host == NULL;
}

static int probe_says_no(const struct subject *subject, const uint8_t *bytes, size_t len,
			 const char *what)
{
	struct kataimg_fs_info info;
	int ret = fakehost_probe_bytes(subject->backend, bytes, len, &info);

	if (ret == -ENODATA)
		return 0;
	return check_fail("probe: it returned %d, not -ENODATA, for %zu bytes of %s", ret, len,
			  what);
}

int check_probe_garbage(const struct subject *subject)
{
	static const size_t lengths[] = { 0, 1, 511, 512, 1023, 1024, 1500, 4096, NOISE_BYTES };
	uint8_t *zeros = calloc(1, NOISE_BYTES), *noise = malloc(NOISE_BYTES);
	uint32_t random = 1;
	int ret = zeros && noise ? 0 : check_fail("probe: out of memory");

	for (size_t i = 0; ret == 0 && i < NOISE_BYTES; i++) {
		random = random * 1664525 + 1013904223;
		noise[i] = (uint8_t)(random >> 24);
	}
	for (size_t i = 0; ret == 0 && i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		ret |= probe_says_no(subject, zeros, lengths[i], "zeros");
		ret |= probe_says_no(subject, noise, lengths[i], "noise");
	}
	free(zeros);
	free(noise);
	return ret;
}

int check_verify_notices(const struct subject *subject)
{
	const size_t len = 65536;
	struct memtree *tree = check_sample_tree(subject->backend);
	struct fakehost_setup setup = check_setup(subject, tree);
	struct fakehost *host;
	void *zeros = calloc(1, len);
	int ret;

	setup.corrupt = zeros;
	setup.corrupt_len = len;
	host = fakehost_new(&setup);
	ret = fakehost_run(host) == 0
		      ? check_fail(
				"verify: neither verify nor probe minds that the first %zu bytes "
				"of the window are zeros",
				len)
		      : 0;
	fakehost_free(host);
	memtree_free(tree);
	free(zeros);
	return ret;
}
