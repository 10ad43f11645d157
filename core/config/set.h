/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configurations of one run, one an image. A file without named sections is one image, which
 * has no name. A file with a section [image NAME], or several, is these images and no other: each
 * has what the plain sections say, and over it what its own say, [image NAME], [verity NAME],
 * [ext4 NAME] and so on. A list that an image's own section gives replaces that of the plain one.
 *
 * Order, as in config/config.h: config_set_read, config_set_select, config_set_fill for the
 * configuration of each image, between its environment and what the command line gives.
 */
#ifndef CONFIG_SET_H
#define CONFIG_SET_H

#include "core/config/config.h"

struct config_set {
	struct config *items; /* owned */
	size_t count;
};

#endif
