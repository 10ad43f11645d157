/* SPDX-License-Identifier: Apache-2.0 */
/* What a census and a layout are made of; constant once plan has begun. */
#ifndef EXT4_SOURCE_H
#define EXT4_SOURCE_H

#include <errno.h>

#include "kataimg/backend.h"
#include "plugins/ext4/options.h"

struct ext4_source {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	const struct kataimg_tree *tree; /* from plan on */
	struct ext4_options options;
};

/* Long loops call it with their counter: -ECANCELED once the build is to stop. */
static inline int ext4_source_check_cancelled(const struct ext4_source *source, uint64_t step)
{
	return step % 4096 == 0 && source->host->cancelled(source->host->ctx) ? -ECANCELED : 0;
}

#endif
