/* SPDX-License-Identifier: Apache-2.0 */
/* What FAT has: no owners, set-id or sticky bits, times of two seconds, inodes that nobody counts.
 */
#include "toy.h"

#include <stdio.h>

int toy_limits(void *state, struct kataimg_limits *limits)
{
	(void)state;
	limits->path_bytes = 30;
	limits->mtime_granularity_nsec = UINT64_C(2000000000);
	return 0;
}

int toy_check(void *state, const struct kataimg_node *node, char *reason, size_t reason_size)
{
	const struct toy *toy = state;
	int special = node->mode & 07000;

	if (!special && !node->uid && !node->gid)
		return KATAIMG_CHECK_OK;
	snprintf(reason, reason_size, "%s", special ? "set-id and sticky bits" : "owners");
	if (!KATAIMG_HAS(kataimg_host, toy->host, check_max) ||
	    toy->host->check_max < KATAIMG_CHECK_MODE)
		return KATAIMG_CHECK_NODE;
	return special ? KATAIMG_CHECK_MODE : KATAIMG_CHECK_OWNER;
}
