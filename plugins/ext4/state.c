/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "plugins/ext4/ext4.h"

#define STEPS_BETWEEN_CHECKS 4096u

int ext4_nomem(const struct kataimg_host *host)
{
	host->error(host->ctx, "out of memory");
	return -ENOMEM;
}

int ext4_result(const struct kataimg_host *host, int ret)
{
	return ret == -ENOMEM ? ext4_nomem(host) : ret;
}

int ext4_check_cancelled(const struct kataimg_host *host, uint64_t step)
{
	return step % STEPS_BETWEEN_CHECKS == 0 && host->cancelled(host->ctx) ? -ECANCELED : 0;
}

uint32_t ext4_node_ino(const struct ext4 *ext4, const struct kataimg_node *node)
{
	return node->index == 0 ? EXT4_ROOT_INO : ext4->format.first_tree_ino + node->index;
}
