/* SPDX-License-Identifier: Apache-2.0 */
/* What ext4 cannot store: kataimg_backend's limits and check, and what a job can ask in vain. */
#ifndef EXT4_LIMITS_H
#define EXT4_LIMITS_H

#include "kataimg/backend.h"

void ext4_limits_set(struct kataimg_limits *limits);
int ext4_limits_check(const struct kataimg_node *node, char *reason, size_t reason_size);

/* Can blocks start at the pages of the image? -EINVAL with its message. */
int ext4_limits_check_window(const struct kataimg_host *host, const struct kataimg_job *job);

/* What has no node has the build's time. -ERANGE with its message. */
int ext4_limits_check_time(const struct kataimg_host *host, const struct kataimg_job *job);

#endif
