/* SPDX-License-Identifier: Apache-2.0 */
/* What a layout is made of; constant once plan has begun. */
#ifndef EROFS_SOURCE_H
#define EROFS_SOURCE_H

#include "kataimg/backend.h"
#include "plugins/erofs/options.h"

struct erofs_source {
	const struct kataimg_host *host;
	const struct kataimg_job *job;
	const struct kataimg_tree *tree; /* from plan on */
	struct erofs_options options;
};

#endif
