/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of backends in a configuration: a file may have tens of thousands of keys. */
#ifndef CONFIG_PAIRS_H
#define CONFIG_PAIRS_H

#include "core/config/config.h"

/* NULL: not given. */
struct config_pair *pair_find(const struct config *config, const char *section, const char *name);

/* Adds a copy of one that is not there. 0 or -ENOMEM. */
int pair_add(struct config *config, const struct config_pair *pair);

/* A section, or a key in it, at origin. 0 or -ENOMEM. */
int section_meet(struct config *config, const char *name, const struct config_origin *origin,
		 bool is_key);

void pairs_free(struct config *config);

#endif
