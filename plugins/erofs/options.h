/* SPDX-License-Identifier: Apache-2.0 */
/* The section [erofs]: the table that the core parses it by, and its reading. */
#ifndef EROFS_OPTIONS_H
#define EROFS_OPTIONS_H

#include "plugins/erofs/erofs.h"

enum erofs_option {
	EROFS_OPTION_DATA,
	EROFS_OPTION_DEDUPE,
	EROFS_OPTION_COMPRESS,
	EROFS_OPTION_LEVEL,
	EROFS_OPTION_CLUSTER_SIZE,
	EROFS_OPTION_LABEL,
	EROFS_OPTION_UUID,
	EROFS_OPTION_COUNT
};

extern const struct kataimg_option erofs_option_table[EROFS_OPTION_COUNT];

/* Fills fs->options from the values of the table. -EINVAL for what contradicts. */
int erofs_options_read(struct erofs *fs, const struct kataimg_value *values);

#endif
